package onnx

import (
	"math"

	"dorcas/nn/onnx/internal/pb"
)

// A scalarOp is an operator on two numbers, floats or integers.
type scalarOp struct {
	floats func(a, b float64) float64
	ints   func(a, b int64) (int64, bool) // nil for none; false if it is not defined
}

func always(f func(a, b int64) int64) func(a, b int64) (int64, bool) {
	return func(a, b int64) (int64, bool) { return f(a, b), true }
}

// truth is a comparison.
func truth(f func(a, b float64) bool) scalarOp {
	number := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	return scalarOp{
		floats: func(a, b float64) float64 { return float64(number(f(a, b))) },
		ints:   always(func(a, b int64) int64 { return number(f(float64(a), float64(b))) }),
	}
}

// scalarOps are the operators on two constants.
var scalarOps = map[string]scalarOp{
	"Add": {func(a, b float64) float64 { return a + b }, always(func(a, b int64) int64 { return a + b })},
	"Sub": {func(a, b float64) float64 { return a - b }, always(func(a, b int64) int64 { return a - b })},
	"Mul": {func(a, b float64) float64 { return a * b }, always(func(a, b int64) int64 { return a * b })},
	"Div": {func(a, b float64) float64 { return a / b }, func(a, b int64) (int64, bool) {
		if b == 0 || b == -1 {
			return -a, b != 0
		}
		return a / b, true
	}},
	"Mod": {math.Mod, func(a, b int64) (int64, bool) {
		if b == 0 || b == -1 {
			return 0, b != 0
		}
		if r := a % b; r != 0 && (r < 0) != (b < 0) {
			return r + b, true
		}
		return a % b, true
	}},
	"Pow":            {math.Pow, always(func(a, b int64) int64 { return int64(max(-1e18, min(1e18, math.Pow(float64(a), float64(b))))) })},
	"Min":            {math.Min, always(func(a, b int64) int64 { return min(a, b) })},
	"Max":            {math.Max, always(func(a, b int64) int64 { return max(a, b) })},
	"Equal":          truth(func(a, b float64) bool { return a == b }),
	"Less":           truth(func(a, b float64) bool { return a < b }),
	"Greater":        truth(func(a, b float64) bool { return a > b }),
	"LessOrEqual":    truth(func(a, b float64) bool { return a <= b }),
	"GreaterOrEqual": truth(func(a, b float64) bool { return a >= b }),
	"And":            truth(func(a, b float64) bool { return a != 0 && b != 0 }),
	"Or":             truth(func(a, b float64) bool { return a != 0 || b != 0 }),
}

// comparisons give truth values, whatever their operands are.
var comparisons = map[string]bool{"Equal": true, "Less": true, "Greater": true, "LessOrEqual": true, "GreaterOrEqual": true, "And": true, "Or": true}

// foldBinary folds an operator on two constants, and Min and Max of any
// number.
func (n *node) foldBinary() *constant {
	op := scalarOps[n.op]
	c := n.constant(0, "input")
	for i := 1; i < len(n.inputs) && n.err == nil; i++ {
		c = n.combined(c, n.constant(i, "input"), op)
	}
	if n.err != nil {
		return nil
	}
	return c
}

// combined computes op of each pair of numbers of two constants, of which
// those with one number along an axis repeat it.
func (n *node) combined(a, b *constant, op scalarOp) *constant {
	if n.err != nil {
		return nil
	}
	shape := n.common([]*value{{shape: a.shape}, {shape: b.shape}})
	if n.err != nil {
		return nil
	}
	ia, ok := n.indices(shape, broadcast(a.shape, shape), 0)
	ib, ok2 := n.indices(shape, broadcast(b.shape, shape), 0)
	if !ok || !ok2 {
		return nil
	}
	out := &constant{shape: shape, integer: a.integer && b.integer || comparisons[n.op], of: a.of}
	for i := range ia {
		switch {
		case a.integer && b.integer:
			v, ok := op.ints(a.ints[ia[i]], b.ints[ib[i]])
			if !ok {
				n.fail("%s of %d and %d", n.op, a.ints[ia[i]], b.ints[ib[i]])
				return nil
			}
			out.ints = append(out.ints, v)
		case out.integer:
			out.ints = append(out.ints, int64(op.floats(a.float(ia[i]), b.float(ib[i]))))
		default:
			out.floats = append(out.floats, float32(op.floats(a.float(ia[i]), b.float(ib[i]))))
		}
	}
	return out
}

// broadcast returns the steps with which a constant of a shape is read as one
// of another shape: 0 along axes in which its number is repeated.
func broadcast(from, to []int) []int {
	steps := make([]int, len(to))
	for i, s := range stridesOf(from) {
		if from[i] != 1 {
			steps[len(to)-len(from)+i] = s
		}
	}
	return steps
}

// scalarFuncs are the operators on one constant.
var scalarFuncs = map[string]func(float64) float64{
	"Neg": func(x float64) float64 { return -x }, "Abs": math.Abs, "Sqrt": math.Sqrt, "Exp": math.Exp, "Log": math.Log,
	"Floor": math.Floor, "Ceil": math.Ceil, "Round": math.RoundToEven, "Reciprocal": func(x float64) float64 { return 1 / x },
	"Erf": math.Erf, "Tanh": math.Tanh, "Sigmoid": func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	"Relu": func(x float64) float64 { return max(x, 0) }, "Sign": sign, "Softplus": softplus,
	"Not": func(x float64) float64 {
		if x == 0 {
			return 1
		}
		return 0
	},
}

