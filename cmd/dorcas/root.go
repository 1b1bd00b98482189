package main

import (
	"context"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// globals are the flags of every command.
type globals struct {
	json  bool
	quiet bool
}

func newRoot() *cobra.Command {
	g := &globals{}
	root := &cobra.Command{
		Use:   "dorcas",
		Short: "Private inference: classify an image that the server never sees",
		Long: `Dorcas classifies an image with a neural network such that the network's
owner does not see the image and the image's owner does not see the network.

  dorcas demo                                     see it work, on this machine
  dorcas compile net.onnx --samples DIR           turn a trained network into a model file
  dorcas inspect net.dorcas                       what it will cost
  dorcas serve net.dorcas --listen tls://:7443    offer it
  dorcas infer --server tls://host:7443 x.png     ask it
  dorcas run net.dorcas x.png                     the same in the clear, to compare
  dorcas compare net.dorcas net.onnx x.png        where the integers part from the floats

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.`,
		Args:              cobra.ArbitraryArgs,
		RunE:              rootRun,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usagef("%s", plainFlag.ReplaceAllString(err.Error(), ""))
	})
	root.SetHelpCommand(newHelp())
	root.PersistentFlags().BoolVar(&g.json, "json", false, "print JSON in place of text")
	root.PersistentFlags().BoolVarP(&g.quiet, "quiet", "q", false, "no progress, no summary")
	root.AddCommand(
		newDemo(g), newCompile(g), newInspect(g), newServe(g), newInfer(g), newRun(g), newCompare(g), newCert(g), newBench(g), newBenchServer(),
		newVersion(g),
	)
	return root
}

// plainFlag is what package strconv says in an error about a flag, which says
// the same already.
var plainFlag = regexp.MustCompile(`strconv\.\w+: parsing "[^"]*": `)

// newHelp returns the help command; unlike cobra's it fails if there is no such
// command.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 || of == nil {
				return usagef("no command %q: dorcas --help lists them", strings.Join(args, " "))
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		},
	}
}

// rootRun handles a command line that names no command.
func rootRun(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usagef("no command %q: did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return usagef("no command %q: dorcas --help lists them", args[0])
}

// between returns a check of the number of arguments, at least lo and, unless
// hi is negative, at most hi; want says what they are.
func between(lo, hi int, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < lo || hi >= 0 && len(args) > hi {
			return usagef("have %d arguments, want %s", len(args), want)
		}
		return nil
	}
}

// interruptible runs work that does not look at ctx and stops waiting for it
// when ctx is done; the process ends then.
func interruptible(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
