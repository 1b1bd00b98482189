package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// after calls act once a number of lines are written.
type after struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines int
	act   func()
}

func (a *after) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.count()
	a.text.Write(p)
	if before < a.lines && a.count() >= a.lines {
		a.act()
	}
	return len(p), nil
}

func (a *after) count() int { return bytes.Count(a.text.Bytes(), []byte("\n")) }

// half runs a command that prints a line for each of 200 inputs, and does
// something to it after the third.
func half(ctx context.Context, act func(), args ...string) (lines int, err error) {
	out := &after{lines: 3, act: act}
	root := newRoot()
	root.SetArgs(append(args, "testdata/digits_x.npy"))
	root.SetOut(out)
	root.SetErr(&bytes.Buffer{})
	err = root.ExecuteContext(ctx)
	out.mu.Lock()
	defer out.mu.Unlock()
	return out.count(), err
}

// TestHalfWay interrupts clients, and takes the server away from one. The
// first must not harm the others.
func TestHalfWay(t *testing.T) {
	s := startServe(t, "--grace", "0s")
	for _, args := range [][]string{{"infer", "--server", s.url}, {"run", digits}} {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		lines, err := half(ctx, cancel, args...)
		if err == nil || ctx.Err() == nil || lines >= 200 || time.Since(start) > 20*time.Second {
			t.Errorf("%s, interrupted: %d answers, %v after %v", args[0], lines, err, time.Since(start))
		}
	}
	if out, _, err := execute(t.Context(), "infer", "--server", s.url, "demo/digit_3_0.png"); err != nil || !strings.Contains(out, "digit_3_0.png  3") {
		t.Errorf("after an interrupted client: %q, %v", out, err)
	}
	lines, err := half(t.Context(), s.stop, "infer", "--server", s.url)
	if err == nil || lines >= 200 {
		t.Fatalf("a server that went away: %d answers, %v", lines, err)
	}
	text := explain(&cobra.Command{}, err)
	if !strings.Contains(text, "testdata/digits_x.npy[") || !strings.Contains(text, "the server is") || strings.Contains(text, "\n") {
		t.Errorf("a server that went away: %q", text)
	}
	<-s.done
}

// TestTwoClients has two clients at once get what one alone gets.
func TestTwoClients(t *testing.T) {
	want, _, err := execute(t.Context(), "run", digits, "testdata/digits_x.npy", "--index", "0:12", "--json")
	if err != nil {
		t.Fatal(err)
	}
	s := startServe(t)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			got, _, err := execute(t.Context(), "infer", "--server", s.url, "testdata/digits_x.npy", "--index", "0:12", "--json")
			if err != nil || got != want {
				t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
			}
		})
	}
	wg.Wait()
	s.stop()
	<-s.done
}

// TestDamagedModels cuts a model file off and changes bytes of it, at its
// beginning, where the shape is, and at places all over it.
func TestDamagedModels(t *testing.T) {
	whole, err := os.ReadFile(digits)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.dorcas")
	check := func(what string, at int, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readModel(path)
		if err == nil {
			t.Fatalf("%s at %d: no error", what, at)
		}
		text := explain(&cobra.Command{}, err)
		if !strings.HasSuffix(text, ": pass a file that dorcas compile wrote") || strings.Contains(text, "\n") || len(text) > 400 {
			t.Errorf("%s at %d: %q", what, at, text)
		}
	}
	for i := range 150 {
		at := i * 3
		if i >= 50 {
			at = (i - 50) * len(whole) / 100
		}
		check("cut", at, whole[:at])
		changed := bytes.Clone(whole)
		changed[at] ^= 0x41
		check("change", at, changed)
	}
	check("more", len(whole), append(bytes.Clone(whole), 0))
}
