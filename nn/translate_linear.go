package nn

// layout returns the layer of a node that moves elements, nil for others.
func (n *Node) layout() *Layer {
	switch n.Op {
	case NodeZeroPad:
		return &Layer{ZeroPad: &n.Pad}
	case NodeSlice:
		return &Layer{Slice: &Slice{n.Start, n.Step}}
	case NodeTranspose:
		return &Layer{Transpose: &Transpose{n.Perm}}
	case NodeUpsample:
		return &Layer{Upsample: &Factors{n.FactorH, n.FactorW}}
	case NodeStuff:
		return &Layer{Stuff: &Factors{n.FactorH, n.FactorW}}
	}
	return nil
}

// public finishes a term of a public linear layer. One of activations has no
// scale to choose and is settled at once.
func (q *quantizer) public(t *term) (*term, error) {
	for _, in := range t.in {
		t.accumulator = t.accumulator || in.accumulator
	}
	if t.accumulator {
		return t, nil
	}
	return t, q.settle(t, noFrac)
}

// join translates a node that takes several tensors, which must come to one
// scale.
func (q *quantizer) join(i int, l *Layer) (*term, error) {
	n := &q.graph.Nodes[i]
	t := &term{name: n.Name, layer: l, out: n.Out, ref: i + 1}
	for j, in := range n.In {
		sign := 1
		if n.Sign != nil {
			sign = n.Sign[j]
		}
		t.in, t.signs = append(t.in, q.terms[in]), append(t.signs, sign)
	}
	return q.public(t)
}

// reshape stands for the same tensor of the float graph as x, which has the
// same values in the same order.
func (q *quantizer) reshape(name string, x *term, out Dims) (*term, error) {
	if x.out == out {
		return x, nil
	}
	return q.public(&term{name: name, layer: &Layer{Reshape: new(Reshape)}, in: []*term{x}, out: out, ref: x.ref})
}

// depthwiseBits are how many bits more the weights of a depthwise convolution
// have than others: its sums are of few products, whose errors hardly average
// out, and one scale has to do for channels of ranges that differ much.
const depthwiseBits = 2

// weightBits returns the width of the weights of a Conv or Dense.
func (q *quantizer) weightBits(n *Node) int {
	if n.Groups > 1 && n.Groups == q.graph.Dims(n.In[0]).C {
		return min(q.opt.WeightBits+depthwiseBits, maxWeightBits)
	}
	return q.opt.WeightBits
}

// convolution translates a Conv, or a Dense as one of a vector.
func (q *quantizer) convolution(i int, x *term) (*term, error) {
	n := &q.graph.Nodes[i]
	win := n.Window
	var err error
	if n.Op == NodeDense {
		win = Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}
	} else {
		x, win = mergePad(x, win)
	}
	if x.accumulator {
		if x, err = q.requantise(x, q.opt.ActBits); err != nil {
			return nil, err
		}
	}
	if n.Op == NodeDense {
		if x, err = q.reshape(n.Name+"/flatten", x, Dims{x.out.Len(), 1, 1}); err != nil {
			return nil, err
		}
	}
	return &term{
		name: n.Name, layer: &Layer{Conv: &Conv{Window: win, Groups: n.Groups, PlaneBias: len(n.Bias) > n.Out.C}}, in: []*term{x}, out: n.Out, ref: i + 1, accumulator: true,
		conv: &floatConv{n.Weights, n.Bias, q.inputs[i], q.bits(n.Name, q.weightBits(n)), q.rounded[i]},
	}, nil
}

// mergePad takes the borders that ZeroPads have put around x into a window.
func mergePad(x *term, win Window) (*term, Window) {
	for x.layer != nil && x.layer.ZeroPad != nil {
		merged := win.padded(*x.layer.ZeroPad)
		if merged.validate() != nil {
			break // a border as wide as the window stays a layer
		}
		x, win = x.in[0], merged
	}
	return x, win
}

// averagePool translates an average as a sum, whose scale has the divisor. One
// that leaves the border out has one divisor for all sums, too.
func (q *quantizer) averagePool(i int, x *term) (*term, error) {
	n := &q.graph.Nodes[i]
	win := n.Window
	p := &SumPool{Window: win, Level: win.Pad != Pad{} && !n.CountPad}
	if !p.Level {
		x, p.Window = mergePad(x, win)
	}
	if err := p.validate(x.out, n.Out); err != nil {
		return nil, err
	}
	return q.public(&term{name: n.Name, layer: &Layer{SumPool: p}, in: []*term{x}, out: n.Out, ref: i + 1})
}
