package main

import (
	"dorcas"
	"dorcas/nn"

	"github.com/spf13/cobra"
)

func newRun(g *globals) *cobra.Command {
	var f inputFlags
	cmd := &cobra.Command{
		Use:   "run MODEL FILE...",
		Short: "Classify images in the clear, with the same integers",
		Long: `Classify images in the clear: no server, no privacy. The answers are those that
dorcas infer gets from a server of the same model, bit for bit.

` + inputHelp + "\n\n" + jsonInputHelp,
		Example: `  dorcas run digits.dorcas seven.png
  dorcas run digits.dorcas --input x.npy --index 0:20 --json`,
		Args: between(1, -1, "a model file and inputs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return interruptible(cmd.Context(), func() error { return runClear(cmd, g, &f, args) })
		},
	}
	f.register(cmd)
	return cmd
}

func runClear(cmd *cobra.Command, g *globals, f *inputFlags, args []string) error {
	paths, opt, err := f.check(args[1:])
	if err != nil {
		return err
	}
	m, err := readModel(args[0])
	if err != nil {
		return err
	}
	all, err := items(&m.Shape, paths, opt)
	if err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), g, len(all), "classifying")
	defer bar.done()
	q := make([]int32, m.Input.Dims.Len())
	for i, item := range all {
		x, err := item.Read()
		if err != nil {
			return err
		}
		m.Input.Quantize(q, x)
		r, err := m.Run(q)
		if err != nil {
			return err
		}
		bar.hide()
		if err := newAnswer(item.Name, dorcas.NewResult(&m.Shape, r)).write(cmd.OutOrStdout(), g); err != nil {
			return err
		}
		bar.set(i + 1)
	}
	return nil
}

// readModel reads a model file; its errors name the file.
func readModel(name string) (*nn.Model, error) {
	m, err := nn.ReadFile(name)
	if err != nil {
		return nil, modelError(name, err)
	}
	return m, nil
}
