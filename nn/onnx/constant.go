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
	x := n.raw(0)
	return &value{constant: n.shapeConstant(x.shape)}
}

// sizeOf translates the Size of a computed tensor: a constant.
func (n *node) sizeOf() *value {
	x := n.raw(0)
	return &value{constant: n.sizeConstant(x.shape)}
}

func (n *node) foldSize() *constant { return n.sizeConstant(n.constant(0, "input").shape) }

func (n *node) sizeConstant(shape []int) *constant {
	size, err := sizeOf(shape)
	n.check(err)
	return &constant{shape: []int{}, ints: []int64{int64(size)}, integer: true, of: pb.TensorProto_INT64}
}

func (n *node) foldShape() *constant { return n.shapeConstant(n.constant(0, "input").shape) }

func (n *node) shapeConstant(shape []int) *constant {
	first, last := n.intAttr("start", 0), n.intAttr("end", math.MaxInt64)
	from, to, _ := bounds(first, last, 1, len(shape))
	c := &constant{shape: []int{max(0, to-from)}, ints: []int64{}, integer: true, of: pb.TensorProto_INT64}
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
	to := pb.TensorProto_DataType(n.intAttr("to", 0))
	_, _, integer := rangeOfType(to)
	switch to {
	case pb.TensorProto_FLOAT, pb.TensorProto_DOUBLE, pb.TensorProto_FLOAT16, pb.TensorProto_BFLOAT16:
	case pb.TensorProto_INT64, pb.TensorProto_BOOL:
		integer = true
	default:
		if !integer {
			n.unsupported("a cast to %s", typeName(int32(to)))
		}
	}
	if n.err != nil || integer == c.integer && to != pb.TensorProto_BOOL {
		return c
	}
	if _, ok := n.spend(c.shape); !ok {
		return nil
	}
	out := &constant{shape: c.shape, integer: integer, of: to}
	for i := range c.len() {
		v := c.float(i)
		switch {
		case to == pb.TensorProto_BOOL:
			out.ints = append(out.ints, scalarOpTruth(v))
		case !integer:
			out.floats = append(out.floats, float32(v))
		case math.Abs(v) >= math.MaxInt32 || v != v:
			n.fail("cast of %v to an integer", v)
			return nil
		default:
			out.ints = append(out.ints, int64(v))
		}
	}
	return out
}

// scalarOpTruth is 1 for anything but 0.
func scalarOpTruth(v float64) int64 {
	if v != 0 {
		return 1
	}
	return 0
}

func (n *node) foldTranspose() *constant {
	c := n.constant(0, "input")
	perm := n.permutation(len(c.shape))
	if n.err != nil {
		return nil
	}
	return n.permutedConstant(c, perm)
}

// permutedConstant returns c with dimension perm[i] as dimension i.
func (n *node) permutedConstant(c *constant, perm []int) *constant {
	strides := stridesOf(c.shape)
	shape, steps := make([]int, len(perm)), make([]int, len(perm))
	for i, axis := range perm {
		shape[i], steps[i] = c.shape[axis], strides[axis]
	}
	index, ok := n.indices(shape, steps, 0)
	if !ok {
		return nil
	}
	return c.withIntegers(c.gather(shape, index), index, perm)
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
	index, ok := n.indices(shape, steps, start)
	if !ok {
		return nil
	}
	return c.withIntegers(c.gather(shape, index), index, nil)
}

// indices returns the indices that pick takes.
func (n *node) indices(shape, steps []int, start int) ([]int, bool) {
	size, ok := n.spend(shape)
	if !ok {
		return nil, false
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
	return index, true
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
	if n.err != nil {
		return nil
	}
	cuts := n.cuts(c.shape)
	if n.err != nil {
		return nil
	}
	shape, steps, origin := make([]int, len(cuts)), stridesOf(c.shape), 0
	for i, cut := range cuts {
		shape[i] = cut.count
		origin += cut.start * steps[i]
		steps[i] *= cut.step
	}
	return n.pick(c, shape, steps, origin)
}

// cuts returns what a Slice takes along each axis of a shape.
func (n *node) cuts(shape []int) []cut {
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
	wrong := func() []cut {
		n.fail("starts %v, ends %v, axes %v, steps %v for shape %v", starts, ends, axes, by, shape)
		return nil
	}
	if len(starts) != len(ends) || len(starts) > len(shape) || hasAxes && len(axes) != len(starts) || by != nil && len(by) != len(starts) {
		return wrong()
	}
	cuts := wholeCuts(shape)
	for i := range starts {
		axis, step := i, int64(1)
		if hasAxes {
			axis = n.axis(axes[i], len(shape), false)
		}
		if by != nil {
			step = by[i]
		}
		if n.err != nil || step == 0 || step < -math.MaxInt64 {
			return wrong()
		}
		step = min(max(step, -math.MaxInt32), math.MaxInt32) // as far as any dimension
		first, _, count := bounds(starts[i], ends[i], step, shape[axis])
		if count <= 1 {
			step = 1
		}
		cuts[axis] = cut{first, int(step), count}
	}
	return cuts
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
