package onnx

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"dorcas/nn"
	"dorcas/nn/onnx/internal/pb"
)

// numberTensor is a constant of one number without dimensions.
func numberTensor(name string, v float32) *pb.TensorProto {
	return &pb.TensorProto{Name: name, DataType: int32(pb.TensorProto_FLOAT), FloatData: []float32{v}}
}

// Chains of operators on each element become as few nodes as there can be.
func TestFunctions(t *testing.T) {
	init := []*pb.TensorProto{
		numberTensor("half", 0.5), numberTensor("one", 1), numberTensor("three", 3), numberTensor("six", 6), numberTensor("zero", 0),
		numberTensor("root", math.Sqrt2), numberTensor("learned", 1.3572468), floatTensor("k", shape(1, 1, 1, 1), 1),
	}
	for name, c := range map[string]struct {
		nodes  []*pb.NodeProto
		want   string
		table  string // name of the table
		params []float64
	}{
		"relu 6":       {[]*pb.NodeProto{op("Clip", "y", in("x", "zero", "six"))}, "Table", "clip", []float64{0, 6}},
		"relu twice":   {[]*pb.NodeProto{op("Relu", "a", in("x")), op("Clip", "y", in("a", "", "six"))}, "Table", "clip", []float64{0, 6}},
		"relu":         {[]*pb.NodeProto{op("Max", "y", in("x", "zero"))}, "Relu", "", nil},
		"leaky":        {[]*pb.NodeProto{op("LeakyRelu", "y", in("x"), attrFloat("alpha", 0.125))}, "Table", "leaky_relu", []float64{0.125}},
		"hard sigmoid": {[]*pb.NodeProto{op("HardSigmoid", "y", in("x"), attrFloat("alpha", 0.25))}, "Affine Table", "clip", []float64{0, 1}},
		"hard swish": {[]*pb.NodeProto{op("Add", "a", in("x", "three")), op("Clip", "b", in("a", "zero", "six")), op("Mul", "c", in("x", "b")),
			op("Div", "y", in("c", "six"))}, "Table", "0.166667*x*clip((x+3),0,6)", nil},
		"swish": {[]*pb.NodeProto{op("Sigmoid", "a", in("x")), op("Mul", "y", in("x", "a"))}, "Table", "x*sigmoid(x)", nil},
		"gelu": {[]*pb.NodeProto{op("Div", "a", in("x", "root")), op("Erf", "b", in("a")), op("Add", "c", in("b", "one")), op("Mul", "d", in("x", "c")),
			op("Mul", "y", in("d", "half"))}, "Table", "0.5*x*(erf(0.707107*x)+1)", nil},
		"of a function with other uses": {[]*pb.NodeProto{op("Tanh", "a", in("x")), op("Softplus", "b", in("a")), op("Conv", "c", in("a", "k")), op("Add", "y", in("b", "c"))},
			"Table Conv Table Add", "tanh(x)", nil},
		"learned before":          {[]*pb.NodeProto{op("Mul", "a", in("x", "learned")), op("Tanh", "y", in("a"))}, "Affine Table", "tanh(x)", nil},
		"learned after":           {[]*pb.NodeProto{op("Tanh", "a", in("x")), op("Mul", "y", in("a", "learned"))}, "Table Affine", "tanh(x)", nil},
		"learned, then a diamond": {[]*pb.NodeProto{op("Mul", "m", in("x", "learned")), op("Sigmoid", "a", in("m")), op("Mul", "y", in("m", "a"))}, "Affine Table", "x*sigmoid(x)", nil},
		"affine of relu":          {[]*pb.NodeProto{op("Relu", "a", in("x")), op("Mul", "y", in("a", "half"))}, "Relu Affine", "", nil},
		"slope a channel":         {[]*pb.NodeProto{op("PRelu", "y", in("x", "learned"))}, "Relu Affine Affine Add", "", nil},
		"square of a sum":         {[]*pb.NodeProto{op("Add", "a", in("x", "one")), op("Mul", "y", in("a", "a"))}, "Affine Square", "", nil},
		"sum with its relu":       {[]*pb.NodeProto{op("Relu", "a", in("x")), op("Add", "y", in("x", "a"))}, "Relu Add", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := opCase{file: file{input: []any{"N", 1, 1, 4}, init: init, nodes: append(c.nodes, op("Identity", "z", in("y")))}, nodes: c.want}
			g, err := c.file.read(t)
			if err != nil {
				t.Fatal(err)
			}
			checkNodes(t, g, c.nodes)
		})
		if c.table == "" {
			continue
		}
		g, err := file{input: []any{"N", 1, 1, 4}, init: init, nodes: append(c.nodes, op("Identity", "z", in("y")))}.read(t)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(g.Nodes, func(n nn.Node) bool { return n.Op == nn.NodeTable })
		if f := g.Nodes[i].Func; f.Name != c.table || !slices.Equal(f.Params, c.params) {
			t.Errorf("%s: table is %q with %v, want %q with %v", name, f.Name, f.Params, c.table, c.params)
		}
	}
}

