package onnx

import (
	"slices"

	"dorcas/nn"
)

// spatial returns the two numbers that an attribute gives for planes of so
// many dimensions, the first of a line's planes being 1; otherwise ones, and
// nil for the size of a window.
func (n *node) spatial(name string, rank int) []int64 {
	v, ok := n.intsAttr(name)
	switch {
	case !ok && name == "kernel_shape":
		return nil
	case !ok:
		return []int64{1, 1}
	case len(v) != rank:
		n.fail("%s %v for planes of %d dimensions", name, v, rank)
		return []int64{1, 1}
	}
	for _, k := range v {
		if k < 1 || k > maxSide {
			n.fail("%s %v", name, v)
			return []int64{1, 1}
		}
	}
	if rank == 1 {
		return []int64{1, v[0]}
	}
	return v
}

// window returns the window with which the node goes over planes of in, rank
// of whose dimensions count. A nil size is that of the attribute.
func (n *node) window(size []int64, in nn.Dims, rank int) nn.Window {
	one := nn.Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}
	given := n.spatial("kernel_shape", rank)
	if given == nil {
		given = size
	}
	if given == nil || size != nil && !slices.Equal(size, given) || given[0] < 1 || given[1] < 1 || max(given[0], given[1]) > maxSide {
		n.fail("kernel_shape is %v, the weights have %v", given, size)
		return one
	}
	strides, dilations := n.spatial("strides", rank), n.spatial("dilations", rank)
	win := nn.Window{KH: int(given[0]), KW: int(given[1]), StrideH: int(strides[0]), StrideW: int(strides[1])}
	if dilations[0] > 1 && win.KH > 1 {
		win.DilH = int(dilations[0])
	}
	if dilations[1] > 1 && win.KW > 1 {
		win.DilW = int(dilations[1])
	}
	win.Pad = n.border(win, in, rank)
	if n.err != nil {
		return one
	}
	return win
}

// border returns the border that pads and auto_pad ask for.
func (n *node) border(win nn.Window, in nn.Dims, rank int) nn.Pad {
	switch auto := n.stringAttr("auto_pad", "NOTSET"); auto {
	case "SAME_UPPER", "SAME_LOWER":
		kh, kw := win.Extent()
		top, bottom := same(in.H, kh, win.StrideH)
		left, right := same(in.W, kw, win.StrideW)
		if auto == "SAME_LOWER" {
			top, bottom, left, right = bottom, top, right, left
		}
		return nn.Pad{Top: top, Left: left, Bottom: bottom, Right: right}
	case "VALID":
		return nn.Pad{}
	case "NOTSET", "":
	default:
		n.fail("auto_pad is %s", quote(auto))
	}
	return n.pads(rank)
}

// pads returns the attribute pads, 0 where there is none.
func (n *node) pads(rank int) nn.Pad {
	pads, ok := n.intsAttr("pads")
	if !ok {
		return nn.Pad{}
	}
	if len(pads) != 2*rank {
		n.fail("pads %v, want %d", pads, 2*rank)
		return nn.Pad{}
	}
	for _, p := range pads {
		if p < 0 || p > maxSide {
			n.fail("pads %v", pads)
			return nn.Pad{}
		}
	}
	if rank == 1 {
		return nn.Pad{Left: int(pads[0]), Right: int(pads[1])}
	}
	return nn.Pad{Top: int(pads[0]), Left: int(pads[1]), Bottom: int(pads[2]), Right: int(pads[3])}
}

// same returns the border before and after size elements with which windows
// of k elements at the given stride yield ⌈size/stride⌉ outputs; what does not
// halve goes after.
func same(size, k, stride int) (before, after int) {
	outputs := (size + stride - 1) / stride
	all := max(0, (outputs-1)*stride+k-size)
	return all / 2, all - all/2
}

// wide reports whether a border is as wide as its window, which a graph does
// not allow.
func wide(win nn.Window) bool {
	kh, kw := win.Extent()
	return max(win.Pad.Top, win.Pad.Bottom) >= kh || max(win.Pad.Left, win.Pad.Right) >= kw
}

