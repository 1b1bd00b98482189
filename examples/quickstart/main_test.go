package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 5 || lines[1] != "The picture is a 7." {
		t.Fatalf("got\n%s", out.String())
	}
	private, clear := strings.TrimPrefix(lines[3], "private: "), strings.TrimPrefix(lines[4], "clear:   ")
	if private != clear || len(strings.Fields(private)) != 10 {
		t.Errorf("private %s, clear %s", private, clear)
	}
}

// TestCopy checks that the network is the command's.
func TestCopy(t *testing.T) {
	theirs, err := os.ReadFile(filepath.Join("..", "..", "cmd", "dorcas", "demo", "digits.dorcas"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(theirs, network) {
		t.Error("digits.dorcas is not the one of cmd/dorcas/demo: go generate ./cmd/dorcas copies it")
	}
}
