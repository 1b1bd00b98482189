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
	integer bool                    // the numbers are ints, not floats
	of      pb.TensorProto_DataType // of the numbers in the file, where that matters
	quant   *integers               // that floats were given as; nil for none
}

func (c *constant) len() int { return len(c.floats) + len(c.ints) }

// float returns number i.
func (c *constant) float(i int) float64 {
	if c.integer {
		return float64(c.ints[i])
	}
	return float64(c.floats[i])
}

// view returns the constant with another shape of the same size.
func (c *constant) view(shape []int) *constant {
	out := *c
	out.shape = shape
	if q := c.quant; q != nil && len(q.scale) > 1 {
		// The axis of the scales must be there still, with as much after it.
		_, after := splitSizes(c.shape, q.axis)
		out.quant = nil
		for axis, d := range shape {
			if _, rest := splitSizes(shape, axis); d == len(q.scale) && rest == after {
				moved := *q
				moved.axis = axis
				out.quant = &moved
			}
		}
	}
	return &out
}

// splitSizes returns how many elements are before and after an axis.
func splitSizes(shape []int, axis int) (before, after int) {
	before, _ = sizeOf(shape[:axis])
	after, _ = sizeOf(shape[axis+1:])
	return before, after
}

// gather returns the constant made of the elements with these indices.
func (c *constant) gather(shape, index []int) *constant {
	out := &constant{shape: shape, integer: c.integer, of: c.of}
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
	c := &constant{shape: shape, of: pb.TensorProto_DataType(t.GetDataType())}
	have, known := c.decodeFloats(t)
	if !known {
		if have, known = c.decodeInts(t); !known {
			return nil, missingError("numbers of type " + typeName(t.GetDataType()))
		}
	}
	if have != n || c.len() != n {
		return nil, fmt.Errorf("shape %v needs %d numbers, the file holds %d", shape, n, have)
	}
	return c, nil
}

// decodeFloats reads floats of any width, and says how many there are.
func (c *constant) decodeFloats(t *pb.TensorProto) (have int, known bool) {
	raw := t.GetRawData()
	switch c.of {
	case pb.TensorProto_FLOAT:
		c.floats, have = numbers(raw, t.GetFloatData(), 4, func(b []byte) float32 {
			return math.Float32frombits(binary.LittleEndian.Uint32(b))
		}, func(v float32) float32 { return v })
	case pb.TensorProto_DOUBLE:
		c.floats, have = numbers(raw, t.GetDoubleData(), 8, func(b []byte) float32 {
			return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}, func(v float64) float32 { return float32(v) })
	case pb.TensorProto_FLOAT16:
		c.floats, have = numbers(raw, t.GetInt32Data(), 2, func(b []byte) float32 {
			return half(binary.LittleEndian.Uint16(b))
		}, func(v int32) float32 { return half(uint16(v)) })
	case pb.TensorProto_BFLOAT16:
		c.floats, have = numbers(raw, t.GetInt32Data(), 2, func(b []byte) float32 {
			return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
		}, func(v int32) float32 { return math.Float32frombits(uint32(uint16(v)) << 16) })
	default:
		return 0, false
	}
	return have, true
}

// half returns a float of 16 bits.
func half(b uint16) float32 {
	sign, exponent, fraction := float64(1-2*int(b>>15)), int(b>>10&31), float64(b&1023)
	switch exponent {
	case 0:
		return float32(sign * math.Ldexp(fraction, -24))
	case 31:
		if fraction != 0 {
			return float32(math.NaN())
		}
		return float32(math.Inf(int(sign)))
	}
	return float32(sign * math.Ldexp(1024+fraction, exponent-25))
}

// decodeInts reads integers of any width, and says how many there are.
func (c *constant) decodeInts(t *pb.TensorProto) (have int, known bool) {
	raw, list := t.GetRawData(), t.GetInt32Data()
	number := func(v int32) int64 { return int64(v) }
	c.integer = true
	switch c.of {
	case pb.TensorProto_INT64:
		c.ints, have = numbers(raw, t.GetInt64Data(), 8, func(b []byte) int64 {
			return int64(binary.LittleEndian.Uint64(b))
		}, func(v int64) int64 { return v })
	case pb.TensorProto_INT32:
		c.ints, have = numbers(raw, list, 4, func(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }, number)
	case pb.TensorProto_INT16:
		c.ints, have = numbers(raw, list, 2, func(b []byte) int64 { return int64(int16(binary.LittleEndian.Uint16(b))) }, number)
	case pb.TensorProto_UINT16:
		c.ints, have = numbers(raw, list, 2, func(b []byte) int64 { return int64(binary.LittleEndian.Uint16(b)) }, number)
	case pb.TensorProto_INT8:
		c.ints, have = numbers(raw, list, 1, func(b []byte) int64 { return int64(int8(b[0])) }, number)
	case pb.TensorProto_UINT8, pb.TensorProto_BOOL:
		c.ints, have = numbers(raw, list, 1, func(b []byte) int64 { return int64(b[0]) }, number)
	default:
		return 0, false
	}
	return have, true
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
