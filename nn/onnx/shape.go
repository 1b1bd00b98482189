package onnx

import (
	"slices"

	"dorcas/nn"
	"dorcas/nn/onnx/internal/pb"
)

// view returns x with another shape and the same elements in the same order;
// it needs no node in the graph.
func (n *node) view(x *value, shape []int) *value {
	if n.err != nil {
		return nil
	}
	if x.perm != nil && !slices.Equal(x.shape, shape) {
		n.settle(x)
		n.order(x)
	}
	if n.r.batch > 1 && (len(shape) == 0 || shape[0] != n.r.batch) {
		n.unsupported("a shape %v that mixes the %d images of the batch", shape, n.r.batch)
	}
	out := *x
	out.shape = shape
	return &out
}

func (n *node) viewOf(target func(shape []int) []int) *value {
	x := n.raw(0)
	if n.err != nil {
		return nil
	}
	shape := target(x.shape)
	return n.view(x, shape)
}

func (n *node) flatten() *value   { return n.viewOf(n.targetShape) }
func (n *node) reshape() *value   { return n.viewOf(n.targetShape) }
func (n *node) squeeze() *value   { return n.viewOf(n.targetShape) }
func (n *node) unsqueeze() *value { return n.viewOf(n.targetShape) }
func (n *node) identity() *value  { return n.viewOf(func(shape []int) []int { return shape }) }

// dropout does nothing outside of training.
func (n *node) dropout() *value {
	if n.has(2) {
		if c := n.constant(2, "training_mode"); n.err == nil && (len(c.ints) != 1 || c.ints[0] != 0) {
			n.unsupported("training_mode 1")
		}
	}
	return n.identity()
}

// cast does nothing from float to float; the index of an arg-max may be of
// any type.
func (n *node) cast() *value {
	x := n.identity()
	to := n.intAttr("to", 0)
	if n.err != nil || x.head == nn.HeadArgMax {
		return x
	}
	switch pb.TensorProto_DataType(to) {
	case pb.TensorProto_FLOAT, pb.TensorProto_DOUBLE, pb.TensorProto_FLOAT16, pb.TensorProto_BFLOAT16:
	default:
		n.unsupported("a cast to %s, which rounds", typeName(int32(to)))
	}
	return x
}

// transpose waits until something needs the elements in their new order.
func (n *node) transpose() *value {
	x := n.raw(0)
	perm := n.permutation(len(x.shape))
	if n.err != nil {
		return nil
	}
	return n.permuted(x, perm)
}

// permuted returns x with dimension perm[i] as dimension i.
func (n *node) permuted(x *value, perm []int) *value {
	if n.r.batch > 1 && len(perm) > 0 && perm[0] != 0 {
		n.unsupported("the order %v of dimensions %v, which moves the images of a batch", perm, x.shape)
	}
	out := *x
	out.shape, out.perm = make([]int, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		out.shape[i], out.perm[i] = x.shape[p], x.at(p)
	}
	return out.plain()
}

// permutation returns the attribute perm: dimensions in reverse if missing.
func (n *node) permutation(rank int) []int {
	perm := make([]int, rank)
	given, ok := n.intsAttr("perm")
	for i := range perm {
		perm[i] = rank - 1 - i
	}
	if !ok {
		return perm
	}
	seen := make([]bool, rank)
	for i, axis := range given {
		if len(given) != rank || axis < 0 || axis >= int64(rank) || seen[axis] {
			n.fail("perm %v of %d dimensions", given, rank)
			break
		}
		seen[axis] = true
		perm[i] = int(axis)
	}
	return perm
}

// targetShape returns the shape into which the node turns another one.
func (n *node) targetShape(shape []int) []int {
	switch n.op {
	case "Flatten":
		axis := n.axis(n.intAttr("axis", 1), len(shape), true)
		before, _ := sizeOf(shape[:axis])
		after, _ := sizeOf(shape[axis:])
		return []int{before, after}
	case "Squeeze":
		return n.squeezed(shape)
	case "Unsqueeze":
		return n.unsqueezed(shape)
	}
	return n.reshaped(shape)
}

// axes returns the dimensions that an attribute names or, from opset 13 on,
// input 1.
func (n *node) axes(name string) []int64 {
	if n.has(1) {
		return n.ints(1, name)
	}
	v, _ := n.intsAttr(name)
	return v
}

func (n *node) squeezed(shape []int) []int {
	axes := n.axes("axes")
	drop := make([]bool, len(shape))
	for _, a := range axes {
		axis := n.axis(a, len(shape), false)
		if n.err != nil {
			return nil
		}
		if drop[axis] = true; shape[axis] != 1 {
			n.fail("axis %d of shape %v is not 1", axis, shape)
		}
	}
	out := []int{}
	for i, d := range shape {
		if !drop[i] && (len(axes) > 0 || d != 1) {
			out = append(out, d)
		}
	}
	return out
}

func (n *node) unsqueezed(shape []int) []int {
	axes := n.axes("axes")
	rank := len(shape) + len(axes)
	if rank > maxRank || len(axes) == 0 {
		n.fail("axes %v for shape %v", axes, shape)
		return nil
	}
	out := make([]int, rank)
	for _, a := range axes {
		axis := n.axis(a, rank, false)
		if n.err != nil {
			return nil
		}
		if out[axis] != 0 {
			n.fail("axes %v are not distinct", axes)
			return nil
		}
		out[axis] = 1
	}
	for i := range out {
		if out[i] == 0 {
			out[i], shape = shape[0], shape[1:]
			if out[i] == 0 {
				n.fail("empty tensor")
			}
		}
	}
	return out
}

// reshaped returns the shape that input 1 asks for: 0 keeps a dimension, one
// -1 stands for what is left.
func (n *node) reshaped(shape []int) []int {
	target := n.ints(1, "shapes")
	if n.err != nil {
		return nil
	}
	if len(target) > maxRank {
		n.fail("%d dimensions, at most %d are possible", len(target), maxRank)
		return nil
	}
	size, err := sizeOf(shape)
	n.check(err)
	keep := n.intAttr("allowzero", 0) == 0
	out := make([]int, len(target))
	known, open := 1, -1
	for i, d := range target {
		switch {
		case d == -1 && open < 0:
			open = i
			continue
		case d == 0 && keep && i < len(shape):
			d = int64(shape[i])
		}
		if d < 0 || d > maxElements || known*int(d) > maxElements {
			n.fail("reshape from %v to %v", shape, target)
			return nil
		}
		out[i] = int(d)
		known *= int(d)
	}
	if open >= 0 && known > 0 {
		out[open] = size / known
		known *= out[open]
	}
	if known != size {
		n.fail("reshape from %v to %v", shape, target)
	}
	return out
}

// padding returns the border of each dimension, those before it and then
// those after it.
func (n *node) padding(rank int) []int64 {
	var pads []int64
	if n.has(1) {
		pads = n.ints(1, "pads")
	} else {
		pads, _ = n.intsAttr("pads")
	}
	if n.err != nil {
		return nil
	}
	if !n.has(3) {
		if len(pads) != 2*rank {
			n.fail("pads %v for %d dimensions", pads, rank)
		}
		return pads
	}
	axes := n.ints(3, "axes")
	if n.err == nil && len(pads) != 2*len(axes) {
		n.fail("pads %v for axes %v", pads, axes)
	}
	out := make([]int64, 2*rank)
	for i, a := range axes {
		if axis := n.axis(a, rank, false); n.err == nil {
			out[axis], out[rank+axis] = pads[i], pads[len(axes)+i]
		}
	}
	return out
}
