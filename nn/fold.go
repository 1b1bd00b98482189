package nn

// Fold returns the graph with every Affine node taken into the Conv, Dense or
// Affine node before it, where that node has no other use; the results are the
// same but for rounding. The weights that do not change are shared with g.
// g must be valid.
func (g *Graph) Fold() *Graph {
	uses := g.uses()
	folded := &Graph{Name: g.Name, Input: g.Input, ChannelsLast: g.ChannelsLast, Head: g.Head}
	tensor := make([]int, len(g.Nodes)+1) // of folded, by tensor of g
	for i := range g.Nodes {
		n := g.Nodes[i]
		if n.Op == NodeAffine && uses[n.In[0]] == 1 && tensor[n.In[0]] > 0 {
			t := tensor[n.In[0]]
			if before := &folded.Nodes[t-1]; before.scalable() {
				before.affine(n.Scale, n.Shift)
				tensor[i+1] = t
				continue
			}
		}
		in := make([]int, len(n.In))
		for j, t := range n.In {
			in[j] = tensor[t]
		}
		n.In = in
		folded.Nodes = append(folded.Nodes, n)
		tensor[i+1] = len(folded.Nodes)
	}
	folded.Output = tensor[g.Output]
	return folded
}

// scalable reports whether the node can take in a factor and a term for each
// channel of its output.
func (n *Node) scalable() bool {
	return n.Op == NodeConv || n.Op == NodeDense || n.Op == NodeAffine
}

// affine makes the node, a scalable one, yield scale·y + shift in place of y.
// It replaces slices and leaves what they held.
func (n *Node) affine(scale, shift []float32) {
	if n.Op == NodeAffine {
		n.Shift = scaled(n.Shift, scale, shift)
		n.Scale = scaled(n.Scale, scale, nil)
		return
	}
	n.Quantized = n.Quantized.scaled(scale)
	n.Weights = scaled(n.Weights, scale, nil)
	n.Bias = scaled(n.Bias, scale, shift)
}

// scaled returns v·scale + shift, in float64 up to the last rounding; v is as
// many blocks as scale has numbers, an empty v is zeros and so is an empty
// shift.
func scaled(v, scale, shift []float32) []float32 {
	block := max(1, len(v)/len(scale))
	out := make([]float32, block*len(scale))
	for c, s := range scale {
		var t float64
		if len(shift) > 0 {
			t = float64(shift[c])
		}
		for i := c * block; i < (c+1)*block; i++ {
			y := t
			if len(v) > 0 {
				y += float64(s) * float64(v[i])
			}
			out[i] = float32(y)
		}
	}
	return out
}
