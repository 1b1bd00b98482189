package onnx

import (
	"math"
	"slices"

	"dorcas/nn"
)

// batchNormalization translates
//
//	Y = (X - mean) / sqrt(var + epsilon) · scale + B
//
// with one number of each per channel.
func (n *node) batchNormalization() *value {
	if n.intAttr("training_mode", 0) != 0 {
		n.unsupported("training_mode 1")
	}
	if n.intAttr("spatial", 1) != 1 {
		n.unsupported("spatial 0")
	}
	epsilon := float64(n.floatAttr("epsilon", 1e-5))
	x := n.settled(0)
	var p [4][]float32
	for i, what := range []string{"scale", "bias", "mean", "variance"} {
		p[i] = n.floats(i+1, what).floats
	}
	if n.err != nil {
		return nil
	}
	if len(x.shape) < 2 {
		n.fail("input of shape %v has no channels", x.shape)
		return nil
	}
	channels := x.shape[1]
	for _, v := range p {
		if len(v) != channels {
			n.fail("%d numbers for %d channels", len(v), channels)
			return nil
		}
	}
	scale, shift := make([]float32, channels), make([]float32, channels)
	for c := range scale {
		variance := float64(p[3][c]) + epsilon
		if !(variance > 0) {
			n.fail("variance of channel %d is %v", c, p[3][c])
			return nil
		}
		s := float64(p[0][c]) / math.Sqrt(variance)
		scale[c] = float32(s)
		shift[c] = float32(float64(p[1][c]) - float64(p[2][c])*s)
	}
	return n.affine(x, along{1, 1}, scale, shift)
}

// along says which dimensions of a shape the numbers of an operator differ
// along: count of them, from first on. None means one number for all.
type along struct{ first, count int }

// channels returns the numbers of a constant that an operator combines with
// an input of the given shape, and the dimensions along which they differ.
func (n *node) channels(c *constant, shape []int) (along, []float32) {
	var at along
	for i, d := range c.shape {
		axis := len(shape) - len(c.shape) + i
		switch {
		case d == 1:
		case axis < 0 || d != shape[axis]:
			n.unsupported("a constant of shape %v with an input of shape %v", c.shape, shape)
			return along{}, nil
		case at.count == 0:
			at = along{axis, 1}
		default:
			at.count = axis - at.first + 1
		}
	}
	if len(c.floats) == 0 {
		n.fail("an empty constant")
	}
	if len(c.shape) > len(shape) { // of ones: the output has as many dimensions
		n.unsupported("a constant of shape %v with an input of shape %v", c.shape, shape)
	}
	if at.count <= 1 || n.err != nil {
		return at, c.floats
	}
	from := c.shape[max(0, at.first-len(shape)+len(c.shape)):][:at.count]
	steps := stridesOf(from)
	for i, d := range from {
		if d == 1 {
			steps[i] = 0
		}
	}
	if spread := n.pick(c, shape[at.first:at.first+at.count], steps, 0); spread != nil {
		return at, spread.floats
	}
	return at, nil
}

// affine adds scale·x + shift, with one number for each place along some
// dimensions. An empty scale is ones, an empty shift zeros. A shift alone
// becomes part of the bias where x comes straight from a Conv or Dense.
func (n *node) affine(x *value, at along, scale, shift []float32) *value {
	if n.err != nil {
		return nil
	}
	shape := x.shape
	if at.count > 1 {
		n.order(x)
		size, _ := sizeOf(shape[at.first : at.first+at.count])
		x.shape = slices.Concat(shape[:at.first], []int{size}, shape[at.first+at.count:])
	}
	dims := n.r.g.Dims(x.tensor)
	if at.count > 0 {
		if d := n.channelsFirst(x, at.first); dims.C != d.C {
			dims = d
		}
	}
	t := n.as(x.tensor, dims)
	n.check(n.r.spend(2 * dims.C))
	if n.err != nil {
		return nil
	}
	add := scale == nil
	scale, shift = expand(scale, dims.C, 1), expand(shift, dims.C, 0)
	if before := n.r.weighted(t); add && !x.shared && before != nil {
		for c, b := range before.Bias {
			shift[c] += b
		}
		before.Bias = shift
		if q := before.Quantized; q != nil {
			q.Bias, q.BiasScale = nil, nil
		}
	} else {
		t = n.add(nn.Node{Op: nn.NodeAffine, Out: dims, Scale: scale, Shift: shift}, t)
	}
	y := &value{tensor: t, shape: x.shape, perm: x.perm}
	if at.count > 1 {
		n.order(y)
		y.shape = shape
	}
	return y
}

// weighted returns the Conv or Dense that computes a tensor, nil if none does.
func (r *reader) weighted(tensor int) *nn.Node {
	if tensor == 0 {
		return nil
	}
	if b := &r.g.Nodes[tensor-1]; b.Op == nn.NodeConv || b.Op == nn.NodeDense {
		return b
	}
	return nil
}

// expand returns a copy of v with one number per channel: v may have one for
// all, or none, which stands for otherwise.
func expand(v []float32, channels int, otherwise float32) []float32 {
	out := make([]float32, channels)
	for c := range out {
		switch len(v) {
		case 0:
			out[c] = otherwise
		case 1:
			out[c] = v[0]
		default:
			out[c] = v[c]
		}
	}
	return out
}
