package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"dorcas/nn/onnx/internal/pb"
)

// A constant is a tensor of numbers that the file holds, or that follows from
// what it holds. Its numbers are never changed: constants share them.
type constant struct {
	shape   []int
	floats  []float32
	ints    []int64
	integer bool // the numbers are ints, not floats
}

func (c *constant) len() int { return len(c.floats) + len(c.ints) }

// view returns the constant with another shape of the same size.
func (c *constant) view(shape []int) *constant {
	return &constant{shape, c.floats, c.ints, c.integer}
}

// gather returns the constant made of the elements with these indices.
func (c *constant) gather(shape, index []int) *constant {
	out := &constant{shape: shape, integer: c.integer}
	if c.integer {
		out.ints = make([]int64, len(index))
		for i, j := range index {
			out.ints[i] = c.ints[j]
		}
		return out
	}
	out.floats = make([]float32, len(index))
	for i, j := range index {
		out.floats[i] = c.floats[j]
	}
	return out
}

// sizeOf returns the number of elements of a shape, or an error when it is
// not a shape that a graph may have.
func sizeOf(shape []int) (int, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("%d dimensions, at most %d are possible", len(shape), maxRank)
	}
	n := 1
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		case d > maxElements || n*d > maxElements:
			return 0, fmt.Errorf("shape %v has more than %d elements", shape, maxElements)
		}
		n *= d
	}
	return n, nil
}

// decode returns the numbers of a tensor of the file.
func decode(t *pb.TensorProto) (*constant, error) {
	if t.GetDataLocation() == pb.TensorProto_EXTERNAL {
		return nil, errors.New("its numbers are in another file (external data): save the model as one file")
	}
	if t.GetSegment() != nil {
		return nil, errors.New("its numbers are in segments")
	}
	shape, err := shapeOf(t.GetDims())
	if err != nil {
		return nil, err
	}
	n, err := sizeOf(shape)
	if err != nil {
		return nil, err
	}
	c := &constant{shape: shape}
	have := 0
	switch raw := t.GetRawData(); pb.TensorProto_DataType(t.GetDataType()) {
	case pb.TensorProto_FLOAT:
		c.floats, have = numbers(raw, t.GetFloatData(), 4, func(b []byte) float32 {
			return math.Float32frombits(binary.LittleEndian.Uint32(b))
		}, func(v float32) float32 { return v })
	case pb.TensorProto_DOUBLE:
		c.floats, have = numbers(raw, t.GetDoubleData(), 8, func(b []byte) float32 {
			return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}, func(v float64) float32 { return float32(v) })
	case pb.TensorProto_INT64:
		c.integer = true
		c.ints, have = numbers(raw, t.GetInt64Data(), 8, func(b []byte) int64 {
			return int64(binary.LittleEndian.Uint64(b))
		}, func(v int64) int64 { return v })
	case pb.TensorProto_INT32:
		c.integer = true
		c.ints, have = numbers(raw, t.GetInt32Data(), 4, func(b []byte) int64 {
			return int64(int32(binary.LittleEndian.Uint32(b)))
		}, func(v int32) int64 { return int64(v) })
	case pb.TensorProto_BOOL:
		c.integer = true
		c.ints, have = numbers(raw, t.GetInt32Data(), 1, func(b []byte) int64 { return int64(b[0]) },
			func(v int32) int64 { return int64(v) })
	default:
		return nil, missingError("numbers of type " + typeName(t.GetDataType()))
	}
	if have != n || c.len() != n {
		return nil, fmt.Errorf("shape %v needs %d numbers, the file holds %d", shape, n, have)
	}
	return c, nil
}

// numbers converts the numbers of a tensor, of size bytes each in raw, or in
// list where raw is empty, and says how many there are. Left-over bytes of
// raw count as a number.
func numbers[From, To any](raw []byte, list []From, size int, bytes func([]byte) To, number func(From) To) ([]To, int) {
	if len(raw) == 0 {
		out := make([]To, len(list))
		for i, v := range list {
			out[i] = number(v)
		}
		return out, len(list)
	}
	out := make([]To, len(raw)/size)
	for i := range out {
		out[i] = bytes(raw[i*size:])
	}
	return out, (len(raw) + size - 1) / size
}

// shapeOf converts dimensions from the file; they may still be too large.
func shapeOf(dims []int64) ([]int, error) {
	if len(dims) > maxRank {
		return nil, fmt.Errorf("%d dimensions, at most %d are possible", len(dims), maxRank)
	}
	shape := make([]int, len(dims))
	for i, d := range dims {
		if d < 0 || d > math.MaxInt32 {
			return nil, fmt.Errorf("dimension %d is %d", i, d)
		}
		shape[i] = int(d)
	}
	return shape, nil
}

// typeName returns the name of a type of numbers as a file numbers it.
func typeName(t int32) string {
	if name, ok := pb.TensorProto_DataType_name[t]; ok {
		return name
	}
	return fmt.Sprint(t)
}
