package onnx

import "dorcas/nn"

func (n *node) maxPool() *value {
	return n.pool(nn.Node{Op: nn.NodeMaxPool})
}

func (n *node) averagePool() *value {
	return n.pool(nn.Node{Op: nn.NodeAvgPool, CountPad: n.intAttr("count_include_pad", 0) != 0})
}

func (n *node) pool(out nn.Node) *value {
	x := n.planes(0)
	if n.err != nil {
		n.dilated(n.kernel("kernel_shape")) // can be told without the input
		return nil
	}
	var oh, ow int
	out.Window, oh, ow = n.window(nil, x.shape[2], x.shape[3])
	out.Out = nn.Dims{C: x.shape[1], H: oh, W: ow}
	return n.emit(out, x.tensor, []int{n.r.batch, x.shape[1], oh, ow})
}

func (n *node) globalAveragePool() *value {
	x := n.planes(0)
	if n.err != nil {
		return nil
	}
	return n.averageOfPlane(x)
}

// reduceMean translates the mean over planes, a GlobalAveragePool by another
// name.
func (n *node) reduceMean() *value {
	axes := n.axes("axes")
	x := n.planes(0)
	if n.err != nil {
		return nil
	}
	seen := map[int]bool{}
	for _, a := range axes {
		seen[n.axis(a, 4, false)] = true
	}
	if len(seen) != 2 || !seen[2] || !seen[3] {
		n.unsupported("axes %v, only those of planes are possible", axes)
	}
	y := n.averageOfPlane(x)
	if n.err == nil && n.intAttr("keepdims", 1) == 0 {
		y.shape = y.shape[:2]
	}
	return y
}

func (n *node) averageOfPlane(x *value) *value {
	win := nn.Window{KH: x.shape[2], KW: x.shape[3], StrideH: 1, StrideW: 1}
	y := nn.Node{Op: nn.NodeAvgPool, Window: win, Out: nn.Dims{C: x.shape[1], H: 1, W: 1}}
	return n.emit(y, x.tensor, []int{n.r.batch, x.shape[1], 1, 1})
}
