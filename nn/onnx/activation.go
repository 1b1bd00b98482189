package onnx

import (
	"math"

	"dorcas/nn"
)

// activations are the operators that compute a function of each element whose
// constants are attributes.
var activations = map[string]func(n *node) *value{
	"Relu":       func(n *node) *value { return n.clipOf(n.raw(0), 0, math.Inf(1)) },
	"LeakyRelu":  func(n *node) *value { return n.unary(function{kind: leaky, a: float64(n.floatAttr("alpha", 0.01))}) },
	"Sigmoid":    func(n *node) *value { return n.unary(sigmoidFunction()) },
	"Tanh":       func(n *node) *value { return n.single("tanh", math.Tanh) },
	"Erf":        func(n *node) *value { return n.single("erf", math.Erf) },
	"Exp":        func(n *node) *value { return n.single("exp", math.Exp) },
	"Log":        func(n *node) *value { return n.single("log", math.Log) },
	"Abs":        func(n *node) *value { return n.single("abs", math.Abs) },
	"Sqrt":       func(n *node) *value { return n.single("sqrt", math.Sqrt) },
	"Reciprocal": func(n *node) *value { return n.single("reciprocal", func(x float64) float64 { return 1 / x }) },
	"Softplus":   func(n *node) *value { return n.single("softplus", softplus) },
	"Softsign": func(n *node) *value {
		return n.single("softsign", func(x float64) float64 { return x / (1 + math.Abs(x)) })
	},
	"Mish": func(n *node) *value {
		return n.single("mish", func(x float64) float64 { return x * math.Tanh(softplus(x)) })
	},
	"HardSwish":       func(n *node) *value { return n.single("hard_swish", hardSwish) },
	"Sign":            func(n *node) *value { return n.single("sign", sign) },
	"Sin":             func(n *node) *value { return n.single("sin", math.Sin) },
	"Cos":             func(n *node) *value { return n.single("cos", math.Cos) },
	"Atan":            func(n *node) *value { return n.single("atan", math.Atan) },
	"Sinh":            func(n *node) *value { return n.single("sinh", math.Sinh) },
	"Cosh":            func(n *node) *value { return n.single("cosh", math.Cosh) },
	"Neg":             func(n *node) *value { return n.affineOf(n.raw(0), -1, 0) },
	"HardSigmoid":     (*node).hardSigmoid,
	"Elu":             (*node).elu,
	"Celu":            (*node).celu,
	"Selu":            (*node).selu,
	"ThresholdedRelu": (*node).thresholdedRelu,
	"Gelu":            (*node).gelu,
	"Clip":            (*node).clip,
	"PRelu":           (*node).pRelu,
	"Pow":             (*node).pow,
}

// softplus is log(1 + e^x), without overflow.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func hardSwish(x float64) float64 { return x * min(max(x/6+0.5, 0), 1) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// hardSigmoid is a clip of alpha·x + beta, which a layer before it can take in.
func (n *node) hardSigmoid() *value {
	alpha, beta := float64(n.floatAttr("alpha", 0.2)), float64(n.floatAttr("beta", 0.5))
	x := n.raw(0)
	if n.err != nil {
		return nil
	}
	inner := n.apply(x, function{kind: affine, a: alpha, b: beta}, n.functionOf(x))
	return n.clipOf(inner, 0, 1)
}

func (n *node) elu() *value {
	alpha := float64(n.floatAttr("alpha", 1))
	return n.single("elu", func(x float64) float64 {
		if x < 0 {
			return alpha * math.Expm1(x)
		}
		return x
	})
}

func (n *node) celu() *value {
	alpha := float64(n.floatAttr("alpha", 1))
	if alpha == 0 {
		n.fail("attribute alpha is 0")
	}
	return n.single("celu", func(x float64) float64 { return max(x, 0) + min(alpha*math.Expm1(min(x, 0)/alpha), 0) })
}

func (n *node) selu() *value {
	alpha, gamma := float64(n.floatAttr("alpha", 1.6732632)), float64(n.floatAttr("gamma", 1.050701))
	return n.single("selu", func(x float64) float64 {
		if x < 0 {
			return gamma * alpha * math.Expm1(x)
		}
		return gamma * x
	})
}

func (n *node) thresholdedRelu() *value {
	alpha := float64(n.floatAttr("alpha", 1))
	return n.single("thresholded_relu", func(x float64) float64 {
		if x > alpha {
			return x
		}
		return 0
	})
}

func (n *node) gelu() *value {
	switch approximate := n.stringAttr("approximate", "none"); approximate {
	case "none":
		return n.single("gelu", func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) })
	case "tanh":
		return n.single("gelu_tanh", func(x float64) float64 {
			return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		})
	default:
		n.fail("attribute approximate is %s", quote(approximate))
		return nil
	}
}

// clip takes its bounds from attributes or, from opset 11 on, inputs.
func (n *node) clip() *value {
	lo, hi := math.Inf(-1), math.Inf(1)
	if n.attr("min") != nil {
		lo = float64(n.floatAttr("min", 0))
	}
	if n.attr("max") != nil {
		hi = float64(n.floatAttr("max", 0))
	}
	if n.has(1) {
		lo = n.number(1, "min")
	}
	if n.has(2) {
		hi = n.number(2, "max")
	}
	return n.clipOf(n.raw(0), lo, hi)
}

// number returns input i, which has to be a constant of one number.
func (n *node) number(i int, what string) float64 {
	c := n.constant(i, what)
	if n.err == nil && c.len() != 1 {
		n.fail("%s: %d numbers, want 1", what, c.len())
	}
	if n.err != nil {
		return 0
	}
	v := c.float(0)
	if math.IsNaN(v) {
		n.fail("%s is %v", what, v)
	}
	return v
}

// pRelu translates
//
//	y = x where x ≥ 0, else slope·x
//
// with learned slopes, one for each channel: slope·x + (1 - slope)·max(x, 0).
func (n *node) pRelu() *value {
	x := n.settled(0)
	slope := n.floats(1, "slope")
	if n.err != nil {
		return nil
	}
	at, numbers := n.channels(slope, x.shape)
	n.check(n.r.spend(2 * len(numbers)))
	if n.err != nil {
		return nil
	}
	rest := make([]float32, len(numbers))
	for i, s := range numbers {
		rest[i] = 1 - s
	}
	x.shared = true
	positive := *x
	positive.tensor = n.add(nn.Node{Op: nn.NodeRelu, Out: n.r.g.Dims(x.tensor)}, x.tensor)
	return n.sum([]*value{n.affine(x, at, numbers, nil), n.affine(&positive, at, rest, nil)}, nil)
}

// pow translates Pow(x, exponent).
func (n *node) pow() *value {
	if v := n.input(0); v != nil && v.constant != nil {
		if base := n.number(0, "base"); n.err == nil && hyperparameter(base) {
			x := n.raw(1)
			if n.err != nil {
				return nil
			}
			f := function{kind: other, text: number(base) + "^%s", f: func(x, _ float64) float64 { return math.Pow(base, x) }}
			return n.apply(x, f, n.functionOf(x))
		}
	}
	e := n.number(1, "exponents")
	switch {
	case n.err != nil:
		return nil
	case math.IsInf(e, 0):
		n.fail("exponent %v", e)
		return nil
	case e == 1:
		return n.affineOf(n.raw(0), 1, 0)
	case e == 2:
		return n.unary(function{kind: square})
	case !hyperparameter(e):
		n.unsupported("an exponent %v that looks learned", e)
		return nil
	}
	return n.unary(function{kind: other, text: "%s^" + number(e), f: func(x, _ float64) float64 { return math.Pow(x, e) }})
}
