package nn

import (
	"math/bits"
	"slices"
)

// Interval is a range of integers that no input of the network leaves.
type Interval struct{ Lo, Hi int64 }

// Width returns the bits of the least two's-complement width that holds all
// of the interval.
func (v Interval) Width() int {
	return 1 + max(bits.Len64(uint64(max(v.Hi, 0))), bits.Len64(uint64(max(-(v.Lo+1), 0))))
}

func (v Interval) hull(o Interval) Interval { return Interval{min(v.Lo, o.Lo), max(v.Hi, o.Hi)} }

// scale needs |k| < 2^28.
func (v Interval) scale(k int64) Interval {
	if k < 0 {
		v.Lo, v.Hi = v.Hi, v.Lo
	}
	return Interval{v.Lo * k, v.Hi * k}.cap()
}

func (v Interval) plus(o Interval) Interval { return Interval{v.Lo + o.Lo, v.Hi + o.Hi}.cap() }

// cap keeps sums and products of intervals from overflowing: beyond ±2^35
// every width is too small anyway.
func (v Interval) cap() Interval {
	const far = 1 << 35
	return Interval{max(min(v.Lo, far), -far), max(min(v.Hi, far), -far)}
}

// Hull returns the interval that holds all of vs.
func Hull(vs []Interval) Interval {
	h := vs[0]
	for _, v := range vs[1:] {
		h = h.hull(v)
	}
	return h
}

// Bounds returns the interval of every channel of every tensor, from the
// weights: no input of the right width leaves them.
func (m *Model) Bounds() [][]Interval {
	bounds := [][]Interval{m.Input.bounds()}
	for i := range m.Layers {
		bounds = append(bounds, m.layerBounds(i, bounds))
	}
	return bounds
}

func (in *Input) bounds() []Interval {
	lo, hi := Limits(in.Bits, in.Signed)
	return fill(in.Dims.C, Interval{int64(lo), int64(hi)})
}

func fill(n int, v Interval) []Interval {
	vs := make([]Interval, n)
	for i := range vs {
		vs[i] = v
	}
	return vs
}

// layerBounds returns the intervals of the output of layer i, given those of
// all tensors before it.
func (m *Model) layerBounds(i int, bounds [][]Interval) []Interval {
	l := &m.Layers[i]
	if l.Conv != nil {
		return m.Weights[i].bounds(bounds[l.In[0]], l.Conv, l.Out.C)
	}
	return m.freeBounds(l, bounds)
}

// freeBounds is layerBounds for a layer without weights.
func (s *Shape) freeBounds(l *Layer, bounds [][]Interval) []Interval {
	if l.Activate != nil {
		return l.Activate.bounds(bounds[l.In[0]], l.Out.C)
	}
	ins, dims := make([][]Interval, len(l.In)), make([]Dims, len(l.In))
	for j, t := range l.In {
		ins[j], dims[j] = bounds[t], s.Dims(t)
	}
	return l.publicBounds(ins, dims)
}

// bounds returns the intervals of the outputs of c for inputs within in; border
// elements are zero.
func (w *Weights) bounds(in []Interval, c *Conv, channels int) []Interval {
	out := make([]Interval, channels)
	taps, part := c.Window.KH*c.Window.KW, len(in)/c.groups()
	per := len(w.Bias) / channels
	for oc := range out {
		biases := w.Bias[oc*per:][:per]
		sum := Interval{int64(slices.Min(biases)), int64(slices.Max(biases))}
		first := oc / (len(out) / c.groups()) * part
		for ic, v := range in[first:][:part] {
			v = v.hull(Interval{})
			for _, k := range w.W[(oc*part+ic)*taps:][:taps] {
				sum = sum.plus(v.scale(int64(k)))
			}
		}
		out[oc] = sum
	}
	return out
}

// NormBits returns the least n such that the Euclidean norm of the weights of
// every output channel, of so many, is at most 2^n.
func (w *Weights) NormBits(channels int) int {
	n := 0
	per := len(w.W) / channels
	for oc := range channels {
		sum := uint64(0)
		for _, k := range w.W[oc*per:][:per] {
			sum += uint64(int64(k) * int64(k))
		}
		for sum > 1<<(2*n) {
			n++
		}
	}
	return n
}
