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
	if l.Add == nil && len(l.In) != 1 {
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
	case l.SumPool != nil:
		return l.SumPool.pools(in, l.Out)
	case l.Add != nil:
		return s.validateAdd(l)
	case l.ZeroPad != nil:
		return l.ZeroPad.validateZeroPad(in, l.Out)
	case l.Activate != nil:
		return l.Activate.validate(in, l.Out)
	}
	if in.Len() != l.Out.Len() {
		return fmt.Errorf("reshape from %s to %s", in, l.Out)
	}
	return nil
}

func (l *Layer) operators() int {
	n := 0
	for _, set := range []bool{l.Conv != nil, l.SumPool != nil, l.Add != nil,
		l.ZeroPad != nil, l.Reshape != nil, l.Activate != nil} {
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
	if err := c.Window.undilated(); err != nil {
		return err
	}
	if h, w := c.Window.Out(in.H, in.W); h != out.H || w != out.W {
		return fmt.Errorf("window gives %d×%d, output is %s", h, w, out)
	}
	taps := c.Window.KH * c.Window.KW
	if taps > maxWeights || in.C*taps > maxWeights || in.C*taps*out.C > maxWeights {
		return errors.New("too many weights")
	}
	if c.NormBits < 0 || c.NormBits > 40 {
		return fmt.Errorf("norm of %d bits", c.NormBits)
	}
	return nil
}

// pools checks a pooling window that keeps the channels.
func (w *Window) pools(in, out Dims) error {
	if err := w.validate(); err != nil {
		return err
	}
	if err := w.undilated(); err != nil {
		return err
	}
	if h, wd := w.Out(in.H, in.W); h != out.H || wd != out.W || in.C != out.C {
		return fmt.Errorf("window gives %d×%d×%d, output is %s", in.C, h, wd, out)
	}
	return nil
}

func (s *Shape) validateAdd(l *Layer) error {
	if len(l.Add.Shift) != len(l.In) {
		return fmt.Errorf("%d shifts for %d inputs", len(l.Add.Shift), len(l.In))
	}
	for j, t := range l.In {
		if s.Dims(t) != l.Out {
			return fmt.Errorf("adds %s to %s", s.Dims(t), l.Out)
		}
		if l.Add.Shift[j] < 0 || l.Add.Shift[j] >= MaxWidth {
			return fmt.Errorf("shift by %d", l.Add.Shift[j])
		}
	}
	return nil
}

func (p *Pad) validateZeroPad(in, out Dims) error {
	if err := p.validate(); err != nil {
		return err
	}
	if want := (Dims{in.C, in.H + p.Top + p.Bottom, in.W + p.Left + p.Right}); want != out {
		return fmt.Errorf("padding gives %s, output is %s", want, out)
	}
	return nil
}

func (a *Activate) validate(in, out Dims) error {
	if a.Pool != nil {
		if err := a.Pool.pools(in, out); err != nil {
			return err
		}
		if a.Pool.KH*a.Pool.KW > 1024 {
			return errors.New("max-pool of more than 1024 elements")
		}
	} else if in != out {
		return fmt.Errorf("from %s to %s", in, out)
	}
	switch {
	case a.Width < 2 || a.Width > MaxWidth:
		return fmt.Errorf("width %d, want 2 to %d", a.Width, MaxWidth)
	case a.Shift < 0 || a.Shift >= a.Width:
		return fmt.Errorf("shift %d, want 0 to %d", a.Shift, a.Width-1)
	case a.Bits < 1 || a.Bits > 16:
		return fmt.Errorf("%d bits, want 1 to 16", a.Bits)
	}
	return a.validateFunc()
}

func (a *Activate) validateFunc() error {
	switch a.Func {
	case Identity:
		if a.Signed && a.Bits < 2 {
			return errors.New("1 bit, signed")
		}
	case Relu:
		if a.Signed {
			return errors.New("a signed relu")
		}
	case Square:
		if a.Signed || a.Pool != nil {
			return errors.New("square is unsigned and does not pool")
		}
		if a.Mid < 2 || a.Mid > 14 || a.Shift2 < 0 || a.Shift2 >= 2*a.Mid {
			return fmt.Errorf("square of %d bits shifted by %d", a.Mid, a.Shift2)
		}
		return nil
	default:
		return fmt.Errorf("unknown activation %q", a.Func)
	}
	if a.Mid != 0 || a.Shift2 != 0 {
		return errors.New("mid and shift2 belong to square")
	}
	return nil
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
	want := l.Out.C * m.Dims(l.In[0]).C * l.Conv.Window.KH * l.Conv.Window.KW
	if len(w.W) != want || len(w.Bias) != l.Out.C {
		return fmt.Errorf("%d weights and %d biases, want %d and %d", len(w.W), len(w.Bias), want, l.Out.C)
	}
	if n := w.NormBits(); n > l.Conv.NormBits {
		return fmt.Errorf("weights of norm 2^%d, the shape says 2^%d", n, l.Conv.NormBits)
	}
	return nil
}
