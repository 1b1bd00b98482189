package onnx

import (
	"errors"
	"fmt"
	"slices"

	"dorcas/nn"
	"dorcas/nn/onnx/internal/pb"
)

// input finds the one input on which the output depends, and takes the batch
// and the size of an image from its shape. The nodes that are needed, in order,
// show what its dimensions mean.
func (r *reader) input(order []int) error {
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
	v := &value{shape: shape, computed: true}
	use := r.inputUse(name, order)
	if len(shape) == 4 && (use.lastToFirst || !use.planes && shape[3] == 3 && min(shape[1], shape[2]) >= 8) {
		v.perm = []int{0, 2, 3, 1}
		v.plain()
		r.g.ChannelsLast = v.perm != nil
	}
	switch {
	case len(shape) == 3 && use.planes: // a line of numbers for each channel
		r.g.Input = planesOf(shape)
	case len(shape) == 3 && min(shape[1], shape[2]) > 1: // a plane
		r.g.Input = nn.Dims{C: 1, H: shape[1], W: shape[2]}
	case len(shape) == 4 && v.perm == nil && shape[3] == 1 && !use.planes && min(shape[1], shape[2]) > 1: // with channels last, and one of them
		r.g.Input = nn.Dims{C: 1, H: shape[1], W: shape[2]}
	default:
		r.g.Input = r.image(v.stored())
	}
	r.total = r.g.Input.Len()
	r.values[name] = v
	return nil
}

// inputUse says what a network does to its input first, but for what it does
// element by element.
type inputUse struct {
	planes      bool // a convolution or pooling: channels come first
	lastToFirst bool // a transposition from channels last
}

func (r *reader) inputUse(name string, order []int) inputUse {
	var use inputUse
	carries := map[string]bool{name: true}
	for _, i := range order {
		n := newNode(r, i)
		if !slices.ContainsFunc(n.inputs, func(in string) bool { return carries[in] }) || len(n.outputs) == 0 {
			continue
		}
		switch n.op {
		case "Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization":
			use.planes = true
		case "Transpose":
			perm, _ := n.intsAttr("perm")
			use.lastToFirst = use.lastToFirst || slices.Equal(perm, []int64{0, 3, 1, 2})
		case "Cast", "Identity", "Dropout", "Add", "Sub", "Mul", "Div", "Neg", "Relu", "Clip", "Pad", "QuantizeLinear", "DequantizeLinear":
			carries[n.outputs[0]] = true
		}
	}
	return use
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
