package onnx

import (
	"slices"

	"dorcas/nn"
)

// perImage returns the dimensions of one image of a shape: without the first,
// if that counts the images.
func (r *reader) perImage(shape []int) []int {
	if len(shape) > 1 && shape[0] == r.batch {
		return shape[1:]
	}
	return shape
}

// around returns an image of a stored shape as dimensions of which one, which
// it names, is dimension axis of the shape: the image's own where it has three
// at most, otherwise all that is before the axis, the axis and all after it.
func (n *node) around(stored []int, axis int) (dims nn.Dims, at int) {
	image := n.r.perImage(stored)
	axis -= len(stored) - len(image)
	if axis < 0 {
		n.unsupported("an axis that is that of the images of a batch (shape %v)", stored)
		return nn.Dims{C: 1, H: 1, W: 1}, 0
	}
	if len(image) <= 3 {
		return n.r.image(stored), axis
	}
	before, _ := sizeOf(image[:axis])
	after, _ := sizeOf(image[axis+1:])
	return nn.Dims{C: before, H: image[axis], W: after}, 1
}

// sized returns d with size n along dimension at.
func sized(d nn.Dims, at, n int) nn.Dims {
	switch at {
	case 0:
		d.C = n
	case 1:
		d.H = n
	default:
		d.W = n
	}
	return d
}

// replaced returns shape with n as dimension axis.
func replaced(shape []int, axis, n int) []int {
	out := slices.Clone(shape)
	out[axis] = n
	return out
}

// order puts the elements of v into the order of its shape.
func (n *node) order(v *value) {
	if n.err != nil || v.perm == nil {
		return
	}
	v.move(n.transposed(v.tensor, v.stored(), v.perm))
	v.perm = nil
}

// move makes v stand for another tensor, which nothing else uses if it is new.
func (v *value) move(tensor int) {
	v.shared = v.shared && tensor == v.tensor
	v.tensor = tensor
}

// channelsFirst makes dimension axis of v the first one of an image, if it is
// not already, and returns the size of an image then: channels and whatever
// else.
func (n *node) channelsFirst(v *value, axis int) nn.Dims {
	stored, at := v.stored(), v.at(axis)
	first := len(stored) - len(n.r.perImage(stored))
	if at < first {
		n.unsupported("an axis that is that of the images of a batch (shape %v)", v.shape)
	}
	if n.err != nil {
		return nn.Dims{C: 1, H: 1, W: 1}
	}
	if before, _ := sizeOf(stored[first:at]); before > 1 {
		move := make([]int, 0, len(stored)) // stored dimensions in their new order
		for i := range stored {
			if i == first {
				move = append(move, at)
			}
			if i != at {
				move = append(move, i)
			}
		}
		v.move(n.transposed(v.tensor, stored, move))
		perm := make([]int, len(stored))
		for i := range perm {
			perm[i] = slices.Index(move, v.at(i))
		}
		v.perm = perm
		stored = v.stored()
		at = first
	}
	d := n.r.image(stored[at:])
	if len(stored[at:]) > 1 && stored[at] == n.r.batch { // not a batch
		d = n.r.image(append([]int{n.r.batch}, stored[at:]...))
	}
	return d
}

// transposed returns a tensor, stored as shape, with dimension perm[i] as
// dimension i.
func (n *node) transposed(tensor int, shape, perm []int) int {
	if n.err != nil {
		return 0
	}
	if n.r.batch > 1 && len(perm) > 0 && perm[0] != 0 {
		n.unsupported("the order %v of dimensions %v, which moves the images of a batch", perm, shape)
		return 0
	}
	sizes, order := merged(shape, perm, n.r.batch > 1)
	if slices.IsSorted(order) {
		return tensor
	}
	for _, s := range n.transpositions(order) {
		tensor, sizes = n.transposeBlocks(tensor, sizes, s)
	}
	return tensor
}

