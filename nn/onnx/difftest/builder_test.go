package difftest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"google.golang.org/protobuf/proto"

	"dorcas/nn/onnx/internal/pb"
)

// A tensor is a name in a graph under construction, with its shape.
type tensor struct {
	name  string
	shape []int
}

func (t tensor) rank() int { return len(t.shape) }

// A builder makes one random graph. Methods that add an operator return its
// output.
type builder struct {
	*rand.Rand
	opset int
	batch int
	graph *pb.GraphProto
	all   []tensor // of floats that depend on the input
	count int
	uses  map[string]int // operators, to report what was covered
	bytes bool           // the input is of bytes
}

type attrs = []*pb.AttributeProto

func attrInt(name string, v int) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_INT, I: int64(v)}
}

func attrInts(name string, v ...int) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_INTS, Ints: int64s(v)}
}

func attrFloat(name string, v float32) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_FLOAT, F: v}
}

func attrFloats(name string, v ...float32) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_FLOATS, Floats: v}
}

func attrString(name, v string) *pb.AttributeProto {
	return &pb.AttributeProto{Name: name, Type: pb.AttributeProto_STRING, S: []byte(v)}
}

func int64s(v []int) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// pick returns one of some values.
func pick[T any](b *builder, values ...T) T { return values[b.IntN(len(values))] }

// chance is true p times of a hundred.
func (b *builder) chance(p int) bool { return b.IntN(100) < p }

// between returns a number of [lo, hi].
func (b *builder) between(lo, hi int) int { return lo + b.IntN(hi-lo+1) }

func (b *builder) fresh(prefix string) string {
	b.count++
	return fmt.Sprint(prefix, b.count)
}

// node adds an operator with one output of a shape.
func (b *builder) node(op string, in []string, shape []int, a ...*pb.AttributeProto) tensor {
	out := tensor{b.fresh("t"), shape}
	b.graph.Node = append(b.graph.Node, &pb.NodeProto{OpType: op, Name: "n" + out.name, Input: in, Output: []string{out.name}, Attribute: a})
	b.uses[op]++
	return out
}

// like adds an operator on x whose output has its shape.
func (b *builder) like(op string, x tensor, a ...*pb.AttributeProto) tensor {
	return b.node(op, []string{x.name}, x.shape, a...)
}

// floats adds a constant, as an initializer, or as a Constant node.
func (b *builder) floats(shape []int, v []float32) string {
	t := &pb.TensorProto{Name: b.fresh("c"), DataType: int32(pb.TensorProto_FLOAT), Dims: int64s(shape)}
	if b.chance(50) {
		t.FloatData = v
	} else {
		for _, x := range v {
			t.RawData = binary.LittleEndian.AppendUint32(t.RawData, math.Float32bits(x))
		}
	}
	if b.chance(20) {
		b.graph.Node = append(b.graph.Node, &pb.NodeProto{OpType: "Constant", Output: []string{t.Name},
			Attribute: attrs{{Name: "value", Type: pb.AttributeProto_TENSOR, T: t}}})
	} else {
		b.graph.Initializer = append(b.graph.Initializer, t)
	}
	return t.Name
}

// random adds a constant of numbers around 0 with a deviation.
func (b *builder) random(shape []int, deviation float64) string {
	return b.floats(shape, b.values(size(shape), 0, deviation))
}

func (b *builder) values(n int, mean, deviation float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(mean + deviation*b.NormFloat64())
	}
	return v
}

func (b *builder) ints(v ...int) string { return b.intsOf([]int{len(v)}, v...) }

func (b *builder) intsOf(shape []int, v ...int) string {
	t := &pb.TensorProto{Name: b.fresh("i"), DataType: int32(pb.TensorProto_INT64), Dims: int64s(shape), Int64Data: int64s(v)}
	b.graph.Initializer = append(b.graph.Initializer, t)
	return t.Name
}

// integers adds a constant of integers of a type of 8 or 32 bits.
func (b *builder) integers(of pb.TensorProto_DataType, shape []int, v []int) string {
	t := &pb.TensorProto{Name: b.fresh("q"), DataType: int32(of), Dims: int64s(shape)}
	for _, x := range v {
		if of == pb.TensorProto_INT32 {
			t.RawData = binary.LittleEndian.AppendUint32(t.RawData, uint32(int32(x)))
		} else {
			t.RawData = append(t.RawData, byte(x))
		}
	}
	b.graph.Initializer = append(b.graph.Initializer, t)
	return t.Name
}

// list gives integers as an attribute or, from an opset on, as an input.
func (b *builder) list(op string, since int, x tensor, name string, v []int, shape []int, a ...*pb.AttributeProto) tensor {
	if b.opset >= since {
		return b.node(op, []string{x.name, b.ints(v...)}, shape, a...)
	}
	return b.node(op, []string{x.name}, shape, append(a, attrInts(name, v...))...)
}

// encode returns the file, with y as its output.
func (b *builder) encode(input []int, dynamic bool, y string) ([]byte, error) {
	value := func(name string, shape []int) *pb.ValueInfoProto {
		t := &pb.TypeProto_Tensor{ElemType: int32(pb.TensorProto_FLOAT)}
		if shape != nil {
			t.Shape = &pb.TensorShapeProto{}
		}
		if b.bytes && shape != nil {
			t.ElemType = int32(pb.TensorProto_UINT8)
		}
		for i, d := range shape {
			dim := &pb.TensorShapeProto_Dimension{Value: &pb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}}
			if i == 0 && dynamic {
				dim.Value = &pb.TensorShapeProto_Dimension_DimParam{DimParam: "N"}
			}
			t.Shape.Dim = append(t.Shape.Dim, dim)
		}
		return &pb.ValueInfoProto{Name: name, Type: &pb.TypeProto{Value: &pb.TypeProto_TensorType{TensorType: t}}}
	}
	b.graph.Name = "random"
	b.graph.Input = []*pb.ValueInfoProto{value("x", input)}
	b.graph.Output = []*pb.ValueInfoProto{value(y, nil)}
	for _, n := range b.graph.Node {
		if n.Output[0] == y && n.OpType == "ArgMax" {
			b.graph.Output[0].Type.GetTensorType().ElemType = int32(pb.TensorProto_INT64)
		}
	}
	return proto.Marshal(&pb.ModelProto{
		IrVersion: 8, Graph: b.graph,
		OpsetImport: []*pb.OperatorSetIdProto{{Version: int64(b.opset)}, {Domain: "ai.onnx.ml", Version: 2}},
	})
}

func unmarshal(data []byte, m *pb.ModelProto) error { return proto.Unmarshal(data, m) }
