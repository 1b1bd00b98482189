package onnx

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"dorcas/nn/onnx/internal/pb"
)

// small is a convolution, pooling and a dense layer, to be damaged.
func small() *pb.ModelProto {
	return file{
		input: []any{"N", 1, 4, 4},
		init: []*pb.TensorProto{
			floatTensor("w", shape(2, 1, 3, 3)), floatTensor("b", shape(2)), intTensor("s", 1, -1),
			floatTensor("v", shape(8, 3)), {Name: "raw", DataType: int32(pb.TensorProto_FLOAT), Dims: shape(3), RawData: make([]byte, 12)},
		},
		nodes: []*pb.NodeProto{
			op("Conv", "conv", in("x", "w", "b"), kernelOf(3), attrInts("pads", 1, 1, 1, 1)),
			op("Relu", "relu", in("conv")),
			op("MaxPool", "pool", in("relu"), kernelOf(2), attrInts("strides", 2, 2)),
			op("Reshape", "flat", in("pool", "s")),
			op("Gemm", "y", in("flat", "v", "raw")),
		},
	}.model()
}

// huge is a list of n dimensions of d.
func huge(n int, d int64) []int64 {
	dims := make([]int64, n)
	for i := range dims {
		dims[i] = d
	}
	return dims
}

func setDim(m *pb.ModelProto, i int, v int64) {
	m.Graph.Input[0].GetType().GetTensorType().Shape.Dim[i].Value = &pb.TensorShapeProto_Dimension_DimValue{DimValue: v}
}

// A damage makes the small model malformed; want is part of the error.
type damage struct {
	name string
	do   func(m *pb.ModelProto, g *pb.GraphProto)
	want string
}

// malformedInputs are about inputs, outputs and opset.
var malformedInputs = []damage{
	{"no graph", func(m *pb.ModelProto, g *pb.GraphProto) { m.Graph = nil }, "holds no graph"},
	{"no opset", func(m *pb.ModelProto, g *pb.GraphProto) { m.OpsetImport[0].Domain = "ai.onnx.ml" }, "which opset"},
	{"old opset", func(m *pb.ModelProto, g *pb.GraphProto) { m.OpsetImport[0].Version = 6 }, "opset 6"},
	{"new opset", func(m *pb.ModelProto, g *pb.GraphProto) { m.OpsetImport[0].Version = 22 }, "opset 22"},
	{"no output", func(m *pb.ModelProto, g *pb.GraphProto) { g.Output = nil }, "0 outputs"},
	{"two outputs", func(m *pb.ModelProto, g *pb.GraphProto) { g.Output = append(g.Output, g.Output[0]) }, "2 outputs"},
	{"output of no node", func(m *pb.ModelProto, g *pb.GraphProto) { g.Output[0].Name = "z" }, `output "z"`},
	{"output is a constant", func(m *pb.ModelProto, g *pb.GraphProto) { g.Output[0].Name = "w" }, `output "w"`},
	{"output from constants", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node = append(g.Node, op("Identity", "i", in("w")))
		g.Output[0].Name = "i"
	}, "0 inputs"},
	{"no input", func(m *pb.ModelProto, g *pb.GraphProto) { g.Input = nil }, `nothing computes its input "x"`},
	{"two inputs", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Input = append(g.Input, &pb.ValueInfoProto{Name: "b2"})
		g.Node[0].Input[2] = "b2"
	}, "2 inputs"},
	{"input twice", func(m *pb.ModelProto, g *pb.GraphProto) { g.Input = append(g.Input, g.Input[0]) }, `input "x"`},
	{"input computed", func(m *pb.ModelProto, g *pb.GraphProto) { g.Input[0].Name = "relu" }, `"relu" is computed twice`},
	{"input of integers", func(m *pb.ModelProto, g *pb.GraphProto) { g.Input[0].GetType().GetTensorType().ElemType = 7 }, "INT64"},
	{"input without type", func(m *pb.ModelProto, g *pb.GraphProto) { g.Input[0].Type = nil }, "no tensor"},
	{"input without shape", func(m *pb.ModelProto, g *pb.GraphProto) { g.Input[0].GetType().GetTensorType().Shape = nil }, "0 dimensions"},
	{"open height", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Input[0].GetType().GetTensorType().Shape.Dim[2].Value = &pb.TensorShapeProto_Dimension_DimParam{DimParam: "height"}
	}, `"height", is left open`},
	{"unknown height", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Input[0].GetType().GetTensorType().Shape.Dim[2].Value = nil
	}, "left open"},
	{"height 0", func(m *pb.ModelProto, g *pb.GraphProto) { setDim(m, 2, 0) }, "dimension 2 is 0"},
	{"batch -1", func(m *pb.ModelProto, g *pb.GraphProto) { setDim(m, 0, -1) }, "dimension 0 is -1"},
	{"huge height", func(m *pb.ModelProto, g *pb.GraphProto) { setDim(m, 2, math.MaxInt64) }, "dimension 2 is"},
	{"huge product", func(m *pb.ModelProto, g *pb.GraphProto) {
		setDim(m, 1, 1<<20)
		setDim(m, 2, 1<<20)
		setDim(m, 3, 1<<24)
	}, "elements"},
	{"large input", func(m *pb.ModelProto, g *pb.GraphProto) {
		setDim(m, 2, 1<<12)
		setDim(m, 3, 1<<13)
		g.Output[0].Name = "relu"
	}, "elements"},
}

