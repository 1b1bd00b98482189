package difftest

import (
	"slices"

	"dorcas/nn/onnx/internal/pb"
)

func (b *builder) concat(x tensor) (tensor, bool) {
	if x.rank() < 2 {
		return x, false
	}
	axis := b.between(1, x.rank()-1)
	in, shape := []string{x.name}, slices.Clone(x.shape)
	for range b.between(1, 2) {
		y := b.same(x)
		in = append(in, y.name)
		shape[axis] += y.shape[axis]
	}
	if shape[axis] > 24 {
		return x, false
	}
	named := axis
	if b.opset >= 11 && b.chance(30) {
		named -= x.rank()
	}
	return b.node("Concat", in, shape, attrInt("axis", named)), true
}

func (b *builder) slice(x tensor) (tensor, bool) {
	shape := slices.Clone(x.shape)
	var starts, ends, axes, steps []int
	for i := 1; i < x.rank(); i++ {
		if !b.chance(50) {
			continue
		}
		d := x.shape[i]
		step := 1
		if b.opset >= 10 {
			step = pick(b, 1, 1, 2, -1, -2)
		}
		a, z := b.IntN(d), b.IntN(d)
		if a > z {
			a, z = z, a
		}
		shape[i] = (z-a)/max(step, -step) + 1
		start, end := a, z+1
		if step < 0 {
			start, end = z, a-1
			if end < 0 {
				end = -1 << 31
			}
		} else if b.chance(30) && end == d {
			end = 1 << 30
		}
		if b.chance(30) {
			start -= d
		}
		starts, ends, axes, steps = append(starts, start), append(ends, end), append(axes, i), append(steps, step)
	}
	if len(axes) == 0 {
		return x, false
	}
	if b.opset < 10 {
		return b.node("Slice", []string{x.name}, shape, attrInts("starts", starts...), attrInts("ends", ends...), attrInts("axes", axes...)), true
	}
	return b.node("Slice", []string{x.name, b.ints(starts...), b.ints(ends...), b.ints(axes...), b.ints(steps...)}, shape), true
}

func (b *builder) split(x tensor) (tensor, bool) {
	if x.rank() < 2 {
		return x, false
	}
	axis := b.between(1, x.rank()-1)
	d := x.shape[axis]
	if d < 2 {
		return x, false
	}
	first := b.between(1, d-1)
	n := &pb.NodeProto{OpType: "Split", Name: b.fresh("split"), Input: []string{x.name}, Attribute: attrs{attrInt("axis", axis)}}
	sizes := []int{first, d - first}
	switch {
	case b.chance(30) && d%2 == 0:
		sizes = []int{d / 2, d / 2}
		if b.opset >= 18 {
			n.Attribute = append(n.Attribute, attrInt("num_outputs", 2))
		}
	case b.opset >= 13:
		n.Input = append(n.Input, b.ints(sizes...))
	default:
		n.Attribute = append(n.Attribute, attrInts("split", sizes...))
	}
	var out []tensor
	for _, s := range sizes {
		shape := slices.Clone(x.shape)
		shape[axis] = s
		out = append(out, tensor{b.fresh("t"), shape})
		n.Output = append(n.Output, out[len(out)-1].name)
	}
	b.graph.Node = append(b.graph.Node, n)
	b.uses["Split"]++
	b.all = append(b.all, out...)
	if b.chance(50) { // together again, the other way round
		return b.node("Concat", []string{out[1].name, out[0].name}, x.shape, attrInt("axis", axis)), true
	}
	return out[b.IntN(2)], true
}

func (b *builder) gather(x tensor) (tensor, bool) {
	if x.rank() < 3 {
		return x, false
	}
	axis := b.between(1, x.rank()-1)
	if b.chance(30) {
		return b.node("Gather", []string{x.name, b.intsOf([]int{}, b.IntN(x.shape[axis]))}, slices.Delete(slices.Clone(x.shape), axis, axis+1), attrInt("axis", axis)), true
	}
	index := make([]int, b.between(1, 5))
	for i := range index {
		index[i] = b.IntN(x.shape[axis])
	}
	shape := slices.Clone(x.shape)
	shape[axis] = len(index)
	return b.node("Gather", []string{x.name, b.ints(index...)}, shape, attrInt("axis", axis)), true
}

