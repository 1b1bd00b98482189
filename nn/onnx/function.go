package onnx

import (
	"math"
	"strconv"
	"strings"

	"dorcas/nn"
)

// A function is what a chain of operators makes of each element of a tensor
// on its own: a graph whose leaf is the tensor and whose inner nodes are
// operators with one or two operands. It is computed once something needs it,
// so that x·sigmoid(x) becomes one table and not a product of two tensors.
type function struct {
	kind kind
	args []*function // none for a leaf
	a, b float64     // affine: a·x + b; clip: from a to b; leaky: slope a
	text string      // "sigmoid(%s)", with a place for each operand
	f    func(x, y float64) float64

	name   string // of the node of the file
	uses   int    // in the file
	size   int    // functions in it, repeated ones counted again
	tensor int    // -1 until it is computed
	shared bool   // of a leaf: the tensor has other uses
	// learned says that constants in it may be weights, which are secret: it
	// never becomes part of a table, which is public.
	learned bool
}

type kind int

const (
	leaf kind = iota
	affine
	clip // Relu is the clip from 0 to infinity
	leaky
	square
	sigmoid
	other
)

// maxFunction bounds the size of a function: what is larger is computed in
// parts.
const maxFunction = 32

// leafOf returns the function that is the elements of a tensor themselves.
func (r *reader) leafOf(v *value) *function {
	f := r.leaves[v.tensor]
	if f == nil {
		f = &function{tensor: v.tensor, size: 1}
		r.leaves[v.tensor] = f
	}
	f.shared = f.shared || v.shared
	return f
}

// functionOf returns v as a function of the elements of its tensor.
func (n *node) functionOf(v *value) *function {
	if v.fn != nil {
		return v.fn
	}
	return n.r.leafOf(v)
}

// apply makes the node's output f of the elements of v.
func (n *node) apply(v *value, f function, args ...*function) *value {
	if n.err != nil {
		return nil
	}
	f.args, f.name, f.uses, f.tensor, f.size = args, n.name, n.r.uses[n.outputs[0]], -1, 1
	for _, a := range args {
		f.size += a.size
	}
	out := &value{tensor: v.tensor, shape: v.shape, perm: v.perm, fn: &f}
	if f.size > maxFunction {
		n.settle(out)
	}
	return out
}

// unary makes the node's output f of each element of input 0.
func (n *node) unary(f function) *value {
	x := n.raw(0)
	if n.err != nil {
		return nil
	}
	return n.apply(x, f, n.functionOf(x))
}

// single is unary for a function known by its name only.
func (n *node) single(name string, f func(x float64) float64) *value {
	return n.unary(function{kind: other, text: name + "(%s)", f: func(x, _ float64) float64 { return f(x) }})
}

// affineOf returns a·v + b. Numbers that may be weights stay out of tables.
func (n *node) affineOf(v *value, a, b float64) *value {
	if n.err != nil {
		return nil
	}
	if v := a*0 + b*0; v != 0 {
		n.fail("constants are infinite or no numbers, or a divisor is 0")
		return nil
	}
	f := function{kind: affine, a: a, b: b, learned: !(hyperparameter(a) && hyperparameter(b))}
	arg := n.functionOf(v)
	switch {
	case arg.kind == sigmoid && a == -1 && b == 1: // that of -x
		minus := n.apply(v, function{kind: affine, a: -1}, arg.args...)
		return n.apply(minus, sigmoidFunction(), n.functionOf(minus))
	case f.learned:
		if arg.kind != leaf && arg.kind != affine {
			n.settle(v)
			arg = n.functionOf(v)
		}
	}
	if arg.kind == affine && arg.uses <= 1 {
		f.a, f.b = a*arg.a, a*arg.b+b
		f.learned = f.learned || arg.learned
		arg = arg.args[0]
	}
	out := n.apply(v, f, arg)
	if f.learned && n.r.uses[n.outputs[0]] > 1 {
		n.settle(out)
	}
	return out
}

// clipOf returns v clamped to [lo, hi].
func (n *node) clipOf(v *value, lo, hi float64) *value {
	if n.err != nil {
		return nil
	}
	arg := n.functionOf(v)
	if lo > hi { // what the format says of it
		lo = hi
	}
	if arg.kind == clip && arg.uses <= 1 {
		lo, hi = min(max(arg.a, lo), hi), min(max(arg.b, lo), hi)
		arg = arg.args[0]
	}
	return n.apply(v, function{kind: clip, a: lo, b: hi}, arg)
}

func sigmoidFunction() function {
	return function{kind: sigmoid, text: "sigmoid(%s)", f: func(x, _ float64) float64 { return 1 / (1 + math.Exp(-x)) }}
}

// relu reports whether the function is max(x, 0).
func (f *function) relu() bool { return f.kind == clip && f.a == 0 && math.IsInf(f.b, 1) }

// of computes the function of its operands.
func (f *function) of(x, y float64) float64 {
	switch f.kind {
	case affine:
		return f.a*x + f.b
	case clip:
		return min(max(x, f.a), f.b)
	case leaky:
		if x < 0 {
			return f.a * x
		}
		return x
	case square:
		return x * x
	}
	return f.f(x, y)
}

// format returns the function as text, of operands as text.
func (f *function) format(args ...string) string {
	x := args[0]
	switch {
	case f.kind == affine:
		switch {
		case f.b == 0:
			return number(f.a) + "*" + x
		case f.a == 1:
			return "(" + x + "+" + number(f.b) + ")"
		}
		return "(" + number(f.a) + "*" + x + "+" + number(f.b) + ")"
	case f.relu():
		return "relu(" + x + ")"
	case f.kind == clip:
		return "clip(" + x + "," + number(f.a) + "," + number(f.b) + ")"
	case f.kind == leaky:
		return "leaky_relu(" + x + "," + number(f.a) + ")"
	case f.kind == square:
		return x + "^2"
	}
	text := f.text
	for _, a := range args {
		text = strings.Replace(text, "%s", a, 1)
	}
	return text
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 32) }

// hyperparameter reports whether a number looks like one that a person chose,
// and not like one that was learned: up to five decimal digits, or the
// reciprocal, root, or π-th part of such a number.
func hyperparameter(v float64) bool {
	if v == 0 || len(digits(strconv.FormatFloat(v, 'e', -1, 32))) <= 5 {
		return true
	}
	for _, w := range []float64{1 / v, v * v, 1 / (v * v), v * v * math.Pi, v * math.Ln2, v / math.Ln2} {
		near, err := strconv.ParseFloat(strconv.FormatFloat(w, 'e', 2, 64), 64)
		if err == nil && math.Abs(near-w) <= 3e-7*math.Abs(w) {
			return true
		}
	}
	return false
}

// digits returns the significant decimal digits of a number in the e format.
func digits(s string) string {
	mantissa, _, _ := strings.Cut(strings.TrimPrefix(s, "-"), "e")
	return strings.TrimRight(strings.Replace(mantissa, ".", "", 1), "0")
}

// univariate returns f as a function of the graph.
func univariate(name string, params []float64, f func(float64) float64) nn.Univariate {
	const longest = 200
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "") + "…"
	}
	return nn.Univariate{Name: name, Params: params, F: f}
}
