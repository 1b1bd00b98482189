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
	accumulator bool // see Shape
	conv        *floatConv

	settled  bool
	scale    scale      // from here, of a settled term
	bounds   []Interval // of each channel
	epsilon  int64      // unit errors that its shares may carry
	operands []*term    // what the layer takes: in, but for an Add's repetitions
	weights  *Weights
}

// floatConv is a convolution before quantisation.
type floatConv struct {
	w, bias []float32 // an empty bias is zeros
	inputs  *covariance
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
		_, odd := t.layer.SumPool.factors()
		d *= odd
	}
	return d
}

func lcm(a, b int) int {
	g, r := a, b
	for r != 0 {
		g, r = r, g%r
	}
	return a / g * b
}

// factors returns the number of elements of the window as 2^even · odd.
func (w *Window) factors() (even, odd int) {
	n := w.KH * w.KW
	even = bits.TrailingZeros(uint(n))
	return even, n >> even
}

const noFrac = math.MinInt32 / 2 // less than every exponent

// fracs returns the exponents that the term's scale can have, for a divisor:
// at least hard, from what is settled, and if possible soft, so that weights
// have so many bits.
func (t *term) fracs(div, bits int) (hard, soft int) {
	if t.settled {
		return t.scale.frac, noFrac
	}
	if t.conv != nil {
		x := t.in[0].scale
		return noFrac, x.frac + weightFrac(t.conv.w, bits, float64(div)/float64(x.div))
	}
	even := 0
	if t.layer.SumPool != nil {
		var odd int
		even, odd = t.layer.SumPool.factors()
		div /= odd
	}
	hard, soft = noFrac, noFrac
	for _, in := range t.in {
		h, s := in.fracs(div, bits)
		hard, soft = max(hard, h+even), max(soft, s+even)
	}
	return hard, soft
}

// settle gives the term a scale, s or coarser where the width of weights
// forbids s, and computes what follows from it. It appends to trail the terms
// that it has settled.
func (t *term) settle(s scale, bits int, trail []*term) []*term {
	if t.settled {
		return trail
	}
	t.operands, t.scale = t.in, s
	switch {
	case t.conv != nil:
		t.quantizeWeights(s, bits)
	case t.layer.SumPool != nil:
		even, odd := t.layer.SumPool.factors()
		trail = t.in[0].settle(scale{s.frac - even, s.div / odd}, bits, trail)
		x := t.in[0].scale
		t.scale = scale{x.frac + even, x.div * odd}
	default:
		t.scale.frac = noFrac
		for _, in := range t.in {
			trail = in.settle(s, bits, trail)
			t.scale.frac = max(t.scale.frac, in.scale.frac)
		}
		if t.layer.Add != nil {
			t.alignOperands()
		}
		if len(t.in) == 1 {
			t.scale = t.in[0].scale
		}
	}
	t.settled = true
	t.bounds, t.epsilon = t.findBounds(), t.findEpsilon()
	return append(trail, t)
}

// alignOperands brings the inputs of an Add to its scale: each is shifted, and
// taken several times where a divisor is missing (9·x = (x << 3) + x).
func (t *term) alignOperands() {
	t.operands, t.layer.Add = nil, new(Add)
	for _, in := range t.in {
		for times := uint(t.scale.div / in.scale.div); times != 0; times &= times - 1 {
			t.operands = append(t.operands, in)
			t.layer.Add.Shift = append(t.layer.Add.Shift, t.scale.frac-in.scale.frac+bits.TrailingZeros(times))
		}
	}
}

// findBounds returns the bounds from those of the operands.
func (t *term) findBounds() []Interval {
	if t.conv != nil {
		return t.weights.bounds(t.in[0].bounds, t.layer.Conv.Window)
	}
	l := *t.layer
	l.In, l.Out = nil, t.out
	bounds := make([][]Interval, len(t.operands))
	for i, in := range t.operands {
		l.In = append(l.In, i)
		bounds[i] = in.bounds
	}
	s := Shape{Input: Input{Dims: t.in[0].out}} // tensor 0 is all that asks for its size
	return s.freeBounds(&l, bounds)
}

// findEpsilon adds up the unit errors: each Conv has one, and a linear layer
// passes on those of its operands as often as it takes them.
func (t *term) findEpsilon() int64 {
	switch {
	case t.layer.Activate != nil:
		return 0
	case t.conv != nil:
		return 1
	}
	var e int64
	for i, in := range t.operands {
		k := int64(1)
		if t.layer.Add != nil {
			k <<= t.layer.Add.Shift[i]
		}
		if t.layer.SumPool != nil {
			k = int64(t.layer.SumPool.KH * t.layer.SumPool.KW)
		}
		e = min(e+in.epsilon*k, math.MaxInt32)
	}
	return e
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
		t.settled, t.weights, t.operands = false, nil, nil
	}
}
