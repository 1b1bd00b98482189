package nn

import "errors"

// Quantized holds the integers that a file gives for a layer's weights, which
// are then, for output channel c,
//
//	Weights[i] of the Node = (Weights[i] - Zero[c]) · Scale[c]
//	Bias[c] of the Node    = Bias[c] · BiasScale[c]
//
// each rounded to a float32. Scale, Zero and BiasScale have one number for all
// channels or one for each. Bias is empty where the file gives no integers for
// it. Scales that are powers of two an integer network can take as they are;
// others it has to approximate, as its own are powers of two.
type Quantized struct {
	Weights   []int32
	Scale     []float32
	Zero      []int32
	Bias      []int32
	BiasScale []float32
}

// scaled returns q for weights that are multiplied by a factor for each output
// channel; those of the bias are left out.
func (q *Quantized) scaled(factors []float32) *Quantized {
	if q == nil {
		return nil
	}
	out := &Quantized{Weights: q.Weights, Scale: make([]float32, len(factors)), Zero: q.Zero}
	if len(q.Zero) != len(factors) {
		out.Zero = make([]int32, len(factors))
	}
	for c, f := range factors {
		out.Scale[c] = q.Scale[c%len(q.Scale)] * f
		out.Zero[c] = q.Zero[c%len(q.Zero)]
	}
	return out
}

// validate compares the numbers of integers with those of a node.
func (q *Quantized) validate(n *Node) error {
	scales := func(k int) bool { return k == 1 || k == n.Out.C }
	switch {
	case len(q.Weights) != len(n.Weights) || !scales(len(q.Scale)) || !scales(len(q.Zero)):
		return errors.New("integer weights do not fit the weights")
	case len(q.Bias) > 0 && (len(q.Bias) != len(n.Bias) || !scales(len(q.BiasScale))):
		return errors.New("integer biases do not fit the biases")
	}
	return nil
}
