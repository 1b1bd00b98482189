package onnx

import (
	"slices"

	"dorcas/nn"
)

// kernel returns the sizes of a window, or the strides or dilations, that an
// attribute gives; otherwise ones, and nil for a size.
func (n *node) kernel(name string) []int64 {
	v, ok := n.intsAttr(name)
	switch {
	case !ok && name == "kernel_shape":
		return nil
	case !ok:
		return []int64{1, 1}
	case len(v) != 2:
		n.unsupported("%s %v, only planes have two dimensions", name, v)
		return []int64{1, 1}
	}
	for _, k := range v {
		if k < 1 || k > maxSide {
			n.fail("%s %v", name, v)
		}
	}
	return v
}

// window returns the window with which the node goes over planes of h × w,
// and their size afterwards. A nil size is that of the attribute.
func (n *node) window(size []int64, h, w int) (nn.Window, int, int) {
	given := n.kernel("kernel_shape")
	if given == nil {
		given = size
	}
	if given == nil || size != nil && !slices.Equal(size, given) || given[0] < 1 || given[1] < 1 {
		n.fail("kernel_shape is %v, the weights have %v", given, size)
		return nn.Window{}, 0, 0
	}
	n.dilated(given)
	strides := n.kernel("strides")
	win := nn.Window{KH: int(given[0]), KW: int(given[1]), StrideH: int(strides[0]), StrideW: int(strides[1])}
	win.Pad = n.border(win, h, w)
	if n.err != nil {
		return win, 0, 0
	}
	if p := win.Pad; max(p.Top, p.Bottom) >= win.KH || max(p.Left, p.Right) >= win.KW {
		n.unsupported("pads as wide as the window")
	}
	oh, ow := win.Out(h, w)
	if oh < 1 || ow < 1 {
		n.fail("a window of %d×%d is larger than its input of %d×%d", win.KH, win.KW, h, w)
	}
	if n.intAttr("ceil_mode", 0) != 0 && n.ceilAdds(win, h, w) {
		n.unsupported("ceil_mode 1 (planes of %d×%d do not divide evenly)", h, w)
	}
	return win, oh, ow
}

// dilated notes gaps between the elements of a window, whose size may be
// unknown.
func (n *node) dilated(size []int64) {
	if d := n.kernel("dilations"); size != nil && (size[0] > 1 && d[0] > 1 || size[1] > 1 && d[1] > 1) {
		n.unsupported("dilations %v", d)
	}
}

// border returns the border that pads and auto_pad ask for.
func (n *node) border(win nn.Window, h, w int) nn.Pad {
	pads, ok := n.intsAttr("pads")
	auto := n.stringAttr("auto_pad", "NOTSET")
	switch auto {
	case "SAME_UPPER", "SAME_LOWER":
		top, bottom := same(h, win.KH, win.StrideH)
		left, right := same(w, win.KW, win.StrideW)
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
	if !ok {
		return nn.Pad{}
	}
	if len(pads) != 4 {
		n.fail("pads %v, want 4", pads)
		return nn.Pad{}
	}
	for _, p := range pads {
		if p < 0 || p > maxSide {
			n.fail("pads %v", pads)
			return nn.Pad{}
		}
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

// ceilAdds reports whether rounding the size of the output up, not down,
// makes a difference.
func (n *node) ceilAdds(win nn.Window, h, w int) bool {
	p := win.Pad
	return (h+p.Top+p.Bottom-win.KH)%win.StrideH != 0 || (w+p.Left+p.Right-win.KW)%win.StrideW != 0
}

// conv translates Conv: Y = W * X + B.
func (n *node) conv() *value {
	if group := n.intAttr("group", 1); group != 1 {
		n.unsupported("group %d", group)
	}
	n.kernel("strides") // notes what can be told without the input
	x := n.planes(0)
	w := n.floats(1, "weights")
	size := n.kernel("kernel_shape")
	if len(w.shape) == 4 {
		size = []int64{int64(w.shape[2]), int64(w.shape[3])}
	}
	n.dilated(size)
	var bias []float32
	if n.has(2) {
		bias = n.floats(2, "bias").floats
	}
	if n.err != nil {
		return nil
	}
	if len(w.shape) != 4 || w.shape[1] != x.shape[1] {
		n.fail("weights of shape %v on an input of shape %v", w.shape, x.shape)
		return nil
	}
	if bias != nil && len(bias) != w.shape[0] {
		n.fail("%d biases for %d channels", len(bias), w.shape[0])
	}
	win, oh, ow := n.window(size, x.shape[2], x.shape[3])
	y := nn.Node{Op: nn.NodeConv, Weights: w.floats, Bias: bias, Window: win, Out: nn.Dims{C: w.shape[0], H: oh, W: ow}}
	return n.emit(y, x.tensor, []int{n.r.batch, w.shape[0], oh, ow})
}
