package onnx

import (
	"math"
	"strings"
	"testing"

	"dorcas/nn"
	"dorcas/nn/onnx/internal/pb"
)

// opCase is a small file, an input and the scores worked out by hand. nodes
// lists the operators that the graph has to have, where that matters.
type opCase struct {
	name  string
	file  file
	x     []float32
	want  []float32
	nodes string
	head  nn.Head
}

func (c opCase) run(t *testing.T) {
	g, err := c.file.read(t)
	if err != nil {
		t.Fatal(err)
	}
	if c.nodes != "" {
		checkNodes(t, g, c.nodes)
	}
	if g.Head != c.head {
		t.Errorf("head is %v, want %v", g.Head, c.head)
	}
	y, err := g.Run(c.x)
	if err != nil {
		t.Fatal(err)
	}
	if len(y) != len(c.want) {
		t.Fatalf("scores are %v, want %v", y, c.want)
	}
	for i := range y {
		if math.Abs(float64(y[i]-c.want[i])) > 1e-5*math.Abs(float64(c.want[i])) {
			t.Fatalf("scores are %v, want %v", y, c.want)
		}
	}
}

// checkNodes compares the operators of a graph.
func checkNodes(t *testing.T, g *nn.Graph, want string) {
	t.Helper()
	var nodes []string
	for _, n := range g.Nodes {
		nodes = append(nodes, n.Op.String())
	}
	if got := strings.Join(nodes, " "); got != want {
		t.Errorf("nodes are %q, want %q", got, want)
	}
}

var (
	square4 = []any{"N", 1, 2, 2}
	count9  = []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}
)

func TestConvolutions(t *testing.T) {
	conv := func(input []any, w *pb.TensorProto, attrs ...*pb.AttributeProto) file {
		return file{input: input, init: []*pb.TensorProto{w}, nodes: []*pb.NodeProto{op("Conv", "y", in("x", "w"), attrs...)}}
	}
	nine := []any{1, 1, 3, 3}
	ones := floatTensor("w", shape(1, 1, 2, 2), 1, 1, 1, 1)
	taps := floatTensor("w", shape(1, 1, 2, 2), 1, 10, 100, 1000)
	for _, c := range []opCase{
		{name: "plain", file: conv(nine, taps), x: count9, want: []float32{5421, 6532, 8754, 9865}},
		{name: "strides", file: conv(nine, taps, attrInts("strides", 2, 1)), x: count9, want: []float32{5421, 6532}},
		{name: "pads are top left bottom right", file: conv(square4, taps, attrInts("pads", 1, 0, 0, 0)), x: count9[:4], want: []float32{2100, 4321}},
		{name: "same upper", file: conv(nine, ones, attrString("auto_pad", "SAME_UPPER"), attrInts("strides", 2, 2)),
			x: count9, want: []float32{12, 9, 15, 9}},
		{name: "same lower", file: conv(nine, ones, attrString("auto_pad", "SAME_LOWER"), attrInts("strides", 2, 2)),
			x: count9, want: []float32{1, 5, 11, 28}},
		{name: "same upper, odd window", file: conv(square4, floatTensor("w", shape(1, 1, 3, 3), 0, 0, 0, 0, 1, 0, 0, 0, 0), attrString("auto_pad", "SAME_UPPER")),
			x: count9[:4], want: count9[:4]},
		{name: "valid", file: conv(nine, taps, attrString("auto_pad", "VALID"), attrInts("pads", 1, 1, 1, 1)), x: count9, want: []float32{5421, 6532, 8754, 9865}},
		{name: "two channels to two", file: conv([]any{"N", 2, 1, 1}, floatTensor("w", shape(2, 2, 1, 1)), kernelOf(1)), x: []float32{1, 10}, want: []float32{21, 43}},
		{name: "dilation of one tap", file: conv(square4, floatTensor("w", shape(1, 1, 1, 1), 2), attrInts("dilations", 2, 2)),
			x: count9[:4], want: []float32{2, 4, 6, 8}},
		{name: "bias", x: count9[:4], want: []float32{8}, nodes: "Conv", file: file{input: square4,
			init:  []*pb.TensorProto{floatTensor("w", shape(1, 1, 2, 2), 1, 0, 0, 1), floatTensor("b", shape(1), 3)},
			nodes: []*pb.NodeProto{op("Conv", "y", in("x", "w", "b"))}}},
		{name: "batch of ten", file: conv([]any{10, 1, 3, 3}, taps), x: count9, want: []float32{5421, 6532, 8754, 9865}},
	} {
		t.Run(c.name, c.run)
	}
}