// malformedGraphs are about the tensors between nodes.
var malformedGraphs = []damage{
	{"cycle", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Input[0] = "pool" }, "depends on its output"},
	{"cycle of one", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Input[0] = "relu" }, "depends on its output"},
	{"missing tensor", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Input[0] = "nothing" }, `nothing computes its input "nothing"`},
	{"missing input", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Input = nil }, "0 inputs"},
	{"missing weights", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[0].Input = in("x") }, "weights: input 1 is missing"},
	{"computed twice", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Output[0] = "conv" }, `"conv" is computed twice`},
	{"constant computed", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Output[0] = "w" }, `"w" is computed twice`},
	{"constant twice", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].Name = "b" }, `initializer "b"`},
}

// malformedConstants are about constants.
var malformedConstants = []damage{
	{"external data", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].DataLocation = pb.TensorProto_EXTERNAL }, "external data"},
	{"segments", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].Segment = &pb.TensorProto_Segment{} }, "segments"},
	{"too few numbers", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].FloatData = g.Initializer[0].FloatData[1:] }, "needs 18 numbers, the file holds 17"},
	{"numbers of another type", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].DataType = int32(pb.TensorProto_INT64) }, "holds 0"},
	{"truncated raw data", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[4].RawData = make([]byte, 11) }, `"raw"`},
	{"too much raw data", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[4].RawData = make([]byte, 13) }, `"raw"`},
	{"negative dimension", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].Dims[0] = -2 }, "dimension 0 is -2"},
	{"dimensions that overflow", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].Dims = huge(4, 1<<16) }, "elements"},
	{"dimensions beyond int", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].Dims = huge(4, 1<<62) }, "dimension 0 is"},
	{"many dimensions", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].Dims = huge(1000, 1) }, "1000 dimensions"},
	{"infinite weight", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].FloatData[0] = float32(math.Inf(1)) }, "parameter 0 is +Inf"},
	{"weight that is no number", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].FloatData[1] = float32(math.NaN()) }, "parameter 1 is NaN"},
	{"factor that is no number", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, floatTensor("nan", shape(1), float32(math.NaN())))
		g.Node[1] = op("Mul", "relu", in("conv", "nan"))
	}, "no numbers"},
	{"division by 0", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, floatTensor("zero", shape(1), 0))
		g.Node[1] = op("Div", "relu", in("conv", "zero"))
	}, "a divisor is 0"},
	{"bound that is no number", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, floatTensor("nan", shape(1), float32(math.NaN())))
		g.Node[1] = op("Clip", "relu", in("conv", "nan"))
	}, "min is NaN"},
	{"integer weights", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer[1] = intTensor("b", 1, 2)
	}, "integers, want floats"},
}

