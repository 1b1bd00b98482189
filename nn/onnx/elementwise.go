package onnx

import (
	"math"
	"slices"

	"dorcas/nn"
)

// operand returns the computed one of two inputs and, if the other one is a
// constant, that and its place; otherwise the place is -1.
func (n *node) operand() (x *value, c *constant, place int) {
	for i := range 2 {
		if v := n.input(i); v != nil && v.constant != nil {
			return n.raw(1 - i), n.floats(i, "constant"), i
		}
	}
	return n.raw(0), nil, -1
}

// linear translates an operator that with a constant is scale·x + shift, and
// with two tensors is both.
func (n *node) linear(of func(c float64, place int) (scale, shift float64), both func(x, y *value) *value) *value {
	x, c, place := n.operand()
	if place >= 0 {
		return n.combine(x, c, func(v float64) (float64, float64) { return of(v, place) })
	}
	y := n.raw(1)
	if n.err != nil {
		return nil
	}
	return both(x, y)
}

func (n *node) plus() *value {
	return n.linear(func(c float64, _ int) (float64, float64) { return 1, c },
		func(x, y *value) *value {
			return n.binary(x, y, "(%s+%s)", func(a, b float64) float64 { return a + b }, nil)
		})
}

func (n *node) minus() *value {
	return n.linear(func(c float64, place int) (float64, float64) {
		if place == 0 {
			return -1, c
		}
		return 1, -c
	}, func(x, y *value) *value {
		return n.binary(x, y, "(%s-%s)", func(a, b float64) float64 { return a - b }, []int{1, -1})
	})
}

func (n *node) times() *value {
	return n.linear(func(c float64, _ int) (float64, float64) { return c, 0 }, func(x, y *value) *value {
		if sameLayout(x, y) && n.functionOf(x) == n.functionOf(y) {
			return n.apply(x, function{kind: square}, n.functionOf(x))
		}
		return n.both(x, y, "%s*%s", func(a, b float64) float64 { return a * b })
	})
}

// over translates Div; what divides a constant must be a function.
func (n *node) over() *value {
	if v := n.input(0); v != nil && v.constant != nil {
		x := n.raw(1)
		c := n.number(0, "dividend")
		if n.err != nil {
			return nil
		}
		if !hyperparameter(c) {
			n.unsupported("a dividend %v that looks learned", c)
		}
		return n.apply(x, function{kind: other, text: number(c) + "/%s", f: func(x, _ float64) float64 { return c / x }}, n.functionOf(x))
	}
	return n.linear(func(c float64, _ int) (float64, float64) { return 1 / c, 0 }, func(x, y *value) *value {
		return n.both(x, y, "%s/%s", func(a, b float64) float64 { return a / b })
	})
}

// both makes a function of two functions of one tensor. Of two tensors it
// cannot be computed.
func (n *node) both(x, y *value, text string, f func(a, b float64) float64) *value {
	if v := n.together(x, y, text, f); v != nil || n.err != nil {
		return v
	}
	n.unsupported("the product, quotient or power of two computed tensors (such as attention, or gates by squeeze and excitation); " +
		"of one tensor and functions of it that have only short constants it is possible")
	return nil
}

// together is both, or nil for two tensors.
func (n *node) together(x, y *value, text string, f func(a, b float64) float64) *value {
	if n.err != nil || x.tensor != y.tensor || !sameLayout(x, y) || x.fn == nil && y.fn == nil {
		return nil
	}
	both := function{kind: other, text: text, f: f, args: []*function{n.functionOf(x), n.functionOf(y)}, tensor: -1}
	if both.secret() {
		return nil
	}
	return n.apply(x, both, both.args...)
}

// binary translates the sum or difference of two computed tensors. Of
// functions with circuits of their own it stays a sum.
func (n *node) binary(x, y *value, text string, f func(a, b float64) float64, sign []int) *value {
	if n.err != nil {
		return nil
	}
	if x.fn != nil && x.fn.tabulated() || y.fn != nil && y.fn.tabulated() {
		if v := n.together(x, y, text, f); v != nil || n.err != nil {
			return v
		}
	}
	n.settle(x)
	n.settle(y)
	return n.sum([]*value{x, y}, sign)
}

// sum adds tensors, with signs, of one shape or one that others are repeated
// to.
func (n *node) sum(in []*value, sign []int) *value {
	if n.err != nil {
		return nil
	}
	shape := n.common(in)
	for _, v := range in {
		n.repeat(v, shape)
	}
	if n.err != nil {
		return nil
	}
	for _, v := range in {
		if !slices.Equal(v.perm, in[0].perm) {
			for _, v := range in {
				n.order(v)
			}
		}
	}
	dims := n.r.g.Dims(in[0].tensor)
	for _, v := range in {
		if n.r.g.Dims(v.tensor) != dims {
			dims = n.r.image(in[0].stored())
		}
	}
	out := nn.Node{Op: nn.NodeAdd, Out: dims, Sign: sign}
	for _, v := range in {
		out.In = append(out.In, n.as(v.tensor, dims))
	}
	return (&value{tensor: n.add(out, 0), shape: shape, perm: in[0].perm})
}

