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
	// Method chose the scales, after so many tensors were equalised.
	Method    string           `json:"calibration"`
	Equalized int              `json:"equalized"`
	Search    *nn.SearchReport `json:"search,omitempty"`
	// Accuracies are in percent, nil if the classes are not known.
	Float      *float64         `json:"accuracy_float"`
	Integer    *float64         `json:"accuracy_integer"`
	Agree      *float64         `json:"agreement"`
	Activation int              `json:"activation_bits"`
	Input      nn.LayerReport   `json:"input"`
	Layers     []nn.LayerReport `json:"layers"`
	Outputs    outputReport     `json:"output"`
	Cost       []phaseCost      `json:"phases"`
	Page       string           `json:"report,omitempty"`

	// The answers of both networks to every sample.
	float, integer []int
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
	labels := s.labels
	if labels == nil { // then only whether both agree means anything
		labels = make([]int, len(s.x))
	}
	r.float, r.integer = make([]int, len(s.x)), make([]int, len(s.x))
	bar := newProgress(cmd.ErrOrStderr(), g, len(s.x), "measuring accuracy")
	defer bar.done()
	e, err := nn.Evaluate(graph, m, s.x, labels, &nn.EvaluateOptions{
		Progress: func(done, _ int) { bar.set(done) },
		Answer:   func(i, float, integer int) { r.float[i], r.integer[i] = float, integer },
	})
	if err != nil {
		return err
	}
	float, integer, agree := 100*e.Float, 100*e.Integer, 100*e.Agree
	r.Agree = &agree
	if s.labels != nil {
		r.Float, r.Integer = &float, &integer
	}
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
	fmt.Fprintf(w, "scales     by %s%s\n", r.Method, r.equalized())
	if s := r.Search; s != nil {
		fmt.Fprintf(w, "search     %d networks tried; from %s to %s; loses %.2f points on %d samples%s\n",
			s.Trials, size(s.First), size(s.Cost), s.Loss, s.Samples, heldOut(s))
	}
	if r.Float == nil {
		fmt.Fprintf(w, "accuracy   not known: pass --labels, or a folder of class folders; both networks give the same answer to %.2f %%\n", *r.Agree)
	} else {
		fmt.Fprintf(w, "accuracy   float %.2f %%, integer %.2f %%, the same answer to %.2f %%\n", *r.Float, *r.Integer, *r.Agree)
	}
	for _, c := range r.Cost {
		fmt.Fprintf(w, "%-9s  %s to the server, %s to the client, %d round trips\n", c.Phase, size(c.ToServer), size(c.ToClient), c.Rounds)
	}
	fmt.Fprintf(w, "model      %s\n", r.Model)
	if r.Page != "" {
		fmt.Fprintf(w, "report     %s\n", r.Page)
	}
	_, err := fmt.Fprintf(w, "hash       %s\n", r.ModelHash)
	return err
}

// equalized says how many tensors were equalised.
func (r *compileReport) equalized() string {
	if r.Equalized == 0 {
		return ""
	}
	return fmt.Sprintf("; channels of %d tensors brought to like ranges", r.Equalized)
}

// heldOut says how a network found does on the samples held out.
func heldOut(s *nn.SearchReport) string {
	if s.HeldOut == 0 {
		return ", none held out"
	}
	return fmt.Sprintf(", %.2f on %d held out", s.HeldOutLoss, s.HeldOut)
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