// A network that keeps channels last needs no transposition inside.
func TestChannelsLast(t *testing.T) {
	opCase{
		file: file{input: []any{1, 2, 2, 2}, init: []*pb.TensorProto{floatTensor("b", shape(2)), floatTensor("w", shape(2, 3)), floatTensor("s", shape(3))}, nodes: []*pb.NodeProto{
			op("Transpose", "last", in("x"), attrInts("perm", 0, 2, 3, 1)),
			op("Mul", "m", in("last", "b")), op("Relu", "r", in("m")), op("MatMul", "d", in("r", "w")), op("Add", "a", in("d", "s")),
			op("Transpose", "y", in("a"), attrInts("perm", 0, 3, 1, 2)),
		}},
		nodes: "Affine Relu Conv",
		x:     []float32{1, -1, 2, 3, 1, 1, -1, 0},
		// (x0, 2·x1), rectified, times (1 2 3; 4 5 6), plus (1 2 3).
		want: []float32{10, 9, 3, 4, 14, 12, 6, 8, 18, 15, 9, 12},
	}.run(t)
}

// Integer weights stay known, whatever way they take to their layer.
func TestQuantizedWeights(t *testing.T) {
	bytes := func(name string, dims []int64, v ...int8) *pb.TensorProto {
		p := &pb.TensorProto{Name: name, DataType: int32(pb.TensorProto_INT8), Dims: dims}
		for _, b := range v {
			p.RawData = append(p.RawData, byte(b))
		}
		return p
	}
	init := []*pb.TensorProto{
		bytes("w", shape(2, 3), 1, -2, 3, -4, 5, -6), floatTensor("s3", shape(3), 0.5, 0.25, 1), floatTensor("s2", shape(2), 0.5, 0.25),
		bytes("z3", shape(3), 0, 1, 0), numberTensor("s", 0.5), bytes("z", shape(), 1),
		{Name: "b", DataType: int32(pb.TensorProto_INT32), Dims: shape(3), Int32Data: []int32{10, 20, 30}},
	}
	dequantize := func(name string, inputs []string, axis int64) *pb.NodeProto {
		return op("DequantizeLinear", name, inputs, attrInt("axis", axis))
	}
	for name, c := range map[string]struct {
		nodes []*pb.NodeProto
		want  nn.Quantized
		y     []float32
	}{
		"columns": {[]*pb.NodeProto{dequantize("d", in("w", "s3", "z3"), 1), op("MatMul", "y", in("x", "d"))},
			nn.Quantized{Weights: []int32{1, -4, -2, 5, 3, -6}, Scale: []float32{0.5, 0.25, 1}, Zero: []int32{0, 1, 0}},
			[]float32{-19.5, 9.25, -57}},
		"one scale, bias": {[]*pb.NodeProto{dequantize("d", in("w", "s", "z"), 0), dequantize("c", in("b", "s"), 0), op("Gemm", "y", in("x", "d", "c"))},
			nn.Quantized{Weights: []int32{1, -4, -2, 5, 3, -6}, Scale: []float32{0.5}, Zero: []int32{1}, Bias: []int32{10, 20, 30}, BiasScale: []float32{0.5}},
			[]float32{-20, 28.5, -19}},
	} {
		t.Run(name, func(t *testing.T) {
			f := opCase{file: file{input: []any{1, 2}, init: init, nodes: c.nodes}, x: []float32{1, 10}, want: c.y, nodes: "Dense"}
			f.run(t)
			g, err := f.file.read(t)
			if err != nil {
				t.Fatal(err)
			}
			q := g.Nodes[0].Quantized
			if q == nil || !slices.Equal(q.Weights, c.want.Weights) || !slices.Equal(q.Scale, c.want.Scale) || !slices.Equal(q.Zero, c.want.Zero) ||
				!slices.Equal(q.Bias, c.want.Bias) || !slices.Equal(q.BiasScale, c.want.BiasScale) {
				t.Fatalf("integers are %+v, want %+v", q, c.want)
			}
		})
	}
	// Rows with scales of their own: those of a matrix [in][out] fit no output.
	g, err := file{input: []any{1, 2}, init: init, nodes: []*pb.NodeProto{dequantize("d", in("w", "s2"), 0), op("MatMul", "y", in("x", "d"))}}.read(t)
	if err != nil || g.Nodes[0].Quantized != nil {
		t.Errorf("graph %+v, error %v", g, err)
	}
}