// combine computes scale·x + shift, where both follow from the numbers of c.
func (n *node) combine(x *value, c *constant, of func(c float64) (scale, shift float64)) *value {
	if n.err != nil {
		return nil
	}
	at, numbers := n.channels(c, x.shape)
	n.check(n.r.spend(2 * len(numbers)))
	if n.err != nil {
		return nil
	}
	if at.count == 0 {
		scale, shift := of(float64(numbers[0]))
		return n.affineOf(x, scale, shift)
	}
	scale, shift := make([]float32, len(numbers)), make([]float32, len(numbers))
	ones := true
	for i, v := range numbers {
		a, b := of(float64(v))
		scale[i], shift[i] = float32(a), float32(b)
		ones = ones && a == 1
	}
	if ones {
		scale = nil
	}
	n.settle(x)
	return n.affine(x, at, scale, shift)
}

func (n *node) minimum() *value { return n.extreme("min(%s,%s)", math.Min, -1) }
func (n *node) maximum() *value { return n.extreme("max(%s,%s)", math.Max, 1) }

// extreme translates Max, for side 1, or Min, for side -1: of a tensor and a
// number, or of tensors as x ± max(±(y - x), 0).
func (n *node) extreme(text string, f func(a, b float64) float64, side int) *value {
	var x *value
	lo, hi := math.Inf(-1), math.Inf(1)
	for i := range n.inputs {
		v := n.input(i)
		if v != nil && v.constant != nil {
			c := n.number(i, "bound")
			if side > 0 {
				lo = max(lo, c)
			} else {
				hi = min(hi, c)
			}
			continue
		}
		y := n.raw(i)
		if n.err != nil {
			return nil
		}
		if x == nil {
			x = y
		} else if z := n.together(x, y, text, f); z != nil {
			x = z
		} else {
			x = n.extremeOf(x, y, side)
		}
	}
	if x == nil {
		n.fail("no inputs")
	}
	if n.err != nil {
		return nil
	}
	return n.clipOf(x, lo, hi)
}

func (n *node) extremeOf(x, y *value, side int) *value {
	n.settle(x)
	n.settle(y)
	d := n.sum([]*value{y, x}, []int{side, -side})
	if n.err != nil {
		return nil
	}
	d.tensor = n.add(nn.Node{Op: nn.NodeRelu, Out: n.r.g.Dims(d.tensor)}, d.tensor)
	return n.sum([]*value{x, d}, []int{1, side})
}

// total translates Sum and Mean of any number of inputs.
func (n *node) total() *value {
	var in []*value
	for i := range n.inputs {
		in = append(in, n.settled(i))
	}
	if len(in) == 0 {
		n.fail("no inputs")
	}
	if len(in) > maxJoined {
		n.unsupported("a sum of %d tensors, at most %d are possible", len(in), maxJoined)
	}
	if n.err != nil {
		return nil
	}
	y := in[0]
	if len(in) > 1 {
		y = n.sum(in, nil)
	}
	if n.op == "Mean" && n.err == nil {
		return n.affineOf(y, 1/float64(len(in)), 0)
	}
	return y
}

// common returns the shape to which the shapes of all are repeated.
func (n *node) common(in []*value) []int {
	var shape []int
	for _, v := range in {
		for len(shape) < len(v.shape) {
			shape = append([]int{1}, shape...)
		}
		for i, d := range v.shape {
			at := len(shape) - len(v.shape) + i
			if shape[at] == 1 {
				shape[at] = d
			} else if d != 1 && d != shape[at] {
				n.fail("shapes %v and %v do not go together", shape, v.shape)
			}
		}
	}
	return shape
}

// repeat repeats v along dimensions in which it has 1 until it has a shape.
func (n *node) repeat(v *value, shape []int) {
	if n.err != nil || slices.Equal(v.shape, shape) {
		return
	}
	n.order(v)
	for len(v.shape) < len(shape) {
		v.shape = append([]int{1}, v.shape...)
	}
	if n.r.batch > 1 && v.shape[0] != n.r.batch {
		n.unsupported("the sum of shapes %v and %v, which repeats an image of a batch", v.shape, shape)
	}
	for axis, d := range shape {
		if v.shape[axis] == d || n.err != nil {
			continue
		}
		before, _ := sizeOf(v.shape[:axis])
		after, _ := sizeOf(v.shape[axis+1:])
		in := nn.Dims{C: before / n.r.batch, H: 1, W: after}
		t := n.as(v.tensor, in)
		in.H = d
		if size, err := sizeOf(replaced(v.shape, axis, d)); err != nil || size == 0 {
			n.fail("repeated to shape %v", shape)
			return
		}
		v.tensor = n.add(nn.Node{Op: nn.NodeUpsample, FactorH: d, FactorW: 1, Out: in}, t)
		v.shape, v.shared = replaced(v.shape, axis, d), false
	}
}
