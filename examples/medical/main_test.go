package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun asks about a few images only.
func TestRun(t *testing.T) {
	dir := os.Getenv("DORCAS_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	var out bytes.Buffer
	err := run(t.Context(), &out, dir, 5, 2)
	if errors.Is(err, errNoData) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tls://127.0.0.1:", "private equals clear, in every integer   5 of 5", "no diagnosis"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// TestNoData checks that the example says what it lacks.
func TestNoData(t *testing.T) {
	if err := run(t.Context(), &bytes.Buffer{}, t.TempDir(), 5, 1); !errors.Is(err, errNoData) {
		t.Errorf("got %v", err)
	}
}
