package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dorcas": main})
}

// TestScript runs testdata/script/*.txtar, which read like sessions of a user.
// They find the built-in network and its float file, some drawings and the
// demo's images in their working directory.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			for name, from := range map[string]string{
				"digits.onnx":   filepath.Join("..", "..", "training", "digits.onnx"),
				"digits.dorcas": filepath.Join("demo", "digits.dorcas"),
				"digits.json":   filepath.Join("testdata", "digits.json"),
				"x.npy":         filepath.Join("testdata", "digits_x.npy"),
				"y.npy":         filepath.Join("testdata", "digits_y.npy"),
				"seven.png":     filepath.Join("demo", "digit_7_0.png"),
				"three.png":     filepath.Join("demo", "digit_3_0.png"),
			} {
				data, err := os.ReadFile(from)
				if err == nil {
					err = os.WriteFile(filepath.Join(env.WorkDir, name), data, 0o600)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"url": waitURL, "damage": damage, "words": words, "tables": tables, "dim": dim,
		},
	})
}

// waitURL waits for the file of serve --ready-file: url NAME FILE sets $NAME
// to the URL in it.
func waitURL(ts *testscript.TestScript, _ bool, args []string) {
	for range 1000 {
		if data, err := os.ReadFile(ts.MkAbs(args[1])); err == nil {
			ts.Setenv(args[0], strings.TrimSpace(string(data)))
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("no server wrote %s", args[1])
}

// damage changes a byte in the middle of a file.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}

// words sets a variable to a word of the last output: words NAME AFTER takes
// the one that follows AFTER.
func words(ts *testscript.TestScript, _ bool, args []string) {
	all := strings.Fields(strings.NewReplacer(`"`, " ", ":", " ", ",", " ").Replace(ts.ReadFile("stdout")))
	for i, w := range all {
		if w == args[1] && i+1 < len(all) {
			ts.Setenv(args[0], all[i+1])
			return
		}
	}
	ts.Fatalf("no %q in the output", args[1])
}
