package nn

import (
	"errors"
	"fmt"
)

func (s *Shape) validateLayer(i int, accumulator []bool) error {
	l := &s.Layers[i]
	if len(l.In) == 0 || len(l.In) > 64 {
		return fmt.Errorf("%d inputs", len(l.In))
	}
	for _, t := range l.In {
		if t < 0 || t > i {
			return fmt.Errorf("input tensor %d does not come before it", t)
		}
	}
	if err := l.Out.validate(); err != nil {
		return err
	}
	if l.Add == nil && l.Concat == nil && len(l.In) != 1 {
		return fmt.Errorf("%d inputs, want 1", len(l.In))
	}
	if l.operators() != 1 {
		return fmt.Errorf("%d operators, want 1", l.operators())
	}
	in := s.Dims(l.In[0])
	switch {
	case l.Conv != nil:
		if accumulator[l.In[0]] {
			return errors.New("a convolution cannot take an accumulator")
		}
		return l.Conv.validate(in, l.Out)
	case l.Activate != nil:
		return l.Activate.validate(in, l.Out)
	}
	return s.validatePublic(l)
}

func (l *Layer) operators() int {
	n := 0
	for _, set := range []bool{l.Conv != nil, l.SumPool != nil, l.Add != nil, l.Concat != nil, l.ZeroPad != nil,
		l.Slice != nil, l.Transpose != nil, l.Upsample != nil, l.Stuff != nil, l.Reshape != nil, l.Activate != nil} {
		if set {
			n++
		}
	}
	return n
}

func (c *Conv) validate(in, out Dims) error {
	if err := c.Window.validate(); err != nil {
		return err
	}
	if h, w := c.Window.Out(in.H, in.W); h != out.H || w != out.W {
		return fmt.Errorf("window gives %d×%d, output is %s", h, w, out)
	}
	if g := c.groups(); g < 1 || in.C%g != 0 || out.C%g != 0 {
		return fmt.Errorf("%d groups of channels from %s to %s", c.Groups, in, out)
	}
	// Sides are at most 2^16 and channels 2^24.
	if n := c.Taps(in); n > maxWeights || n*out.C > maxWeights {
		return errors.New("too many weights")
	}
	if c.NormBits < 0 || c.NormBits > 40 {
		return fmt.Errorf("norm of %d bits", c.NormBits)
	}
	return nil
}

// biases returns the number of biases of a Conv.
func (l *Layer) biases() int {
	if l.Conv.PlaneBias {
		return l.Out.Len()
	}
	return l.Out.C
}

// Validate reports what is wrong with a model: its shape, the number of its
// weights, and whether its public widths and norms hold for them.
func (m *Model) Validate() error {
	if err := m.Shape.Validate(); err != nil {
		return err
	}
	if len(m.Weights) != len(m.Layers) {
		return fmt.Errorf("nn: weights of %d layers for %d layers", len(m.Weights), len(m.Layers))
	}
	for i := range m.Layers {
		if err := m.validateWeights(i); err != nil {
			return fmt.Errorf("nn: layer %d %q: %w", i, m.Layers[i].Name, err)
		}
	}
	return m.validateWidths()
}

// validateWidths compares every width with the bounds of what it must hold.
func (m *Model) validateWidths() error {
	bounds := m.Bounds()
	for i := range m.Layers {
		l := &m.Layers[i]
		if l.Activate == nil {
			continue
		}
		if w := l.Activate.widthFor(Hull(bounds[l.In[0]])); w > l.Activate.Width {
			return fmt.Errorf("nn: layer %d %q: the input needs %d bits, width is %d", i, l.Name, w, l.Activate.Width)
		}
	}
	if w := Hull(bounds[m.Output.Tensor]).Width(); w > m.Output.Width {
		return fmt.Errorf("nn: output: needs %d bits, width is %d", w, m.Output.Width)
	}
	return nil
}

func (m *Model) validateWeights(i int) error {
	l, w := &m.Layers[i], m.Weights[i]
	if (l.Conv != nil) != (w != nil) {
		return errors.New("weights where none belong, or none where some do")
	}
	if w == nil {
		return nil
	}
	want := l.Out.C * l.Conv.Taps(m.Dims(l.In[0]))
	if len(w.W) != want || len(w.Bias) != l.biases() {
		return fmt.Errorf("%d weights and %d biases, want %d and %d", len(w.W), len(w.Bias), want, l.biases())
	}
	if n := w.NormBits(l.Out.C); n > l.Conv.NormBits {
		return fmt.Errorf("weights of norm 2^%d, the shape says 2^%d", n, l.Conv.NormBits)
	}
	return nil
}
