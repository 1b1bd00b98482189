package nn

import "slices"

// prepare returns the graph without Affine nodes: each is taken exactly into
// a Conv or Dense before it, or into one after it, also where Reshapes stand
// between, or else becomes a Conv of its own, with a group for each channel.
// The weights that do not change are shared with g.
func (g *Graph) prepare() *Graph {
	f := g.Fold()
	for i := range f.Nodes {
		n := &f.Nodes[i]
		switch {
		case n.Op != NodeAffine:
		case f.foldBack(i) || f.foldForward(i):
			n.Op, n.Scale, n.Shift = NodeReshape, nil, nil // to the same size
		default:
			n.Op, n.Groups, n.Window = NodeConv, n.Out.C, Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}
			n.Weights, n.Bias, n.Scale, n.Shift = n.Scale, n.Shift, nil, nil
		}
	}
	return f
}

// foldBack takes Affine node i into the Conv or Dense that it follows, maybe
// with Reshapes between.
func (g *Graph) foldBack(i int) bool {
	uses := g.uses()
	n := &g.Nodes[i]
	t := n.In[0]
	for t > 0 && uses[t] == 1 && g.Nodes[t-1].Op == NodeReshape {
		t = g.Nodes[t-1].In[0]
	}
	if t == 0 || uses[t] != 1 {
		return false
	}
	before := &g.Nodes[t-1]
	if before.Op != NodeConv && before.Op != NodeDense {
		return false
	}
	scale, ok := perChannel(n.Scale, n.Out, before.Out)
	shift, ok2 := perChannel(n.Shift, n.Out, before.Out)
	if ok && ok2 {
		before.affine(scale, shift)
	}
	return ok && ok2
}

// perChannel turns numbers for each channel of a tensor of dimensions from
// into numbers for each channel of the same tensor reshaped to dimensions to;
// false where one of those would need several.
func perChannel(v []float32, from, to Dims) ([]float32, bool) {
	out := make([]float32, to.C)
	for i := range from.Len() {
		x := v[i/(from.H*from.W)]
		c := i / (to.H * to.W)
		if i%(to.H*to.W) == 0 {
			out[c] = x
		} else if out[c] != x {
			return nil, false
		}
	}
	return out, true
}

// foldForward takes Affine node i into all the nodes that use it, each a Conv
// without a border or a Dense, maybe with Reshapes between.
func (g *Graph) foldForward(i int) bool {
	a := &g.Nodes[i]
	var take []func()
	reached := make([]bool, len(g.Nodes)+1) // tensors that are the Affine's, reshaped
	reached[i+1] = true
	for j := i + 1; j < len(g.Nodes); j++ {
		n := &g.Nodes[j]
		if !slices.ContainsFunc(n.In, func(t int) bool { return reached[t] }) {
			continue
		}
		scale, shift, ok := a.Scale, a.Shift, true
		switch {
		case n.Op == NodeReshape:
			reached[j+1] = true
			continue
		case n.Op == NodeDense:
		case n.Op == NodeConv && n.Window.Pad == Pad{}:
			var ok2 bool
			scale, ok = perChannel(a.Scale, a.Out, g.Dims(n.In[0]))
			shift, ok2 = perChannel(a.Shift, a.Out, g.Dims(n.In[0]))
			ok = ok && ok2
		default:
			ok = false
		}
		if !ok {
			return false
		}
		take = append(take, func() { n.affineInput(scale, shift) })
	}
	if reached[g.Output] || len(take) == 0 {
		return false
	}
	for _, f := range take {
		f()
	}
	return true
}

// affineInput makes the node, a Dense or a Conv without a border, yield for x
// what it yielded for scale·x + shift. Each of those numbers belongs to a block
// of the weights of an output channel, all blocks of one size.
func (n *Node) affineInput(scale, shift []float32) {
	row := len(n.Weights) / n.Out.C
	groups := n.groups()
	block := row * groups / len(scale)
	weights := make([]float32, len(n.Weights))
	bias := make([]float32, n.Out.C)
	for oc := range n.Out.C {
		var sum float64
		if len(n.Bias) > 0 {
			sum = float64(n.Bias[oc])
		}
		first := oc * groups / n.Out.C * (len(scale) / groups) // of the group
		for i, k := range n.Weights[oc*row:][:row] {
			weights[oc*row+i] = float32(float64(k) * float64(scale[first+i/block]))
			sum += float64(k) * float64(shift[first+i/block])
		}
		bias[oc] = float32(sum)
	}
	n.Weights, n.Bias, n.Quantized = weights, bias, nil
}
