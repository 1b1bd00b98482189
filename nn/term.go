package nn

import (
	"math"
	"math/bits"
)

// A scale gives the meaning of integers: real value = integer × 2^-frac / div.
// div is odd, and above 1 only below average pools.
type scale struct{ frac, div int }

// A term is a tensor of the integer network while Quantize builds it, with the
// layer that makes it (nil for the input; In is set at the end).
//
// Activations are settled from the start. An accumulator is settled when
// something asks for it: only then do the convolutions that it consists of
// choose the scale of their weights, so that those that are added up agree.
type term struct {
	name        string
	layer       *Layer
	in          []*term
	out         Dims
	ref         int  // the tensor of the float graph that it stands for
	partial     bool // it holds some of that tensor's values only
	accumulator bool // see Shape
	conv        *floatConv
	signs       []int // of an Add's or Concat's inputs

	settled bool
	scale   scale      // from here, of a settled term
	bounds  []Interval // of each channel
	epsilon int64      // unit errors that its shares may carry
	weights *Weights
}

// floatConv is a convolution before quantisation.
type floatConv struct {
	w, bias []float32     // an empty bias is zeros
	inputs  []*covariance // of each group
	bits    int           // the width of the weights
	rounded map[rounding][]int16
}

// maxWeightBits is the largest width of a weight. Only layers that are added
// to finer ones come near to it.
const maxWeightBits = 14

// divisor returns the div that the scale of the term will have.
func (t *term) divisor() int {
	if t.settled {
		return t.scale.div
	}
	d := 1
	for _, in := range t.in {
		if t.conv == nil {
			d = lcm(d, in.divisor())
		}
	}
	if t.layer.SumPool != nil {
		_, odd := t.poolFactors()
		d *= odd
	}
	return d
}

// poolFactors returns the divisor of a SumPool as 2^even · odd.
func (t *term) poolFactors() (even, odd int) {
	n := t.layer.SumPool.Divisor(t.in[0].out, t.out)
	even = bits.TrailingZeros(uint(n))
	return even, n >> even
}

const noFrac = math.MinInt32 / 2 // less than every exponent

// fracs returns the exponents that the term's scale can have, for a divisor:
// at least hard, from what is settled, and if possible soft, so that weights
// have the bits that they should.
func (t *term) fracs(div int) (hard, soft int) {
	if t.settled {
		return t.scale.frac, noFrac
	}
	if t.conv != nil {
		x := t.in[0].scale
		return noFrac, x.frac + weightFrac(t.conv.w, t.conv.bits, float64(div)/float64(x.div))
	}
	even := 0
	if t.layer.SumPool != nil {
		var odd int
		even, odd = t.poolFactors()
		div /= odd
	}
	hard, soft = noFrac, noFrac
	for _, in := range t.in {
		h, s := in.fracs(div)
		hard, soft = max(hard, h+even), max(soft, s+even)
	}
	return hard, soft
}

// settle gives the term a scale, s or coarser where the width of weights
// forbids s, and computes what follows from it. It appends to trail the terms
// that it has settled.
func (t *term) settle(s scale, trail []*term) []*term {
	if t.settled {
		return trail
	}
	t.scale = s
	switch {
	case t.conv != nil:
		t.quantizeWeights(s)
	case t.layer.SumPool != nil:
		even, odd := t.poolFactors()
		trail = t.in[0].settle(scale{s.frac - even, s.div / odd}, trail)
		x := t.in[0].scale
		t.scale = scale{x.frac + even, x.div * odd}
	default:
		t.scale.frac = noFrac
		for _, in := range t.in {
			trail = in.settle(s, trail)
			t.scale.frac = max(t.scale.frac, in.scale.frac)
		}
		if t.signs != nil {
			t.align()
		} else {
			t.scale = t.in[0].scale
		}
	}
	t.settled = true
	t.bounds, t.epsilon = t.findBounds(), t.findEpsilon()
	return append(trail, t)
}

// align chooses the factors that bring the inputs of an Add or Concat to its
// scale.
func (t *term) align() {
	factors := make([]int, len(t.in))
	for j, in := range t.in {
		factors[j] = t.signs[j] * (t.scale.div / in.scale.div) << (t.scale.frac - in.scale.frac)
	}
	if t.layer.Add != nil {
		t.layer.Add = &Add{Factor: factors}
	} else {
		t.layer.Concat = &Concat{Axis: t.layer.Concat.Axis, Factor: factors}
	}
}

// findBounds returns the bounds from those of the inputs.
func (t *term) findBounds() []Interval {
	if t.conv != nil {
		return t.weights.bounds(t.in[0].bounds, t.layer.Conv, t.out.C)
	}
	l := *t.layer
	l.Out = t.out
	ins, dims := t.inputs()
	return l.publicBounds(ins, dims)
}

func (t *term) inputs() (bounds [][]Interval, dims []Dims) {
	for _, in := range t.in {
		bounds, dims = append(bounds, in.bounds), append(dims, in.out)
	}
	return bounds, dims
}

// findEpsilon adds up the unit errors: each Conv has one, and a linear layer
// passes on those of its inputs.
func (t *term) findEpsilon() int64 {
	switch {
	case t.layer.Activate != nil:
		return 0
	case t.conv != nil:
		return 1
	}
	l := *t.layer
	l.Out = t.out
	_, dims := t.inputs()
	errors := make([]int64, len(t.in))
	for j, in := range t.in {
		errors[j] = in.epsilon
	}
	return min(l.Gain(errors, dims), math.MaxInt32)
}

// guard returns the bits that the shares of the term need below the integer:
// one for a re-shared convolution, which is never off upwards, else one more
// than the sum of unit errors has.
func (t *term) guard() int {
	switch t.epsilon {
	case 0:
		return 0
	case 1:
		return 1
	}
	return bits.Len64(uint64(t.epsilon)) + 1
}

// width returns the bits that hold the term's integers.
func (t *term) width() int { return Hull(t.bounds).Width() }

// unsettle undoes settle.
func unsettle(trail []*term) {
	for _, t := range trail {
		t.settled, t.weights = false, nil
	}
}
