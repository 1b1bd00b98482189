package onnx

import (
	"slices"

	"dorcas/nn"
)

// maxPoolWindow is the largest window that is pooled at once.
const maxPoolWindow = 1024

func (n *node) maxPool() *value {
	if n.intAttr("storage_order", 0) != 0 && len(n.outputs) > 1 {
		n.unsupported("storage_order 1")
	}
	x := n.planes(0)
	if n.err != nil {
		return nil
	}
	win, _ := n.poolWindow(x)
	y := n.pool(nn.Node{Op: nn.NodeMaxPool}, x, win)
	if y != nil {
		y.integers = x.integers
	}
	return y
}

func (n *node) averagePool() *value {
	count := n.intAttr("count_include_pad", 0) != 0
	x := n.planes(0)
	if n.err != nil {
		return nil
	}
	win, given := n.poolWindow(x)
	if n.err != nil {
		return nil
	}
	if count && (win.Pad != given || wide(win)) {
		// The border counts, but not what rounding the size up adds to it.
		tensor, in := n.padded(x.tensor, planesOf(x.shape), given)
		p := win.Pad
		win.Pad = nn.Pad{Bottom: max(0, p.Bottom-given.Bottom), Right: max(0, p.Right-given.Right)}
		x = &value{tensor: tensor, shape: n.ofPlanes(x, in)}
		return n.pool(nn.Node{Op: nn.NodeAvgPool}, x, win)
	}
	return n.pool(nn.Node{Op: nn.NodeAvgPool, CountPad: count}, x, win)
}

// pool adds a pooling of planes.
func (n *node) pool(y nn.Node, x *value, win nn.Window) *value {
	in := planesOf(x.shape)
	if wide(win) {
		n.unsupported("pads as wide as the window")
	}
	h, w := win.Out(in.H, in.W)
	if h < 1 || w < 1 {
		n.fail("a window of %d×%d is larger than its input of %d×%d", win.KH, win.KW, in.H, in.W)
	}
	y.Window, y.Out = win, nn.Dims{C: in.C, H: h, W: w}
	return n.emit(y, x.tensor, n.ofPlanes(x, y.Out))
}

// poolWindow returns the window of a pooling and the border that the file
// gives; with ceil_mode the window's own may be wider, for the last windows to
// fit.
func (n *node) poolWindow(x *value) (nn.Window, nn.Pad) {
	in, rank := planesOf(x.shape), len(x.shape)-2
	win := n.window(nil, in, rank)
	given := win.Pad
	if n.intAttr("ceil_mode", 0) == 0 || n.err != nil {
		return win, given
	}
	if auto := n.stringAttr("auto_pad", "NOTSET"); auto != "NOTSET" && auto != "VALID" && auto != "" {
		return win, given
	}
	kh, kw := win.Extent()
	win.Pad.Bottom = ceiled(in.H, kh, win.StrideH, given.Top, given.Bottom)
	win.Pad.Right = ceiled(in.W, kw, win.StrideW, given.Left, given.Right)
	return win, given
}

// ceiled returns the border after size elements with which windows of k at a
// stride come to their number rounded up; a window that would begin after the
// elements and the border before them is left out.
func ceiled(size, k, stride, before, after int) int {
	rest := size + before + after - k
	if rest < 0 {
		return after
	}
	outputs := (rest+stride-1)/stride + 1
	if (outputs-1)*stride >= size+before {
		outputs--
	}
	return max(after, (outputs-1)*stride+k-size-before)
}

func (n *node) globalAveragePool() *value { return n.global(nn.NodeAvgPool) }
func (n *node) globalMaxPool() *value     { return n.global(nn.NodeMaxPool) }

// global translates a pooling over whole planes of any dimensions.
func (n *node) global(op nn.NodeOp) *value {
	x := n.settled(0)
	if n.err != nil {
		return nil
	}
	if len(x.shape) < 3 {
		n.fail("input of shape %v, want batch × channels × height × width", x.shape)
		return nil
	}
	over := make([]bool, len(x.shape))
	for i := range over {
		over[i] = i >= 2
	}
	return n.pooled(op, x, over)
}

