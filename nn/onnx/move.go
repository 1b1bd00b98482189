package onnx

import (
	"math"
	"slices"

	"dorcas/nn"
)

// maxJoined bounds the tensors that are put together at once.
const maxJoined = 64

// A cut is what a slice takes along one dimension.
type cut struct{ start, step, count int }

// sliced takes parts of x, one for each dimension of its shape.
func (n *node) sliced(x *value, cuts []cut) *value {
	if n.err != nil {
		return nil
	}
	tensor, stored := x.tensor, slices.Clone(x.stored())
	whole := nn.Node{Op: nn.NodeSlice, Step: [3]int{1, 1, 1}}
	image := n.r.perImage(stored)
	first := len(stored) - len(image)
	any := false
	for i, c := range cuts {
		at := x.at(i)
		if c == (cut{0, 1, stored[at]}) {
			continue
		}
		if c.count < 1 {
			n.fail("nothing is left of dimension %d of shape %v", i, x.shape)
			return nil
		}
		if at < first {
			n.unsupported("a slice of the images of a batch (shape %v)", x.shape)
			return nil
		}
		any = true
		if len(image) <= 3 {
			whole.Start[at-first], whole.Step[at-first] = c.start, c.step
			continue
		}
		dims, d := n.around(stored, at)
		y := nn.Node{Op: nn.NodeSlice, Step: [3]int{1, 1, 1}, Out: sized(dims, d, c.count)}
		y.Start[d], y.Step[d] = c.start, c.step
		tensor = n.add(y, n.as(tensor, dims))
		stored[at] = c.count
	}
	if any && len(image) <= 3 {
		in := n.r.image(stored)
		for i, c := range cuts {
			stored[x.at(i)] = c.count
		}
		whole.Out = n.r.image(stored)
		tensor = n.add(whole, n.as(tensor, in))
	}
	y := x.with(tensor, stored)
	y.integers = x.integers
	return y
}

// wholeCuts are those that take all.
func wholeCuts(shape []int) []cut {
	cuts := make([]cut, len(shape))
	for i, d := range shape {
		cuts[i] = cut{0, 1, d}
	}
	return cuts
}

// slice translates Slice along any dimensions.
func (n *node) slice() *value {
	x := n.settled(0)
	if n.err != nil {
		return nil
	}
	return n.sliced(x, n.cuts(x.shape))
}

// split translates Split.
func (n *node) split() *value {
	x := n.settled(0)
	if n.err != nil {
		return nil
	}
	axis := n.axis(n.intAttr("axis", 0), len(x.shape), false)
	sizes := n.splitSizes(x.shape[axis])
	if n.err != nil {
		return nil
	}
	start := 0
	for i, size := range sizes {
		if size < 0 || size > int64(x.shape[axis]-start) {
			n.fail("parts %v of %d", sizes, x.shape[axis])
			return nil
		}
		var v *value
		if n.r.uses[n.outputs[i]] > 0 {
			cuts := wholeCuts(x.shape)
			cuts[axis] = cut{start, 1, int(size)}
			v = n.sliced(x, cuts)
		}
		if v == nil {
			v = &value{unknown: true}
		}
		n.results = append(n.results, v)
		start += int(size)
	}
	return n.results[0]
}

// splitSizes returns the size of each part, as many as the node has outputs.
func (n *node) splitSizes(size int) []int64 {
	sizes, given := n.intsAttr("split")
	if n.has(1) {
		sizes, given = n.ints(1, "split"), true
	}
	k := len(n.outputs)
	if !given {
		part := (size + k - 1) / k
		for i := range k {
			sizes = append(sizes, int64(min(part, max(0, size-i*part))))
		}
	}
	if n.err == nil && len(sizes) != k {
		n.fail("%d parts for %d outputs", len(sizes), k)
	}
	return sizes
}

// gather translates the choice of elements along a dimension by constants:
// slices, one after the other.
func (n *node) gather() *value {
	if v, i := n.input(0), n.input(1); v != nil && v.constant != nil && i != nil && i.head == nn.HeadArgMax {
		return n.labelOf(1)
	}
	x, choice := n.settled(0), n.constant(1, "indices")
	if n.err != nil {
		return nil
	}
	axis := n.axis(n.intAttr("axis", 0), len(x.shape), false)
	if !choice.integer || len(choice.shape) > 1 || choice.len() == 0 {
		n.unsupported("indices of shape %v", choice.shape)
		return nil
	}
	var index []int
	for _, v := range choice.ints {
		index = append(index, n.axis(v, x.shape[axis], false))
	}
	var parts []*value
	for first := 0; first < len(index) && n.err == nil; {
		last, step := first+1, 1
		if last < len(index) && index[last] != index[first] {
			step = index[last] - index[first]
			for last < len(index) && index[last]-index[last-1] == step {
				last++
			}
		}
		cuts := wholeCuts(x.shape)
		cuts[axis] = cut{index[first], step, last - first}
		parts = append(parts, n.sliced(x, cuts))
		if first = last; len(parts) > maxJoined {
			n.unsupported("the choice of elements in %d and more runs", maxJoined)
		}
	}
	y := n.joined(parts, axis)
	if n.err != nil || len(choice.shape) == 1 {
		return y
	}
	n.order(y)
	y.shape = slices.Delete(slices.Clone(y.shape), axis, axis+1)
	return y
}

