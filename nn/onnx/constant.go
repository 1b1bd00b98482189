package onnx

import (
	"math"
	"slices"

	"dorcas/nn/onnx/internal/pb"
)

// constantValue returns what a Constant node holds.
func (n *node) constantValue() *constant {
	if len(n.attrs) != 1 {
		n.fail("%d attributes, want 1", len(n.attrs))
		return nil
	}
	switch a := n.attrs[0]; a.GetName() {
	case "value":
		return n.tensorAttr("value")
	case "value_float":
		return &constant{shape: []int{}, floats: []float32{n.attr("value_float", pb.AttributeProto_FLOAT).GetF()}}
	case "value_floats":
		n.attr("value_floats", pb.AttributeProto_FLOATS)
		return &constant{shape: []int{len(a.GetFloats())}, floats: a.GetFloats()}
	case "value_int":
		return &constant{shape: []int{}, ints: []int64{n.intAttr("value_int", 0)}, integer: true}
	case "value_ints":
		n.attr("value_ints", pb.AttributeProto_INTS)
		return &constant{shape: []int{len(a.GetInts())}, ints: a.GetInts(), integer: true}
	default:
		n.unsupported("attribute %s", quote(a.GetName()))
		return nil
	}
}

func (n *node) tensorAttr(name string) *constant {
	a := n.attr(name, pb.AttributeProto_TENSOR)
	if a.GetT() == nil {
		n.fail("attribute %s holds no tensor", name)
		return nil
	}
	c, err := decode(a.GetT())
	n.check(err)
	return c
}

// spend takes numbers that are to be made from the reader's budget and
// reports whether it sufficed.
func (n *node) spend(shape []int) (size int, ok bool) {
	size, err := sizeOf(shape)
	n.check(err)
	if err == nil {
		n.check(n.r.spend(size))
	}
	return size, n.err == nil
}

func (n *node) constantOfShape() *constant {
	dims := n.ints(0, "shapes")
	shape, err := shapeOf(dims)
	n.check(err)
	fill := &constant{floats: []float32{0}}
	if n.attr("value", pb.AttributeProto_TENSOR) != nil {
		fill = n.tensorAttr("value")
	}
	if n.err == nil && fill.len() != 1 {
		n.fail("attribute value has %d numbers, want 1", fill.len())
	}
	if n.err != nil {
		return nil
	}
	size, ok := n.spend(shape)
	if !ok {
		return nil
	}
	return fill.gather(shape, make([]int, size))
}

// shapeOf translates the Shape of a computed tensor: a constant.
func (n *node) shapeOf() *value {
	x := n.image(0)
	return &value{constant: n.shapeConstant(x.shape)}
}

func (n *node) foldShape() *constant { return n.shapeConstant(n.constant(0, "input").shape) }

func (n *node) shapeConstant(shape []int) *constant {
	first, last := n.intAttr("start", 0), n.intAttr("end", math.MaxInt64)
	from, to, _ := bounds(first, last, 1, len(shape))
	c := &constant{shape: []int{max(0, to-from)}, ints: []int64{}, integer: true}
	for i := from; i < to; i++ {
		c.ints = append(c.ints, int64(shape[i]))
	}
	return c
}

func (n *node) foldIdentity() *constant { return n.constant(0, "input") }

// foldView folds what only changes a shape.
func (n *node) foldView() *constant {
	c := n.constant(0, "input")
	if n.err != nil {
		return nil
	}
	return c.view(n.targetShape(c.shape))
}

func (n *node) foldCast() *constant {
	c := n.constant(0, "input")
	to := n.intAttr("to", 0)
	var integer bool
	switch pb.TensorProto_DataType(to) {
	case pb.TensorProto_FLOAT, pb.TensorProto_DOUBLE:
	case pb.TensorProto_INT32, pb.TensorProto_INT64:
		integer = true
	default:
		n.unsupported("a cast to %s", typeName(int32(to)))
	}
	if n.err != nil || integer == c.integer {
		return c
	}
	if _, ok := n.spend(c.shape); !ok {
		return nil
	}
	out := &constant{shape: c.shape, integer: integer}
	for _, v := range c.ints {
		out.floats = append(out.floats, float32(v))
	}
	for _, v := range c.floats {
		if math.Abs(float64(v)) >= math.MaxInt32 || v != v {
			n.fail("cast of %v to an integer", v)
			return nil
		}
		out.ints = append(out.ints, int64(v))
	}
	return out
}

func (n *node) foldTranspose() *constant {
	c := n.constant(0, "input")
	perm := n.permutation(len(c.shape))
	if n.err != nil {
		return nil
	}
	strides := stridesOf(c.shape)
	shape, steps := make([]int, len(perm)), make([]int, len(perm))
	for i, axis := range perm {
		shape[i], steps[i] = c.shape[axis], strides[axis]
	}
	return n.pick(c, shape, steps, 0)
}

