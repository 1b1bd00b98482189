package difftest

import (
	"slices"

	"dorcas/nn/onnx/internal/pb"
)

// constant is one that goes with x: a number, or one for each index of some
// dimensions. Numbers stay away from 0.
func (b *builder) constant(x tensor) string {
	shape := make([]int, x.rank())
	for i := range shape {
		shape[i] = 1
	}
	switch b.IntN(6) {
	case 0:
		return b.floats(pick(b, []int{}, []int{1}, shape), []float32{pick(b, 0.5, 2, 3, -1, float32(b.NormFloat64()+4), 1.0/6)})
	case 1: // along any one
		if i := b.IntN(len(shape)); i > 0 {
			shape[i] = x.shape[i]
		}
	case 2: // along some
		for i := 1; i < len(shape); i++ {
			if b.chance(50) {
				shape[i] = x.shape[i]
			}
		}
	default:
		if len(shape) > 1 {
			shape[1] = x.shape[1]
		}
	}
	for len(shape) > 1 && shape[0] == 1 && b.chance(70) {
		shape = shape[1:]
	}
	v := b.values(size(shape), 0, 0.4)
	for i := range v {
		if v[i] > 0 {
			v[i] += 0.5
		} else {
			v[i] -= 0.5
		}
	}
	return b.floats(shape, v)
}

func (b *builder) arithmetic(x tensor) (tensor, bool) {
	op := pick(b, "Add", "Sub", "Mul", "Div")
	in := []string{x.name, b.constant(x)}
	if op != "Div" && b.chance(30) {
		slices.Reverse(in)
	}
	return b.node(op, in, x.shape), true
}

// same returns another tensor of the shape of x, or one that is made for it.
func (b *builder) same(x tensor) tensor {
	for range 4 {
		if y := b.all[b.IntN(len(b.all))]; slices.Equal(y.shape, x.shape) && b.chance(80) {
			return y
		}
	}
	y := b.affine(x)
	if b.chance(50) {
		y = b.activation(y)
	}
	return y
}

// affine is x times a number for each channel.
func (b *builder) affine(x tensor) tensor {
	shape := slices.Repeat([]int{1}, x.rank())
	if x.rank() > 1 {
		shape[1] = x.shape[1]
	}
	return b.node("Mul", []string{x.name, b.floats(shape, b.values(size(shape), 0.7, 0.4))}, x.shape)
}

func (b *builder) sum(x tensor) (tensor, bool) {
	y := b.same(x)
	switch b.IntN(8) {
	case 0:
		return b.node("Sub", []string{x.name, y.name}, x.shape), true
	case 1:
		return b.node(pick(b, "Min", "Max"), []string{x.name, y.name}, x.shape), true
	case 2:
		return b.node(pick(b, "Sum", "Mean"), []string{x.name, y.name, b.same(x).name}, x.shape), true
	case 3:
		return b.broadcast(x)
	}
	return b.node("Add", []string{y.name, x.name}, x.shape), true
}

// broadcast adds means of x to it.
func (b *builder) broadcast(x tensor) (tensor, bool) {
	if x.rank() < 3 {
		return x, false
	}
	axes := []int{}
	shape := slices.Clone(x.shape)
	for i := 1; i < x.rank(); i++ {
		if b.chance(50) {
			axes = append(axes, i)
			shape[i] = 1
		}
	}
	if len(axes) == 0 {
		return x, false
	}
	mean := b.list("ReduceMean", 18, x, "axes", axes, shape)
	return b.node(pick(b, "Add", "Sub"), []string{x.name, mean.name}, x.shape), true
}

// activation is an operator on each element.
func (b *builder) activation(x tensor) tensor {
	switch b.IntN(16) {
	case 0:
		return b.like("Relu", x)
	case 1:
		return b.like("LeakyRelu", x, attrFloat("alpha", pick(b, 0.01, float32(0.1), 0.25)))
	case 2:
		return b.pRelu(x)
	case 3:
		return b.clip(x)
	case 4:
		return b.like("HardSigmoid", x, attrs{attrFloat("alpha", pick(b, 1.0/6, float32(0.2))), attrFloat("beta", 0.5)}[:b.IntN(3)]...)
	case 5:
		if b.opset >= 14 {
			return b.like("HardSwish", x)
		}
		return b.like("Sigmoid", x)
	case 6:
		return b.like(pick(b, "Sigmoid", "Tanh", "Softsign", "Abs", "Neg"), x)
	case 7:
		return b.like("Elu", x, attrs{attrFloat("alpha", 0.7)}[:b.IntN(2)]...)
	case 8:
		return b.like("Selu", x)
	case 9:
		return b.like("Softplus", x)
	case 10:
		if b.opset >= 20 {
			return b.like("Gelu", x, attrs{attrString("approximate", pick(b, "none", "tanh"))}[:b.IntN(2)]...)
		}
		return b.gelu(x)
	case 11:
		if b.opset >= 18 {
			return b.like("Mish", x)
		}
		return b.node("Mul", []string{x.name, b.like("Tanh", b.like("Softplus", x)).name}, x.shape)
	case 12:
		return b.like("ThresholdedRelu", x, attrFloat("alpha", 0.3))
	case 13:
		if b.opset >= 12 {
			return b.like("Celu", x)
		}
		return b.like("Erf", x)
	}
	return b.composite(x)
}