func (b *builder) pad(x tensor) (tensor, bool) {
	shape := slices.Clone(x.shape)
	pads := make([]int, 2*x.rank())
	for i := 1; i < x.rank(); i++ {
		if b.chance(50) {
			continue
		}
		before, after := b.between(-1, 2), b.between(-1, 2)
		if x.shape[i]+before+after < 1 || x.shape[i]+min(before, 0)+min(after, 0) < 1 {
			continue
		}
		pads[i], pads[i+x.rank()] = before, after
		shape[i] += before + after
	}
	if b.opset < 11 {
		return b.node("Pad", []string{x.name}, shape, attrInts("pads", pads...)), true
	}
	in := []string{x.name, b.ints(pads...)}
	if b.chance(50) {
		in = append(in, b.floats([]int{}, []float32{0}))
	}
	return b.node("Pad", in, shape), true
}

func (b *builder) resize(x tensor) (tensor, bool) {
	if !planes(x) {
		return x, false
	}
	shape, scales := slices.Clone(x.shape), slices.Repeat([]float32{1}, x.rank())
	for i := 2; i < x.rank(); i++ {
		f := b.between(1, 3)
		if shape[i] *= f; shape[i] > 24 {
			return x, false
		}
		scales[i] = float32(f)
		if b.opset >= 11 && x.shape[i]%2 == 0 && b.chance(15) { // every other one
			shape[i], scales[i] = x.shape[i]/2, 0.5
		}
	}
	switch {
	case b.opset < 9:
		return b.node("Upsample", []string{x.name}, shape, attrString("mode", "nearest"), attrFloats("scales", scales...)), true
	case b.opset < 10:
		return b.node("Upsample", []string{x.name, b.floats([]int{x.rank()}, scales)}, shape, attrString("mode", "nearest")), true
	case b.opset < 11:
		return b.node("Resize", []string{x.name, b.floats([]int{x.rank()}, scales)}, shape, attrString("mode", "nearest")), true
	}
	a := attrs{attrString("mode", "nearest")}
	if b.chance(70) {
		a = append(a, attrString("coordinate_transformation_mode", "asymmetric"), attrString("nearest_mode", "floor"))
	}
	if b.chance(50) {
		empty := ""
		if b.opset < 13 {
			empty = b.floats([]int{0}, nil)
		}
		return b.node("Resize", []string{x.name, empty, empty, b.ints(shape...)}, shape, a...), true
	}
	return b.node("Resize", []string{x.name, b.floats([]int{0}, nil), b.floats([]int{x.rank()}, scales)}, shape, a...), true
}

func (b *builder) reduce(x tensor) (tensor, bool) {
	if x.rank() < 2 {
		return x, false
	}
	op := pick(b, "ReduceMean", "ReduceSum", "ReduceMax")
	keep := b.chance(50)
	var axes, shape []int
	for i, d := range x.shape {
		switch {
		case i == 0 || b.chance(50):
			shape = append(shape, d)
		default:
			axes = append(axes, i)
			if keep {
				shape = append(shape, 1)
			}
		}
	}
	if len(axes) == 0 {
		return x, false
	}
	if b.chance(20) {
		for i := range axes {
			axes[i] -= x.rank()
		}
		if b.opset < 11 {
			return x, false
		}
	}
	since := map[string]int{"ReduceMean": 18, "ReduceSum": 13, "ReduceMax": 18}[op]
	k := 0
	if keep {
		k = 1
	}
	y := b.list(op, since, x, "axes", axes, shape, attrInt("keepdims", k))
	if op == "ReduceSum" {
		y = b.scalar("Div", y, 4)
	}
	return y, true
}

