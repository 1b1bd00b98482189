package onnx

import (
	"slices"

	"dorcas/nn"
)

// gemm translates Gemm: Y = alpha·A·B + beta·C, with A or B the images.
func (n *node) gemm() *value {
	alpha, beta := n.floatAttr("alpha", 1), n.floatAttr("beta", 1)
	turn := [2]bool{n.intAttr("transA", 0) != 0, n.intAttr("transB", 0) != 0}
	x, w, left := n.factors()
	if left {
		turn[0], turn[1] = turn[1], turn[0]
	}
	if n.err != nil {
		return nil
	}
	if len(x.shape) != 2 || len(w.shape) != 2 {
		n.fail("product of shapes %v and %v", x.shape, w.shape)
		return nil
	}
	if turn[0] {
		x = n.permuted(x, []int{1, 0})
	}
	axis := 1
	if left {
		axis = 0
		turn[1] = !turn[1] // A is [out][in]
	}
	bias := n.gemmBias(w, left, turn[1], alpha, beta)
	y := n.product(x, axis, w, turn[1], alpha, bias)
	if n.err != nil || bias != nil || !n.has(2) || beta == 0 {
		return y
	}
	if c := n.input(2); c != nil && c.constant == nil {
		c := n.affineOf(n.raw(2), float64(beta), 0)
		n.settle(c)
		return n.sum([]*value{y, c}, nil)
	}
	c := n.floats(2, "bias")
	if n.err == nil && len(c.shape) > 2 {
		n.fail("bias of shape %v", c.shape)
	}
	if n.err != nil {
		return nil
	}
	at, shift := n.channels(c, y.shape)
	return n.affine(y, at, nil, n.scaled(shift, beta))
}

// gemmBias returns C where it is a bias as a Dense has it, otherwise nil.
func (n *node) gemmBias(w *constant, left, transposed bool, alpha, beta float32) *constant {
	if !n.has(2) || left || alpha != 1 || beta != 1 || n.input(2) == nil || n.input(2).constant == nil {
		return nil
	}
	c := n.floats(2, "bias")
	out := w.shape[1]
	if transposed {
		out = w.shape[0]
	}
	if n.err != nil || c.len() != out || len(c.shape) == 0 || c.shape[len(c.shape)-1] != out || len(c.shape) > 2 {
		return nil
	}
	return c
}

// factors returns the images and the weights of a product, and whether the
// weights stand on the left; nothing of use after an error.
func (n *node) factors() (x *value, w *constant, left bool) {
	if n.bothComputed() {
		n.unsupported("the product of two computed tensors")
		return nil, nil, false
	}
	if in := n.input(0); in != nil && in.constant != nil {
		return n.settled(1), n.floats(0, "weights"), true
	}
	return n.settled(0), n.floats(1, "weights"), false
}

// matMul translates MatMul: Y = A·B, with A or B the images.
func (n *node) matMul() *value {
	x, w, left := n.factors()
	if n.err != nil {
		return nil
	}
	for len(w.shape) > 2 && w.shape[0] == 1 && len(w.shape) <= max(2, len(x.shape)) {
		w = w.view(w.shape[1:])
	}
	vector := len(w.shape) == 1
	switch {
	case vector && left:
		w = w.view([]int{1, w.shape[0]})
	case vector:
		w = w.view([]int{w.shape[0], 1})
	}
	if len(x.shape) < 1 || len(w.shape) != 2 {
		n.unsupported("the product of shapes %v and %v", x.shape, w.shape)
		return nil
	}
	axis := len(x.shape) - 1
	if left {
		axis = max(0, len(x.shape)-2)
	}
	y := n.product(x, axis, w, left, 1, nil)
	if n.err == nil && vector {
		n.order(y)
		y.shape = slices.Delete(slices.Clone(y.shape), axis, axis+1)
	}
	return y
}

// product multiplies what lies along an axis of x, at every position of the
// others, by the matrix alpha·w, [in][out], or [out][in] if it is transposed.
func (n *node) product(x *value, axis int, w *constant, transposed bool, alpha float32, bias *constant) *value {
	in, out := w.shape[0], w.shape[1]
	if transposed {
		in, out = out, in
	}
	if n.err != nil {
		return nil
	}
	if x.shape[axis] != in {
		n.fail("product of shapes %v and %v", x.shape, w.shape)
		return nil
	}
	if axis == 0 && len(x.shape) > 1 && x.shape[0] == n.r.batch && n.r.batch == 1 {
		x.shape = append([]int{1}, x.shape...) // one number, not one image
		if x.perm != nil {
			n.unsupported("the product of shapes %v and %v", x.shape, w.shape)
			return nil
		}
		y := n.product(x, 1, w, transposed, alpha, bias)
		if n.err == nil {
			n.order(y)
			y.shape = y.shape[1:]
		}
		return y
	}
	dims := n.channelsFirst(x, axis)
	tensor := n.as(x.tensor, dims)
	if !transposed {
		w = n.matrixTransposed(w)
	}
	y := nn.Node{Op: nn.NodeDense, Out: nn.Dims{C: out, H: dims.H, W: dims.W}}
	if n.err != nil {
		return nil
	}
	if y.Weights = n.scaled(w.floats, alpha); alpha == 1 {
		y.Quantized = w.quantized()
	}
	if bias != nil {
		y.Bias = bias.floats
		addBias(y.Quantized, bias)
	}
	if dims.H*dims.W > 1 {
		y.Op, y.Window = nn.NodeConv, nn.Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}
	}
	stored := replaced(x.stored(), x.at(axis), out)
	if size, err := sizeOf(stored); err != nil || size == 0 {
		n.fail("output of shape %v is empty or too large", stored)
		return nil
	}
	return x.with(n.add(y, tensor), stored)
}

// matrixTransposed returns a matrix with rows and columns exchanged.
func (n *node) matrixTransposed(w *constant) *constant {
	if n.err != nil {
		return w
	}
	return n.permutedConstant(w, []int{1, 0})
}

// bothComputed reports whether input 0 and 1 are both computed from the graph's
// input.
func (n *node) bothComputed() bool {
	a, b := n.input(0), n.input(1)
	return a != nil && b != nil && a.computed && b.computed
}

// scaled returns v·factor, v itself for 1.
func (n *node) scaled(v []float32, factor float32) []float32 {
	if factor == 1 {
		return v
	}
	n.check(n.r.spend(len(v)))
	if n.err != nil {
		return nil
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = x * factor
	}
	return out
}
