package onnx

import (
	"math"
	"slices"

	"dorcas/nn"
	"dorcas/nn/onnx/internal/pb"
)

// A quantum says what real numbers integers of the file stand for: the integer
// q, of [lo, hi], for (q - zero)·scale, with one scale and zero for all
// numbers, or one for each index of an axis.
type quantum struct {
	scale  []float32
	zero   []int32
	axis   int
	lo, hi float64
}

// rangeOfType returns the integers of a type of numbers.
func rangeOfType(t pb.TensorProto_DataType) (lo, hi float64, ok bool) {
	switch t {
	case pb.TensorProto_INT8:
		return math.MinInt8, math.MaxInt8, true
	case pb.TensorProto_UINT8:
		return 0, math.MaxUint8, true
	case pb.TensorProto_INT16:
		return math.MinInt16, math.MaxInt16, true
	case pb.TensorProto_UINT16:
		return 0, math.MaxUint16, true
	case pb.TensorProto_INT32:
		return math.MinInt32, math.MaxInt32, true
	}
	return 0, 0, false
}

// quantum reads scale and zero point, inputs 1 and 2, for numbers of a shape.
func (n *node) quantum(shape []int) *quantum {
	scale := n.floats(1, "scale")
	q := &quantum{scale: scale.floats, lo: 0, hi: math.MaxUint8}
	if t := n.intAttr("output_dtype", 0); t != 0 {
		lo, hi, ok := rangeOfType(pb.TensorProto_DataType(t))
		if !ok {
			n.unsupported("integers of type %s", typeName(int32(t)))
		}
		q.lo, q.hi = lo, hi
	}
	if n.intAttr("block_size", 0) != 0 {
		n.unsupported("scales for blocks of numbers")
	}
	var zero *constant
	if n.has(2) {
		zero = n.constant(2, "zero point")
	}
	if n.err != nil {
		return q
	}
	if zero != nil {
		if !zero.integer || len(zero.ints) != len(q.scale) {
			n.fail("%d scales and %d zero points", len(q.scale), zero.len())
			return q
		}
		if lo, hi, ok := rangeOfType(zero.of); ok {
			q.lo, q.hi = lo, hi
		}
	}
	for i, s := range q.scale {
		if !(s > 0) || math.IsInf(float64(s), 0) {
			n.fail("scale %v", s)
			return q
		}
		z := int64(0)
		if zero != nil {
			z = zero.ints[i]
		}
		if z < math.MinInt32 || z > math.MaxInt32 {
			n.fail("zero point %d", z)
			return q
		}
		q.zero = append(q.zero, int32(z))
	}
	if len(q.scale) != 1 {
		q.axis = n.axis(n.intAttr("axis", 1), len(shape), false)
		if n.err == nil && shape[q.axis] != len(q.scale) {
			n.fail("%d scales for shape %v along axis %d", len(q.scale), shape, q.axis)
		}
	}
	return q
}

// at returns scale and zero point of element i of a shape.
func (q *quantum) at(i int, shape []int) (scale, zero float64) {
	c := 0
	if len(q.scale) > 1 {
		after, _ := sizeOf(shape[q.axis+1:])
		c = i / after % len(q.scale)
	}
	return float64(q.scale[c]), float64(q.zero[c])
}

// foldDequantize turns integers of the file into the numbers that they stand
// for, and keeps the integers.
func (n *node) foldDequantize() *constant {
	c := n.constant(0, "input")
	if n.err == nil && !c.integer {
		n.fail("input: floats, want integers")
	}
	if n.err != nil {
		return nil
	}
	q := n.quantum(c.shape)
	size, ok := n.spend(append([]int{2}, c.shape...))
	if !ok {
		return nil
	}
	size /= 2
	out := &constant{shape: c.shape, floats: make([]float32, size), of: pb.TensorProto_FLOAT}
	out.quant = &integers{quantum: *q, ints: make([]int32, size)}
	for i, v := range c.ints {
		if v < math.MinInt32 || v > math.MaxInt32 {
			n.fail("integer %d", v)
			return nil
		}
		scale, zero := q.at(i, c.shape)
		out.quant.ints[i] = int32(v)
		out.floats[i] = float32((float64(v) - zero) * scale)
	}
	return out
}

