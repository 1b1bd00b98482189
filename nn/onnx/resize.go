package onnx

import (
	"math"
	"slices"

	"dorcas/nn"
)

// resize translates Resize and Upsample to the nearest neighbour where each
// element is repeated as often as any other, or where every so many elements
// are taken.
func (n *node) resize() *value {
	x := n.settled(0)
	if n.err != nil {
		return nil
	}
	if mode := n.stringAttr("mode", "nearest"); mode != "nearest" {
		n.unsupported("mode %s, only nearest is possible", quote(mode))
	}
	scales, sizes := n.resizeTo(x.shape)
	if n.err != nil {
		return nil
	}
	index := make([][]int, len(x.shape))
	for axis := range x.shape {
		index[axis] = n.nearest(x.shape[axis], sizes[axis], scales[axis])
	}
	return n.picked(x, index)
}

// resizeTo returns the factor and the size of each dimension.
func (n *node) resizeTo(shape []int) (scales []float64, sizes []int) {
	given, ok := n.scales()
	var target []int64
	if !ok && n.has(3) {
		target = n.ints(3, "sizes")
	}
	if policy := n.stringAttr("keep_aspect_ratio_policy", "stretch"); policy != "stretch" {
		n.unsupported("keep_aspect_ratio_policy %s", quote(policy))
	}
	if n.err != nil {
		return nil, nil
	}
	axes, hasAxes := n.intsAttr("axes")
	if !hasAxes {
		for i := range shape {
			axes = append(axes, int64(i))
		}
	}
	if max(len(given), len(target)) != len(axes) {
		n.fail("scales %v, sizes %v for shape %v", given, target, shape)
		return nil, nil
	}
	sizes = slices.Clone(shape)
	scales = slices.Repeat([]float64{1}, len(shape))
	for i, a := range axes {
		axis := n.axis(a, len(shape), false)
		if target != nil {
			if target[i] < 1 || target[i] > maxElements {
				n.fail("sizes %v", target)
				return nil, nil
			}
			sizes[axis] = int(target[i])
			scales[axis] = float64(target[i]) / float64(shape[axis])
			continue
		}
		size := math.Floor(float64(shape[axis]) * float64(given[i]))
		if !(size >= 1 && size <= maxElements) {
			n.fail("scales %v for shape %v", given, shape)
			return nil, nil
		}
		sizes[axis], scales[axis] = int(size), float64(given[i])
	}
	if size, err := sizeOf(sizes); err != nil || size == 0 {
		n.fail("size %v", sizes)
	}
	return scales, sizes
}

// scales returns the factors, which stand in another place in each version of
// the operators.
func (n *node) scales() ([]float32, bool) {
	if a := n.attr("scales"); a != nil {
		return a.GetFloats(), true
	}
	at := 2
	if n.op == "Upsample" || n.r.opset < 11 {
		at = 1
	}
	if !n.has(at) {
		return nil, false
	}
	c := n.floats(at, "scales")
	return c.floats, n.err != nil || c.len() > 0
}

// nearest returns the element that each of size elements is a copy of.
func (n *node) nearest(from, size int, scale float64) []int {
	mode := n.stringAttr("coordinate_transformation_mode", "half_pixel")
	round := n.stringAttr("nearest_mode", "round_prefer_floor")
	if n.op == "Upsample" || n.r.opset < 11 {
		mode, round = "asymmetric", "floor"
	}
	if from == size && scale == 1 {
		return nil
	}
	n.check(n.r.spend(size))
	if n.err != nil {
		return nil
	}
	index := make([]int, size)
	for i := range index {
		x := float64(i)
		switch mode {
		case "asymmetric":
			x /= scale
		case "half_pixel":
			x = (x+0.5)/scale - 0.5
		case "pytorch_half_pixel":
			if x = (x+0.5)/scale - 0.5; size == 1 {
				x = 0
			}
		case "align_corners":
			if size > 1 {
				x *= float64(from-1) / float64(size-1)
			}
		default:
			n.unsupported("coordinate_transformation_mode %s", quote(mode))
			return nil
		}
		switch round {
		case "floor":
			x = math.Floor(x + 1e-9)
		case "ceil":
			x = math.Ceil(x - 1e-9)
		case "round_prefer_ceil":
			x = math.Floor(x + 0.5 + 1e-9)
		case "round_prefer_floor":
			x = math.Ceil(x - 0.5 - 1e-9)
		default:
			n.fail("nearest_mode is %s", quote(round))
			return nil
		}
		index[i] = min(max(int(x), 0), from-1)
	}
	return index
}

