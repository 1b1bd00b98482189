package onnx

import "dorcas/nn"

// convTranspose translates ConvTranspose: a convolution, with the kernels
// turned round, of the input with stride-1 zeros between its elements.
func (n *node) convTranspose() *value {
	x := n.planes(0)
	k := n.kernels(x)
	if n.err != nil {
		return nil
	}
	w := k.weights
	if w.shape[0] != x.shape[1] {
		n.fail("weights of shape %v on an input of shape %v", w.shape, x.shape)
		return nil
	}
	in, rank := planesOf(x.shape), len(x.shape)-2
	win := n.transposedWindow(k.size, in, rank)
	weights := n.turned(w, k)
	if n.err != nil {
		return nil
	}
	channels := w.shape[1] * k.groups
	out := nn.Dims{C: in.C, H: (in.H-1)*win.StrideH + 1, W: (in.W-1)*win.StrideW + 1}
	tensor := x.tensor
	if out != in {
		if size, err := sizeOf([]int{out.C, out.H, out.W}); err != nil || size == 0 {
			n.fail("output of size %v", out)
			return nil
		}
		tensor = n.add(nn.Node{Op: nn.NodeStuff, FactorH: win.StrideH, FactorW: win.StrideW, Out: out}, tensor)
	}
	win.StrideH, win.StrideW = 1, 1
	p := win.Pad // negative where the file takes more away than the kernel adds
	win.Pad = nn.Pad{Top: max(0, p.Top), Left: max(0, p.Left), Bottom: max(0, p.Bottom), Right: max(0, p.Right)}
	y := nn.Node{Op: nn.NodeConv, Weights: weights}
	if k.groups > 1 {
		y.Groups = k.groups
	}
	z := n.convolve(&value{tensor: tensor, shape: n.ofPlanes(x, out)}, y, channels, win, k.bias)
	if n.err != nil || min(p.Top, p.Left, p.Bottom, p.Right) >= 0 {
		return z
	}
	tensor, out = n.padded(z.tensor, planesOf(z.shape), nn.Pad{Top: min(0, p.Top), Left: min(0, p.Left), Bottom: min(0, p.Bottom), Right: min(0, p.Right)})
	return &value{tensor: tensor, shape: n.ofPlanes(x, out)}
}

// transposedWindow returns the window of the convolution; its strides are
// those of the input's elements, and its border may be negative.
func (n *node) transposedWindow(size []int64, in nn.Dims, rank int) nn.Window {
	auto := n.stringAttr("auto_pad", "NOTSET")
	win := nn.Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}
	given := n.spatial("kernel_shape", rank)
	if given != nil && (given[0] != size[0] || given[1] != size[1]) || max(size[0], size[1]) > maxSide {
		n.fail("kernel_shape is %v, the weights have %v", given, size)
		return win
	}
	strides, dilations := n.spatial("strides", rank), n.spatial("dilations", rank)
	win = nn.Window{KH: int(size[0]), KW: int(size[1]), StrideH: int(strides[0]), StrideW: int(strides[1])}
	if dilations[0] > 1 {
		win.DilH = int(dilations[0])
	}
	if dilations[1] > 1 {
		win.DilW = int(dilations[1])
	}
	extra := n.outputPadding(rank)
	kh, kw := win.Extent()
	full := [2]int{(in.H-1)*win.StrideH + kh + extra[0], (in.W-1)*win.StrideW + kw + extra[1]}
	p := n.pads(rank)
	wanted, hasShape := n.intsAttr("output_shape")
	switch {
	case hasShape || auto == "SAME_UPPER" || auto == "SAME_LOWER":
		target := [2]int{in.H * win.StrideH, in.W * win.StrideW}
		if hasShape {
			target = n.outputShape(wanted, rank)
		}
		p.Top, p.Bottom = split(full[0]-target[0], auto == "SAME_UPPER")
		p.Left, p.Right = split(full[1]-target[1], auto == "SAME_UPPER")
	case auto == "VALID":
		p = nn.Pad{}
	}
	win.Pad = nn.Pad{Top: kh - 1 - p.Top, Left: kw - 1 - p.Left, Bottom: kh - 1 - p.Bottom + extra[0], Right: kw - 1 - p.Right + extra[1]}
	return win
}

// split returns what is taken away before and after, if it is not negative;
// upper says that what does not halve is taken after.
func split(all int, upper bool) (before, after int) {
	all = max(0, all)
	if upper {
		return all / 2, all - all/2
	}
	return all - all/2, all / 2
}

func (n *node) outputPadding(rank int) [2]int {
	v, ok := n.intsAttr("output_padding")
	if !ok {
		return [2]int{}
	}
	if len(v) != rank {
		n.fail("output_padding %v for planes of %d dimensions", v, rank)
		return [2]int{}
	}
	for _, p := range v {
		if p < 0 || p > maxSide {
			n.fail("output_padding %v", v)
			return [2]int{}
		}
	}
	if rank == 1 {
		return [2]int{0, int(v[0])}
	}
	return [2]int{int(v[0]), int(v[1])}
}

// outputShape returns the height and width of the attribute output_shape,
// which may name the images and channels too.
func (n *node) outputShape(wanted []int64, rank int) [2]int {
	if len(wanted) == rank+2 {
		wanted = wanted[2:]
	}
	if len(wanted) != rank {
		n.fail("output_shape %v for planes of %d dimensions", wanted, rank)
		return [2]int{1, 1}
	}
	for _, d := range wanted {
		if d < 1 || d > maxElements {
			n.fail("output_shape %v", wanted)
			return [2]int{1, 1}
		}
	}
	if rank == 1 {
		return [2]int{1, int(wanted[0])}
	}
	return [2]int{int(wanted[0]), int(wanted[1])}
}

// turned returns the weights [in][out/groups][KH][KW] of a transposed
// convolution as those of a convolution, [out][in/groups][KH][KW], with each
// plane turned by 180 degrees.
func (n *node) turned(w *constant, k kernels) []float32 {
	n.check(n.r.spend(len(w.floats)))
	if n.err != nil {
		return nil
	}
	ins, outs, plane := w.shape[0]/k.groups, w.shape[1], int(k.size[0]*k.size[1])
	weights := make([]float32, len(w.floats))
	for g := range k.groups {
		for i := range ins {
			for o := range outs {
				from := w.floats[((g*ins+i)*outs+o)*plane:][:plane]
				to := weights[((g*outs+o)*ins+i)*plane:][:plane]
				for j, v := range from {
					to[plane-1-j] = v
				}
			}
		}
	}
	return weights
}
