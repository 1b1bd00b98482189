package main

import (
	"fmt"
	"io"

	"dorcas"
	"dorcas/nn"

	"github.com/spf13/cobra"
)

// compileReport is what compile prints.
type compileReport struct {
	Model       string `json:"model"`
	ModelHash   string `json:"model_hash"`
	Samples     int    `json:"samples"`
	Calibration int    `json:"calibration_samples"`
	// Accuracies are in percent, nil if the classes are not known.
	Float      *float64         `json:"accuracy_float"`
	Integer    *float64         `json:"accuracy_integer"`
	Agree      *float64         `json:"agreement"`
	Activation int              `json:"activation_bits"`
	Input      nn.LayerReport   `json:"input"`
	Layers     []nn.LayerReport `json:"layers"`
	Outputs    outputReport     `json:"output"`
	Cost       []phaseCost      `json:"phases"`
}

// outputReport is what a client learns of the result.
type outputReport struct {
	Classes int    `json:"classes"`
	Width   int    `json:"width"`
	Reveal  string `json:"reveal"`
}

// evaluate compares both networks on the samples, and finds the widest
// activation.
func (r *compileReport) evaluate(cmd *cobra.Command, g *globals, graph *nn.Graph, m *nn.Model, s *samples) error {
	for _, l := range m.Layers {
		if a := l.Activate; a != nil {
			r.Activation = max(r.Activation, a.Bits, a.Mid)
		}
	}
	r.Outputs = outputReport{m.Dims(m.Output.Tensor).Len(), m.Output.Width, string(m.Output.Reveal)}
	if s.labels == nil {
		return nil
	}
	bar := newProgress(cmd.ErrOrStderr(), g, len(s.x), "measuring accuracy")
	defer bar.done()
	e, err := nn.Evaluate(graph, m, s.x, s.labels, &nn.EvaluateOptions{Progress: func(done, _ int) { bar.set(done) }})
	if err != nil {
		return err
	}
	float, integer, agree := 100*e.Float, 100*e.Integer, 100*e.Agree
	r.Float, r.Integer, r.Agree = &float, &integer, &agree
	return nil
}

// finish adds what the plan predicts.
func (r *compileReport) finish(p *dorcas.Plan) *compileReport {
	r.ModelHash = fmt.Sprintf("%x", p.Hash())
	r.Cost = phaseCosts(p)
	return r
}

func (r *compileReport) write(w io.Writer, g *globals) error {
	if g.json {
		return writeJSON(w, r)
	}
	t := newTable(2, "layer", "what", "width", "shift", "bits", "weight bits", "clamped", "error")
	for _, l := range append([]nn.LayerReport{r.Input}, r.Layers...) {
		t.add(l.Name, l.Op, l.Width, count(l.Shift), bits(l.Bits, l.Signed), count(l.WeightBits),
			percent(l.Saturation), percent(l.Error))
	}
	if err := t.write(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nsamples    %d, %d of them for the scales\n", r.Samples, r.Calibration)
	if r.Float == nil {
		fmt.Fprintf(w, "accuracy   not known: pass --labels, or a folder of class folders\n")
	} else {
		fmt.Fprintf(w, "accuracy   float %.2f %%, integer %.2f %%, the same answer to %.2f %%\n", *r.Float, *r.Integer, *r.Agree)
	}
	for _, c := range r.Cost {
		fmt.Fprintf(w, "%-9s  %s to the server, %s to the client, %d round trips\n", c.Phase, size(c.ToServer), size(c.ToClient), c.Rounds)
	}
	_, err := fmt.Fprintf(w, "model      %s\nhash       %s\n", r.Model, r.ModelHash)
	return err
}

// bits prints the range of an integer.
func bits(n int, signed bool) string {
	switch {
	case n == 0:
		return "·"
	case signed:
		return fmt.Sprintf("%d signed", n)
	}
	return fmt.Sprint(n)
}

// percent prints a share.
func percent(share float64) string {
	if share == 0 {
		return "·"
	}
	return fmt.Sprintf("%.2f %%", 100*share)
}
