package nn

import (
	"fmt"
	"math"
	"slices"
)

// Quantize turns preprocessed values, CHW, into the integers that the network
// takes: round half up of x·2^Frac, clamped. dst and x have Dims.Len()
// elements; a NaN becomes 0.
func (in *Input) Quantize(dst []int32, x []float32) {
	lo, hi := Limits(in.Bits, in.Signed)
	scale := math.Ldexp(1, in.Frac)
	for i, v := range x {
		r := math.Floor(float64(v)*scale + 0.5)
		switch {
		case math.IsNaN(r):
			dst[i] = 0
		case r <= float64(lo):
			dst[i] = lo
		case r >= float64(hi):
			dst[i] = hi
		default:
			dst[i] = int32(r)
		}
	}
}

// Limits returns the least and the largest integer of a width.
func Limits(bits int, signed bool) (lo, hi int32) {
	if signed {
		return -1 << (bits - 1), 1<<(bits-1) - 1
	}
	return 0, 1<<bits - 1
}

// Result is what one inference opens to the client.
type Result struct {
	// Outputs are the scores as integers; nil where only labels are revealed.
	Outputs []int32
	// Index is the first of the largest scores.
	Index int
	// Top are the indices of the three largest scores, the first of equal ones
	// first; nil unless they are what is revealed.
	Top []int
}

// Scores returns the real scores, outputs × 2^-Frac / Div, with the head
// applied unless it is an arg-max.
func (o *Output) Scores(outputs []int32) []float64 {
	scores := make([]float64, len(outputs))
	top := math.Inf(-1)
	for i, v := range outputs {
		scores[i] = math.Ldexp(float64(v), -o.Frac) / float64(max(o.Div, 1))
		top = max(top, scores[i])
	}
	o.Head.apply(scores, top)
	return scores
}

// apply computes the head of scores, of which top is the largest, in place; an
// arg-max leaves them as they are.
func (h Head) apply(scores []float64, top float64) {
	switch h {
	case HeadSigmoid:
		for i, v := range scores {
			scores[i] = 1 / (1 + math.Exp(-v))
		}
	case HeadSoftmax, HeadLogSoftmax:
		sum := 0.0
		for _, v := range scores {
			sum += math.Exp(v - top)
		}
		for i, v := range scores {
			scores[i] = v - top - math.Log(sum)
			if h == HeadSoftmax {
				scores[i] = math.Exp(scores[i])
			}
		}
	}
}

// Run computes the network on integers (see Input.Quantize). It is what the
// private inference must equal in every integer.
func (m *Model) Run(x []int32) (Result, error) {
	tensors, err := m.RunAll(x)
	if err != nil {
		return Result{}, err
	}
	scores := tensors[m.Output.Tensor]
	r := Result{Index: ArgMax(scores)}
	switch m.Output.Reveal {
	case RevealScores:
		r.Outputs = scores
	case RevealTop3:
		r.Top = Largest(scores, RevealTop3.Labels())
	}
	return r, nil
}

// RunAll computes the network and returns every tensor.
func (m *Model) RunAll(x []int32) ([][]int32, error) {
	if len(x) != m.Input.Dims.Len() {
		return nil, fmt.Errorf("nn: input: have %d values, the network takes %d", len(x), m.Input.Dims.Len())
	}
	lo, hi := Limits(m.Input.Bits, m.Input.Signed)
	for _, v := range x {
		if v < lo || v > hi {
			return nil, fmt.Errorf("nn: input: value %d is outside %d to %d", v, lo, hi)
		}
	}
	tensors := make([][]int32, len(m.Layers)+1)
	tensors[0] = x
	for i := range m.Layers {
		l := &m.Layers[i]
		dst := make([]int32, l.Out.Len())
		m.runLayer(dst, i, tensors)
		tensors[i+1] = dst
	}
	return tensors, nil
}

func (m *Model) runLayer(dst []int32, i int, tensors [][]int32) {
	l := &m.Layers[i]
	switch {
	case l.Conv != nil:
		w := m.Weights[i]
		l.Conv.Apply(dst, tensors[l.In[0]], m.Dims(l.In[0]), l.Out, w.W)
		AddBias(dst, w.Bias, l.Out)
	case l.Activate != nil:
		l.Activate.run(dst, tensors[l.In[0]], m.Dims(l.In[0]), l.Out)
	default:
		ins, dims := m.inputs(l, tensors)
		l.ApplyPublic(dst, ins, dims)
	}
}

func (s *Shape) inputs(l *Layer, tensors [][]int32) ([][]int32, []Dims) {
	ins := make([][]int32, len(l.In))
	dims := make([]Dims, len(l.In))
	for j, t := range l.In {
		ins[j], dims[j] = tensors[t], s.Dims(t)
	}
	return ins, dims
}

// Dims returns the dimensions of a tensor.
func (s *Shape) Dims(tensor int) Dims {
	if tensor == 0 {
		return s.Input.Dims
	}
	return s.Layers[tensor-1].Out
}

// AddBias adds bias, one number for each channel or for each element, to a
// tensor of dimensions d.
func AddBias(dst, bias []int32, d Dims) {
	block := d.Len() / len(bias)
	for c, b := range bias {
		part := dst[c*block:][:block]
		for i := range part {
			part[i] += b
		}
	}
}

// Largest returns the indices of the k largest of at least k values, from the
// largest down; of equal ones the first comes first.
func Largest(v []int32, k int) []int {
	top := make([]int, 0, k+1)
	for i, x := range v {
		at := len(top)
		for at > 0 && v[top[at-1]] < x {
			at--
		}
		if at < k {
			top = slices.Insert(top, at, i)
			top = top[:min(k, len(top))]
		}
	}
	return top
}

// ArgMax returns the index of the first largest value.
func ArgMax(v []int32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
