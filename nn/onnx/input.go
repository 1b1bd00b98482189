package onnx

import (
	"errors"
	"fmt"

	"dorcas/nn/onnx/internal/pb"
)

// input finds the one input on which the output depends, and takes the batch
// and the size of an image from its shape.
func (r *reader) input() error {
	var names []string
	for name := range r.inputs {
		if r.uses[name] > 0 {
			names = append(names, name)
		}
	}
	if len(names) != 1 {
		return fmt.Errorf("the output depends on %d inputs, want 1", len(names))
	}
	name := names[0]
	shape, err := inputShape(r.inputs[name].GetType().GetTensorType())
	if err != nil {
		return fmt.Errorf("input %s: %w", quote(name), err)
	}
	if len(shape) > 1 {
		r.batch = shape[0]
	}
	r.g.Input = r.image(shape)
	r.total = r.g.Input.Len()
	r.values[name] = &value{shape: shape, computed: true}
	return nil
}

// inputShape returns the shape of the input, with 1 for an open batch.
func inputShape(t *pb.TypeProto_Tensor) ([]int, error) {
	if t == nil {
		return nil, errors.New("no tensor")
	}
	switch e := t.GetElemType(); pb.TensorProto_DataType(e) {
	case pb.TensorProto_FLOAT, pb.TensorProto_DOUBLE, pb.TensorProto_FLOAT16, pb.TensorProto_UINT8, pb.TensorProto_INT8:
	default:
		return nil, fmt.Errorf("type is %s, want FLOAT, or bytes", typeName(e))
	}
	dims := t.GetShape().GetDim()
	if len(dims) < 1 || len(dims) > 5 {
		return nil, fmt.Errorf("%d dimensions, want 1 to 5", len(dims))
	}
	shape := make([]int, len(dims))
	for i, d := range dims {
		switch v := d.GetValue().(type) {
		case *pb.TensorShapeProto_Dimension_DimValue:
			if v.DimValue < 1 || v.DimValue > maxElements {
				return nil, fmt.Errorf("dimension %d is %d", i, v.DimValue)
			}
			shape[i] = int(v.DimValue)
		case *pb.TensorShapeProto_Dimension_DimParam:
			if i > 0 {
				return nil, fmt.Errorf("dimension %d, %s, is left open: export the model with fixed sizes", i, quote(v.DimParam))
			}
			shape[i] = 1
		default:
			if i > 0 {
				return nil, fmt.Errorf("dimension %d is left open: export the model with fixed sizes", i)
			}
			shape[i] = 1
		}
	}
	_, err := sizeOf(shape)
	return shape, err
}
