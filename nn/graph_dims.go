package nn

import (
	"errors"
	"fmt"
)

// outDims returns the size that the node makes of its inputs. Channels of Conv
// and Dense, the whole of Reshape and how much a Slice takes are the node's own
// choice.
func (n *Node) outDims(ins []Dims) (Dims, error) {
	in := ins[0]
	switch n.Op {
	case NodeConv, NodeMaxPool, NodeAvgPool:
		return n.windowDims(in)
	case NodeDense:
		return Dims{n.Out.C, 1, 1}, nil
	case NodeReshape:
		if in.Len() != n.Out.Len() {
			return Dims{}, fmt.Errorf("reshape from %s to %s", in, n.Out)
		}
		return n.Out, nil
	case NodeZeroPad:
		if err := n.Pad.validate(); err != nil {
			return Dims{}, err
		}
		return Dims{in.C, in.H + n.Pad.Top + n.Pad.Bottom, in.W + n.Pad.Left + n.Pad.Right}, nil
	case NodeAdd:
		return in, n.validateSum(ins)
	case NodeConcat:
		return n.concatDims(ins)
	case NodeSlice:
		return n.sliceDims(in)
	case NodeTranspose:
		from := in.axes()
		var seen, out [3]int
		for i, p := range n.Perm {
			if p < 0 || p > 2 || seen[p] > 0 {
				return Dims{}, fmt.Errorf("dimensions in the order %v", n.Perm)
			}
			seen[p]++
			out[i] = from[p]
		}
		return dimsOf(out), nil
	case NodeUpsample, NodeStuff:
		if min(n.FactorH, n.FactorW) < 1 || max(n.FactorH, n.FactorW) > maxSide {
			return Dims{}, fmt.Errorf("factors %d and %d", n.FactorH, n.FactorW)
		}
		if n.Op == NodeStuff {
			return Dims{in.C, (in.H-1)*n.FactorH + 1, (in.W-1)*n.FactorW + 1}, nil
		}
		return Dims{in.C, in.H * n.FactorH, in.W * n.FactorW}, nil
	}
	return in, nil
}

// axes returns channels, height and width as dimensions 0, 1, 2.
func (d Dims) axes() [3]int { return [3]int{d.C, d.H, d.W} }

func dimsOf(axes [3]int) Dims { return Dims{axes[0], axes[1], axes[2]} }

// windowDims is outDims of a Conv, MaxPool or AvgPool.
func (n *Node) windowDims(in Dims) (Dims, error) {
	if err := n.Window.validate(); err != nil {
		return Dims{}, err
	}
	h, w := n.Window.Out(in.H, in.W)
	if h < 1 || w < 1 {
		return Dims{}, fmt.Errorf("window of %d×%d on a plane of %d×%d", n.Window.KH, n.Window.KW, in.H, in.W)
	}
	if n.Op == NodeConv {
		if g := n.groups(); n.Groups < 0 || in.C%g != 0 || n.Out.C%g != 0 {
			return Dims{}, fmt.Errorf("%d groups of %d and %d channels", n.Groups, in.C, n.Out.C)
		}
		return Dims{n.Out.C, h, w}, nil
	}
	win := n.Window
	dh, dw := win.Dilation()
	for oh := range h {
		if k0, k1 := taps(oh*win.StrideH-win.Pad.Top, win.KH, dh, in.H); k0 >= k1 {
			return Dims{}, errors.New("a window that covers nothing but border")
		}
	}
	for ow := range w {
		if k0, k1 := taps(ow*win.StrideW-win.Pad.Left, win.KW, dw, in.W); k0 >= k1 {
			return Dims{}, errors.New("a window that covers nothing but border")
		}
	}
	return Dims{in.C, h, w}, nil
}

func (n *Node) validateSum(ins []Dims) error {
	if n.Sign != nil && len(n.Sign) != len(ins) {
		return fmt.Errorf("%d signs for %d inputs", len(n.Sign), len(ins))
	}
	for _, s := range n.Sign {
		if s != 1 && s != -1 {
			return fmt.Errorf("sign %d", s)
		}
	}
	for _, d := range ins {
		if d != ins[0] {
			return fmt.Errorf("sum of %s and %s", ins[0], d)
		}
	}
	return nil
}

func (n *Node) concatDims(ins []Dims) (Dims, error) {
	if n.Axis < 0 || n.Axis > 2 {
		return Dims{}, fmt.Errorf("concatenation along dimension %d", n.Axis)
	}
	out := ins[0].axes()
	for _, d := range ins[1:] {
		a := d.axes()
		out[n.Axis] += a[n.Axis]
		if a[n.Axis] = out[n.Axis]; a != out {
			return Dims{}, fmt.Errorf("%s and %s do not fit along dimension %d", ins[0], d, n.Axis)
		}
	}
	return dimsOf(out), nil
}

// sliceDims checks that all that a Slice takes is there.
func (n *Node) sliceDims(in Dims) (Dims, error) {
	from, out := in.axes(), n.Out.axes()
	for d, size := range from {
		step, start := n.Step[d], n.Start[d]
		if step == 0 || step > maxElements || step < -maxElements {
			return Dims{}, fmt.Errorf("step %d", step)
		}
		if last := start + (out[d]-1)*step; start < 0 || start >= size || last < 0 || last >= size {
			return Dims{}, fmt.Errorf("elements %d to %d of %d", start, last, size)
		}
	}
	return n.Out, nil
}

// validateStray reports fields that belong to other operators.
func (n *Node) validateStray() error {
	switch {
	case n.Op != NodeConv && n.Groups != 0:
		return errors.New("groups belong to Conv")
	case n.Op != NodeAdd && n.Sign != nil:
		return errors.New("signs belong to Add")
	case (n.Op == NodeTable) != (n.Func.F != nil):
		return errors.New("a Table, and nothing else, has a function")
	}
	if n.Quantized != nil {
		return n.Quantized.validate(n)
	}
	return nil
}

// validateParameters checks the numbers of weights. Each product below is of
// validated numbers, at most 2^24 · 2^24 · 2^16; the weights' sum is compared
// in floating point, so that it cannot overflow.
func (n *Node) validateParameters(in Dims) error {
	var weights float64
	bias, scale := 0, 0
	switch n.Op {
	case NodeConv:
		weights = float64(n.Out.C*(in.C/n.groups())) * float64(n.Window.KH*n.Window.KW)
	case NodeDense:
		weights = float64(n.Out.C) * float64(in.Len())
	case NodeAffine:
		scale = in.C
	}
	if weights > 0 && len(n.Bias) > 0 {
		bias = n.Out.C
	}
	if weights > maxWeights || float64(len(n.Weights)) != weights {
		return fmt.Errorf("%d weights, want %.0f (at most %d)", len(n.Weights), weights, maxWeights)
	}
	if n.Op == NodeConv && len(n.Bias) > bias {
		bias = n.Out.Len()
	}
	if len(n.Bias) != bias {
		return fmt.Errorf("%d biases, want %d", len(n.Bias), bias)
	}
	if len(n.Scale) != scale || len(n.Shift) != scale {
		return fmt.Errorf("%d scales and %d shifts, want %d", len(n.Scale), len(n.Shift), scale)
	}
	return nil
}
