package nn

import "slices"

// prepare returns the graph without Affine nodes: each is taken exactly into
// a Conv or Dense before it, or into one after it, also where Reshapes stand
// between, or else becomes a Conv of its own, with a group for each channel.
// Two maps in a row become one where that is smaller, and what the output does
// not need goes. The weights that do not change are shared with g. A Conv may
// come to have a bias for each output in place of each channel.
func (g *Graph) prepare() *Graph {
	f := g.Fold()
	for i := range f.Nodes {
		if f.Nodes[i].Op == NodeZeroPad {
			f.mergeBorder(i)
		}
	}
	for i := range f.Nodes {
		if n := &f.Nodes[i]; n.Op == NodeAffine {
			i = f.sink(f.raise(i))
		}
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
	f.multiplyOut()
	return f.prune()
}

// mergeBorder takes ZeroPad node i into the windows of the nodes that use it,
// if all of them are Convs whose windows are larger than the border.
func (g *Graph) mergeBorder(i int) {
	n := &g.Nodes[i]
	var users []*Node
	for j := i + 1; j < len(g.Nodes); j++ {
		u := &g.Nodes[j]
		if !slices.Contains(u.In, i+1) {
			continue
		}
		if merged := u.Window.padded(n.Pad); u.Op != NodeConv || merged.validate() != nil {
			return
		}
		users = append(users, u)
	}
	if len(users) == 0 || g.Output == i+1 {
		return
	}
	for _, u := range users {
		u.Window = u.Window.padded(n.Pad)
	}
	n.Op, n.Out, n.Pad = NodeReshape, g.Dims(n.In[0]), Pad{}
}

// padded returns the window with a wider border.
func (w Window) padded(p Pad) Window {
	w.Pad.Top += p.Top
	w.Pad.Left += p.Left
	w.Pad.Bottom += p.Bottom
	w.Pad.Right += p.Right
	return w
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
// or a Dense, maybe with Reshapes between.
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
		switch n.Op {
		case NodeReshape:
			reached[j+1] = true
			continue
		case NodeDense:
		case NodeConv:
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
		in := g.Dims(n.In[0])
		take = append(take, func() { n.affineInput(scale, shift, in) })
	}
	if reached[g.Output] || len(take) == 0 {
		return false
	}
	for _, f := range take {
		f()
	}
	return true
}

// affineInput makes the node, a Dense or a Conv, yield for x what it yielded
// for scale·x + shift. Each of those numbers belongs to a block of the weights
// of an output channel, all blocks of one size.
func (n *Node) affineInput(scale, shift []float32, in Dims) {
	row := len(n.Weights) / n.Out.C
	groups := n.groups()
	block := row * groups / len(scale)
	weights := make([]float32, len(n.Weights))
	added := make([]float64, len(n.Weights)) // by each weight to the outputs that it counts in
	for oc := range n.Out.C {
		first := oc * groups / n.Out.C * (len(scale) / groups) // of the group
		for i, k := range n.Weights[oc*row:][:row] {
			weights[oc*row+i] = float32(float64(k) * float64(scale[first+i/block]))
			added[oc*row+i] = float64(k) * float64(shift[first+i/block])
		}
	}
	n.Bias = n.addedBias(added, in)
	n.Weights, n.Quantized = weights, nil
}

// addedBias returns the bias plus what the weights add. Where the border
// matters, and something is added at all, it has a number for each output.
func (n *Node) addedBias(added []float64, in Dims) []float32 {
	row, plane := len(added)/n.Out.C, n.Out.H*n.Out.W
	old := func(at int) float64 { // the output
		switch len(n.Bias) {
		case 0:
			return 0
		case n.Out.C:
			return float64(n.Bias[at/plane])
		}
		return float64(n.Bias[at])
	}
	some := slices.ContainsFunc(added, func(v float64) bool { return v != 0 })
	if n.Op == NodeDense || n.Window.Pad == (Pad{}) && len(n.Bias) <= n.Out.C || !some {
		if !some {
			return n.Bias
		}
		bias := make([]float32, n.Out.C)
		for oc := range bias {
			sum := old(oc * plane)
			for _, v := range added[oc*row:][:row] {
				sum += v
			}
			bias[oc] = float32(sum)
		}
		return bias
	}
	bias := make([]float32, n.Out.Len())
	win := n.Window
	dh, dw := win.Dilation()
	for at := range bias {
		oc, oh, ow := at/plane, at%plane/n.Out.W, at%n.Out.W
		h0, h1 := taps(oh*win.StrideH-win.Pad.Top, win.KH, dh, in.H)
		w0, w1 := taps(ow*win.StrideW-win.Pad.Left, win.KW, dw, in.W)
		sum := old(at)
		for kernel := oc * row; kernel < (oc+1)*row; kernel += win.KH * win.KW {
			for kh := h0; kh < h1; kh++ {
				for kw := w0; kw < w1; kw++ {
					sum += added[kernel+kh*win.KW+kw]
				}
			}
		}
		bias[at] = float32(sum)
	}
	return bias
}