// stridesOf returns how far apart neighbours along each axis are.
func stridesOf(shape []int) []int {
	strides := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = step
		step *= shape[i]
	}
	return strides
}

// pick returns the constant of the given shape whose neighbours along each
// axis are steps apart in c, from element start on.
func (n *node) pick(c *constant, shape, steps []int, start int) *constant {
	size, ok := n.spend(shape)
	if !ok {
		return nil
	}
	index := make([]int, size)
	at := make([]int, len(shape))
	for i, from := 0, start; i < size; i++ {
		index[i] = from
		for axis := len(shape) - 1; axis >= 0; axis-- {
			from += steps[axis]
			if at[axis]++; at[axis] < shape[axis] {
				break
			}
			from -= steps[axis] * shape[axis]
			at[axis] = 0
		}
	}
	return c.gather(shape, index)
}

// bounds returns which of n elements a slice takes: those from first on by
// step, count of them. Like the format, it forgives bounds outside of n.
func bounds(start, end, step int64, n int) (first, last, count int) {
	size := int64(n)
	clamp := func(v, lo, hi int64) int64 {
		if v < 0 {
			v += size
		}
		return min(max(v, lo), hi)
	}
	if step > 0 {
		start, end = clamp(start, 0, size), clamp(end, 0, size)
		return int(start), int(end), int(max(0, (end-start+step-1)/step))
	}
	start, end = clamp(start, 0, size-1), clamp(end, -1, size-1)
	return int(start), int(end), int(max(0, (end-start+step+1)/step))
}

// foldSlice folds a Slice along any axes.
func (n *node) foldSlice() *constant {
	c := n.constant(0, "input")
	starts, _ := n.intsAttr("starts")
	ends, _ := n.intsAttr("ends")
	axes, hasAxes := n.intsAttr("axes")
	if n.has(1) {
		starts, ends, hasAxes = n.ints(1, "starts"), n.ints(2, "ends"), n.has(3)
		if hasAxes {
			axes = n.ints(3, "axes")
		}
	}
	var by []int64
	if n.has(4) {
		by = n.ints(4, "steps")
	}
	if n.err != nil {
		return nil
	}
	if len(starts) != len(ends) || len(starts) > len(c.shape) || hasAxes && len(axes) != len(starts) || by != nil && len(by) != len(starts) {
		n.fail("starts %v, ends %v, axes %v, steps %v for shape %v", starts, ends, axes, by, c.shape)
		return nil
	}
	shape, steps, origin := slices.Clone(c.shape), stridesOf(c.shape), 0
	for i := range starts {
		axis, step := i, int64(1)
		if hasAxes {
			axis = n.axis(axes[i], len(c.shape), false)
		}
		if by != nil {
			step = by[i]
		}
		if n.err != nil || step == 0 || step > math.MaxInt32 || step < -math.MaxInt32 {
			n.fail("starts %v, ends %v, axes %v, steps %v for shape %v", starts, ends, axes, by, c.shape)
			return nil
		}
		first, _, count := bounds(starts[i], ends[i], step, shape[axis])
		shape[axis] = count
		origin += first * steps[axis]
		steps[axis] *= int(step)
	}
	return n.pick(c, shape, steps, origin)
}

// foldGather folds the choice of indices along an axis.
func (n *node) foldGather() *constant {
	c, choice := n.constant(0, "input"), n.constant(1, "indices")
	axis := n.axis(n.intAttr("axis", 0), len(c.shape), false)
	if n.err == nil && !choice.integer {
		n.fail("indices are not integers")
	}
	if n.err != nil {
		return nil
	}
	before, after := c.shape[:axis], c.shape[axis+1:]
	shape := slices.Concat(before, choice.shape, after)
	size, ok := n.spend(shape)
	if !ok {
		return nil
	}
	outer, _ := sizeOf(before)
	inner, _ := sizeOf(after)
	index := make([]int, 0, size)
	for o := range outer {
		for _, v := range choice.ints {
			at := n.axis(v, c.shape[axis], false)
			if n.err != nil {
				return nil
			}
			for i := range inner {
				index = append(index, (o*c.shape[axis]+at)*inner+i)
			}
		}
	}
	return c.gather(shape, index)
}

// foldConcat folds the concatenation of lists of integers, as a shape is made.
func (n *node) foldConcat() *constant {
	out := &constant{integer: true, ints: []int64{}}
	n.axis(n.intAttr("axis", 0), 1, false)
	for i := range n.inputs {
		c := n.constant(i, "inputs")
		if n.err == nil && (!c.integer || len(c.shape) != 1) {
			n.unsupported("the operator on anything but lists of integers")
		}
		if n.err != nil {
			return nil
		}
		if _, ok := n.spend(c.shape); !ok {
			return nil
		}
		out.ints = append(out.ints, c.ints...)
	}
	out.shape = []int{len(out.ints)}
	return out
}
