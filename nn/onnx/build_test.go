package onnx

import (
	"bytes"
	"encoding/binary"
	"testing"

	"google.golang.org/protobuf/proto"

	"dorcas/nn"
	"dorcas/nn/onnx/internal/pb"
)

// A file is an ONNX model under construction. Its input is "x", its output
// what the last node computes.
type file struct {
	opset int64
	input []any // dimensions: int, or string for an open one
	init  []*pb.TensorProto
	nodes []*pb.NodeProto
}

// op is a node whose output has the node's name.
func op(kind, name string, inputs []string, attrs ...*pb.AttributeProto) *pb.NodeProto {
	return &pb.NodeProto{OpType: kind, Name: name, Input: inputs, Output: []string{name}, Attribute: attrs}
}

func in(names ...string) []string { return names }

func attrInt(name string, v int64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_INT, I: v}
}

func attrInts(name string, v ...int64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_INTS, Ints: v}
}

func attrFloat(name string, v float32) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_FLOAT, F: v}
}

func attrString(name, v string) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_STRING, S: []byte(v)}
}

func attrTensor(name string, t *pb.TensorProto) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_TENSOR, T: t}
}

func shape(dims ...int64) []int64 { return dims }

// floatTensor is a tensor of the float_data kind; without numbers it is
// 1, 2, 3, ...
func floatTensor(name string, dims []int64, v ...float32) *pb.TensorProto {
	if len(v) == 0 {
		n := int64(1)
		for _, d := range dims {
			n *= d
		}
		for i := range n {
			v = append(v, float32(i+1))
		}
	}
	return &pb.TensorProto{Name: name, DataType: int32(pb.TensorProto_FLOAT), Dims: dims, FloatData: v}
}

// intTensor is a list of int64 of the raw_data kind.
func intTensor(name string, v ...int64) *pb.TensorProto {
	var raw bytes.Buffer
	binary.Write(&raw, binary.LittleEndian, v)
	return &pb.TensorProto{Name: name, DataType: int32(pb.TensorProto_INT64), Dims: shape(int64(len(v))), RawData: raw.Bytes()}
}

// model is the file's protobuf message.
func (f file) model() *pb.ModelProto {
	x := &pb.TypeProto_Tensor{ElemType: int32(pb.TensorProto_FLOAT), Shape: &pb.TensorShapeProto{}}
	for _, d := range f.input {
		dim := new(pb.TensorShapeProto_Dimension)
		switch d := d.(type) {
		case int:
			dim.Value = &pb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}
		case string:
			dim.Value = &pb.TensorShapeProto_Dimension_DimParam{DimParam: d}
		}
		x.Shape.Dim = append(x.Shape.Dim, dim)
	}
	if f.opset == 0 {
		f.opset = 13
	}
	return &pb.ModelProto{
		OpsetImport: []*pb.OperatorSetIdProto{{Version: f.opset}},
		Graph: &pb.GraphProto{
			Name: "test", Node: f.nodes, Initializer: f.init,
			Input:  []*pb.ValueInfoProto{{Name: "x", Type: &pb.TypeProto{Value: &pb.TypeProto_TensorType{TensorType: x}}}},
			Output: []*pb.ValueInfoProto{{Name: f.nodes[len(f.nodes)-1].GetOutput()[0]}},
		},
	}
}

func encode(t testing.TB, m *pb.ModelProto) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (f file) read(t testing.TB) (*nn.Graph, error) {
	t.Helper()
	return Read(bytes.NewReader(encode(t, f.model())))
}
