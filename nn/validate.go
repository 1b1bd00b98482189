package nn

import (
	"errors"
	"fmt"
)

// Limits of what a shape may ask for, so that a hostile one costs little.
const (
	maxLayers   = 4096
	maxElements = 1 << 24 // of one tensor
	maxTotal    = 1 << 28 // of all tensors
	maxWeights  = 1 << 28
	maxSide     = 1 << 16
	maxEntries  = 1 << 16 // of all tables
)

// Validate reports what is wrong with a shape, so that both parties can run
// from it without further checks. The shape may come from a hostile peer.
func (s *Shape) Validate() error {
	if err := s.Input.validate(); err != nil {
		return fmt.Errorf("nn: input: %w", err)
	}
	if len(s.Layers) == 0 || len(s.Layers) > maxLayers {
		return fmt.Errorf("nn: shape: %d layers, want 1 to %d", len(s.Layers), maxLayers)
	}
	total, entries := s.Input.Dims.Len(), 0
	accumulator := []bool{false}
	for i := range s.Layers {
		l := &s.Layers[i]
		if err := s.validateLayer(i, accumulator); err != nil {
			return fmt.Errorf("nn: layer %d %q: %w", i, l.Name, err)
		}
		if total += l.Out.Len(); total > maxTotal {
			return fmt.Errorf("nn: shape: more than %d elements in all tensors", maxTotal)
		}
		if l.Activate != nil {
			entries += len(l.Activate.Table)
		}
		if entries > maxEntries {
			return fmt.Errorf("nn: shape: more than %d entries in all tables", maxEntries)
		}
		accumulator = append(accumulator, s.accumulates(l, accumulator))
	}
	return s.validateOutput()
}

// Accumulators reports for every tensor whether it is an accumulator.
func (s *Shape) Accumulators() []bool {
	a := []bool{false}
	for i := range s.Layers {
		a = append(a, s.accumulates(&s.Layers[i], a))
	}
	return a
}

func (s *Shape) accumulates(l *Layer, accumulator []bool) bool {
	switch {
	case l.Conv != nil:
		return true
	case l.Activate != nil:
		return false
	}
	for _, t := range l.In {
		if accumulator[t] {
			return true
		}
	}
	return false
}

func (s *Shape) validateOutput() error {
	o := &s.Output
	switch {
	case o.Tensor < 1 || o.Tensor > len(s.Layers):
		return fmt.Errorf("nn: output: no tensor %d", o.Tensor)
	case o.Width < 2 || o.Width > MaxWidth:
		return fmt.Errorf("nn: output: width %d, want 2 to %d", o.Width, MaxWidth)
	case o.Frac < -64 || o.Frac > 64 || o.Div < 1 || o.Div > maxElements:
		return fmt.Errorf("nn: output: scale 2^-%d/%d out of range", o.Frac, o.Div)
	case !o.Reveal.Valid():
		return fmt.Errorf("nn: output: reveal %q, want scores, label or top3", o.Reveal)
	case o.Head < HeadNone || o.Head > HeadSigmoid:
		return fmt.Errorf("nn: output: unknown head %d", o.Head)
	}
	n := s.Dims(o.Tensor).Len()
	if k := o.Reveal.Labels(); k > 0 && n < max(k, 2) {
		return fmt.Errorf("nn: output: no %s to reveal of %d scores", o.Reveal, n)
	}
	if len(s.Record.Labels) > max(n, 2) {
		return fmt.Errorf("nn: record: %d labels for %d scores", len(s.Record.Labels), n)
	}
	return nil
}

func (in *Input) validate() error {
	if in.Bits < 1 || in.Bits > 16 || in.Frac < -32 || in.Frac > 32 {
		return fmt.Errorf("%d bits with %d fractional ones, want 1 to 16 with -32 to 32", in.Bits, in.Frac)
	}
	return in.Dims.validate()
}

func (d Dims) validate() error {
	for _, n := range []int{d.C, d.H, d.W} {
		if n < 1 || n > maxElements {
			return fmt.Errorf("dimensions %s out of range", d)
		}
	}
	if d.C*d.H > maxElements || d.C*d.H*d.W > maxElements {
		return fmt.Errorf("dimensions %s: more than %d elements", d, maxElements)
	}
	return nil
}

func (w *Window) validate() error {
	for _, n := range []int{w.KH, w.KW, w.StrideH, w.StrideW} {
		if n < 1 || n > maxSide {
			return errors.New("window out of range")
		}
	}
	if w.DilH < 0 || w.DilH > maxSide || w.DilW < 0 || w.DilW > maxSide {
		return errors.New("dilation out of range")
	}
	kh, kw := w.Extent()
	p := w.Pad
	if p.Top >= kh || p.Bottom >= kh || p.Left >= kw || p.Right >= kw {
		return errors.New("border as wide as the window")
	}
	return p.validate()
}

func (p Pad) validate() error {
	for _, n := range []int{p.Top, p.Left, p.Bottom, p.Right} {
		if n < 0 || n > maxSide {
			return errors.New("border out of range")
		}
	}
	return nil
}
