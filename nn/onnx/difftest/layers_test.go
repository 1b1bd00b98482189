package difftest

import (
	"math"
	"slices"

	"dorcas/nn/onnx/internal/pb"
)

// A window is the geometry of a convolution or pooling, for planes of one or
// two dimensions.
type window struct {
	kernel, stride, dilation, pads []int
	auto                           string
	out                            []int
	attrs                          attrs
}

// window chooses one for planes; ok is false if nothing fits.
func (b *builder) window(plane []int, dilate bool) (w window, ok bool) {
	w.auto = pick(b, "", "", "", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
	before, after := make([]int, len(plane)), make([]int, len(plane))
	for i, d := range plane {
		k, s, dil := b.between(1, min(5, d+2)), b.between(1, 3), 1
		if dilate && b.chance(30) {
			dil = b.between(1, 3)
		}
		extent := (k-1)*dil + 1
		out := 0
		switch w.auto {
		case "SAME_UPPER", "SAME_LOWER":
			out = (d + s - 1) / s
		case "VALID":
			out = (d-extent)/s + 1
			if d < extent {
				return w, false
			}
		default:
			if b.chance(60) {
				before[i], after[i] = b.between(0, extent-1), b.between(0, extent-1)
			}
			if d+before[i]+after[i] < extent {
				return w, false
			}
			out = (d+before[i]+after[i]-extent)/s + 1
		}
		w.kernel, w.stride, w.dilation, w.out = append(w.kernel, k), append(w.stride, s), append(w.dilation, dil), append(w.out, out)
	}
	w.pads = append(before, after...)
	if w.auto != "" {
		w.attrs = append(w.attrs, attrString("auto_pad", w.auto))
	}
	if w.auto == "" || w.auto == "NOTSET" {
		w.attrs = append(w.attrs, attrInts("pads", w.pads...))
	}
	if b.chance(80) || slices.Max(w.stride) > 1 {
		w.attrs = append(w.attrs, attrInts("strides", w.stride...))
	}
	if slices.Max(w.dilation) > 1 {
		w.attrs = append(w.attrs, attrInts("dilations", w.dilation...))
	}
	return w, true
}

func planes(x tensor) bool { return x.rank() == 3 || x.rank() == 4 }

func shaped(n, c int, plane []int) []int { return append([]int{n, c}, plane...) }

// groups returns a number of groups and, for each, of channels in and out.
func (b *builder) groups(channels int) (groups, in, out int) {
	groups = 1
	if b.chance(50) {
		var divisors []int
		for g := 1; g <= channels; g++ {
			if channels%g == 0 {
				divisors = append(divisors, g)
			}
		}
		groups = pick(b, divisors...)
	}
	return groups, channels / groups, b.between(1, max(1, 6/groups))
}

func (b *builder) conv(x tensor) (tensor, bool) {
	if !planes(x) {
		return x, false
	}
	w, ok := b.window(x.shape[2:], true)
	if !ok {
		return x, false
	}
	groups, in, out := b.groups(x.shape[1])
	shape := shaped(out*groups, in, w.kernel)
	inputs := []string{x.name, b.weights(shape, 0, 1.5/math.Sqrt(float64(in*size(w.kernel))))}
	if b.chance(60) {
		inputs = append(inputs, b.bias(out*groups))
	}
	a := w.attrs
	if groups > 1 || b.chance(20) {
		a = append(a, attrInt("group", groups))
	}
	if b.chance(80) {
		a = append(a, attrInts("kernel_shape", w.kernel...))
	}
	return b.node("Conv", inputs, shaped(x.shape[0], out*groups, w.out), a...), true
}

// weights adds weights, sometimes as integers with scales, of one number for
// all or one for each index of an axis.
func (b *builder) weights(shape []int, axis int, deviation float64) string {
	if b.opset < 10 || !b.chance(15) {
		return b.random(shape, deviation)
	}
	of := pick(b, pb.TensorProto_INT8, pb.TensorProto_UINT8)
	v := make([]int, size(shape))
	for i := range v {
		v[i] = b.between(-128, 127)
		if of == pb.TensorProto_UINT8 {
			v[i] += 128
		}
	}
	channels, scaleShape, a := 1, []int{}, attrs(nil)
	if b.opset >= 13 && b.chance(60) {
		channels, scaleShape = shape[axis], []int{shape[axis]}
		a = attrs{attrInt("axis", axis)}
	}
	scale, zero := make([]float32, channels), make([]int, channels)
	for i := range scale {
		scale[i] = float32(deviation / 70 * (0.5 + b.Float64()))
		if of == pb.TensorProto_UINT8 {
			zero[i] = b.between(100, 156)
		}
	}
	return b.node("DequantizeLinear", []string{b.integers(of, shape, v), b.floats(scaleShape, scale), b.integers(of, scaleShape, zero)}, shape, a...).name
}

func (b *builder) convTranspose(x tensor) (tensor, bool) {
	if !planes(x) {
		return x, false
	}
	groups, in, out := b.groups(x.shape[1])
	var kernel, stride, dilation, extra, before, after, plane []int
	for _, d := range x.shape[2:] {
		k, s, dil, e := b.between(1, 4), b.between(1, 3), 1, 0
		if b.chance(25) {
			dil = 2
		}
		if b.chance(40) && max(s, dil) > 1 {
			e = b.between(0, max(s, dil)-1)
		}
		extent := (k-1)*dil + 1
		p, q := 0, 0
		if b.chance(60) {
			p, q = b.between(0, extent), b.between(0, extent)
		}
		o := s*(d-1) + e + extent - p - q
		if o < 1 || o > 24 {
			return x, false
		}
		kernel, stride, dilation, extra = append(kernel, k), append(stride, s), append(dilation, dil), append(extra, e)
		before, after, plane = append(before, p), append(after, q), append(plane, o)
	}
	a := attrs{attrInts("strides", stride...), attrInts("dilations", dilation...), attrInt("group", groups)}
	if b.chance(80) {
		a = append(a, attrInts("pads", append(before, after...)...))
		if slices.Max(extra) > 0 || b.chance(20) {
			a = append(a, attrInts("output_padding", extra...))
		}
	} else {
		// Planes come out at stride times their size.
		for i, d := range x.shape[2:] {
			if plane[i] = d * stride[i]; plane[i] > 24 || stride[i]*(d-1)+(kernel[i]-1)*dilation[i]+1 < plane[i] {
				return x, false
			}
		}
		a = append(a, attrString("auto_pad", pick(b, "SAME_UPPER", "SAME_LOWER")))
	}
	inputs := []string{x.name, b.random(shaped(x.shape[1], out, kernel), 1.5/math.Sqrt(float64(in*size(kernel))))}
	if b.chance(60) {
		inputs = append(inputs, b.bias(out*groups))
	}
	return b.node("ConvTranspose", inputs, shaped(x.shape[0], out*groups, plane), a...), true
}

func (b *builder) pooling(x tensor) (tensor, bool) {
	if !planes(x) {
		return x, false
	}
	average := b.chance(50)
	w, ok := b.window(x.shape[2:], b.opset >= 19 || !average && b.opset >= 10)
	if !ok {
		return x, false
	}
	a := append(w.attrs, attrInts("kernel_shape", w.kernel...))
	for i, k := range w.kernel { // what lies outside must be less than the window
		extent := (k-1)*w.dilation[i] + 1
		if w.stride[i] > extent && w.auto != "" { // onnxruntime takes a border less than nothing
			return x, false
		}
		if max(w.pads[i], w.pads[i+len(w.kernel)]) >= min(k, extent) || w.dilation[i] > 1 && (w.auto != "" && w.auto != "VALID" || extent > x.shape[2+i]) {
			return x, false
		}
	}
	if b.opset >= 10 && b.chance(40) && (w.auto == "" || w.auto == "NOTSET") {
		a = append(a, attrInt("ceil_mode", 1))
		for i, k := range w.kernel {
			extent := (k-1)*w.dilation[i] + 1
			before, after, d := w.pads[i], w.pads[i+len(w.kernel)], x.shape[2+i]
			w.out[i] = (d+before+after-extent+w.stride[i]-1)/w.stride[i] + 1
			if (w.out[i]-1)*w.stride[i] >= d+before {
				w.out[i]--
			}
		}
	}
	op := "MaxPool"
	if average {
		op = "AveragePool"
		if b.chance(50) {
			a = append(a, attrInt("count_include_pad", b.IntN(2)))
		}
	}
	return b.node(op, []string{x.name}, shaped(x.shape[0], x.shape[1], w.out), a...), true
}

func (b *builder) global(x tensor) (tensor, bool) {
	if !planes(x) {
		return x, false
	}
	ones := slices.Repeat([]int{1}, x.rank()-2)
	return b.node(pick(b, "GlobalAveragePool", "GlobalMaxPool"), []string{x.name}, shaped(x.shape[0], x.shape[1], ones)), true
}

func (b *builder) batchNorm(x tensor) (tensor, bool) {
	if x.rank() < 2 {
		return x, false
	}
	c := x.shape[1]
	positive := b.values(c, 1, 0.2)
	for i, v := range positive {
		positive[i] = max(v, 0.3)
	}
	in := []string{x.name, b.random([]int{c}, 1), b.random([]int{c}, 0.5), b.random([]int{c}, 0.5), b.floats([]int{c}, positive)}
	return b.node("BatchNormalization", in, x.shape, attrFloat("epsilon", pick(b, 1e-5, 1e-3, float32(0.1)))), true
}

func (b *builder) gemm(x tensor) (tensor, bool) {
	if x.rank() != 2 {
		return x, false
	}
	k, n := x.shape[1], b.between(1, 8)
	transposed := b.chance(50)
	shape, axis := []int{k, n}, 1
	if transposed {
		shape, axis = []int{n, k}, 0
	}
	in := []string{x.name, b.weights(shape, axis, 1.2/math.Sqrt(float64(k)))}
	a := attrs{}
	if transposed {
		a = append(a, attrInt("transB", 1))
	}
	if b.chance(30) {
		a = append(a, attrFloat("alpha", pick(b, 0.5, 1, float32(1.7))), attrFloat("beta", pick(b, 0, 0.5, float32(1))))
	}
	if b.chance(70) || b.opset < 11 {
		in = append(in, b.random(pick(b, []int{n}, []int{1, n}, []int{1}, []int{x.shape[0], n}), 0.5))
		if b.batch > 1 {
			in[2] = b.bias(n)
		}
	}
	if b.batch == 1 && b.chance(20) { // both turned round: of one image
		turned := b.node("Transpose", []string{x.name}, []int{k, x.shape[0]}, attrInts("perm", 1, 0))
		in[0] = turned.name
		a = append(a, attrInt("transA", 1))
	}
	return b.node("Gemm", in, []int{x.shape[0], n}, a...), true
}

// gemmLeft has the constant on the left: of one image.
func (b *builder) gemmLeft(x tensor) (tensor, bool) {
	if b.batch > 1 || x.rank() != 3 {
		return x, false
	}
	x = b.list("Squeeze", 13, x, "axes", []int{0}, x.shape[1:])
	m, a := b.between(1, 5), attrs{}
	in := []string{"", x.name, b.random([]int{m, 1}, 0.5)}
	k, n := x.shape[0], x.shape[1]
	if b.chance(50) {
		k, n = n, k
		a = append(a, attrInt("transB", 1))
	}
	if b.chance(50) {
		in[0] = b.random([]int{k, m}, 0.7)
		a = append(a, attrInt("transA", 1))
	} else {
		in[0] = b.random([]int{m, k}, 0.7)
	}
	y := b.node("Gemm", in, []int{m, n}, a...)
	return b.list("Unsqueeze", 13, y, "axes", []int{0}, []int{1, m, n}), true
}

// gemmResidual adds another product.
func (b *builder) gemmResidual(x tensor) (tensor, bool) {
	if x.rank() != 2 {
		return x, false
	}
	y, _ := b.gemm(x)
	return b.node("Gemm", []string{x.name, b.random([]int{x.shape[1], y.shape[1]}, 0.5), y.name}, y.shape, attrFloat("beta", pick(b, 1, float32(0.5)))), true
}

// bias is one for some channels, sometimes as integers.
func (b *builder) bias(channels int) string {
	if b.opset < 13 || !b.chance(15) {
		return b.random([]int{channels}, 0.5)
	}
	v, scale := make([]int, channels), make([]float32, channels)
	for i := range v {
		v[i], scale[i] = b.between(-1000, 1000), float32(0.001*(0.5+b.Float64()))
	}
	zero := b.integers(pb.TensorProto_INT32, []int{channels}, make([]int, channels))
	return b.node("DequantizeLinear", []string{b.integers(pb.TensorProto_INT32, []int{channels}, v), b.floats([]int{channels}, scale), zero}, nil, attrInt("axis", 0)).name
}

func (b *builder) matMul(x tensor) (tensor, bool) {
	if x.rank() < 2 {
		return x, false
	}
	last := x.rank() - 1
	if x.rank() > 2 && b.chance(35) { // a constant on the left
		k, m := x.shape[last-1], b.between(1, 6)
		shape := slices.Clone(x.shape)
		shape[last-1] = m
		return b.node("MatMul", []string{b.random([]int{m, k}, 1.2/math.Sqrt(float64(k))), x.name}, shape), true
	}
	k, n := x.shape[last], b.between(1, 8)
	shape := slices.Clone(x.shape)
	if x.rank() > 2 && b.chance(15) {
		return b.node("MatMul", []string{x.name, b.random([]int{k}, 1.2/math.Sqrt(float64(k)))}, shape[:last]), true
	}
	shape[last] = n
	return b.node("MatMul", []string{x.name, b.weights([]int{k, n}, 1, 1.2/math.Sqrt(float64(k)))}, shape), true
}
