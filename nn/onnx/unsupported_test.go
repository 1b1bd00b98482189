package onnx

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"dorcas/nn/onnx/internal/pb"
)

// unsupportedFile has constants of all kinds for nodes to use.
func unsupportedFile(nodes ...*pb.NodeProto) file {
	half := &pb.TensorProto{Name: "h", DataType: int32(pb.TensorProto_STRING), Dims: shape(1), RawData: []byte{0, 0}}
	return file{input: []any{1, 2, 4, 4}, nodes: nodes, init: []*pb.TensorProto{
		floatTensor("w", shape(2, 2, 2, 2)), half, floatTensor("c", shape(1), 2), floatTensor("row", shape(4)),
		floatTensor("plane", shape(2, 4, 4)), intTensor("s", 2, -1), intTensor("p", 0, 0, 0, 0, 0, 1, 0, 0), intTensor("crop", 0, 0, -1, 0, 0, 0, 0, 0),
		intTensor("first", 1, 0, 0, 0, 0, 0, 0, 0), floatTensor("two", shape(4), 1, 1, 2, 2), floatTensor("oneandahalf", shape(4), 1, 1, 1.5, 1.5),
		floatTensor("c2", shape(2)), floatTensor("m", shape(4, 4)), floatTensor("column", shape(32, 1)),
	}}
}

// renamed is a node with other outputs.
func renamed(p *pb.NodeProto, outputs ...string) *pb.NodeProto {
	p.Output = outputs
	return p
}

// An unsupportedCase is a file and what the error says of it: an operator,
// its name and what is missing, in part or for several nodes.
type unsupportedCase struct {
	name string
	file file
	want string
}

// Convolutions, pooling and products.
var unsupportedLayers = []unsupportedCase{
	{"three dimensions", file{input: []any{1, 1, 2, 2, 2}, init: []*pb.TensorProto{floatTensor("w", shape(1, 1, 1, 1, 1))},
		nodes: []*pb.NodeProto{op("Conv", "y", in("x", "w"))}}, `Conv "y": three-dimensional planes`},
	{"computed weights", unsupportedFile(op("Conv", "y", in("x", "x"))), `weights that depend on the input`},
	{"wide pads", unsupportedFile(op("MaxPool", "y", in("x"), kernelOf(2), attrInts("pads", 2, 0, 0, 0))), `pads as wide`},
	{"strings", unsupportedFile(op("Add", "y", in("x", "h"))), `"h": numbers of type STRING`},
	{"indices of the maximum", unsupportedFile(renamed(op("MaxPool", "pool", in("x"), kernelOf(2)), "pool", "indices"), op("Add", "y", in("pool", "indices"))), `MaxPool "pool": its output "indices"`},
	{"second output only", unsupportedFile(renamed(op("MaxPool", "pool", in("x"), kernelOf(2)), "", "y"), op("Relu", "z", in("y"))), `MaxPool "pool": its output "y"`},
	{"product of two", unsupportedFile(op("MatMul", "y", in("x", "x"))), `product of two computed tensors`},
	{"many matrices", unsupportedFile(op("MatMul", "y", in("x", "w"))), `the product of shapes [1 2 4 4] and [2 2 2 2]`},
	{"training", unsupportedFile(op("BatchNormalization", "y", in("x", "c", "c", "c", "c"), attrInt("training_mode", 1))), `training_mode 1`},
	{"wide sum", unsupportedFile(op("Flatten", "f", in("x")), op("Add", "y", in("f", "plane"))), `a constant of shape [2 4 4]`},
	{"local responses", unsupportedFile(op("LRN", "y", in("x"), attrInt("size", 3))), `LRN "y": the operator itself (it divides by sums of squares`},
	{"normalisation of itself", unsupportedFile(op("InstanceNormalization", "y", in("x", "c", "c"))), `train with BatchNormalization instead`},
	{"recurrence", unsupportedFile(op("LSTM", "y", in("x", "w", "w"))), `recurrent networks are not supported`},
	{"integer convolution", unsupportedFile(op("QLinearConv", "y", in("x", "c"))), `quantise in the QDQ format`},
}

