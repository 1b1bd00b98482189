// Command dorcas classifies images privately: the server does not see the
// image, the client does not see the network.
//
// It is the whole of the project at a command line: compile turns a trained
// ONNX network into a model file, serve offers it, infer asks it, run
// computes the same in the clear, inspect predicts what it costs, and demo
// does all of it on this machine with what is built in. Programs that want
// the same use package dorcas. Read this file first, then demo.go, which is
// the shortest complete use of the library; every command is in the file of
// its name.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"dorcas/nn/onnx"
)

// The built-in network. Its scales come from 200 of the drawings that
// training/draw.py makes for training; none of the demo's images is among them.
//
//go:generate go run . compile ../../training/digits.onnx --samples testdata/digits_x.npy --labels testdata/digits_y.npy --preprocess testdata/digits.json -o demo/digits.dorcas --no-report
//go:generate cp demo/digits.dorcas ../../examples/quickstart/digits.dorcas

// The exit codes.
const (
	exitRuntime     = 1
	exitUsage       = 2
	exitInterrupted = 130 // as shells have it
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run runs one command line and returns its exit code. The first interrupt
// ends it in an orderly way, the second at once.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "%s: interrupted\n", cmd.CommandPath())
		return exitInterrupted
	}
	if u, ok := errors.AsType[*onnx.UnsupportedError](err); ok {
		for _, node := range u.Nodes {
			fmt.Fprintf(stderr, "  %s\n", node)
		}
	}
	fmt.Fprintf(stderr, "%s: %s\n", cmd.CommandPath(), explain(cmd, err))
	if isUsage(err) {
		return exitUsage
	}
	return exitRuntime
}
