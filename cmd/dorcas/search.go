package main

import (
	"fmt"

	"dorcas"
	"dorcas/nn"

	"github.com/spf13/cobra"
)

// quantize makes the integer network, with the widths of the flags or with
// those that a search finds, whose report is nil without a search.
func (f *compileFlags) quantize(cmd *cobra.Command, g *globals, graph *nn.Graph, s *samples) (*nn.Model, *nn.QuantizeReport, *nn.SearchReport, error) {
	if !f.search {
		bar := newProgress(cmd.ErrOrStderr(), g, -1, fmt.Sprintf("quantising by %d samples", len(s.calibration())))
		defer bar.done()
		m, r, err := nn.Quantize(graph, s.calibration(), &f.opt)
		return m, r, nil, err
	}
	bar := newProgress(cmd.ErrOrStderr(), g, -1, "looking for bits to save")
	defer bar.done()
	return nn.Search(graph, s.x, s.labels, &nn.SearchOptions{
		Quantize: f.opt, MaxLoss: f.loss, Cost: bytesOnTheWire,
		Progress: func(p nn.SearchProgress) {
			bar.describe(fmt.Sprintf("%d of at most %d networks, %s so far, loses %.2f points", p.Trials, p.MaxTrials, size(p.Cost), p.Loss))
		},
	})
}

// bytesOnTheWire is what one inference sends, offline and online.
func bytesOnTheWire(s *nn.Shape) (int64, error) {
	p, err := dorcas.NewPlan(s)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, phase := range []dorcas.Phase{dorcas.Offline, dorcas.Online} {
		a, b := p.Bytes(phase)
		sum += a + b
	}
	return sum, nil
}

// calibrated returns how many samples chose the scales.
func (s *samples) calibrated(found *nn.SearchReport) int {
	if found != nil {
		return found.Samples
	}
	return len(s.calibration())
}