// Activations between QuantizeLinear and DequantizeLinear are rounded.
func TestFakeQuantize(t *testing.T) {
	init := []*pb.TensorProto{numberTensor("s", 0.25), {Name: "z", DataType: int32(pb.TensorProto_UINT8), Int32Data: []int32{128}}}
	c := opCase{
		file: file{input: []any{1, 4}, init: init, nodes: []*pb.NodeProto{
			op("QuantizeLinear", "q", in("x", "s", "z")), op("Flatten", "f", in("q")), op("DequantizeLinear", "y", in("f", "s", "z"))}},
		nodes: "Table", x: []float32{0.3, 0.375, -100, 100}, want: []float32{0.25, 0.5, -32, 31.75},
	}
	c.run(t)
	g, _ := c.file.read(t)
	if f := g.Nodes[0].Func; f.Name != "quantize" || !slices.Equal(f.Params, []float64{0.25, 128, 0, 255}) {
		t.Errorf("function is %q with %v", f.Name, f.Params)
	}
}

// A Relu before integers that start at 0 does nothing; one before others stays.
func TestQuantizeRelu(t *testing.T) {
	init := []*pb.TensorProto{numberTensor("s", 0.25), {Name: "zero", DataType: int32(pb.TensorProto_UINT8), Int32Data: []int32{0}},
		{Name: "middle", DataType: int32(pb.TensorProto_UINT8), Int32Data: []int32{128}}}
	for zero, nodes := range map[string]string{"zero": "Table", "middle": "Relu Table"} {
		opCase{
			file: file{input: []any{1, 4}, init: init, nodes: []*pb.NodeProto{
				op("Relu", "r", in("x")), op("QuantizeLinear", "q", in("r", "s", zero)), op("DequantizeLinear", "y", in("q", "s", zero))}},
			nodes: nodes, x: []float32{0.3, -0.375, -100, 20}, want: []float32{0.25, 0, 0, 20},
		}.run(t)
	}
}

// ml is a node of scikit-learn's exporter.
func ml(p *pb.NodeProto) *pb.NodeProto {
	p.Domain = "ai.onnx.ml"
	return p
}

// Perceptrons as scikit-learn's exporter writes them, with labels beside the
// probabilities.
func TestScikitLearn(t *testing.T) {
	labels := &pb.TensorProto{Name: "classes", DataType: int32(pb.TensorProto_INT64), Dims: shape(2), Int64Data: []int64{0, 1}}
	scaler := ml(op("Scaler", "scaled", in("x"), &pb.AttributeProto{Name: "offset", Type: pb.AttributeProto_FLOATS, Floats: []float32{1, 2}},
		&pb.AttributeProto{Name: "scale", Type: pb.AttributeProto_FLOATS, Floats: []float32{2, 0.5}}))
	for name, c := range map[string]struct {
		nodes []*pb.NodeProto
		head  nn.Head
		want  []float32
	}{
		"two classes": {[]*pb.NodeProto{scaler, op("Cast", "f", in("scaled"), attrInt("to", 1)), op("MatMul", "m", in("f", "w1")), op("Add", "a", in("m", "b1")),
			op("Sigmoid", "p", in("a")), op("Sub", "n", in("one", "p")), op("Concat", "both", in("n", "p"), attrInt("axis", 1)),
			op("ArgMax", "i", in("both"), attrInt("axis", 1)), ml(op("ArrayFeatureExtractor", "label", in("classes", "i"))),
			ml(op("ZipMap", "probabilities", in("both")))}, nn.HeadSigmoid, []float32{-7.5, 7.5}},
		"three classes": {[]*pb.NodeProto{op("MatMul", "m", in("x", "w3")), op("Add", "a", in("m", "b3")), op("Softmax", "p", in("a"), attrInt("axis", 1)),
			op("ArgMax", "i", in("p"), attrInt("axis", 1)), ml(op("ArrayFeatureExtractor", "label", in("classes", "i"))),
			ml(op("ZipMap", "probabilities", in("p")))}, nn.HeadSoftmax, []float32{24, 33, 42}},
	} {
		t.Run(name, func(t *testing.T) {
			m := file{input: []any{"N", 2}, nodes: c.nodes, init: []*pb.TensorProto{labels, floatTensor("w1", shape(2, 1)), floatTensor("b1", shape(1), 0.5),
				floatTensor("one", shape(1), 1), floatTensor("w3", shape(2, 3)), floatTensor("b3", shape(3))}}.model()
			integers := &pb.TypeProto{Value: &pb.TypeProto_TensorType{TensorType: &pb.TypeProto_Tensor{ElemType: int32(pb.TensorProto_INT64)}}}
			m.Graph.Output = append([]*pb.ValueInfoProto{{Name: "label", Type: integers}}, m.Graph.Output...)
			g, err := Read(bytes.NewReader(encode(t, m)))
			if err != nil {
				t.Fatal(err)
			}
			y, err := g.Run([]float32{3, 5})
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range c.want {
				if math.Abs(float64(y[i]-w)) > 1e-4 {
					t.Fatalf("scores are %v, want %v", y, c.want)
				}
			}
			if g.Head != c.head {
				t.Errorf("head is %v, want %v", g.Head, c.head)
			}
		})
	}
}