// padded adds a border of zeros to a tensor of size in, or takes elements away
// where the border is negative.
func (n *node) padded(tensor int, in nn.Dims, p nn.Pad) (int, nn.Dims) {
	cut := nn.Pad{Top: max(0, -p.Top), Left: max(0, -p.Left), Bottom: max(0, -p.Bottom), Right: max(0, -p.Right)}
	p = nn.Pad{Top: max(0, p.Top), Left: max(0, p.Left), Bottom: max(0, p.Bottom), Right: max(0, p.Right)}
	if cut != (nn.Pad{}) {
		out := nn.Dims{C: in.C, H: in.H - cut.Top - cut.Bottom, W: in.W - cut.Left - cut.Right}
		if out.H < 1 || out.W < 1 {
			n.fail("nothing is left of planes of %d×%d without %v", in.H, in.W, cut)
			return tensor, in
		}
		tensor = n.add(nn.Node{Op: nn.NodeSlice, Start: [3]int{0, cut.Top, cut.Left}, Step: [3]int{1, 1, 1}, Out: out}, tensor)
		in = out
	}
	if p != (nn.Pad{}) {
		in = nn.Dims{C: in.C, H: in.H + p.Top + p.Bottom, W: in.W + p.Left + p.Right}
		tensor = n.add(nn.Node{Op: nn.NodeZeroPad, Pad: p, Out: in}, tensor)
	}
	return tensor, in
}

// kernels are the weights of a convolution.
type kernels struct {
	weights *constant
	bias    *constant // nil if there is none
	size    []int64   // of a window
	groups  int
}

// kernels reads the weights of a Conv or ConvTranspose, inputs 1 and 2; in
// and out say which dimensions of them count channels.
func (n *node) kernels(x *value) kernels {
	k := kernels{weights: n.floats(1, "weights")}
	if n.has(2) {
		k.bias = n.floats(2, "bias")
	}
	group := n.intAttr("group", 1)
	if n.err != nil {
		return k
	}
	shape := k.weights.shape
	if k.weights.len() == 0 {
		n.fail("kernel_shape or channels: weights of shape %v are empty", shape)
		return k
	}
	if len(shape) != len(x.shape) {
		n.fail("weights of shape %v on an input of shape %v", shape, x.shape)
		return k
	}
	if k.size = []int64{1, int64(shape[2])}; len(shape) == 4 {
		k.size = []int64{int64(shape[2]), int64(shape[3])}
	}
	if group < 1 || group > int64(x.shape[1]) || x.shape[1]%int(group) != 0 {
		n.fail("%d groups of %d channels", group, x.shape[1])
		return k
	}
	k.groups = int(group)
	return k
}

// conv translates Conv: Y = W * X + B.
func (n *node) conv() *value {
	x := n.planes(0)
	k := n.kernels(x)
	if n.err != nil {
		return nil
	}
	w := k.weights
	if w.shape[1]*k.groups != x.shape[1] || w.shape[0]%k.groups != 0 {
		n.fail("weights of shape %v on an input of shape %v in %d groups", w.shape, x.shape, k.groups)
		return nil
	}
	in := planesOf(x.shape)
	win := n.window(k.size, in, len(x.shape)-2)
	y := nn.Node{Op: nn.NodeConv, Weights: w.floats, Quantized: w.quantized()}
	if k.groups > 1 {
		y.Groups = k.groups
	}
	return n.convolve(x, y, w.shape[0], win, k.bias)
}

// convolve adds a Conv with its window.
func (n *node) convolve(x *value, y nn.Node, channels int, win nn.Window, bias *constant) *value {
	if bias != nil && bias.len() != channels {
		n.fail("%d biases for %d channels", bias.len(), channels)
	}
	if n.err != nil {
		return nil
	}
	if bias != nil {
		y.Bias = bias.floats
		addBias(y.Quantized, bias)
	}
	tensor, in := x.tensor, planesOf(x.shape)
	if wide(win) {
		tensor, in = n.padded(tensor, in, win.Pad)
		win.Pad = nn.Pad{}
	}
	h, w := win.Out(in.H, in.W)
	if h < 1 || w < 1 {
		n.fail("a window of %d×%d is larger than its input of %d×%d", win.KH, win.KW, in.H, in.W)
	}
	y.Window, y.Out = win, nn.Dims{C: channels, H: h, W: w}
	return n.emit(y, tensor, n.ofPlanes(x, y.Out))
}
