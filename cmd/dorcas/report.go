package main

import (
	"bytes"
	"errors"
	"fmt"
	mathbits "math/bits"
	"os"
	"path/filepath"
	"strings"

	"dorcas"
	"dorcas/internal/report"
	"dorcas/nn"

	"github.com/spf13/cobra"
)

// reportFlags say where the report of a compilation goes.
type reportFlags struct {
	page string
	none bool
}

func (f *reportFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.page, "report", "", "page to write, with its data as .json beside it (default MODEL.report.html)")
	cmd.Flags().BoolVar(&f.none, "no-report", false, "write no report")
}

func (f *reportFlags) check() error {
	if f.none && f.page != "" {
		return usagef("--report and --no-report contradict each other")
	}
	return nil
}

// paths returns the files of a report for a model.
func (f *reportFlags) paths(model string) (page, data string) {
	page = f.page
	if page == "" {
		page = strings.TrimSuffix(model, filepath.Ext(model)) + ".report.html"
	}
	return page, strings.TrimSuffix(page, filepath.Ext(page)) + ".json"
}

// maxTraced is how many samples the histograms are of: each keeps every
// tensor for a moment. LOCAL.
const maxTraced = 64

// compiled is what a report is made of.
type compiled struct {
	file    string
	graph   *nn.Graph
	model   *nn.Model
	report  *nn.QuantizeReport
	server  *dorcas.Server
	samples *samples
	float   []int // answers of the float network
	integer []int
	options []report.Option
}

// write writes both files, and returns the name of the page.
func (f *reportFlags) write(c *compiled) (string, error) {
	if f.none {
		return "", nil
	}
	r, err := c.build()
	if err != nil {
		return "", err
	}
	var html, data bytes.Buffer
	if err := errors.Join(r.HTML(&html), writeJSON(&data, r)); err != nil {
		return "", err
	}
	page, json := f.paths(c.file)
	err = os.WriteFile(page, html.Bytes(), 0o644)
	if err == nil {
		err = os.WriteFile(json, data.Bytes(), 0o644)
	}
	if err != nil {
		return "", fmt.Errorf("--report: %w", err)
	}
	return page, nil
}

func (c *compiled) build() (*report.Report, error) {
	p, s := c.server.Plan(), &c.model.Shape
	r := &report.Report{
		Name: c.model.Name, File: c.file, Hash: fmt.Sprintf("%x", p.Hash()),
		Input:  fmt.Sprintf("%s in %s%s", dimsText(s.Input.Dims), bitsText(s.Input.Bits, s.Input.Signed), picture(s.Record.Preprocess)),
		Reveal: string(s.Output.Reveal), Labels: s.Record.Labels, Options: c.options,
		Samples: len(c.samples.x), Calibration: len(c.samples.calibration()), WeightMemory: c.server.WeightBytes(),
		Estimates: estimatesRestOn, Version: "dorcas " + version(),
	}
	v := inspection{Output: s.Output, Record: s.Record}
	r.Output = v.learns()
	if info, err := os.Stat(c.file); err == nil {
		r.Bytes = info.Size()
	}
	r.ClientMemory, r.ServerMemory = p.Memory()
	costs := phaseCosts(p)
	for _, c := range costs {
		r.Phases = append(r.Phases, report.Phase{Name: string(c.Phase), ToServer: c.ToServer, ToClient: c.ToClient, Rounds: c.Rounds})
	}
	for _, l := range []link{lan, wan} {
		r.Links = append(r.Links, report.Link{Name: l.Name, Setup: l.seconds(costs[0]), Offline: l.seconds(costs[1]), Online: l.seconds(costs[2])})
	}
	r.Weights, r.MACs = sizes(c.model)
	c.layers(r)
	if err := c.trace(r); err != nil {
		return nil, err
	}
	same := 0
	for i := range c.float {
		if c.float[i] == c.integer[i] {
			same++
		}
	}
	r.Agree = float64(same) / float64(len(c.float))
	if c.samples.labels != nil {
		r.Accuracy = report.NewAccuracy(c.samples.labels, c.float, c.integer, c.model.Dims(c.model.Output.Tensor).Len())
	}
	return r, nil
}

func dimsText(d nn.Dims) string {
	if d.H*d.W == 1 {
		return fmt.Sprintf("%d numbers", d.C)
	}
	return d.String()
}

func bitsText(n int, signed bool) string {
	if signed {
		return fmt.Sprintf("%d bits with sign", n)
	}
	return fmt.Sprintf("%d bits", n)
}

// sizes returns the numbers of weights and of multiplications.
func sizes(m *nn.Model) (weights, multiplies int64) {
	for i, w := range m.Weights {
		if w == nil {
			continue
		}
		weights += int64(len(w.W) + len(w.Bias))
		out := m.Layers[i].Out
		multiplies += int64(len(w.W)) * int64(out.H*out.W)
	}
	return weights, multiplies
}

// layers fills in the input, all layers, and the output.
func (c *compiled) layers(r *report.Report) {
	s := &c.model.Shape
	in := c.report.Input
	r.Layers = []report.Layer{{Name: "input", Kind: "input", Shape: s.Input.Dims, Bits: in.Bits, Signed: in.Signed, Error: in.Error, Saturation: in.Saturation}}
	lines := layerLines(c.server.Plan())
	for i, line := range lines {
		l := report.Layer{
			Name: line.Name, Kind: line.Kind, Width: line.Width, Shift: line.Shift, Bits: line.Bits, Signed: line.Signed,
			Ciphertexts: line.Ciphertexts, Products: line.Products, Ands: line.Ands, OTs: line.OTs, ToServer: line.ToServer, ToClient: line.ToClient,
		}
		if i < len(s.Layers) {
			q := c.report.Layers[i]
			l.In, l.Shape = s.Layers[i].In, s.Layers[i].Out
			l.WeightBits, l.Error, l.Saturation = q.WeightBits, q.Error, q.Saturation
			if l.Width == 0 {
				l.Width = q.Width
			}
		} else {
			l.In, l.Shape = []int{s.Output.Tensor}, s.Dims(s.Output.Tensor)
			l.Error = r.Layers[s.Output.Tensor].Error
		}
		r.Layers = append(r.Layers, l)
	}
}

// trace runs the integer network on some samples and counts what its stages
// take, by the bits that it needs.
func (c *compiled) trace(r *report.Report) error {
	s := &c.model.Shape
	from := map[int]int{len(s.Layers) + 1: s.Output.Tensor} // by layer of the report
	for i := range s.Layers {
		if s.Layers[i].Activate != nil {
			from[i+1] = s.Layers[i].In[0]
		}
	}
	for i := range from {
		r.Layers[i].Histogram = make([]int64, r.Layers[i].Width+1)
	}
	r.Traced = min(len(c.samples.x), maxTraced)
	q := make([]int32, s.Input.Dims.Len())
	for i := range r.Traced {
		s.Input.Quantize(q, c.samples.x[i*len(c.samples.x)/r.Traced])
		tensors, err := c.model.RunAll(q)
		if err != nil {
			return err
		}
		for layer, tensor := range from {
			h := r.Layers[layer].Histogram
			for _, v := range tensors[tensor] {
				h[min(mathbits.Len32(uint32(v^v>>31))+1, len(h)-1)]++
			}
		}
	}
	return nil
}
