package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

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

func TestMalformed(t *testing.T) {
	if _, err := Read(bytes.NewReader(encode(t, small()))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		damage func(m *pb.ModelProto, g *pb.GraphProto)
		want   string
	}{
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
		{"input of integers", func(m *pb.ModelProto, g *pb.GraphProto) { g.Input[0].GetType().GetTensorType().ElemType = 2 }, "UINT8"},
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

		{"cycle", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Input[0] = "pool" }, "depends on its output"},
		{"cycle of one", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Input[0] = "relu" }, "depends on its output"},
		{"missing tensor", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Input[0] = "nothing" }, `nothing computes its input "nothing"`},
		{"missing input", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Input = nil }, "0 inputs"},
		{"missing weights", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[0].Input = in("x") }, "weights: input 1 is missing"},
		{"computed twice", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Output[0] = "conv" }, `"conv" is computed twice`},
		{"constant computed", func(m *pb.ModelProto, g *pb.GraphProto) { g.Node[1].Output[0] = "w" }, `"w" is computed twice`},
		{"constant twice", func(m *pb.ModelProto, g *pb.GraphProto) { g.Initializer[0].Name = "b" }, `initializer "b"`},

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
		{"integer weights", func(m *pb.ModelProto, g *pb.GraphProto) {
			g.Initializer[1] = intTensor("b", 1, 2)
		}, "integers, want floats"},

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
		{"steps", func(m *pb.ModelProto, g *pb.GraphProto) {
			g.Initializer = append(g.Initializer, intTensor("i", 0))
			g.Node[0].Input[2] = "sliced"
			g.Node = append([]*pb.NodeProto{op("Slice", "sliced", in("b", "i", "i", "i", "i"))}, g.Node...)
		}, "steps [0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := small()
			c.damage(m, m.Graph)
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

func TestUnsupported(t *testing.T) {
	square := []any{1, 2, 4, 4}
	w := floatTensor("w", shape(2, 2, 2, 2))
	half := &pb.TensorProto{Name: "h", DataType: int32(pb.TensorProto_FLOAT16), Dims: shape(1), RawData: []byte{0, 0}}
	with := func(nodes ...*pb.NodeProto) file {
		return file{input: square, nodes: nodes, init: []*pb.TensorProto{w, half, floatTensor("c", shape(1), 2), floatTensor("row", shape(4)),
			floatTensor("plane", shape(2, 4, 4)), intTensor("s", 2, -1), intTensor("p", 0, 0, 0, 0, 0, 1, 0, 0), intTensor("crop", 0, 0, -1, 0, 0, 0, 0, 0),
			floatTensor("m", shape(4, 4)), floatTensor("column", shape(32, 1))}}
	}
	foreign := op("Relu", "y", in("x"))
	foreign.Domain = "com.example"
	second := op("MaxPool", "pool", in("x"), kernelOf(2))
	second.Output = in("pool", "indices")
	first := op("MaxPool", "pool", in("x"), kernelOf(2))
	first.Output = in("", "y")
	for _, c := range []struct {
		name string
		file file
		want string // "operator name: what", one or more
	}{
		{"group", with(op("Conv", "y", in("x", "w"), attrInt("group", 2))), `Conv "y": group 2`},
		{"dilations", with(op("Conv", "y", in("x", "w"), attrInts("dilations", 2, 1))), `Conv "y": dilations [2 1]`},
		{"one dimension", with(op("Conv", "y", in("x", "w"), attrInts("strides", 1))), `Conv "y": strides [1]`},
		{"wide pads", with(op("Conv", "y", in("x", "w"), attrInts("pads", 2, 0, 0, 0))), `pads as wide`},
		{"computed weights", with(op("Conv", "y", in("x", "x"))), `weights that depend on the input`},
		{"half precision", with(op("Conv", "y", in("x", "w", "h"))), `"h": numbers of type FLOAT16`},
		{"ceil_mode", with(op("MaxPool", "y", in("x"), kernelOf(3), attrInts("strides", 2, 2), attrInt("ceil_mode", 1))), `MaxPool "y": ceil_mode 1`},
		{"indices of the maximum", with(second, op("Add", "y", in("pool", "indices"))), `MaxPool "pool": its output "indices"`},
		{"second output only", file{input: square, nodes: []*pb.NodeProto{first, op("Relu", "z", in("y"))}}, `MaxPool "pool": its output "y"`},
		{"transA", with(op("Gemm", "y", in("x", "w"), attrInt("transA", 1))), `Gemm "y": transA 1`},
		{"product of two", with(op("MatMul", "y", in("x", "x"))), `product of two computed tensors`},
		{"constant on the left", with(op("MatMul", "y", in("m", "x"))), `MatMul "y": a constant as input 0`},
		{"many vectors", with(op("MatMul", "y", in("x", "m"))), `8 vectors an image`},
		{"training", with(op("BatchNormalization", "y", in("x", "c", "c", "c", "c"), attrInt("training_mode", 1))), `training_mode 1`},
		{"sum along a row", with(op("Add", "y", in("x", "row"))), `axis 3 of shape [1 2 4 4]`},
		{"sum of a plane", with(op("Add", "y", in("x", "plane"))), `differs within channels`},
		{"wide sum", with(op("Flatten", "f", in("x")), op("Add", "y", in("f", "plane"))), `a constant of shape [2 4 4]`},
		{"broadcast", with(op("GlobalAveragePool", "g", in("x")), op("Add", "y", in("g", "x"))), `the sum of shapes [1 2 1 1] and [1 2 4 4]`},
		{"gate", with(op("Relu", "r", in("x")), op("Mul", "y", in("r", "x"))), `Mul "y": two computed inputs`},
		{"cube", with(op("Pow", "y", in("x", "column"))), `an exponent other than 2`},
		{"reciprocal", with(op("Div", "y", in("c", "x"))), `Div "y": a constant as input 0`},
		{"transpose", with(op("Transpose", "y", in("x"), attrInts("perm", 0, 2, 3, 1))), `the order [0 2 3 1]`},
		{"reflection", with(op("Pad", "y", in("x", "p"), attrString("mode", "reflect"))), `mode "reflect"`},
		{"border of ones", with(op("Pad", "y", in("x", "p", "c"))), `a border of 2`},
		{"channels of border", with(op("Pad", "y", in("x", "p"))), `pads [0 0 0 0 0 1 0 0]`},
		{"crop", with(op("Pad", "y", in("x", "crop"))), `pads [0 0 -1`},
		{"cast", with(op("Cast", "y", in("x"), attrInt("to", 10))), `a cast to FLOAT16`},
		{"softmax of rows", with(op("Softmax", "y", in("x"))), `axis -1 of shape [1 2 4 4]`},
		{"softmax inside", with(op("Flatten", "f", in("x")), op("Softmax", "soft", in("f")), op("Relu", "y", in("soft"))), `Softmax "soft": its use before the end`},
		{"foreign", with(foreign), `Relu "y": operator of domain "com.example"`},
		{"on constants", with(op("Relu", "r", in("w")), op("Conv", "y", in("x", "r"))), `Relu "r": the operator on constants`},
		{"batch mixed", file{input: []any{2, 6}, init: []*pb.TensorProto{intTensor("s", 1, 12)}, nodes: []*pb.NodeProto{op("Reshape", "y", in("x", "s"))}},
			`mixes the 2 images`},
		{"mean of channels", with(op("ReduceMean", "y", in("x"), attrInts("axes", 1))), `axes [1]`},
		{"attribute of a constant", with(op("Constant", "k", nil, attrString("value_string", "s")), op("Add", "y", in("x", "k"))), `Constant "k": attribute "value_string"`},
		{"no name and odd operator", with(&pb.NodeProto{OpType: "Clip\x1b[31m", Input: in("x"), Output: in("y")}), `"Clip\x1b[31m" "y": the operator itself`},
		{"everything at once", with(
			op("Conv", "a", in("x", "w"), attrInt("group", 2), attrInts("dilations", 2, 2)),
			op("Clip", "b", in("a")),
			op("MaxPool", "c1", in("b"), kernelOf(2), attrInts("dilations", 2, 2)),
			op("Shape", "sh", in("c1")), op("Gather", "ga", in("sh", "s")), op("Concat", "co", in("ga", "s")),
			op("Reshape", "d", in("c1", "co")),
			op("Concat", "e", in("d", "b")),
			op("Softmax", "f", in("e")),
			op("Tanh", "y", in("f"))),
			`onnx: 5 nodes are not supported:
  Conv "a": dilations [2 2]; group 2
  Clip "b": the operator itself
  MaxPool "c1": dilations [2 2]
  Concat "e": the operator on anything but constants
  Tanh "y": the operator itself`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := c.file.read(t)
			var unsupported *UnsupportedError
			if !errors.As(err, &unsupported) || g != nil {
				t.Fatalf("error is %v", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %q, want %q in it", err, c.want)
			}
		})
	}
}

// What the output does not depend on need not be supported.
func TestUnusedNodes(t *testing.T) {
	m := small()
	m.Graph.Node = append(m.Graph.Node, op("Tanh", "t", in("relu")), op("Loop", "l", in("t", "nowhere")))
	m.Graph.Input = append(m.Graph.Input, &pb.ValueInfoProto{Name: "unused"})
	m.Graph.Node[0], m.Graph.Node[4] = m.Graph.Node[4], m.Graph.Node[0] // any order will do
	g, err := Read(bytes.NewReader(encode(t, m)))
	if err != nil || len(g.Nodes) != 5 {
		t.Fatalf("graph %v, error %v", g, err)
	}
}

// A small file must not make large tensors or take long.
func TestMemory(t *testing.T) {
	many := func(n int, of func(i int) *pb.NodeProto) []*pb.NodeProto {
		var nodes []*pb.NodeProto
		for i := range n {
			nodes = append(nodes, of(i))
		}
		return nodes
	}
	name := func(i int) string { return fmt.Sprint("n", i) }
	big := floatTensor("w", shape(1<<9, 1<<9))
	for _, c := range []struct {
		name string
		file file
		want string
	}{
		{"constant of shape", file{input: []any{1, 8}, init: []*pb.TensorProto{intTensor("s", 1<<14, 1<<14)}, nodes: []*pb.NodeProto{
			op("ConstantOfShape", "c", in("s")), op("MatMul", "y", in("x", "c"))}}, "too often"},
		{"gather", file{input: []any{1, 8}, init: []*pb.TensorProto{big, intTensor("i", huge(1<<10, 0)...)}, nodes: []*pb.NodeProto{
			op("Gather", "a", in("w", "i")), op("Gather", "b", in("a", "i"), attrInt("axis", 1)), op("Gather", "c", in("b", "i"), attrInt("axis", 1)),
			op("Gather", "d", in("c", "i"), attrInt("axis", 1)), op("Gather", "e", in("d", "i"), attrInt("axis", 1)), op("MatMul", "y", in("x", "e"))}}, "too often"},
		{"copies", file{input: []any{1, 1 << 9}, init: []*pb.TensorProto{big}, nodes: many(1000, func(i int) *pb.NodeProto {
			if i == 0 {
				return op("MatMul", name(0), in("x", "w"))
			}
			return op("MatMul", name(i), in(name(i-1), "w"))
		})}, "too often"},
		{"concatenation", file{input: []any{1, 8}, init: []*pb.TensorProto{intTensor("c", huge(1000, 1)...)}, nodes: append(many(40, func(i int) *pb.NodeProto {
			if i == 0 {
				return op("Concat", name(0), in("c", "c"), attrInt("axis", 0))
			}
			return op("Concat", name(i), in(name(i-1), name(i-1)), attrInt("axis", 0))
		}), op("Reshape", "y", in("x", name(39))))}, "too often"},
		{"wide sums", file{input: []any{1, 1 << 22}, init: []*pb.TensorProto{floatTensor("c", shape(1))}, nodes: many(1000, func(i int) *pb.NodeProto {
			if i == 0 {
				return op("Relu", name(0), in("x"))
			}
			return op("Add", name(i), in(name(i-1), "c"))
		})}, "too often"},
		{"large tensors", file{input: []any{1, 1 << 22}, nodes: many(1000, func(i int) *pb.NodeProto {
			if i == 0 {
				return op("Relu", name(0), in("x"))
			}
			return op("Relu", name(i), in(name(i-1)))
		})}, "more than 268435456 elements"},
		{"deep chain", file{input: []any{1, 8}, nodes: many(60000, func(i int) *pb.NodeProto {
			if i == 0 {
				return op("Relu", name(0), in("x"))
			}
			return op("Clip", name(i), in(name(i-1)))
		})}, "59999 nodes are not supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := encode(t, c.file.model())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Read(bytes.NewReader(data))
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %.200v, want %q in it", err, c.want)
			}
			if used, limit := int(after.TotalAlloc-before.TotalAlloc), 50*len(data)+32<<20; used > limit {
				t.Errorf("reading %d bytes took %d MB, want at most %d", len(data), used>>20, limit>>20)
			}
		})
	}
	t.Run("empty messages", func(t *testing.T) {
		empty := bytes.Repeat([]byte{0x0a, 0}, maxMessages+1) // as many empty nodes
		var data []byte
		data = append(data, 0x3a, byte(len(empty)|0x80), byte(len(empty)>>7|0x80), byte(len(empty)>>14))
		if data = append(data, empty...); len(empty) >= 1<<21 {
			t.Fatal("length does not fit")
		}
		if err := proto.Unmarshal(data, new(pb.ModelProto)); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(bytes.NewReader(data)); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("error is %v", err)
		}
	})
}