// kernelOf is a square window.
func kernelOf(k int64) *pb.AttributeProto { return attrInts("kernel_shape", k, k) }

func TestPools(t *testing.T) {
	pool := func(kind string, input []any, opset int64, attrs ...*pb.AttributeProto) file {
		return file{input: input, opset: opset, nodes: []*pb.NodeProto{op(kind, "y", in("x"), attrs...)}}
	}
	nine := []any{1, 1, 3, 3}
	strides, pads := attrInts("strides", 2, 2), attrInts("pads", 1, 1, 0, 0)
	minus := []float32{-1, -2, -3, -4, -5, -6, -7, -8, -9}
	for _, c := range []opCase{
		{name: "max", file: pool("MaxPool", nine, 8, kernelOf(2)), x: count9, want: []float32{5, 6, 8, 9}},
		{name: "max, floor", file: pool("MaxPool", nine, 8, kernelOf(2), strides, attrInt("ceil_mode", 0)), x: count9, want: []float32{5}},
		{name: "max, ceil that divides", file: pool("MaxPool", []any{1, 1, 2, 4}, 10, kernelOf(2), strides, attrInt("ceil_mode", 1)),
			x: count9[:8], want: []float32{6, 8}},
		{name: "max of negatives with border", file: pool("MaxPool", nine, 12, kernelOf(2), strides, pads), x: minus, want: []float32{-1, -2, -4, -5}},
		{name: "max, same upper", file: pool("MaxPool", nine, 12, kernelOf(2), strides, attrString("auto_pad", "SAME_UPPER")), x: minus, want: []float32{-1, -3, -7, -9}},
		{name: "average", file: pool("AveragePool", nine, 10, kernelOf(2)), x: count9, want: []float32{3, 4, 6, 7}},
		{name: "average, border left out", file: pool("AveragePool", nine, 7, kernelOf(2), strides, pads), x: count9, want: []float32{1, 2.5, 5.5, 7}},
		{name: "average, border counted", file: pool("AveragePool", nine, 19, kernelOf(2), strides, pads, attrInt("count_include_pad", 1)),
			x: count9, want: []float32{0.25, 1.25, 2.75, 7}},
		{name: "global average", file: pool("GlobalAveragePool", []any{1, 2, 1, 3}, 9), x: count9[:6], want: []float32{2, 5}},
		{name: "mean", file: pool("ReduceMean", []any{1, 2, 1, 3}, 13, attrInts("axes", 2, -1), attrInt("keepdims", 0)), x: count9[:6], want: []float32{2, 5}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestDense(t *testing.T) {
	w := floatTensor("w", shape(3, 2)) // 1 2, 3 4, 5 6
	flat := []any{"N", 3}
	x := []float32{1, 10, 100}
	dense := func(init []*pb.TensorProto, nodes ...*pb.NodeProto) file {
		return file{input: flat, init: init, nodes: nodes}
	}
	tensors := func(t ...*pb.TensorProto) []*pb.TensorProto { return append(t, w) }
	bias := floatTensor("b", shape(2), 1000, 2000)
	for _, c := range []opCase{
		{name: "gemm", file: dense(tensors(bias), op("Gemm", "y", in("x", "w", "b"))), x: x, want: []float32{1531, 2642}, nodes: "Dense"},
		{name: "gemm, transposed", file: dense([]*pb.TensorProto{floatTensor("w", shape(2, 3))}, op("Gemm", "y", in("x", "w"), attrInt("transB", 1))),
			x: x, want: []float32{321, 654}, nodes: "Dense"},
		{name: "gemm, alpha and beta", file: dense(tensors(bias), op("Gemm", "y", in("x", "w", "b"), attrFloat("alpha", 2), attrFloat("beta", 0.5))),
			x: x, want: []float32{1562, 2284}, nodes: "Dense"},
		{name: "gemm, beta of zero", file: dense(tensors(bias), op("Gemm", "y", in("x", "w", "b"), attrFloat("beta", 0))), x: x, want: []float32{531, 642}},
		{name: "gemm, one bias for all", file: dense(tensors(floatTensor("b", shape(1, 1), 7)), op("Gemm", "y", in("x", "w", "b"))),
			x: x, want: []float32{538, 649}},
		{name: "gemm, bias of 1 × n", file: dense(tensors(floatTensor("b", shape(1, 2), 1, 2)), op("Gemm", "y", in("x", "w", "b"))), x: x, want: []float32{532, 644}},
		{name: "matmul", file: dense(tensors(), op("MatMul", "y", in("x", "w"))), x: x, want: []float32{531, 642}, nodes: "Dense"},
		{name: "matmul of 1 × 1 × n", file: file{input: []any{1, 1, 3}, init: tensors(bias), nodes: []*pb.NodeProto{
			op("MatMul", "m", in("x", "w")), op("Add", "y", in("b", "m"))}}, x: x, want: []float32{1531, 2642}, nodes: "Reshape Dense"},
		{name: "matmul and add", file: dense(tensors(bias), op("MatMul", "m", in("x", "w")), op("Add", "y", in("m", "b"))),
			x: x, want: []float32{1531, 2642}, nodes: "Dense"},
		{name: "two adds", file: dense(tensors(bias), op("MatMul", "m", in("x", "w")), op("Add", "a", in("b", "m")), op("Add", "y", in("a", "b"))),
			x: x, want: []float32{2531, 4642}, nodes: "Dense"},
		{name: "add after two uses", file: dense(tensors(bias), op("MatMul", "m", in("x", "w")), op("Identity", "i", in("m")),
			op("Add", "a", in("i", "b")), op("Add", "y", in("a", "m"))), x: x, want: []float32{2062, 3284}, nodes: "Dense Affine Add"},
		{name: "vector without batch", file: file{input: []any{3}, init: tensors(bias), nodes: []*pb.NodeProto{
			op("MatMul", "m", in("x", "w")), op("Add", "y", in("m", "b"))}}, x: x, want: []float32{1531, 2642}, nodes: "Dense"},
		{name: "fixed batch", file: file{input: []any{10, 3}, init: tensors(bias), nodes: []*pb.NodeProto{op("Gemm", "y", in("x", "w", "b"))}},
			x: x, want: []float32{1531, 2642}},
		{name: "double", file: dense([]*pb.TensorProto{{Name: "w", DataType: int32(pb.TensorProto_DOUBLE), Dims: shape(3, 1), DoubleData: []float64{1, 2, 3}}},
			op("MatMul", "y", in("x", "w"))), x: x, want: []float32{321}},
		{name: "raw", file: dense([]*pb.TensorProto{{Name: "w", DataType: int32(pb.TensorProto_FLOAT), Dims: shape(3, 1),
			RawData: []byte{0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 128, 191}}}, op("MatMul", "y", in("x", "w"))), x: x, want: []float32{-79}}, // 1, 2, -1
	} {
		t.Run(c.name, c.run)
	}
}

func TestElementwise(t *testing.T) {
	two := []any{"N", 2, 1, 2} // two channels of two
	x := []float32{1, -2, 3, 4}
	with := func(init []*pb.TensorProto, nodes ...*pb.NodeProto) file {
		return file{input: two, init: init, nodes: nodes}
	}
	c2 := []*pb.TensorProto{floatTensor("c", shape(2, 1, 1), 10, 100)}
	one := []*pb.TensorProto{floatTensor("c", shape(), 4)}
	norm := []*pb.TensorProto{floatTensor("s", shape(2), 2, 3), floatTensor("b", shape(2), 10, 20), floatTensor("m", shape(2), 1, 2), floatTensor("v", shape(2), 3, 8)}
	for _, c := range []opCase{
		{name: "relu", file: with(nil, op("Relu", "y", in("x"))), x: x, want: []float32{1, 0, 3, 4}},
		{name: "mul by itself", file: with(nil, op("Mul", "y", in("x", "x"))), x: x, want: []float32{1, 4, 9, 16}, nodes: "Square"},
		{name: "mul by a view of itself", file: with(nil, op("Identity", "i", in("x")), op("Mul", "y", in("i", "x"))), x: x, want: []float32{1, 4, 9, 16}, nodes: "Square"},
		{name: "pow", file: with([]*pb.TensorProto{floatTensor("c", shape(1), 2)}, op("Pow", "y", in("x", "c"))), x: x, want: []float32{1, 4, 9, 16}, nodes: "Square"},
		{name: "pow, integer", file: with([]*pb.TensorProto{intTensor("c", 2)}, op("Pow", "y", in("x", "c"))), x: x, want: []float32{1, 4, 9, 16}, nodes: "Square"},
		{name: "add per channel", file: with(c2, op("Add", "y", in("c", "x"))), x: x, want: []float32{11, 8, 103, 104}, nodes: "Affine"},
		{name: "add for all", file: with(one, op("Add", "y", in("x", "c"))), x: x, want: []float32{5, 2, 7, 8}, nodes: "Affine"},
		{name: "sub", file: with(c2, op("Sub", "y", in("x", "c"))), x: x, want: []float32{-9, -12, -97, -96}},
		{name: "sub from", file: with(one, op("Sub", "y", in("c", "x"))), x: x, want: []float32{3, 6, 1, 0}},
		{name: "mul per channel", file: with(c2, op("Mul", "y", in("c", "x"))), x: x, want: []float32{10, -20, 300, 400}},
		{name: "div", file: with(one, op("Div", "y", in("x", "c"))), x: x, want: []float32{0.25, -0.5, 0.75, 1}},
		{name: "sum of two", file: with(nil, op("Relu", "r", in("x")), op("Add", "y", in("r", "x"))), x: x, want: []float32{2, -2, 6, 8}, nodes: "Relu Add"},
		{name: "sum of two shapes", file: with([]*pb.TensorProto{floatTensor("w", shape(4, 4), 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)},
			op("Relu", "r", in("x")), op("Flatten", "f", in("r")), op("MatMul", "m", in("f", "w")), op("Add", "y", in("f", "m"))),
			x: x, want: []float32{2, 0, 6, 8}, nodes: "Relu Reshape Dense Add"},
		{name: "sum of itself", file: with(nil, op("Add", "y", in("x", "x"))), x: x, want: []float32{2, -4, 6, 8}, nodes: "Add"},
		{name: "batch normalisation", file: with(norm, op("BatchNormalization", "y", in("x", "s", "b", "m", "v"), attrFloat("epsilon", 1))),
			x: x, want: []float32{10, 7, 21, 22}, nodes: "Affine"},
		{name: "batch normalisation of a vector", x: []float32{1, 3}, want: []float32{10, 21}, nodes: "Affine",
			file: file{opset: 9, input: []any{10, 2}, init: norm, nodes: []*pb.NodeProto{op("Unsqueeze", "u", in("x"), attrInts("axes", 2)),
				op("BatchNormalization", "n", in("u", "s", "b", "m", "v"), attrFloat("epsilon", 1)), op("Squeeze", "y", in("n"), attrInts("axes", 2))}}},
		{name: "pad, attributes", file: file{opset: 8, input: two, nodes: []*pb.NodeProto{op("Pad", "y", in("x"), attrInts("pads", 0, 0, 0, 1, 0, 0, 1, 0))}},
			x: x, want: []float32{0, 1, -2, 0, 0, 0, 0, 3, 4, 0, 0, 0}, nodes: "ZeroPad"},
		{name: "pad, inputs", file: with(nil, op("Constant", "p", nil, attrTensor("value", intTensor("", 0, 0, 0, 0, 0, 0, 0, 1))), op("Pad", "y", in("x", "p", ""))),
			x: x, want: []float32{1, -2, 0, 3, 4, 0}, nodes: "ZeroPad"},
		{name: "pad, axes", file: file{opset: 18, input: two, init: []*pb.TensorProto{intTensor("p", 1, 0), intTensor("a", -1), floatTensor("z", shape(), 0)},
			nodes: []*pb.NodeProto{op("Pad", "y", in("x", "p", "z", "a"))}}, x: x, want: []float32{0, 1, -2, 0, 3, 4}, nodes: "ZeroPad"},
		{name: "pad of nothing", file: with([]*pb.TensorProto{intTensor("p", 0, 0, 0, 0, 0, 0, 0, 0)}, op("Pad", "p0", in("x", "p"), attrString("mode", "reflect")),
			op("Relu", "y", in("p0"))), x: x, want: []float32{1, 0, 3, 4}, nodes: "Relu"},
	} {
		t.Run(c.name, c.run)
	}
}

func TestShapes(t *testing.T) {
	sum := floatTensor("w", shape(6, 1), 1, 10, 100, 1000, 10000, 100000)
	image := []any{"N", 2, 1, 3}
	x := []float32{1, 2, 3, 4, 5, 6}
	dense := func(input []any, init []*pb.TensorProto, nodes ...*pb.NodeProto) opCase {
		f := file{input: input, init: append(init, sum), nodes: append(nodes, op("MatMul", "y", in("f", "w")))}
		return opCase{file: f, x: x, want: []float32{654321}, nodes: "Reshape Dense"}
	}
	reshape := func(input []any, to ...int64) opCase {
		return dense(input, []*pb.TensorProto{intTensor("s", to...)}, op("Reshape", "f", in("x", "s")))
	}
	for name, c := range map[string]opCase{
		"flatten":                 dense(image, nil, op("Flatten", "f", in("x"))),
		"flatten, negative axis":  dense(image, nil, op("Flatten", "f", in("x"), attrInt("axis", -3))),
		"flatten, axis 0":         dense(image, nil, op("Flatten", "f", in("x"), attrInt("axis", 0))),
		"reshape":                 reshape(image, 1, 6),
		"reshape, open size":      reshape(image, 1, -1),
		"reshape, open batch":     reshape(image, -1, 6),
		"reshape, kept dimension": reshape(image, 0, -1),
		"reshape, fixed batch":    reshape([]any{10, 2, 1, 3}, 10, 6),
		"reshape, fixed and open": reshape([]any{10, 2, 1, 3}, -1, 6),
		"reshape, batch and zero": reshape([]any{10, 2, 1, 3}, 0, -1),
		"squeeze":                 dense([]any{"N", 6, 1, 1}, nil, op("Squeeze", "f", in("x"), attrInts("axes", 2, -1))),
		"squeeze of all":          dense([]any{"N", 6, 1, 1}, nil, op("Squeeze", "f", in("x"))),
		"squeeze, input":          dense([]any{"N", 6, 1, 1}, []*pb.TensorProto{intTensor("a", 3, 2)}, op("Squeeze", "f", in("x", "a"))),
		"transpose of ones":       dense([]any{"N", 3, 2, 1}, nil, op("Transpose", "t", in("x"), attrInts("perm", 0, 3, 1, 2)), op("Flatten", "f", in("t"))),
		"dropout and identity":    dense(image, nil, op("Dropout", "d", in("x")), op("Identity", "i", in("d")), op("Flatten", "f", in("i"))),
		"dropout with its mode": dense(image, []*pb.TensorProto{{Name: "m", DataType: int32(pb.TensorProto_BOOL), RawData: []byte{0}}},
			op("Dropout", "d", in("x", "", "m")), op("Flatten", "f", in("d"))),
		"cast from float to float": dense(image, nil, op("Cast", "c", in("x"), attrInt("to", 1)), op("Flatten", "f", in("c"))),
		"constant of integers": dense(image, nil, op("Constant", "s", nil, attrInts("value_ints", 1, 6)),
			op("Reshape", "f", in("x", "s"))),
		"shape, gather, unsqueeze, concat": dense(image, []*pb.TensorProto{{Name: "i", DataType: int32(pb.TensorProto_INT64), Int64Data: []int64{0}}, intTensor("a", 0), intTensor("r", -1)},
			op("Shape", "s", in("x")), op("Gather", "g", in("s", "i")), op("Unsqueeze", "u", in("g", "a")), op("Concat", "c", in("u", "r"), attrInt("axis", 0)),
			op("Reshape", "f", in("x", "c"))),
		"shape of part": dense([]any{10, 2, 1, 3}, []*pb.TensorProto{intTensor("r", -1)}, op("Shape", "s", in("x"), attrInt("end", 1)),
			op("Concat", "c", in("s", "r"), attrInt("axis", 0)), op("Reshape", "f", in("x", "c"))),
		"slice of a shape, cast": dense(image, []*pb.TensorProto{intTensor("z", 0), intTensor("o", 1), intTensor("r", -1)}, op("Shape", "s", in("x")),
			op("Slice", "l", in("s", "z", "o", "z")), op("Cast", "d", in("l"), attrInt("to", 1)), op("Cast", "k", in("d"), attrInt("to", 7)),
			op("Concat", "c", in("k", "r"), attrInt("axis", 0)), op("Reshape", "f", in("x", "c"))),
	} {
		if strings.HasPrefix(name, "squeeze") {
			c.nodes = "Dense"
		}
		t.Run(name, c.run)
	}
}

// Weights that reach their operator through others.
func TestConstants(t *testing.T) {
	x := []float32{1, 10, 100}
	six := floatTensor("w", shape(2, 3)) // 1 2 3, 4 5 6
	with := func(init []*pb.TensorProto, nodes ...*pb.NodeProto) file {
		return file{input: []any{1, 3}, init: append(init, six), nodes: append(nodes, op("MatMul", "y", in("x", "v")))}
	}
	for _, c := range []opCase{
		{name: "transpose", file: with(nil, op("Transpose", "v", in("w"))), want: []float32{321, 654}},
		{name: "reshape", file: with([]*pb.TensorProto{intTensor("s", 3, -1)}, op("Reshape", "v", in("w", "s"))), want: []float32{531, 642}},
		{name: "identity and flatten", file: with([]*pb.TensorProto{floatTensor("k", shape(3, 2, 1))}, op("Identity", "i", in("k")), op("Flatten", "v", in("i"))),
			want: []float32{531, 642}},
		{name: "transpose of three", file: with([]*pb.TensorProto{floatTensor("k", shape(1, 2, 3)), intTensor("a", 1)},
			op("Transpose", "p", in("k"), attrInts("perm", 2, 0, 1)), op("Squeeze", "v", in("p", "a"))), want: []float32{321, 654}},
		{name: "gather of columns", file: with([]*pb.TensorProto{intTensor("i", 2, 0, -1)}, op("Gather", "g", in("w", "i"), attrInt("axis", 1)),
			op("Transpose", "v", in("g"))), want: []float32{313, 646}},
		{name: "slice backwards", file: with([]*pb.TensorProto{intTensor("b", -1, 0), intTensor("e", math.MinInt64, 1), intTensor("a", 1, 0), intTensor("s", -1, 1)},
			op("Slice", "l", in("w", "b", "e", "a", "s")), op("Transpose", "v", in("l"))), want: []float32{123}},
		{name: "slice, attributes", file: file{opset: 9, input: []any{1, 3}, init: []*pb.TensorProto{floatTensor("w", shape(4, 2))}, nodes: []*pb.NodeProto{
			op("Slice", "v", in("w"), attrInts("starts", 1), attrInts("ends", 100), attrInts("axes", 0)), op("MatMul", "y", in("x", "v"))}}, want: []float32{753, 864}},
		{name: "constant of shape", file: with([]*pb.TensorProto{intTensor("s", 3, 2)}, op("ConstantOfShape", "v", in("s"), attrTensor("value", floatTensor("", shape(1), 2)))),
			want: []float32{222, 222}},
		{name: "list of floats", file: file{input: []any{1, 3}, init: []*pb.TensorProto{intTensor("s", 3, 1)}, nodes: []*pb.NodeProto{
			op("Constant", "c", nil, &pb.AttributeProto{Name: "value_floats", Floats: []float32{3, 2, 1}}), op("Reshape", "v", in("c", "s")), op("MatMul", "y", in("x", "v"))}},
			want: []float32{123}},
		{name: "float", file: file{input: []any{1, 3}, nodes: []*pb.NodeProto{op("Constant", "c", nil, attrFloat("value_float", 2)), op("Mul", "y", in("c", "x"))}},
			want: []float32{2, 20, 200}},
		{name: "integers of 32 bits", file: with([]*pb.TensorProto{{Name: "s", DataType: int32(pb.TensorProto_INT32), Dims: shape(2), RawData: []byte{3, 0, 0, 0, 255, 255, 255, 255}},
			{Name: "k", DataType: int32(pb.TensorProto_INT32), Dims: shape(6), Int32Data: []int32{1, 2, 3, 4, 5, 6}}},
			op("Cast", "f", in("k"), attrInt("to", 1)), op("Reshape", "v", in("f", "s"))), want: []float32{531, 642}},
		{name: "raw double", file: with([]*pb.TensorProto{{Name: "v", DataType: int32(pb.TensorProto_DOUBLE), Dims: shape(3, 1), RawData: append(make([]byte, 16), 0, 0, 0, 0, 0, 0, 240, 63)}}),
			want: []float32{100}},
		{name: "constant", file: with(nil, op("Constant", "v", nil, attrTensor("value", floatTensor("", shape(3, 1))))), want: []float32{321}},
	} {
		c.x = x
		t.Run(c.name, c.run)
	}
}

func TestHeads(t *testing.T) {
	x := []float32{1, 2, 3}
	head := func(opset int64, nodes ...*pb.NodeProto) file {
		return file{opset: opset, input: []any{"N", 3}, nodes: append([]*pb.NodeProto{op("Relu", "r", in("x"))}, nodes...)}
	}
	for _, c := range []opCase{
		{name: "softmax 9", head: nn.HeadSoftmax, file: head(9, op("Softmax", "y", in("r")))},
		{name: "softmax 13", head: nn.HeadSoftmax, file: head(13, op("Softmax", "y", in("r")))},
		{name: "log-softmax", head: nn.HeadLogSoftmax, file: head(13, op("LogSoftmax", "y", in("r"), attrInt("axis", 1)))},
		{name: "arg-max", head: nn.HeadArgMax, file: head(13, op("ArgMax", "y", in("r"), attrInt("axis", 1), attrInt("keepdims", 0)))},
		{name: "arg-max of softmax, cast", head: nn.HeadArgMax, file: head(13, op("Softmax", "s", in("r")), op("ArgMax", "a", in("s"), attrInt("axis", -1)),
			op("Cast", "y", in("a"), attrInt("to", 6)))},
		{name: "softmax, reshaped", head: nn.HeadSoftmax, file: head(9, op("Softmax", "s", in("r"), attrInt("axis", 1)), op("Unsqueeze", "y", in("s"), attrInts("axes", 0)))},
	} {
		c.x, c.want, c.nodes = x, x, "Relu"
		t.Run(c.name, c.run)
	}
	planes := file{opset: 9, input: []any{10, 3, 1, 1}, nodes: []*pb.NodeProto{op("Softmax", "y", in("x"))}}
	opCase{file: planes, x: x, want: x, head: nn.HeadSoftmax}.run(t)
}