// Element by element.
var unsupportedElements = []unsupportedCase{
	{"gate", unsupportedFile(op("GlobalAveragePool", "g", in("x")), op("Mul", "y", in("g", "x"))), `Mul "y": the product, quotient or power of two computed tensors`},
	{"learned slope of a gate", file{input: []any{1, 4}, init: []*pb.TensorProto{floatTensor("b", shape(1), 1.3572468)}, nodes: []*pb.NodeProto{
		op("Mul", "m", in("x", "b")), op("Sigmoid", "s", in("m")), op("Mul", "y", in("x", "s"))}}, `Mul "y": the product`},
	{"learned exponent", file{input: []any{1, 4}, init: []*pb.TensorProto{floatTensor("b", shape(1), 1.3572468)}, nodes: []*pb.NodeProto{op("Pow", "y", in("x", "b"))}},
		`an exponent`},
	{"reflection", unsupportedFile(op("Pad", "y", in("x", "p"), attrString("mode", "reflect"))), `mode "reflect"`},
	{"border of ones", unsupportedFile(op("Pad", "y", in("x", "p", "c"))), `a border of 2`},
	{"border of images", unsupportedFile(op("Pad", "y", in("x", "first"))), `a border of images`},
	{"cast", unsupportedFile(op("Cast", "y", in("x"), attrInt("to", 6))), `a cast to INT32, which rounds`},
	{"bilinear", unsupportedFile(op("Resize", "y", in("x", "", "two"), attrString("mode", "linear"))), `mode "linear"`},
	{"odd factor", unsupportedFile(op("Resize", "y", in("x", "", "oneandahalf"))), `some are repeated more often`},
	{"choice", unsupportedFile(op("Greater", "g", in("x", "c")), op("Where", "y", in("g", "x", "c"))), `Greater "g"`},
	{"scales of channels", unsupportedFile(op("QuantizeLinear", "q", in("x", "c2")), op("DequantizeLinear", "y", in("q", "c2"))), `a scale for each channel`},
	{"integers", unsupportedFile(op("QuantizeLinear", "q", in("x", "c")), op("Relu", "y", in("q"))), `arithmetic on quantised integers`},
}

// Graphs.
var unsupportedGraphs = []unsupportedCase{
	{"softmax of rows", unsupportedFile(op("Softmax", "y", in("x"))), `axis -1 of shape [1 2 4 4]`},
	{"softmax inside", unsupportedFile(op("Flatten", "f", in("x")), op("Softmax", "soft", in("f")), op("Relu", "y", in("soft"))), `Softmax "soft": its use before the end`},
	{"dropout in training", unsupportedFile(op("Constant", "t", nil, attrTensor("value", &pb.TensorProto{DataType: int32(pb.TensorProto_BOOL), Int32Data: []int32{1}})),
		op("Dropout", "y", in("x", "", "t"))), `training_mode 1`},
	{"arg-max of arg-max", unsupportedFile(op("Flatten", "f", in("x")), op("ArgMax", "a", in("f"), attrInt("axis", 1)), op("ArgMax", "y", in("a"), attrInt("axis", 1))),
		`the arg-max of an arg-max`},
	{"last index", unsupportedFile(op("Flatten", "f", in("x")), op("ArgMax", "y", in("f"), attrInt("axis", 1), attrInt("select_last_index", 1))), `select_last_index`},
	{"foreign", unsupportedFile(&pb.NodeProto{OpType: "Relu", Domain: "com.example", Input: in("x"), Output: in("y")}), `Relu "y": operator of domain "com.example"`},
	{"on constants", unsupportedFile(op("MaxPool", "r", in("w"), kernelOf(1)), op("Conv", "y", in("x", "r"))), `MaxPool "r": the operator on constants`},
	{"batch mixed", file{input: []any{2, 6}, init: []*pb.TensorProto{intTensor("s", 1, 12)}, nodes: []*pb.NodeProto{op("Reshape", "y", in("x", "s"))}},
		`mixes the 2 images`},
	{"attribute of a constant", unsupportedFile(op("Constant", "k", nil, attrString("value_string", "s")), op("Add", "y", in("x", "k"))), `Constant "k": attribute "value_string"`},
	{"no name and odd operator", unsupportedFile(&pb.NodeProto{OpType: "Clip\x1b[31m", Input: in("x"), Output: in("y")}), `"Clip\x1b[31m" "y": the operator itself`},
	{"everything at once", unsupportedFile(
		op("Conv", "a", in("x", "w"), attrInts("dilations", 2, 2)),
		op("LRN", "b", in("a")),
		op("MaxPool", "c1", in("b"), kernelOf(2)),
		op("Shape", "sh", in("c1")), op("Gather", "ga", in("sh", "s")), op("Concat", "co", in("ga", "s")),
		op("Reshape", "d", in("c1", "co")),
		op("Concat", "e", in("d", "b")),
		op("Softmax", "f", in("e")),
		op("InstanceNormalization", "g", in("a", "c2", "c2")),
		op("Hardmax", "hm", in("a")),
		op("Sum", "y", in("f", "g", "hm"))),
		`onnx: 3 nodes are not supported:
  LRN "b": the operator itself (it divides by sums of squares of the input; train with BatchNormalization instead)
  InstanceNormalization "g": the operator itself (it divides by the deviation of the input itself; train with BatchNormalization instead)
  Hardmax "hm": the operator itself`},
}

func TestUnsupported(t *testing.T) {
	for _, c := range slices.Concat(unsupportedLayers, unsupportedElements, unsupportedGraphs) {
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