// The label alone, through names of classes.
func TestLabelOnly(t *testing.T) {
	opCase{file: file{input: []any{1, 3}, init: []*pb.TensorProto{intTensor("names", 7, 8, 9)}, nodes: []*pb.NodeProto{
		op("Relu", "r", in("x")), op("Softmax", "s", in("r")), op("ArgMax", "i", in("s"), attrInt("axis", 1)), ml(op("ArrayFeatureExtractor", "a", in("names", "i"))),
		op("Cast", "c", in("a"), attrInt("to", 7)), op("Reshape", "y", in("c", "names"))}[:5]},
		x: []float32{1, 3, 2}, want: []float32{1, 3, 2}, head: nn.HeadArgMax}.run(t)
}

// What the first nodes do tells what the dimensions of an input mean.
func TestInputLayout(t *testing.T) {
	init := []*pb.TensorProto{floatTensor("k", shape(1, 3, 1, 1)), floatTensor("line", shape(1, 3, 2)), floatTensor("c", shape(3)), intTensor("flat", 1, -1)}
	toFirst := attrInts("perm", 0, 3, 1, 2)
	for name, c := range map[string]struct {
		input []any
		nodes []*pb.NodeProto
		want  nn.Dims
		last  bool
	}{
		"channels first":    {[]any{"N", 3, 8, 9}, []*pb.NodeProto{op("Conv", "y", in("x", "k"))}, nn.Dims{C: 3, H: 8, W: 9}, false},
		"channels last":     {[]any{"N", 8, 9, 3}, []*pb.NodeProto{op("Sub", "s", in("x", "c")), op("Transpose", "t", in("s"), toFirst), op("Conv", "y", in("t", "k"))}, nn.Dims{C: 3, H: 8, W: 9}, true},
		"one channel last":  {[]any{"N", 8, 9, 1}, []*pb.NodeProto{op("Flatten", "y", in("x"))}, nn.Dims{C: 1, H: 8, W: 9}, false},
		"flattened picture": {[]any{"N", 8, 9, 3}, []*pb.NodeProto{op("Flatten", "y", in("x"))}, nn.Dims{C: 3, H: 8, W: 9}, true},
		"plane":             {[]any{"N", 8, 9}, []*pb.NodeProto{op("Reshape", "y", in("x", "flat"))}, nn.Dims{C: 1, H: 8, W: 9}, false},
		"line":              {[]any{"N", 3, 9}, []*pb.NodeProto{op("Conv", "y", in("x", "line"))}, nn.Dims{C: 3, H: 1, W: 9}, false},
		"vector":            {[]any{"N", 6, 1, 1}, []*pb.NodeProto{op("Flatten", "y", in("x"))}, nn.Dims{C: 6, H: 1, W: 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := file{input: c.input, init: init, nodes: c.nodes}.read(t)
			if err != nil {
				t.Fatal(err)
			}
			if g.Input != c.want || g.ChannelsLast != c.last {
				t.Errorf("input is %v, channels last %v; want %v, %v", g.Input, g.ChannelsLast, c.want, c.last)
			}
			if g.Fold().ChannelsLast != c.last {
				t.Error("forgotten by Fold")
			}
		})
	}
}
