package nn

import (
	"errors"
	"fmt"
)

// maxFactor bounds the factors of sums.
const maxFactor = 1<<27 - 1

// validatePublic checks a public linear layer whose inputs are tensors that
// exist.
func (s *Shape) validatePublic(l *Layer) error {
	in := s.Dims(l.In[0])
	switch {
	case l.SumPool != nil:
		return l.SumPool.validate(in, l.Out)
	case l.Add != nil:
		return s.validateAdd(l)
	case l.Concat != nil:
		return s.validateConcat(l)
	case l.ZeroPad != nil:
		return l.ZeroPad.validateZeroPad(in, l.Out)
	case l.Slice != nil:
		return l.Slice.validate(in, l.Out)
	case l.Transpose != nil:
		return l.Transpose.validate(in, l.Out)
	case l.Upsample != nil:
		return l.Upsample.validate(in, l.Out, func(n, f int) int { return n * f })
	case l.Stuff != nil:
		return l.Stuff.validate(in, l.Out, func(n, f int) int { return (n-1)*f + 1 })
	}
	if in.Len() != l.Out.Len() {
		return fmt.Errorf("reshape from %s to %s", in, l.Out)
	}
	return nil
}

func (p *SumPool) validate(in, out Dims) error {
	if err := p.pools(in, out); err != nil {
		return err
	}
	if p.KH*p.KW > maxElements {
		return fmt.Errorf("sums of %d elements, at most %d", p.KH*p.KW, maxElements)
	}
	if !p.Level {
		return nil
	}
	rows, cols := p.axes(in, out)
	if rows.empty() || cols.empty() {
		return errors.New("a window outside of the plane")
	}
	if rows.level()*cols.level() > maxLevel {
		return fmt.Errorf("averages of so many different numbers of elements that their common multiple is above %d", maxLevel)
	}
	return nil
}

// pools checks a pooling window that keeps the channels.
func (w *Window) pools(in, out Dims) error {
	if err := w.validate(); err != nil {
		return err
	}
	if h, wd := w.Out(in.H, in.W); h != out.H || wd != out.W || in.C != out.C {
		return fmt.Errorf("window gives %d×%d×%d, output is %s", in.C, h, wd, out)
	}
	return nil
}

func validateFactors(factors []int, inputs int) error {
	if len(factors) != inputs {
		return fmt.Errorf("%d factors for %d inputs", len(factors), inputs)
	}
	for _, k := range factors {
		if k == 0 || k > maxFactor || k < -maxFactor {
			return fmt.Errorf("factor %d", k)
		}
	}
	return nil
}

func (s *Shape) validateAdd(l *Layer) error {
	for _, t := range l.In {
		if s.Dims(t) != l.Out {
			return fmt.Errorf("adds %s to %s", s.Dims(t), l.Out)
		}
	}
	return validateFactors(l.Add.Factor, len(l.In))
}

func (s *Shape) validateConcat(l *Layer) error {
	axis := l.Concat.Axis
	if axis < 0 || axis > 2 {
		return fmt.Errorf("concatenation along axis %d", axis)
	}
	sum := 0
	for _, t := range l.In {
		d := s.Dims(t)
		for i := range 3 {
			if i != axis && d.axis(i) != l.Out.axis(i) {
				return fmt.Errorf("concatenates %s along axis %d to %s", d, axis, l.Out)
			}
		}
		sum += d.axis(axis)
	}
	if sum != l.Out.axis(axis) {
		return fmt.Errorf("concatenation has size %d along axis %d, output is %s", sum, axis, l.Out)
	}
	return validateFactors(l.Concat.Factor, len(l.In))
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

func (s *Slice) validate(in, out Dims) error {
	for i := range 3 {
		n, step := in.axis(i), s.Step[i]
		if step == 0 || step > maxElements || step < -maxElements {
			return fmt.Errorf("slice with step %d", step)
		}
		// Both are at most 2^24, and so their product is below 2^49.
		first, last := s.Start[i], s.Start[i]+(out.axis(i)-1)*step
		if s.Start[i] < 0 || s.Start[i] >= n || min(first, last) < 0 || max(first, last) >= n {
			return fmt.Errorf("slice takes %d to %d of %d", first, last, n)
		}
	}
	return nil
}

func (t *Transpose) validate(in, out Dims) error {
	var seen [3]bool
	for i, axis := range t.Perm {
		if axis < 0 || axis > 2 || seen[axis] {
			return fmt.Errorf("%v is no order of axes", t.Perm)
		}
		seen[axis] = true
		if in.axis(axis) != out.axis(i) {
			return fmt.Errorf("order %v of axes of %s, output is %s", t.Perm, in, out)
		}
	}
	return nil
}

func (f *Factors) validate(in, out Dims, size func(n, f int) int) error {
	if f.H < 1 || f.W < 1 || f.H > maxSide || f.W > maxSide {
		return fmt.Errorf("factors %d and %d", f.H, f.W)
	}
	if want := (Dims{in.C, size(in.H, f.H), size(in.W, f.W)}); want != out {
		return fmt.Errorf("factors %d and %d give %s, output is %s", f.H, f.W, want, out)
	}
	return nil
}
