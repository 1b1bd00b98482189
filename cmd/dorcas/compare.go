package main

import (
	"fmt"
	"io"

	"dorcas/nn"

	"github.com/spf13/cobra"
)

type compareFlags struct {
	inputFlags
	error   float64 // percent
	clamped float64
}

func newCompare(g *globals) *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare MODEL NET.onnx FILE...",
		Short: "Find the layer where a model parts from the network it was made of",
		Long: `Run a model and the ONNX network that it was compiled from on the same inputs, in
the clear, and find the first layer whose integers are too far from the float
network's values (--error), or that clamps too many (--clamped) and is off by a
quarter of --error.

error is the root mean square difference, as a share of the float tensor's own
root mean square, over all inputs together. Layers without a number do part of
what a node of the float network does.

With --json: {"inputs","same_answer","first":{…} or null,"layers":[{"name","op",
"twin","unit","error","saturation","largest"},…]}; shares are 0 to 1.`,
		Example: `  dorcas compare net.dorcas net.onnx scan.png
  dorcas compare net.dorcas net.onnx 'wrong/*.png' --error 5
  dorcas compare net.dorcas net.onnx x.npy --index 0:50 --json`,
		Args: between(2, -1, "a model file, the ONNX file it was made of, and inputs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return interruptible(cmd.Context(), func() error { return f.run(cmd, g, args) })
		},
	}
	f.register(cmd)
	_ = cmd.Flags().MarkHidden("format")
	cmd.Flags().Float64Var(&f.error, "error", 10, "error in percent above which a layer counts as parted")
	cmd.Flags().Float64Var(&f.clamped, "clamped", 2, "clamped values in percent above which a layer counts as parted")
	return cmd
}

// parting is what compare prints.
type parting struct {
	Inputs int             `json:"inputs"`
	Same   int             `json:"same_answer"`
	First  *nn.Difference  `json:"first"`
	Layers []nn.Difference `json:"layers"`
	index  int             // of First, -1 if there is none
}

func (f *compareFlags) run(cmd *cobra.Command, g *globals, args []string) error {
	if !(f.error >= 0) || !(f.clamped >= 0) {
		return usagef("--error and --clamped are percentages, from 0")
	}
	f.format = "" // --json is enough here
	files, err := f.inputFlags.check(g, args[2:])
	if err != nil {
		return err
	}
	m, err := readModel(args[0])
	if err != nil {
		return err
	}
	graph, err := readGraph(cmd, g, args[1])
	if err != nil {
		return err
	}
	tasks, err := f.items(&m.Shape, files)
	if err != nil {
		return err
	}
	var x [][]float32
	for _, t := range tasks {
		err := t.err
		var v []float32
		if err == nil {
			v, err = t.item.Read()
		}
		if err != nil {
			return err
		}
		x = append(x, v)
	}
	p, err := f.compare(graph, m, x)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", args[0], args[1], err)
	}
	if g.json {
		return writeJSON(cmd.OutOrStdout(), p)
	}
	return p.write(cmd.OutOrStdout(), f)
}

func (f *compareFlags) compare(graph *nn.Graph, m *nn.Model, x [][]float32) (*parting, error) {
	layers, err := nn.Compare(graph, m, x)
	if err != nil {
		return nil, err
	}
	e, err := nn.Evaluate(graph, m, x, make([]int, len(x)), nil)
	if err != nil {
		return nil, err
	}
	p := &parting{Inputs: len(x), Same: int(e.Agree*float64(len(x)) + 0.5), Layers: layers, index: -1}
	for i := range layers {
		if p.First == nil && f.parts(&layers[i]) {
			p.First, p.index = &layers[i], i
		}
	}
	return p, nil
}

// parts reports whether a layer is too far off. Values that are clamped count
// where that shows: many may be cut by one step only.
func (f *compareFlags) parts(d *nn.Difference) bool {
	if d.Twin == "" {
		return 100*d.Saturation > f.clamped
	}
	return 100*d.Error > f.error || 100*d.Saturation > f.clamped && 400*d.Error > f.error
}

func (p *parting) write(w io.Writer, f *compareFlags) error {
	t := newTable(3, "layer", "what", "float node", "largest", "clamped", "error", "")
	for i, d := range p.Layers {
		twin, mark, most, off := d.Twin, "", fmt.Sprintf("%.4g", d.Largest), percent(d.Error)
		if twin == "" {
			most, off = "", ""
		}
		if twin == d.Name {
			twin = ""
		}
		if i == p.index {
			mark = "← parts"
		}
		t.add(d.Name, d.Op, twin, most, percent(d.Saturation), off, mark)
	}
	if err := t.write(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nthe same answer to %d of %d inputs\n", p.Same, p.Inputs)
	if p.First == nil {
		_, err := fmt.Fprintf(w, "no layer is off by more than %g %% or clamps more than %g %%\n", f.error, f.clamped)
		return err
	}
	what := fmt.Sprintf("is off by %s", percent(p.First.Error))
	advice := "give it more bits (--weight-bits, --act-bits), or samples like these to compile"
	if 100*p.First.Saturation > f.clamped {
		what = fmt.Sprintf("clamps %s of its values", percent(p.First.Saturation))
		advice = "compile with samples like these, or with more bits (--act-bits)"
	}
	_, err := fmt.Fprintf(w, "they part at %s, which %s: %s\n", printable(p.First.Name), what, advice)
	return err
}
