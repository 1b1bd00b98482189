package main

import (
	"dorcas"
	"dorcas/nn"
)

// layerLine is a layer of a plan with what it costs.
type layerLine struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Output string `json:"output"`
	Shift  int    `json:"shift,omitempty"`
	Bits   int    `json:"bits,omitempty"`
	Signed bool   `json:"signed,omitempty"`
	dorcas.LayerCost
}

// layerLines lists all layers, also those that send nothing, and the output.
func layerLines(p *dorcas.Plan) []layerLine {
	costs := map[int]dorcas.LayerCost{}
	for _, c := range p.Layers() {
		costs[c.Layer] = c
	}
	s := p.Shape()
	var lines []layerLine
	for i := range len(s.Layers) + 1 {
		line := layerLine{LayerCost: costs[i]}
		line.Layer = i
		line.Name, line.Kind = layerName(s, i)
		if i < len(s.Layers) {
			line.Output = s.Layers[i].Out.String()
			if a := s.Layers[i].Activate; a != nil {
				line.Shift, line.Bits, line.Signed, line.Width = a.Shift, a.Bits, a.Signed, a.Width
			}
		} else {
			line.Output = s.Dims(s.Output.Tensor).String()
			line.Width = s.Output.Width
		}
		lines = append(lines, line)
	}
	return lines
}

// layerName returns the name of a layer and what it does.
func layerName(s *nn.Shape, i int) (name, kind string) {
	if i < 0 {
		return "session", ""
	}
	if i == len(s.Layers) {
		switch s.Output.Reveal.Labels() {
		case 0:
			return "output", "open"
		case 1:
			return "output", "arg-max"
		}
		return "output", "largest"
	}
	l := &s.Layers[i]
	switch {
	case l.Conv != nil && l.Out.H*l.Out.W == 1:
		kind = "dense"
	case l.Conv != nil && l.Conv.Groups > 1:
		kind = "grouped conv"
	case l.Conv != nil:
		kind = "conv"
	case l.SumPool != nil:
		kind = "sum pool"
	case l.Add != nil:
		kind = "add"
	case l.Concat != nil:
		kind = "concat"
	case l.ZeroPad != nil:
		kind = "zero pad"
	case l.Slice != nil:
		kind = "slice"
	case l.Transpose != nil:
		kind = "transpose"
	case l.Upsample != nil:
		kind = "upsample"
	case l.Stuff != nil:
		kind = "zeros between"
	case l.Reshape != nil:
		kind = "reshape"
	case l.Activate != nil:
		kind = string(l.Activate.Func)
		if l.Activate.Pool != nil {
			kind = "max pool, " + kind
		}
	}
	return l.Name, kind
}