// merged returns a permutation with dimensions of 1 left out, and those that
// stay together taken as one.
func merged(shape, perm []int, batch bool) (sizes, order []int) {
	var groups [][]int // dimensions of shape that stay together, in their new order
	for _, p := range perm {
		if shape[p] == 1 || batch && p == 0 {
			continue
		}
		last := len(groups) - 1
		if last >= 0 {
			g := groups[last]
			between := shape[g[len(g)-1]+1 : max(p, g[len(g)-1]+1)]
			if p > g[len(g)-1] && !slices.ContainsFunc(between, func(d int) bool { return d > 1 }) {
				groups[last] = append(g, p)
				continue
			}
		}
		groups = append(groups, []int{p})
	}
	byPlace := make([]int, len(groups))
	for i := range byPlace {
		byPlace[i] = i
	}
	slices.SortFunc(byPlace, func(a, b int) int { return groups[a][0] - groups[b][0] })
	order = make([]int, len(groups))
	for place, g := range byPlace {
		order[g] = place
		size := 1
		for _, d := range groups[g] {
			size *= shape[d]
		}
		sizes = append(sizes, size)
	}
	return sizes, order
}

// A blockSwap cuts a list of dimensions in three, before cut[0] and cut[1],
// and takes the parts in another order.
type blockSwap struct {
	cut  [2]int
	perm [3]int
}

// apply returns the list after the swap.
func apply[T any](s blockSwap, list []T) []T {
	parts := [3][]T{list[:s.cut[0]], list[s.cut[0]:s.cut[1]], list[s.cut[1]:]}
	return slices.Concat(parts[s.perm[0]], parts[s.perm[1]], parts[s.perm[2]])
}

// maxOrder bounds the dimensions of more than 1 that a transposition moves.
const maxOrder = 6

// An orderStep is how an order of dimensions is reached: by a swap from
// another one.
type orderStep struct {
	before string
	swap   blockSwap
}

// orders returns how every order of k dimensions is reached from 0, 1, 2, …
// with the fewest swaps: a breadth-first search.
func orders(k int) map[string]orderStep {
	start := make([]byte, k)
	for i := range start {
		start[i] = byte(i)
	}
	from := map[string]orderStep{string(start): {}}
	for queue := []string{string(start)}; len(queue) > 0; queue = queue[1:] {
		for i := range k {
			for j := i + 1; j <= k; j++ {
				for _, perm := range [][3]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
					s := blockSwap{[2]int{i, j}, perm}
					next := string(apply(s, []byte(queue[0])))
					if _, seen := from[next]; !seen {
						from[next] = orderStep{queue[0], s}
						queue = append(queue, next)
					}
				}
			}
		}
	}
	return from
}

// transpositions returns the fewest swaps of three parts that bring 0, 1, 2, …
// into the given order.
func (n *node) transpositions(order []int) []blockSwap {
	if len(order) > maxOrder {
		n.unsupported("a transposition of %d dimensions, at most %d are possible", len(order), maxOrder)
		return nil
	}
	from := n.r.orders[len(order)]
	if from == nil {
		from = orders(len(order))
		n.r.orders[len(order)] = from
	}
	at := make([]byte, len(order))
	for i, v := range order {
		at[i] = byte(v)
	}
	var swaps []blockSwap
	for key := string(at); from[key].before != ""; key = from[key].before {
		swaps = append(swaps, from[key].swap)
	}
	slices.Reverse(swaps)
	return swaps
}

// transposeBlocks adds the Transpose of one swap of dimensions of these sizes.
func (n *node) transposeBlocks(tensor int, sizes []int, s blockSwap) (int, []int) {
	var d [3]int
	for i, part := range [][]int{sizes[:s.cut[0]], sizes[s.cut[0]:s.cut[1]], sizes[s.cut[1]:]} {
		d[i], _ = sizeOf(part)
	}
	in := n.as(tensor, nn.Dims{C: d[0], H: d[1], W: d[2]})
	out := nn.Dims{C: d[s.perm[0]], H: d[s.perm[1]], W: d[s.perm[2]]}
	return n.add(nn.Node{Op: nn.NodeTranspose, Perm: s.perm, Out: out}, in), apply(s, sizes)
}