func (n *node) foldUnary() *constant {
	c := n.constant(0, "input")
	f := scalarFuncs[n.op]
	if n.err != nil {
		return nil
	}
	if _, ok := n.spend(c.shape); !ok {
		return nil
	}
	out := &constant{shape: c.shape, integer: c.integer, of: c.of}
	for i := range c.len() {
		if v := f(c.float(i)); !c.integer {
			out.floats = append(out.floats, float32(v))
		} else if !(math.Abs(v) < 1<<62) {
			n.fail("%s of %v", n.op, c.float(i))
			return nil
		} else {
			out.ints = append(out.ints, int64(v))
		}
	}
	return out
}

// foldWhere folds the choice between two constants by a third.
func (n *node) foldWhere() *constant {
	which, a, b := n.constant(0, "condition"), n.constant(1, "input"), n.constant(2, "input")
	if n.err != nil {
		return nil
	}
	if !which.integer || a.integer != b.integer {
		n.fail("inputs of the wrong types")
		return nil
	}
	shape := n.common([]*value{{shape: which.shape}, {shape: a.shape}, {shape: b.shape}})
	if n.err != nil {
		return nil
	}
	iw, ok := n.indices(shape, broadcast(which.shape, shape), 0)
	ia, ok2 := n.indices(shape, broadcast(a.shape, shape), 0)
	ib, ok3 := n.indices(shape, broadcast(b.shape, shape), 0)
	if !ok || !ok2 || !ok3 {
		return nil
	}
	out := &constant{shape: shape, integer: a.integer, of: a.of}
	for i, w := range iw {
		from, at := a, ia[i]
		if which.ints[w] == 0 {
			from, at = b, ib[i]
		}
		if a.integer {
			out.ints = append(out.ints, from.ints[at])
		} else {
			out.floats = append(out.floats, from.floats[at])
		}
	}
	return out
}

// foldExpand folds Expand: axes of 1 repeated.
func (n *node) foldExpand() *constant {
	c := n.constant(0, "input")
	to, err := shapeOf(n.ints(1, "shape"))
	n.check(err)
	if n.err != nil {
		return nil
	}
	shape := n.common([]*value{{shape: c.shape}, {shape: to}})
	if n.err != nil {
		return nil
	}
	return n.pick(c, shape, broadcast(c.shape, shape), 0)
}

// foldRange folds a list of equally spaced integers.
func (n *node) foldRange() *constant {
	start, limit, step := n.constant(0, "start"), n.constant(1, "limit"), n.constant(2, "delta")
	if n.err != nil {
		return nil
	}
	if !(start.integer && limit.integer && step.integer) || len(start.ints) != 1 || len(limit.ints) != 1 || len(step.ints) != 1 || step.ints[0] == 0 {
		n.unsupported("a range of anything but integers")
		return nil
	}
	const most = 1 << 40
	a, b, d := start.ints[0], limit.ints[0], step.ints[0]
	if max(a, b, d) > most || min(a, b, d) < -most {
		n.fail("range from %d to %d", a, b)
		return nil
	}
	count := max(0, int((b-a+d-sign64(d))/d))
	if _, ok := n.spend([]int{count}); !ok {
		return nil
	}
	out := &constant{shape: []int{count}, ints: make([]int64, count), integer: true, of: pb.TensorProto_INT64}
	for i := range out.ints {
		out.ints[i] = a + int64(i)*d
	}
	return out
}

func sign64(v int64) int64 {
	if v < 0 {
		return -1
	}
	return 1
}

// foldProduct folds the product of all numbers of a list, as a size is made.
func (n *node) foldProduct() *constant {
	c := n.constant(0, "input")
	axes := n.axes("axes")
	if n.err != nil {
		return nil
	}
	if !c.integer || len(c.shape) > 1 || len(axes) > 1 {
		n.unsupported("the operator on anything but lists of integers")
		return nil
	}
	out := &constant{ints: []int64{1}, integer: true, of: c.of}
	for _, v := range c.ints {
		out.ints[0] *= v
	}
	if n.intAttr("keepdims", 1) != 0 {
		out.shape = []int{1}
	}
	return out
}

// foldConcat folds the concatenation of constants.
func (n *node) foldConcat() *constant {
	var parts []*constant
	for i := range n.inputs {
		parts = append(parts, n.constant(i, "inputs"))
	}
	if len(parts) == 0 {
		n.fail("no inputs")
	}
	if n.err != nil {
		return nil
	}
	first := parts[0]
	axis := n.axis(n.intAttr("axis", 1), len(first.shape), false)
	if n.err != nil {
		return nil
	}
	total := 0
	for _, c := range parts {
		if len(c.shape) != len(first.shape) || c.integer != first.integer {
			n.fail("shapes %v and %v do not go together", first.shape, c.shape)
			return nil
		}
		for i, d := range c.shape {
			if i != axis && d != first.shape[i] {
				n.fail("shapes %v and %v do not go together", first.shape, c.shape)
				return nil
			}
		}
		total += c.shape[axis]
	}
	out := &constant{shape: replaced(first.shape, axis, total), integer: first.integer, of: first.of}
	if _, ok := n.spend(out.shape); !ok {
		return nil
	}
	before, after := splitSizes(first.shape, axis)
	for i := range before {
		for _, c := range parts {
			row := c.shape[axis] * after
			if c.integer {
				out.ints = append(out.ints, c.ints[i*row:(i+1)*row]...)
			} else {
				out.floats = append(out.floats, c.floats[i*row:(i+1)*row]...)
			}
		}
	}
	return out
}