// picked takes the elements with these indices along each axis, all of them
// for nil.
func (n *node) picked(x *value, index [][]int) *value {
	if n.err != nil {
		return nil
	}
	factors, cuts := slices.Repeat([]int{1}, len(index)), wholeCuts(x.shape)
	for axis, list := range index {
		if list == nil {
			continue
		}
		from, step := x.shape[axis], 1
		if factor := len(list) / from; factor*from == len(list) && repeats(list, factor) {
			factors[axis] = factor
			continue
		}
		if len(list) > 1 {
			step = list[1] - list[0]
		}
		for i, v := range list {
			if v != list[0]+i*step || step == 0 {
				n.unsupported("a resize of %d elements to %d by which some are repeated more often than others", from, len(list))
				return nil
			}
		}
		cuts[axis] = cut{list[0], step, len(list)}
	}
	return n.upsampled(n.sliced(x, cuts), factors)
}

// repeats reports whether the indices are 0, 1, 2, …, each factor times.
func repeats(list []int, factor int) bool {
	for i, v := range list {
		if v != i/factor {
			return false
		}
	}
	return true
}

// upsampled repeats every element along each axis as often as factors say.
func (n *node) upsampled(x *value, factors []int) *value {
	if n.err != nil {
		return nil
	}
	stored := slices.Clone(x.stored())
	by := make([]int, len(stored))
	for axis, f := range factors {
		by[x.at(axis)] = f
	}
	first := len(stored) - len(n.r.perImage(stored))
	tensor := x.tensor
	for at := range stored {
		y := nn.Node{Op: nn.NodeUpsample, FactorH: by[at], FactorW: 1}
		a, _ := sizeOf(stored[min(at, first):at])
		b, _ := sizeOf(stored[at+1:])
		dims := nn.Dims{C: a, H: stored[at], W: b}
		switch {
		case at == len(stored)-2 && at > first: // rows, and columns at once
			dims = nn.Dims{C: a, H: stored[at], W: stored[at+1]}
			y.FactorW, by[at+1] = by[at+1], 1
			stored[at+1] *= y.FactorW
		case at < first && by[at] > 1:
			n.unsupported("a resize of the number of images")
			return nil
		}
		stored[at] *= y.FactorH
		if y.FactorH > 1 || y.FactorW > 1 {
			y.Out = nn.Dims{C: dims.C, H: dims.H * y.FactorH, W: dims.W * y.FactorW}
			tensor = n.add(y, n.as(tensor, dims))
		}
	}
	return x.with(tensor, stored)
}

// depthToSpace and spaceToDepth move channels to blocks of a plane and back.
func (n *node) depthToSpace() *value {
	x, b := n.blocks()
	if n.err != nil {
		return nil
	}
	c, h, w := x.shape[1]/b/b, x.shape[2], x.shape[3]
	if c*b*b != x.shape[1] {
		n.fail("%d channels for blocks of %d", x.shape[1], b)
		return nil
	}
	y := n.view(x, []int{n.r.batch, b, b, c, h, w})
	perm := []int{0, 3, 4, 1, 5, 2}
	if n.stringAttr("mode", "DCR") == "CRD" {
		y, perm = n.view(x, []int{n.r.batch, c, b, b, h, w}), []int{0, 1, 4, 2, 5, 3}
	}
	if n.err != nil {
		return nil
	}
	return n.view(n.permuted(y, perm), []int{n.r.batch, c, h * b, w * b})
}

func (n *node) spaceToDepth() *value {
	x, b := n.blocks()
	if n.err != nil {
		return nil
	}
	c, h, w := x.shape[1], x.shape[2]/b, x.shape[3]/b
	if h*b != x.shape[2] || w*b != x.shape[3] {
		n.fail("a plane of %d×%d for blocks of %d", x.shape[2], x.shape[3], b)
		return nil
	}
	y := n.view(x, []int{n.r.batch, c, h, b, w, b})
	if n.err != nil {
		return nil
	}
	return n.view(n.permuted(y, []int{0, 3, 5, 1, 2, 4}), []int{n.r.batch, c * b * b, h, w})
}

func (n *node) blocks() (*value, int) {
	x, b := n.image(0), n.intAttr("blocksize", 0)
	if n.err == nil && (len(x.shape) != 4 || x.shape[0] != n.r.batch || b < 1 || b > maxSide) {
		n.fail("blocks of %d for shape %v", b, x.shape)
	}
	return x, int(b)
}