// malformedNodes are about operators.
var malformedNodes = []damage{
	{"channels", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].Dims = shape(1, 2, 3, 3) }, "weights of shape"},
	{"empty window", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer[0] = &pb.TensorProto{Name: "w", DataType: 1, Dims: shape(2, 1, 0, 3)}
		g.Node[0].Attribute = nil
	}, "kernel_shape"},
	{"no kernels", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer[0] = &pb.TensorProto{Name: "w", DataType: 1, Dims: shape(0, 1, 3, 3)}
		g.Node[0].Input = in("x", "w")
	}, "empty"},
	{"biases", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[1] = floatTensor("b", shape(3)) }, "3 biases for 2 channels"},
	{"kernel_shape", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[0].Attribute[0].Ints[0] = 5 }, "kernel_shape"},
	{"attribute type", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[0].Attribute[0].Type = pb.AttributeProto_INT }, "attribute kernel_shape has type INT"},
	{"pads", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[0].Attribute[1].Ints[0] = -1 }, "pads"},
	{"number of pads", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[0].Attribute[1].Ints = shape(1) }, "want 4"},
	{"auto_pad", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[0].Attribute[1] = attrString("auto_pad", "SOME") }, `auto_pad is "SOME"`},
	{"stride", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[2].Attribute[1].Ints[0] = 0 }, "strides"},
	{"huge stride", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[2].Attribute[1].Ints[0] = math.MaxInt64 }, "strides"},
	{"window", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[2].Attribute[0].Ints[0] = 5 }, "larger than its input"},
	{"no window", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[2].Attribute = nil }, "kernel_shape"},
	{"reshape", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[2] = intTensor("s", 1, 9) }, "reshape from [1 2 2 2] to [1 9]"},
	{"reshape with two open", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[2] = intTensor("s", -1, -1) }, "reshape"},
	{"reshape that overflows", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[2] = intTensor("s", 1<<28, 1<<28, 1<<28, -1) }, "reshape"},
	{"reshape to nothing", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer[2] = intTensor("s", 0, -1)
		g.Node[3].Attribute = append(g.Node[3].Attribute, attrInt("allowzero", 1))
	}, "reshape"},
	{"reshape to floats", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[2] = floatTensor("s", shape(2), 1, 8) }, "list of integers"},
	{"gemm", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[3].Dims = shape(3, 8) }, "product of shapes"},
	{"alpha", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[4].Attribute = append(g.Node[4].Attribute, attrFloat("alpha", float32(math.NaN())))
	}, "alpha"},
	{"axis", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[3] = op("Flatten", "flat", in("pool"), attrInt("axis", 5))
	}, "axis 5"},
	{"squeeze", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[3] = op("Squeeze", "flat", in("pool"), attrInts("axes", 1))
	}, "is not 1"},
	{"unsqueeze", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[3] = op("Unsqueeze", "flat", in("pool"), attrInts("axes", 0, 0))
	}, "not distinct"},
	{"unsqueeze too much", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[3] = op("Unsqueeze", "flat", in("pool"), attrInts("axes", huge(100, 0)...))
	}, "axes"},
	{"perm", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[3] = op("Transpose", "flat", in("pool"), attrInts("perm", 0, 1, 1, 3))
	}, "perm"},
	{"variance", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, floatTensor("neg", shape(2), 1, -1))
		g.Node[1] = op("BatchNormalization", "relu", in("conv", "b", "b", "b", "neg"))
	}, "variance of channel 1"},
	{"normalised channels", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[1] = op("BatchNormalization", "relu", in("conv", "raw", "b", "b", "b"))
	}, "3 numbers for 2 channels"},
	{"indices", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, intTensor("i", 18))
		g.Node[0].Input[2] = "gathered"
		g.Node = append([]*pb.NodeProto{op("Gather", "gathered", in("b", "i"))}, g.Node...)
	}, "axis 18"},
	{"groups", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[0].Attribute = append(g.Node[0].Attribute, attrInt("group", 0))
	}, "0 groups"},
	{"more groups than channels", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[0].Attribute = append(g.Node[0].Attribute, attrInt("group", math.MaxInt64))
	}, "groups of 1 channels"},
	{"parts", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[2] = op("Split", "pool", in("relu"), attrInt("axis", 1))
		g.Initializer = append(g.Initializer, intTensor("sizes", math.MaxInt64))
		g.Node[2].Input = in("relu", "sizes")
	}, "parts"},
	{"sizes", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, intTensor("sizes", 1, 2, math.MaxInt64, 2))
		g.Node[2] = op("Resize", "pool", in("relu", "", "", "sizes"))
	}, "sizes"},
	{"scales", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, floatTensor("scales", shape(4), 1, 1, 1e30, float32(math.NaN())))
		g.Node[2] = op("Resize", "pool", in("relu", "", "scales"))
	}, "scales"},
	{"huge border", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, intTensor("p", 0, 0, math.MaxInt64, 0, 0, 0, 0, math.MinInt64))
		g.Node[2] = op("Pad", "pool", in("relu", "p"))
	}, "pads"},
	{"nothing left", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, intTensor("p", 0, 0, -2, 0, 0, 0, -2, 0))
		g.Node[2] = op("Pad", "pool", in("relu", "p"))
	}, "nothing is left"},
	{"scale of integers", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, floatTensor("scale", shape(1), -1))
		g.Node[2] = op("QuantizeLinear", "pool", in("relu", "scale"))
	}, "scale -1"},
	{"broadcast", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Node[2] = op("Add", "pool", in("relu", "x2"))
		g.Node = append([]*pb.NodeProto{op("MaxPool", "x2", in("x"), kernelOf(2))}, g.Node...)
	}, "do not go together"},
	{"steps", func(m *pb.ModelProto, g *pb.GraphProto) {
		g.Initializer = append(g.Initializer, intTensor("i", 0))
		g.Node[0].Input[2] = "sliced"
		g.Node = append([]*pb.NodeProto{op("Slice", "sliced", in("b", "i", "i", "i", "i"))}, g.Node...)
	}, "steps [0]"},
}