// view is what only changes a shape.
func (b *builder) view(x tensor) (tensor, bool) {
	switch b.IntN(7) {
	case 0:
		if b.batch > 1 && x.rank() < 2 {
			return x, false
		}
		return b.node("Flatten", []string{x.name}, []int{x.shape[0], size(x.shape[1:])}, attrs{attrInt("axis", 1)}[:b.IntN(2)]...), true
	case 1:
		if x.rank() > 4 {
			return x, false
		}
		axis := b.between(1, x.rank())
		return b.list("Unsqueeze", 13, x, "axes", []int{axis}, slices.Insert(slices.Clone(x.shape), axis, 1)), true
	case 2:
		for i := 1; i < x.rank() && x.rank() > 2; i++ {
			if x.shape[i] == 1 {
				return b.list("Squeeze", 13, x, "axes", []int{i}, slices.Delete(slices.Clone(x.shape), i, i+1)), true
			}
		}
		return x, false
	case 3: // by a shape that is computed
		shape := b.node("Shape", []string{x.name}, nil)
		first := b.node("Gather", []string{shape.name, b.intsOf([]int{}, 0)}, nil, attrInt("axis", 0))
		one := b.list("Unsqueeze", 13, first, "axes", []int{0}, nil)
		to := b.node("Concat", []string{one.name, b.ints(-1)}, nil, attrInt("axis", 0))
		return b.node("Reshape", []string{x.name, to.name}, []int{x.shape[0], size(x.shape[1:])}), true
	case 4:
		if b.opset < 13 {
			return b.like("Dropout", x), true
		}
		return b.like("Identity", x), true
	case 5:
		return b.like("Cast", x, attrInt("to", int(pb.TensorProto_FLOAT))), true
	}
	// One dimension cut in two, or two made one.
	shape := slices.Clone(x.shape)
	axis := b.between(1, x.rank())
	if axis == x.rank() {
		return x, false
	}
	if axis+1 < x.rank() && b.chance(50) {
		shape[axis] *= shape[axis+1]
		shape = slices.Delete(shape, axis+1, axis+2)
	} else if x.rank() < 5 {
		f := pick(b, 1, 2, 3)
		if shape[axis]%f != 0 {
			return x, false
		}
		shape = slices.Insert(shape, axis, f)
		shape[axis+1] /= f
	}
	target := slices.Clone(shape)
	if b.chance(30) {
		target[b.between(1, len(target)-1)] = -1
	}
	if b.chance(30) {
		target[0] = 0
	}
	return b.node("Reshape", []string{x.name, b.ints(target...)}, shape), true
}

func (b *builder) transpose(x tensor) (tensor, bool) {
	if x.rank() < 3 {
		return x, false
	}
	perm := append([]int{0}, b.Perm(x.rank()-1)...)
	for i := range perm[1:] {
		perm[i+1]++
	}
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = x.shape[p]
	}
	return b.node("Transpose", []string{x.name}, shape, attrInts("perm", perm...)), true
}

// channelsLast does something with channels last, and puts them first again.
func (b *builder) channelsLast(x tensor) (tensor, bool) {
	if x.rank() != 4 {
		return x, false
	}
	y := b.node("Transpose", []string{x.name}, []int{x.shape[0], x.shape[2], x.shape[3], x.shape[1]}, attrInts("perm", 0, 2, 3, 1))
	c := x.shape[1]
	for range b.between(0, 3) {
		switch b.IntN(5) {
		case 0:
			y = b.node("Add", []string{y.name, b.random([]int{c}, 0.5)}, y.shape)
		case 1:
			y = b.node("Mul", []string{b.random([]int{1, 1, 1, c}, 1), y.name}, y.shape)
		case 2:
			y = b.activation(y)
		case 3:
			c = b.between(1, 5)
			y, _ = b.node("MatMul", []string{y.name, b.random([]int{y.shape[3], c}, 0.6)}, []int{y.shape[0], y.shape[1], y.shape[2], c}), true
		case 4:
			y = b.node("Concat", []string{y.name, y.name}, []int{y.shape[0], y.shape[1], y.shape[2], 2 * c}, attrInt("axis", 3))
			if c *= 2; c > 12 {
				return x, false
			}
		}
	}
	if b.chance(15) {
		return b.list("ReduceMean", 18, y, "axes", []int{1, 2}, []int{y.shape[0], c}, attrInt("keepdims", 0)), true
	}
	return b.node("Transpose", []string{y.name}, []int{y.shape[0], c, y.shape[1], y.shape[2]}, attrInts("perm", 0, 3, 1, 2)), true
}

