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
	half := &pb.TensorProto{Name: "h", DataType: int32(pb.TensorProto_FLOAT16), Dims: shape(1), RawData: []byte{0, 0}}
	return file{input: []any{1, 2, 4, 4}, nodes: nodes, init: []*pb.TensorProto{
		floatTensor("w", shape(2, 2, 2, 2)), half, floatTensor("c", shape(1), 2), floatTensor("row", shape(4)),
		floatTensor("plane", shape(2, 4, 4)), intTensor("s", 2, -1), intTensor("p", 0, 0, 0, 0, 0, 1, 0, 0), intTensor("crop", 0, 0, -1, 0, 0, 0, 0, 0),
		floatTensor("m", shape(4, 4)), floatTensor("column", shape(32, 1)),
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
	{"group", unsupportedFile(op("Conv", "y", in("x", "w"), attrInt("group", 2))), `Conv "y": group 2`},
	{"dilations", unsupportedFile(op("Conv", "y", in("x", "w"), attrInts("dilations", 2, 1))), `Conv "y": dilations [2 1]`},
	{"one dimension", unsupportedFile(op("Conv", "y", in("x", "w"), attrInts("strides", 1))), `Conv "y": strides [1]`},
	{"wide pads", unsupportedFile(op("Conv", "y", in("x", "w"), attrInts("pads", 2, 0, 0, 0))), `pads as wide`},
	{"computed weights", unsupportedFile(op("Conv", "y", in("x", "x"))), `weights that depend on the input`},
	{"half precision", unsupportedFile(op("Conv", "y", in("x", "w", "h"))), `"h": numbers of type FLOAT16`},
	{"ceil_mode", unsupportedFile(op("MaxPool", "y", in("x"), kernelOf(3), attrInts("strides", 2, 2), attrInt("ceil_mode", 1))), `MaxPool "y": ceil_mode 1`},
	{"indices of the maximum", unsupportedFile(renamed(op("MaxPool", "pool", in("x"), kernelOf(2)), "pool", "indices"), op("Add", "y", in("pool", "indices"))), `MaxPool "pool": its output "indices"`},
	{"second output only", unsupportedFile(renamed(op("MaxPool", "pool", in("x"), kernelOf(2)), "", "y"), op("Relu", "z", in("y"))), `MaxPool "pool": its output "y"`},
	{"transA", unsupportedFile(op("Gemm", "y", in("x", "w"), attrInt("transA", 1))), `Gemm "y": transA 1`},
	{"product of two", unsupportedFile(op("MatMul", "y", in("x", "x"))), `product of two computed tensors`},
	{"constant on the left", unsupportedFile(op("MatMul", "y", in("m", "x"))), `MatMul "y": a constant as input 0`},
	{"many vectors", unsupportedFile(op("MatMul", "y", in("x", "m"))), `8 vectors an image`},
	{"training", unsupportedFile(op("BatchNormalization", "y", in("x", "c", "c", "c", "c"), attrInt("training_mode", 1))), `training_mode 1`},
	{"sum along a row", unsupportedFile(op("Add", "y", in("x", "row"))), `axis 3 of shape [1 2 4 4]`},
	{"sum of a plane", unsupportedFile(op("Add", "y", in("x", "plane"))), `differs within channels`},
	{"wide sum", unsupportedFile(op("Flatten", "f", in("x")), op("Add", "y", in("f", "plane"))), `a constant of shape [2 4 4]`},
}

// Element by element.
var unsupportedElements = []unsupportedCase{
	{"broadcast", unsupportedFile(op("GlobalAveragePool", "g", in("x")), op("Add", "y", in("g", "x"))), `the sum of shapes [1 2 1 1] and [1 2 4 4]`},
	{"gate", unsupportedFile(op("Relu", "r", in("x")), op("Mul", "y", in("r", "x"))), `Mul "y": two computed inputs`},
	{"cube", unsupportedFile(op("Pow", "y", in("x", "column"))), `an exponent other than 2`},
	{"reciprocal", unsupportedFile(op("Div", "y", in("c", "x"))), `Div "y": a constant as input 0`},
	{"transpose", unsupportedFile(op("Transpose", "y", in("x"), attrInts("perm", 0, 2, 3, 1))), `the order [0 2 3 1]`},
	{"reflection", unsupportedFile(op("Pad", "y", in("x", "p"), attrString("mode", "reflect"))), `mode "reflect"`},
	{"border of ones", unsupportedFile(op("Pad", "y", in("x", "p", "c"))), `a border of 2`},
	{"channels of border", unsupportedFile(op("Pad", "y", in("x", "p"))), `pads [0 0 0 0 0 1 0 0]`},
	{"crop", unsupportedFile(op("Pad", "y", in("x", "crop"))), `pads [0 0 -1`},
	{"cast", unsupportedFile(op("Cast", "y", in("x"), attrInt("to", 10))), `a cast to FLOAT16`},
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
	{"on constants", unsupportedFile(op("Relu", "r", in("w")), op("Conv", "y", in("x", "r"))), `Relu "r": the operator on constants`},
	{"batch mixed", file{input: []any{2, 6}, init: []*pb.TensorProto{intTensor("s", 1, 12)}, nodes: []*pb.NodeProto{op("Reshape", "y", in("x", "s"))}},
		`mixes the 2 images`},
	{"mean of channels", unsupportedFile(op("ReduceMean", "y", in("x"), attrInts("axes", 1))), `axes [1]`},
	{"attribute of a constant", unsupportedFile(op("Constant", "k", nil, attrString("value_string", "s")), op("Add", "y", in("x", "k"))), `Constant "k": attribute "value_string"`},
	{"no name and odd operator", unsupportedFile(&pb.NodeProto{OpType: "Clip\x1b[31m", Input: in("x"), Output: in("y")}), `"Clip\x1b[31m" "y": the operator itself`},
	{"everything at once", unsupportedFile(
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
