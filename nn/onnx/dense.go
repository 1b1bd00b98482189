package onnx

import (
	"slices"

	"dorcas/nn"
)

// gemm translates Gemm: Y = alpha·A·B + beta·C, with A the images.
func (n *node) gemm() *value {
	if n.intAttr("transA", 0) != 0 {
		n.unsupported("transA 1")
	}
	alpha, beta := n.floatAttr("alpha", 1), n.floatAttr("beta", 1)
	x := n.image(0)
	w := n.floats(1, "weights")
	c := &constant{shape: []int{}, floats: []float32{0}}
	if n.has(2) {
		c = n.floats(2, "bias")
	}
	if n.err != nil {
		return nil
	}
	if len(x.shape) != 2 || x.shape[0] != n.r.batch || len(w.shape) != 2 {
		n.fail("product of shapes %v and %v", x.shape, w.shape)
		return nil
	}
	y := n.product(x, w, n.intAttr("transB", 0) != 0, alpha)
	if n.err != nil || !n.has(2) || beta == 0 {
		return y
	}
	if len(c.shape) > 2 {
		n.fail("bias of shape %v", c.shape)
		return nil
	}
	axis, shift := n.channels(c, y.shape)
	return n.affine(y, axis, nil, n.scaled(shift, beta))
}

// matMul translates MatMul: Y = A·B, with A the images.
func (n *node) matMul() *value {
	if n.bothComputed() {
		n.unsupported("the product of two computed tensors")
		return nil
	}
	x := n.image(0)
	w := n.floats(1, "weights")
	if n.err != nil {
		return nil
	}
	if len(x.shape) < 1 || len(w.shape) != 2 {
		n.unsupported("the product of shapes %v and %v", x.shape, w.shape)
		return nil
	}
	return n.product(x, w, false, 1)
}

// product multiplies images, the last dimension of x, by the matrix alpha·w,
// [in][out], or [out][in] if it is transposed.
func (n *node) product(x *value, w *constant, transposed bool, alpha float32) *value {
	in, out := w.shape[0], w.shape[1]
	if transposed {
		in, out = out, in
	}
	last := len(x.shape) - 1
	if x.shape[last] != in {
		n.fail("product of shapes %v and %v", x.shape, w.shape)
		return nil
	}
	if rows, _ := sizeOf(x.shape[:last]); rows != n.r.batch {
		n.unsupported("a product with %d vectors an image (shape %v)", rows/n.r.batch, x.shape)
		return nil
	}
	weights := w.floats
	if !transposed {
		n.check(n.r.spend(len(weights)))
		if n.err != nil {
			return nil
		}
		weights = transposedMatrix(weights, in, out)
	}
	y := nn.Node{Op: nn.NodeDense, Weights: n.scaled(weights, alpha), Out: nn.Dims{C: out, H: 1, W: 1}}
	return n.emit(y, n.as(x, nn.Dims{C: in, H: 1, W: 1}), append(slices.Clone(x.shape[:last]), out))
}

// transposedMatrix returns a matrix [rows][columns] as [columns][rows].
func transposedMatrix(m []float32, rows, columns int) []float32 {
	out := make([]float32, len(m))
	for i := range rows {
		for j, v := range m[i*columns : (i+1)*columns] {
			out[j*rows+i] = v
		}
	}
	return out
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
