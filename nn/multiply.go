package nn

// mostGrowth is how many times the weights of two maps their product may have.
// Fewer stages, uploads and answers come with it in any case.
const mostGrowth = 3

// multiplyOut makes one node of every Conv of 1 × 1, or Dense, and the Conv or
// Dense that takes its result, where nothing else does. It changes g.
func (g *Graph) multiplyOut() {
	for j := range g.Nodes {
		for g.multiply(j) {
		}
	}
}

// multiply makes node j do what the map before it does too, and reports
// whether there was one.
func (g *Graph) multiply(j int) bool {
	n := &g.Nodes[j]
	if n.Op != NodeDense && (n.Op != NodeConv || n.groups() > 1) {
		return false
	}
	uses := g.uses()
	t := n.In[0]
	for t > 0 && uses[t] == 1 && g.Nodes[t-1].Op == NodeReshape && (n.Op == NodeDense || g.Dims(t) == g.Dims(g.Nodes[t-1].In[0])) {
		t = g.Nodes[t-1].In[0]
	}
	if t == 0 || uses[t] != 1 {
		return false
	}
	first := &g.Nodes[t-1]
	dense := first.Op == NodeDense && n.Op == NodeDense
	if !dense && !first.pointwise() || first.Quantized != nil || n.Quantized != nil || len(first.Bias) > first.Out.C {
		return false
	}
	middle := first.Out.C
	from, block := len(first.Weights)/middle, len(n.Weights)/n.Out.C/middle
	if n.Out.C*from*block > mostGrowth*(len(first.Weights)+len(n.Weights)) {
		return false
	}
	n.follow(first, from, middle, block)
	return true
}

// pointwise reports whether the node is a Conv of 1 × 1 that keeps the planes.
func (n *Node) pointwise() bool {
	w := &n.Window
	return n.Op == NodeConv && n.groups() == 1 && w.KH == 1 && w.KW == 1 && w.StrideH == 1 && w.StrideW == 1 && w.Pad == Pad{}
}

// follow makes the node compute on the input of first, a map from so many
// channels to middle channels, each of which has a block of weights in n.
func (n *Node) follow(first *Node, from, middle, block int) {
	weights := make([]float32, n.Out.C*from*block)
	added := make([]float64, len(n.Weights))
	row := make([]float64, from*block)
	for oc := range n.Out.C {
		clear(row)
		for m := range middle {
			for k, v := range n.Weights[(oc*middle+m)*block:][:block] {
				for c, u := range first.Weights[m*from:][:from] {
					row[c*block+k] += float64(u) * float64(v)
				}
				if len(first.Bias) > 0 {
					added[(oc*middle+m)*block+k] = float64(first.Bias[m]) * float64(v)
				}
			}
		}
		for i, v := range row {
			weights[oc*from*block+i] = float32(v)
		}
	}
	n.Bias = n.addedBias(added, first.Out)
	n.Weights, n.In = weights, first.In
	first.In = nil // it is dead, and no use of its input
}

// prune returns the graph without the nodes that its output does not need.
func (g *Graph) prune() *Graph {
	needed := make([]bool, len(g.Nodes)+1)
	needed[g.Output] = true
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		if needed[i+1] {
			for _, t := range g.Nodes[i].In {
				needed[t] = true
			}
		}
	}
	p := &Graph{Name: g.Name, Input: g.Input, ChannelsLast: g.ChannelsLast, Head: g.Head}
	tensor := make([]int, len(needed))
	for i, n := range g.Nodes {
		if !needed[i+1] {
			continue
		}
		in := make([]int, len(n.In))
		for k, t := range n.In {
			in[k] = tensor[t]
		}
		n.In = in
		p.Nodes = append(p.Nodes, n)
		tensor[i+1] = len(p.Nodes)
	}
	p.Output = tensor[g.Output]
	return p
}