func (b *builder) blocks(x tensor) (tensor, bool) {
	if x.rank() != 4 {
		return x, false
	}
	if x.shape[1]%4 == 0 && x.shape[2] <= 12 && x.shape[3] <= 12 {
		var a attrs
		if b.opset >= 11 {
			a = append(a, attrString("mode", pick(b, "DCR", "CRD")))
		}
		return b.node("DepthToSpace", []string{x.name}, []int{x.shape[0], x.shape[1] / 4, 2 * x.shape[2], 2 * x.shape[3]}, append(a, attrInt("blocksize", 2))...), true
	}
	if x.shape[2]%2 == 0 && x.shape[3]%2 == 0 {
		return b.node("SpaceToDepth", []string{x.name}, []int{x.shape[0], 4 * x.shape[1], x.shape[2] / 2, x.shape[3] / 2}, attrInt("blocksize", 2)), true
	}
	return x, false
}

// shapeComputed reshapes by sizes that are computed from those of x.
func (b *builder) shapeComputed(x tensor) (tensor, bool) {
	if x.rank() < 3 {
		return x, false
	}
	shape := b.node("Shape", []string{x.name}, nil)
	part := func(from, to int) tensor {
		if b.opset < 10 {
			return b.node("Slice", []string{shape.name}, nil, attrInts("starts", from), attrInts("ends", to), attrInts("axes", 0))
		}
		return b.node("Slice", []string{shape.name, b.ints(from), b.ints(to), b.ints(0)}, nil)
	}
	first, a, z := part(0, 1), part(1, 2), part(2, 3)
	product := b.node("Mul", []string{a.name, z.name}, nil)
	if b.chance(50) {
		narrow := b.node("Cast", []string{product.name}, nil, attrInt("to", int(pb.TensorProto_INT32)))
		product = b.node("Cast", []string{narrow.name}, nil, attrInt("to", int(pb.TensorProto_INT64)))
	}
	if b.chance(30) { // x·3/3 - 0
		product = b.node("Div", []string{b.node("Mul", []string{product.name, b.ints(3)}, nil).name, b.ints(3)}, nil)
		product = b.node("Sub", []string{product.name, b.ints(0)}, nil)
	}
	to := b.node("Concat", []string{first.name, product.name, b.ints(-1)}, nil, attrInt("axis", 0))
	return b.node("Reshape", []string{x.name, to.name}, []int{x.shape[0], x.shape[1] * x.shape[2], size(x.shape[3:])}), true
}

// expandComputed repeats x by sizes as PyTorch's exporter computes them: where a
// size is -1, that of x.
func (b *builder) expandComputed(x tensor) (tensor, bool) {
	i := slices.Index(x.shape[1:], 1) + 1
	if i < 1 || b.opset < 9 {
		return x, false
	}
	target := slices.Repeat([]int{-1}, x.rank())
	target[i] = b.between(2, 3)
	sizes := b.ints(target...)
	one := &pb.TensorProto{DataType: int32(pb.TensorProto_INT64), Dims: []int64{1}, Int64Data: []int64{1}}
	ones := b.node("ConstantOfShape", []string{b.ints(x.rank())}, nil, &pb.AttributeProto{Name: "value", Type: pb.AttributeProto_TENSOR, T: one})
	minus := b.node("Mul", []string{ones.name, b.ints(-1)}, nil)
	same := b.node("Equal", []string{sizes, minus.name}, nil)
	chosen := b.node("Where", []string{same.name, ones.name, sizes}, nil)
	shape := slices.Clone(x.shape)
	shape[i] = target[i]
	return b.node("Expand", []string{x.name, chosen.name}, shape), true
}

func (b *builder) expand(x tensor) (tensor, bool) {
	i := slices.Index(x.shape[1:], 1) + 1
	if i < 1 {
		return x, false
	}
	shape := slices.Clone(x.shape)
	shape[i] = b.between(2, 4)
	return b.node("Expand", []string{x.name, b.ints(shape...)}, shape), true
}