func (b *builder) pRelu(x tensor) tensor {
	shape := slices.Repeat([]int{1}, x.rank()-1)
	if x.rank() > 1 && b.chance(80) {
		shape[0] = x.shape[1]
	} else if b.chance(50) {
		shape = []int{1}
	}
	return b.node("PRelu", []string{x.name, b.floats(shape, b.values(size(shape), 0.2, 0.2))}, x.shape)
}

func (b *builder) clip(x tensor) tensor {
	lo, hi := pick(b, -1, 0, float32(-0.5)), pick(b, 6, 1, float32(0.75))
	if b.opset < 11 {
		return b.like("Clip", x, attrFloat("min", lo), attrFloat("max", hi))
	}
	in := []string{x.name, b.floats([]int{}, []float32{lo}), b.floats([]int{}, []float32{hi})}
	if b.chance(20) {
		in[1] = ""
	} else if b.chance(20) {
		in = in[:2]
	}
	return b.node("Clip", in, x.shape)
}

// scalar adds an operator on x and a number.
func (b *builder) scalar(op string, x tensor, v float32) tensor {
	return b.node(op, []string{x.name, b.floats([]int{}, []float32{v})}, x.shape)
}

func (b *builder) gelu(x tensor) tensor {
	erf := b.like("Erf", b.scalar("Div", x, 1.4142135))
	one := b.scalar("Add", erf, 1)
	if b.chance(50) {
		return b.scalar("Mul", b.node("Mul", []string{x.name, one.name}, x.shape), 0.5)
	}
	return b.node("Mul", []string{b.scalar("Mul", x, 0.5).name, one.name}, x.shape)
}

// composite is a function of each element made of several operators.
func (b *builder) composite(x tensor) tensor {
	twice := func(op string, y tensor) tensor { return b.node(op, []string{x.name, y.name}, x.shape) }
	switch b.IntN(10) {
	case 0:
		return twice("Mul", b.like("Sigmoid", x))
	case 1: // hard swish
		return b.scalar("Div", twice("Mul", b.clip6(b.scalar("Add", x, 3))), 6)
	case 2:
		return b.scalar("Div", b.clip6(b.scalar("Add", x, 3)), 6)
	case 3:
		return b.gelu(x)
	case 4:
		return twice("Mul", x)
	case 5:
		return b.scalar("Pow", x, pick(b, 2, float32(3)))
	case 6: // 1/(1 + e^-x)
		y := b.scalar("Add", b.like("Exp", b.like("Neg", x)), 1)
		if b.chance(50) {
			return b.like("Reciprocal", y)
		}
		return b.node("Div", []string{b.floats([]int{1}, []float32{1}), y.name}, x.shape)
	case 7:
		return b.like("Sqrt", b.scalar("Add", b.like("Abs", x), 0.25))
	case 8:
		return b.like("Log", b.scalar("Add", twice("Mul", x), 1))
	}
	return b.scalar("Min", b.scalar("Max", x, -0.5), 2)
}

func (b *builder) clip6(x tensor) tensor {
	if b.opset < 11 {
		return b.like("Clip", x, attrFloat("min", 0), attrFloat("max", 6))
	}
	return b.node("Clip", []string{x.name, b.floats([]int{}, []float32{0}), b.floats([]int{}, []float32{6})}, x.shape)
}

func (b *builder) activate(x tensor) (tensor, bool) {
	y := b.activation(x)
	if b.chance(15) { // another on top
		y = b.activation(y)
	}
	return y, true
}

// fakeQuantize rounds the input: what a rounding error cannot turn into another
// integer.
func (b *builder) fakeQuantize(x tensor) (tensor, bool) {
	if x.name != "x" || b.opset < 10 {
		return x, false
	}
	of, zero := pb.TensorProto_UINT8, b.between(100, 156)
	if b.chance(50) {
		of, zero = pb.TensorProto_INT8, b.between(-30, 30)
	}
	scale, z := b.floats([]int{}, []float32{float32(0.01 + 0.03*b.Float64())}), b.integers(of, []int{}, []int{zero})
	q := b.node("QuantizeLinear", []string{x.name, scale, z}, x.shape)
	if planes(q) && b.opset >= 12 && b.chance(30) {
		q = b.node("MaxPool", []string{q.name}, q.shape, attrInts("kernel_shape", slices.Repeat([]int{1}, q.rank()-2)...))
	}
	return b.node("DequantizeLinear", []string{q.name, scale, z}, x.shape), true
}