func TestMalformed(t *testing.T) {
	if _, err := Read(bytes.NewReader(encode(t, small()))); err != nil {
		t.Fatal(err)
	}
	for _, c := range slices.Concat(malformedInputs, malformedGraphs, malformedConstants, malformedNodes) {
		t.Run(c.name, func(t *testing.T) {
			m := small()
			c.do(m, m.Graph)
			g, err := Read(bytes.NewReader(encode(t, m)))
			var unsupported *UnsupportedError
			if err == nil || errors.As(err, &unsupported) || g != nil {
				t.Fatalf("graph %v, error %v", g, err)
			}
			if !strings.HasPrefix(err.Error(), "onnx: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %q, want %q in it", err, c.want)
			}
		})
	}
}

// Messages in messages, thousands deep, are skipped as what they are: graphs
// inside of graphs.
func TestDeepNesting(t *testing.T) {
	inner := []byte{}
	for range 5000 { // attribute 6 of a node's attribute 5 of a graph's node 1
		for _, field := range []byte{1, 5, 6} {
			inner = protowire.AppendBytes(protowire.AppendTag(nil, protowire.Number(field), protowire.BytesType), inner)
		}
	}
	m := small()
	m.Graph.Node[1].OpType = "If"
	m.Graph.Node[1].ProtoReflect().SetUnknown(inner)
	data := encode(t, m)
	if _, err := Read(bytes.NewReader(data)); err == nil || !strings.Contains(err.Error(), "graphs inside of graphs are not supported") {
		t.Errorf("error is %.200v", err)
	}
	groups := append(bytes.Repeat([]byte{0x3b}, 1<<16), data...) // begun and never ended
	if _, err := Read(bytes.NewReader(groups)); err == nil {
		t.Error("open groups are no error")
	}
}

func TestNotONNX(t *testing.T) {
	for _, data := range []string{"", "hello, world", "\x89PNG\r\n\x1a\n", strings.Repeat("\xff", 100)} {
		if _, err := Read(strings.NewReader(data)); err == nil || !strings.Contains(err.Error(), "not an ONNX file") {
			t.Errorf("%q: error is %v", data, err)
		}
	}
	if _, err := ReadFile("there-is-no-such-file.onnx"); err == nil {
		t.Error("a missing file is no error")
	}
	whole := encode(t, small())
	for n := range whole {
		if _, err := Read(bytes.NewReader(whole[:n])); err == nil {
			t.Fatalf("the first %d of %d bytes are no error", n, len(whole))
		}
	}
}
