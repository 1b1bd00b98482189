package onnx

import (
	"slices"

	"dorcas/nn"
)

// elementwise adds a node that changes every element on its own.
func (n *node) elementwise(op nn.NodeOp) *value {
	x := n.image(0)
	if n.err != nil {
		return nil
	}
	return n.emit(nn.Node{Op: op, Out: n.r.g.Dims(x.tensor)}, x.tensor, x.shape)
}

func (n *node) relu() *value { return n.elementwise(nn.NodeRelu) }

// operand returns the computed one of two inputs and, if the other one is a
// constant, that and its place; otherwise the place is -1.
func (n *node) operand() (x *value, c *constant, place int) {
	for i := range 2 {
		if v := n.input(i); v != nil && v.constant != nil {
			return n.image(1 - i), n.floats(i, "constant"), i
		}
	}
	return n.image(0), nil, -1
}

// add translates the sum of two tensors, or of one and a constant.
func (n *node) add() *value {
	x, c, place := n.operand()
	if place >= 0 {
		return n.combine(x, c, func(c float32) (scale, shift float32) { return 1, c })
	}
	y := n.image(1)
	if n.err != nil {
		return nil
	}
	if !slices.Equal(x.shape, y.shape) {
		n.unsupported("the sum of shapes %v and %v", x.shape, y.shape)
		return nil
	}
	dims := n.r.g.Dims(x.tensor)
	if dims != n.r.g.Dims(y.tensor) {
		dims = n.r.image(x.shape)
	}
	return n.emit(nn.Node{Op: nn.NodeAdd, In: []int{n.as(x, dims), n.as(y, dims)}, Out: dims}, 0, x.shape)
}

// combine adds scale·x + shift, where both follow from the numbers of c.
func (n *node) combine(x *value, c *constant, of func(c float32) (scale, shift float32)) *value {
	if n.err != nil {
		return nil
	}
	axis, numbers := n.channels(c, x.shape)
	n.check(n.r.spend(2 * len(numbers)))
	if n.err != nil {
		return nil
	}
	scale, shift := make([]float32, len(numbers)), make([]float32, len(numbers))
	ones := true
	for i, v := range numbers {
		scale[i], shift[i] = of(v)
		ones = ones && scale[i] == 1
	}
	if ones {
		scale = nil
	}
	return n.affine(x, axis, scale, shift)
}

// constantOperand is combine for operators that know no other case.
func (n *node) constantOperand(of func(c float32, place int) (scale, shift float32)) *value {
	if n.bothComputed() {
		n.unsupported("two computed inputs")
		return nil
	}
	x, c, place := n.operand()
	if place < 0 {
		n.image(1) // missing or unknown
		return nil
	}
	return n.combine(x, c, func(v float32) (float32, float32) { return of(v, place) })
}

func (n *node) sub() *value {
	return n.constantOperand(func(c float32, place int) (float32, float32) {
		if place == 0 {
			return -1, c
		}
		return 1, -c
	})
}

func (n *node) div() *value {
	if v := n.input(0); v != nil && v.constant != nil {
		n.unsupported("a constant as input 0")
		return nil
	}
	return n.constantOperand(func(c float32, _ int) (float32, float32) { return 1 / c, 0 })
}

// mul translates the product with a constant and the square of a tensor.
func (n *node) mul() *value {
	if a, b := n.input(0), n.input(1); a != nil && b != nil && a.computed && b.computed {
		same := !a.unknown && a.tensor == b.tensor && slices.Equal(a.shape, b.shape)
		if same || n.inputs[0] == n.inputs[1] {
			return n.elementwise(nn.NodeSquare)
		}
	}
	return n.constantOperand(func(c float32, _ int) (float32, float32) { return c, 0 })
}

// pow translates the square, Pow(x, 2).
func (n *node) pow() *value {
	c := n.constant(1, "exponents")
	if n.err == nil && !slices.Equal(c.floats, []float32{2}) && !slices.Equal(c.ints, []int64{2}) {
		n.unsupported("an exponent other than 2")
	}
	return n.elementwise(nn.NodeSquare)
}
