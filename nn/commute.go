package nn

import "slices"

// An Affine that stands after a pooling layer, or before one, may move past it
// towards a convolution that can take it in.

// raise moves Affine node i up past what it commutes with, if a Conv or Dense
// that can take it in stands above, and returns where it is then.
func (g *Graph) raise(i int) int {
	uses := g.uses()
	top := i
	for {
		t := g.Nodes[top].In[0]
		if t == 0 || uses[t] != 1 {
			return i
		}
		n := &g.Nodes[t-1]
		if n.Op == NodeConv || n.Op == NodeDense {
			break
		}
		if n.Op == NodeReshape || !n.commutes(&g.Nodes[i]) {
			return i
		}
		top = t - 1
	}
	for i != top {
		above := g.Nodes[i].In[0] - 1
		g.exchange(above, i)
		i = above
	}
	return i
}

// sink moves Affine node i down past what it commutes with, as long as nothing
// else takes its result, and returns where it is then.
func (g *Graph) sink(i int) int {
	if g.folds(i) {
		return i
	}
	uses := g.uses()
	for uses[i+1] == 1 {
		j := i + 1 + slices.IndexFunc(g.Nodes[i+1:], func(n Node) bool { return slices.Contains(n.In, i+1) })
		if j <= i || !g.Nodes[j].commutes(&g.Nodes[i]) {
			break
		}
		g.exchange(i, j)
		i = j
	}
	return i
}

// folds reports whether a Conv or Dense stands directly above Affine node i
// and can take it in.
func (g *Graph) folds(i int) bool {
	t := g.Nodes[i].In[0]
	return t > 0 && g.uses()[t] == 1 && (g.Nodes[t-1].Op == NodeConv || g.Nodes[t-1].Op == NodeDense)
}

// commutes reports whether the node may change places with Affine a.
func (n *Node) commutes(a *Node) bool {
	switch n.Op {
	case NodeMaxPool:
		return !slices.ContainsFunc(a.Scale, func(s float32) bool { return s < 0 })
	case NodeAvgPool:
		return !n.CountPad || n.Window.Pad == Pad{}
	case NodeUpsample:
		return true
	}
	return false
}

// exchange changes the places of nodes i and j, of which j is the only one that
// takes the result of i, and which keep the channels.
func (g *Graph) exchange(i, j int) {
	lower, upper := g.Nodes[i], g.Nodes[j]
	upper.In, lower.In = lower.In, []int{i + 1}
	if upper.Op == NodeAffine {
		upper.Out = g.Dims(upper.In[0])
	} else {
		lower.Out = upper.Out
	}
	g.Nodes[i], g.Nodes[j] = upper, lower
}
