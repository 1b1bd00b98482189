package onnx

import (
	"slices"

	"dorcas/nn"
)

// labels reports whether the node, of scikit-learn's exporters, turns scores
// or an arg-max into something for people, which the client does itself.
func (n *node) labels() bool {
	return slices.Contains([]string{"ZipMap", "ArrayFeatureExtractor", "LabelEncoder", "Gather"}, n.op)
}

// classical are the operators of the domain ai.onnx.ml.
var classical = map[string]func(n *node) *value{
	"Scaler": (*node).scaler,
	"ZipMap": (*node).zipMap,
	// Names of classes by an arg-max.
	"ArrayFeatureExtractor": func(n *node) *value { return n.labelOf(1) },
	"LabelEncoder":          func(n *node) *value { return n.labelOf(0) },
}

// zipMap names the scores; what they are stays.
func (n *node) zipMap() *value { return n.identity() }

// labelOf passes an arg-max on, input i: the client names its class.
func (n *node) labelOf(i int) *value {
	x := n.raw(i)
	if n.err == nil && x.head != nn.HeadArgMax {
		n.unsupported("the operator on anything but an arg-max")
	}
	return x
}

// scaler translates (x - offset)·scale, with one number of each or one for
// each feature.
func (n *node) scaler() *value {
	offset, scale := n.floatsAttr("offset"), n.floatsAttr("scale")
	x := n.settled(0)
	if n.err != nil {
		return nil
	}
	last := len(x.shape) - 1
	if last < 0 || len(offset) != len(scale) || len(scale) != 1 && len(scale) != x.shape[last] {
		n.fail("%d offsets and %d scales for shape %v", len(offset), len(scale), x.shape)
		return nil
	}
	at := along{last, 1}
	if len(scale) == 1 {
		at = along{}
	}
	n.check(n.r.spend(len(scale)))
	if n.err != nil {
		return nil
	}
	shift := make([]float32, len(scale))
	for i, s := range scale {
		shift[i] = float32(-float64(offset[i]) * float64(s))
	}
	return n.affine(x, at, scale, shift)
}
