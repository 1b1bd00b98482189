package onnx

import (
	"slices"

	"dorcas/nn"
)

// A value is what a name in the file stands for: a constant, or a tensor of
// the graph seen with a shape of the file.
type value struct {
	constant *constant

	tensor int
	shape  []int
	// perm is nil where the elements of the tensor stand in the order of
	// shape; otherwise dimension i of shape is dimension perm[i] of the tensor
	// as it is stored. So transpositions wait until something needs them, and
	// those of a network that keeps channels last cancel.
	perm   []int
	fn     *function // of the tensor's elements, not computed yet; nil for the elements themselves
	shared bool      // the tensor, or a view of it, has other uses
	head   nn.Head
	from   *node // of the head
	// integers says that the file has integers here, those that a
	// QuantizeLinear made; the value is the real numbers that they stand for.
	integers *quantum

	computed bool // from the graph's input: no constant even if unknown
	unknown  bool // the output of an unsupported node
}

// stored returns the shape in the order of the tensor's elements.
func (v *value) stored() []int {
	if v.perm == nil {
		return v.shape
	}
	out := make([]int, len(v.shape))
	for i, p := range v.perm {
		out[p] = v.shape[i]
	}
	return out
}

// at returns the stored dimension that is dimension axis of the shape.
func (v *value) at(axis int) int {
	if v.perm == nil {
		return axis
	}
	return v.perm[axis]
}

// with returns v with another tensor of a shape of the same order as that of
// v, given as it is stored.
func (v *value) with(tensor int, stored []int) *value {
	shape := stored
	if v.perm != nil {
		shape = make([]int, len(stored))
		for i, p := range v.perm {
			shape[i] = stored[p]
		}
	}
	return (&value{tensor: tensor, shape: shape, perm: v.perm, shared: v.shared && tensor == v.tensor}).plain()
}

// plain drops an order that only moves dimensions of 1, and returns v.
func (v *value) plain() *value {
	last := -1
	for i, p := range v.perm {
		if v.shape[i] == 1 {
			continue
		}
		if p < last {
			return v
		}
		last = p
	}
	v.perm = nil
	return v
}

// sameLayout reports whether the elements of two values correspond in the
// order in which they are stored.
func sameLayout(a, b *value) bool {
	return slices.Equal(a.shape, b.shape) && slices.Equal(a.perm, b.perm)
}

// raw returns input i, which has to be computed from the graph's input, with
// whatever function and order wait to be computed.
func (n *node) raw(i int) *value {
	v := n.input(i)
	switch {
	case v == nil:
		n.fail("input %d is missing", i)
	case v.constant != nil:
		n.unsupported("a constant as input %d", i)
	case v.unknown:
		n.check(errUnknown)
	case v.head != nn.HeadNone && n.op != "ArgMax" && !n.views() && !n.labels():
		v.from.unsupported("its use before the end of the graph (by %s)", n)
		n.r.report(v.from)
		n.check(errUnknown)
	case v.integers != nil && !n.views() && !n.integral():
		n.unsupported("arithmetic on quantised integers: export with a DequantizeLinear before every operator (QDQ)")
	default:
		out := *v
		out.shared = out.shared || n.r.uses[n.inputs[i]] > 1
		return &out
	}
	n.blind = true
	return &value{shape: []int{1, 1, 1, 1}}
}

// settled is raw with the function computed.
func (n *node) settled(i int) *value {
	v := n.raw(i)
	n.settle(v)
	return v
}

// settle computes the function of v.
func (n *node) settle(v *value) {
	if n.err == nil && v.fn != nil {
		v.tensor, v.shared = n.compute(v.fn), v.shared || v.fn.uses > 1
		v.fn = nil
	}
}

// image is settled with the elements in the order of the shape.
func (n *node) image(i int) *value {
	v := n.settled(i)
	n.order(v)
	return v
}

// views reports whether the node only changes a shape or a type.
func (n *node) views() bool {
	return slices.Contains([]string{"Cast", "CastLike", "Dropout", "Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose"}, n.op)
}

// integral reports whether the node does the same to quantised integers as to
// the numbers that they stand for.
func (n *node) integral() bool {
	return slices.Contains([]string{"MaxPool", "DequantizeLinear", "Slice", "Split", "Gather", "Shape"}, n.op)
}

// planes is image for an input that has to be a batch of channels of planes,
// of one dimension or two.
func (n *node) planes(i int) *value {
	v := n.image(i)
	if n.err != nil {
		return v
	}
	switch {
	case len(v.shape) == 5:
		n.unsupported("three-dimensional planes (input of shape %v)", v.shape)
	case len(v.shape) != 4 && len(v.shape) != 3 || v.shape[0] != n.r.batch:
		n.fail("input of shape %v, want batch × channels × height × width", v.shape)
	}
	if n.err != nil {
		return &value{shape: []int{1, 1, 1, 1}}
	}
	v.tensor = n.as(v.tensor, planesOf(v.shape))
	return v
}

// planesOf returns the size of one image of a batch of planes: a line of
// numbers is a plane of one row.
func planesOf(shape []int) nn.Dims {
	if len(shape) == 3 {
		return nn.Dims{C: shape[1], H: 1, W: shape[2]}
	}
	return nn.Dims{C: shape[1], H: shape[2], W: shape[3]}
}

// ofPlanes returns the shape of a batch of planes of that size, of as many
// dimensions as the planes of x.
func (n *node) ofPlanes(x *value, d nn.Dims) []int {
	if len(x.shape) == 3 {
		return []int{n.r.batch, d.C, d.W}
	}
	return []int{n.r.batch, d.C, d.H, d.W}
}

// as returns a tensor with the elements of another one as an image of size
// out, which has as many.
func (n *node) as(tensor int, out nn.Dims) int {
	t, err := n.r.as(tensor, out, n.name+" input")
	n.check(err)
	return t
}

// emit adds a node on one tensor, or on those that it already has, and
// returns its output with a shape.
func (n *node) emit(out nn.Node, tensor int, shape []int) *value {
	if n.err != nil {
		return nil
	}
	if size, err := sizeOf(shape); err != nil || size == 0 {
		n.fail("output of shape %v is empty or too large", shape)
		return nil
	}
	return &value{tensor: n.add(out, tensor), shape: shape}
}

// add adds a node on one tensor, or on those that it already has, and returns
// its output.
func (n *node) add(out nn.Node, tensor int) int {
	if n.err != nil {
		return 0
	}
	out.Name = n.name
	if out.In == nil {
		out.In = []int{tensor}
	}
	t, err := n.r.add(out)
	n.check(err)
	return t
}