// concat translates Concat. Sigmoids are taken after it, so that they can end
// a graph: 1 - sigmoid(x) and sigmoid(x) of a classifier of two classes.
func (n *node) concat() *value {
	var in []*value
	sigmoids := true
	for i := range n.inputs {
		v := n.raw(i)
		if n.err != nil {
			return nil
		}
		sigmoids = sigmoids && v.fn != nil && v.fn.kind == sigmoid
		in = append(in, v)
	}
	if len(in) == 0 {
		n.fail("no inputs")
		return nil
	}
	axis := n.axis(n.intAttr("axis", 1), len(in[0].shape), false)
	for _, v := range in {
		if sigmoids {
			v.fn = v.fn.args[0]
			if v.fn.kind == leaf {
				v.fn = nil
			}
		}
		n.settle(v)
	}
	y := n.joined(in, axis)
	if sigmoids && n.err == nil {
		return n.apply(y, sigmoidFunction(), n.r.leafOf(y))
	}
	return y
}

// joined puts tensors one after another along an axis.
func (n *node) joined(in []*value, axis int) *value {
	if n.err != nil {
		return nil
	}
	if len(in) == 1 {
		return in[0]
	}
	if len(in) > maxJoined {
		n.unsupported("a concatenation of %d tensors, at most %d are possible", len(in), maxJoined)
		return nil
	}
	for _, v := range in {
		if len(v.shape) != len(in[0].shape) {
			n.fail("shapes %v and %v do not go together", in[0].shape, v.shape)
			return nil
		}
		if !slices.Equal(v.perm, in[0].perm) {
			for _, v := range in {
				n.order(v)
			}
		}
	}
	at := in[0].at(axis)
	out := slices.Clone(in[0].stored())
	dims, d := n.around(out, at)
	y := nn.Node{Op: nn.NodeConcat, Axis: d}
	total := 0
	for _, v := range in {
		stored := v.stored()
		if size := stored[at]; !slices.Equal(replaced(stored, at, out[at]), out) {
			n.fail("shapes %v and %v do not go together", in[0].shape, v.shape)
			return nil
		} else if total += size; total > maxElements {
			n.fail("more than %d elements", maxElements)
			return nil
		} else {
			y.In = append(y.In, n.as(v.tensor, sized(dims, d, size)))
		}
	}
	out[at] = total
	y.Out = sized(dims, d, total)
	return in[0].with(n.add(y, 0), out)
}

// pad translates Pad with zeros, and with less than none, along any dimensions.
func (n *node) pad() *value {
	x := n.settled(0)
	if n.err != nil {
		return nil
	}
	pads := n.padding(len(x.shape))
	if n.err != nil {
		return nil
	}
	if mode := n.stringAttr("mode", "constant"); mode != "constant" && slices.Max(append(pads, 0)) > 0 {
		n.unsupported("mode %s", quote(mode))
	}
	fill := float64(n.floatAttr("value", 0))
	if n.has(2) {
		fill = n.number(2, "constant_value")
	}
	cuts := wholeCuts(x.shape)
	for i := range cuts {
		before, after := pads[i], pads[len(cuts)+i]
		if max(before, after) > maxSide || min(before, after) < -math.MaxInt32 {
			n.fail("pads %v", pads)
			return nil
		}
		cuts[i].start = int(max(0, -before))
		cuts[i].count -= int(max(0, -before) + max(0, -after))
		if fill != 0 && max(before, after) > 0 {
			n.unsupported("a border of %v", fill)
		}
	}
	x = n.sliced(x, cuts)
	if n.err != nil {
		return nil
	}
	if stored := x.stored(); len(n.r.perImage(stored)) == 3 { // rows and columns at once
		d := n.r.image(stored)
		var p nn.Pad
		var rest []int
		for i := range cuts {
			before, after := int(max(0, pads[i])), int(max(0, pads[len(cuts)+i]))
			switch len(stored) - x.at(i) {
			case 2:
				p.Top, p.Bottom, stored = before, after, replaced(stored, x.at(i), stored[x.at(i)]+before+after)
			case 1:
				p.Left, p.Right, stored = before, after, replaced(stored, x.at(i), stored[x.at(i)]+before+after)
			default:
				rest = append(rest, i)
			}
		}
		tensor, _ := n.padded(n.as(x.tensor, d), d, p)
		x = x.with(tensor, stored)
		for _, i := range rest {
			x = n.padAxis(x, i, int(max(0, pads[i])), int(max(0, pads[len(cuts)+i])))
		}
		return x
	}
	for i := range cuts {
		x = n.padAxis(x, i, int(max(0, pads[i])), int(max(0, pads[len(cuts)+i])))
	}
	return x
}

// padAxis adds zeros before and after x along a dimension.
func (n *node) padAxis(x *value, axis, before, after int) *value {
	if n.err != nil || before == 0 && after == 0 {
		return x
	}
	stored, at := x.stored(), x.at(axis)
	first := len(stored) - len(n.r.perImage(stored))
	if at < first {
		n.unsupported("a border of images")
		return x
	}
	a, _ := sizeOf(stored[first:at])
	b, _ := sizeOf(stored[at+1:])
	dims := nn.Dims{C: a, H: stored[at], W: b}
	p := nn.Pad{Top: before, Bottom: after}
	tensor := n.as(x.tensor, dims)
	out := nn.Dims{C: dims.C, H: dims.H + p.Top + p.Bottom, W: dims.W + p.Left + p.Right}
	tensor = n.add(nn.Node{Op: nn.NodeZeroPad, Pad: p, Out: out}, tensor)
	return x.with(tensor, replaced(stored, at, stored[at]+before+after))
}

// expand translates Expand: dimensions of 1 repeated.
func (n *node) expand() *value {
	x := n.settled(0)
	shape, err := shapeOf(n.ints(1, "shape"))
	n.check(err)
	if n.err != nil {
		return nil
	}
	shape = n.common([]*value{x, {shape: shape}})
	n.repeat(x, shape)
	return x
}