// pooled replaces the dimensions of x that over names by their average or
// maximum.
func (n *node) pooled(op nn.NodeOp, x *value, over []bool) *value {
	stored := slices.Clone(x.stored())
	first := len(stored) - len(n.r.perImage(stored))
	chosen := make([]bool, len(stored)) // dimensions as they are stored
	for i, o := range over {
		chosen[x.at(i)] = o && x.shape[i] > 1
		if o && x.at(i) < first && x.shape[i] > 1 {
			n.unsupported("a mean, sum or maximum over the images of a batch")
		}
	}
	tensor := x.tensor
	for i := first; i < len(stored) && n.err == nil; i++ {
		if !chosen[i] {
			continue
		}
		last := i // dimensions that follow one another are one
		for last+1 < len(stored) && (chosen[last+1] || stored[last+1] == 1) {
			last++
		}
		before, _ := sizeOf(stored[first:i])
		count, _ := sizeOf(stored[i : last+1])
		after, _ := sizeOf(stored[last+1:])
		in := nn.Dims{C: before, H: count, W: after}
		if image := n.r.image(stored); last == len(stored)-1 && image.C == before && image.H*image.W == count {
			in = image // a plane
			after = 1
		}
		tensor = n.reduce(op, n.as(tensor, in), in, after)
		for j := i; j <= last; j++ {
			stored[j] = 1
		}
		i = last
	}
	return x.with(tensor, stored)
}

// reduce pools all of a plane into a row of width numbers; large ones in two
// steps if it is for the maximum.
func (n *node) reduce(op nn.NodeOp, tensor int, in nn.Dims, width int) int {
	win := nn.Window{KH: in.H, KW: in.W / width, StrideH: 1, StrideW: 1}
	if max(win.KH, win.KW) > maxSide {
		n.unsupported("a mean or maximum of %d numbers, at most %d are possible", win.KH*win.KW, maxSide)
		return 0
	}
	if op == nn.NodeMaxPool && win.KH*win.KW > maxPoolWindow && win.KH > 1 && win.KW > 1 {
		row := win
		row.KH = 1
		in.W = width
		tensor = n.add(nn.Node{Op: op, Window: row, Out: in}, tensor)
		win.KW = 1
	}
	return n.add(nn.Node{Op: op, Window: win, Out: nn.Dims{C: in.C, H: 1, W: width}}, tensor)
}

// reduceMean, reduceSum and reduceMax translate their operators over any
// dimensions of an image.
func (n *node) reduceMean() *value { return n.reduction(nn.NodeAvgPool) }
func (n *node) reduceMax() *value  { return n.reduction(nn.NodeMaxPool) }
func (n *node) reduceSum() *value  { return n.reduction(nn.NodeAvgPool) }

func (n *node) reduction(op nn.NodeOp) *value {
	axes := n.axes("axes")
	x := n.settled(0)
	if n.err != nil {
		return nil
	}
	if len(axes) == 0 && n.intAttr("noop_with_empty_axes", 0) != 0 {
		return x
	}
	over := make([]bool, len(x.shape))
	count := 1
	for _, a := range axes {
		over[n.axis(a, len(over), false)] = true
	}
	for i := range over {
		over[i] = over[i] || len(axes) == 0 && (i > 0 || n.r.batch > 1 || x.shape[0] > 1)
		if over[i] {
			count *= x.shape[i]
		}
	}
	if n.err != nil {
		return nil
	}
	y := n.pooled(op, x, over)
	if n.err == nil && n.op == "ReduceSum" && count > 1 {
		y = n.affine(y, along{}, []float32{float32(count)}, nil)
	}
	if n.err != nil || n.intAttr("keepdims", 1) != 0 {
		return y
	}
	n.order(y)
	var shape []int
	for i, d := range y.shape {
		if !over[i] && !(len(axes) == 0) {
			shape = append(shape, d)
		}
	}
	y.shape = shape
	return y
}