// foldQuantize rounds numbers of the file to integers.
func (n *node) foldQuantize() *constant {
	c := n.floats(0, "input")
	if n.err != nil {
		return nil
	}
	q := n.quantum(c.shape)
	size, ok := n.spend(c.shape)
	if !ok {
		return nil
	}
	out := &constant{shape: c.shape, ints: make([]int64, size), integer: true, of: pb.TensorProto_INT32}
	for i, v := range c.floats {
		scale, zero := q.at(i, c.shape)
		out.ints[i] = int64(q.round(float64(v), scale, zero))
	}
	return out
}

// round returns the integer for x.
func (q *quantum) round(x, scale, zero float64) float64 {
	v := math.RoundToEven(float64(float32(x)/float32(scale))) + zero
	if v != v {
		return zero
	}
	return min(max(v, q.lo), q.hi)
}

// oneQuantum is the quantum of an activation, nil if there is an error or it
// has more than one scale.
func (n *node) oneQuantum(x *value) *quantum {
	q := n.quantum(x.shape)
	if n.err == nil && len(q.scale) != 1 {
		n.unsupported("activations with a scale for each channel")
	}
	if n.err != nil {
		return nil
	}
	return q
}

// quantizeLinear rounds to the numbers that integers stand for: what
// QuantizeLinear and DequantizeLinear do together. The function is public, as
// are the scales of an integer network.
func (n *node) quantizeLinear() *value {
	x := n.raw(0)
	q := n.oneQuantum(x)
	if q == nil {
		return nil
	}
	scale, zero := float64(q.scale[0]), float64(q.zero[0])
	if c := x.fn; c != nil && c.kind == clip && c.uses <= 1 && q.round(c.a, scale, zero) == q.lo && q.round(c.b, scale, zero) == q.hi {
		if x.fn = c.args[0]; x.fn.kind == leaf { // the integers end where the clip does
			x.fn = nil
		}
	}
	n.settle(x)
	f := func(v float64) float64 { return float64(float32((q.round(v, scale, zero) - zero) * scale)) }
	y := nn.Node{Op: nn.NodeTable, Out: n.r.g.Dims(x.tensor), Func: univariate("quantize", []float64{scale, zero, q.lo, q.hi}, f)}
	return &value{tensor: n.add(y, x.tensor), shape: x.shape, perm: x.perm, integers: q}
}

// dequantizeLinear ends what quantizeLinear began. Integers that the network
// takes as its input it turns into numbers.
func (n *node) dequantizeLinear() *value {
	x := n.settled(0)
	q := n.oneQuantum(x)
	if q == nil {
		return nil
	}
	before := x.integers
	x.integers = nil
	switch {
	case before == nil && x.tensor != 0:
		n.unsupported("integers that no QuantizeLinear makes")
		return nil
	case before == nil:
		before = &quantum{scale: []float32{1}, zero: []int32{0}}
	case before.scale[0] == q.scale[0] && before.zero[0] == q.zero[0]:
		return x
	}
	// q integers are x/scale + zero by the one, and (q - zero)·scale by the other.
	ratio := q.scale[0] / before.scale[0]
	return n.affine(x, along{}, []float32{ratio}, []float32{float32(before.zero[0]-q.zero[0]) * q.scale[0]})
}

// integers are those that a constant was given as, in its order.
type integers struct {
	quantum
	ints []int32
}

// quantized returns the integers of weights whose dimension 0 counts output
// channels. It is nil where the file gives none, or scales that differ along
// another dimension.
func (c *constant) quantized() *nn.Quantized {
	if c.quant == nil || len(c.quant.scale) > 1 && c.quant.axis != 0 {
		return nil
	}
	return &nn.Quantized{Weights: c.quant.ints, Scale: c.quant.scale, Zero: c.quant.zero}
}

// addBias adds the integers of a bias, if the file gives any.
func addBias(q *nn.Quantized, bias *constant) {
	if q == nil || bias.quant == nil || len(bias.shape) != 1 {
		return
	}
	for _, z := range bias.quant.zero {
		if z != 0 {
			return
		}
	}
	q.Bias, q.BiasScale = bias.quant.ints, bias.quant.scale
}

// withIntegers sets the integers of out, which has the elements of c with
// these indices and its dimensions in the order perm; an empty perm stands for
// no order that is known.
func (c *constant) withIntegers(out *constant, index, perm []int) *constant {
	if c.quant == nil || len(c.quant.scale) > 1 && perm == nil {
		return out
	}
	q := &integers{quantum: c.quant.quantum, ints: make([]int32, len(index))}
	if len(c.quant.scale) > 1 {
		q.axis = slices.Index(perm, c.quant.axis)
	}
	for i, j := range index {
		q.ints[i] = c.quant.ints[j]
	}
	out.quant = q
	return out
}
