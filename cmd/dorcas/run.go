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
  dorcas run digits.dorcas --input x.npy --index 0:20 --json
  dorcas run net.dorcas patients.csv --label-column diagnosis --format csv
  dorcas run net.dorcas scans/ 'more/*.dcm' arrays.npz#test`,
		Args: between(1, -1, "a model file and inputs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return interruptible(cmd.Context(), func() error { return runClear(cmd, g, &f, args) })
		},
	}
	f.register(cmd)
	return cmd
}

func runClear(cmd *cobra.Command, g *globals, f *inputFlags, args []string) error {
	files, err := f.check(g, args[1:])
	if err != nil {
		return err
	}
	m, err := readModel(args[0])
	if err != nil {
		return err
	}
	q := make([]int32, m.Input.Dims.Len())
	return f.classify(cmd, g, &m.Shape, files, "classifying", func(x []float32) (*dorcas.Result, error) {
		m.Input.Quantize(q, x)
		r, err := m.Run(q)
		if err != nil {
			return nil, err
		}
		return dorcas.NewResult(&m.Shape, r), nil
	})
}

// readModel reads a model file; its errors name the file.
func readModel(name string) (*nn.Model, error) {
	m, err := nn.ReadFile(name)
	if err != nil {
		return nil, modelError(name, err)
	}
	return m, nil
}
