package nn

// moveFloat computes the nodes that only move numbers.
func (n *Node) moveFloat(dst []float32, tensors [][]float32, g *Graph) {
	x, in := tensors[n.In[0]], g.Dims(n.In[0])
	from := [3]int{in.H * in.W, in.W, 1}
	to := [3]int{n.Out.H * n.Out.W, n.Out.W, 1}
	switch n.Op {
	case NodeZeroPad:
		clear(dst)
		copyFloat(dst[n.Pad.Top*n.Out.W+n.Pad.Left:], to, x, from, in)
	case NodeConcat:
		at := 0
		for _, t := range n.In {
			d := g.Dims(t)
			copyFloat(dst[at*to[n.Axis]:], to, tensors[t], [3]int{d.H * d.W, d.W, 1}, d)
			at += d.axes()[n.Axis]
		}
	case NodeSlice:
		start := 0
		var steps [3]int
		for d, s := range from {
			start += n.Start[d] * s
			steps[d] = n.Step[d] * s
		}
		for c := range n.Out.C {
			for h := range n.Out.H {
				row := dst[(c*n.Out.H+h)*n.Out.W:][:n.Out.W]
				at := start + c*steps[0] + h*steps[1]
				for w := range row {
					row[w] = x[at+w*steps[2]]
				}
			}
		}
	case NodeTranspose:
		copyFloat(dst, to, x, [3]int{from[n.Perm[0]], from[n.Perm[1]], from[n.Perm[2]]}, n.Out)
	case NodeStuff:
		clear(dst)
		copyFloat(dst, [3]int{to[0], to[1] * n.FactorH, n.FactorW}, x, from, in)
	case NodeUpsample:
		for h := range n.FactorH {
			for w := range n.FactorW {
				copyFloat(dst[h*n.Out.W+w:], [3]int{to[0], to[1] * n.FactorH, n.FactorW}, x, from, in)
			}
		}
	}
}

// copyFloat copies size numbers whose neighbours along each dimension lie so
// many places apart in dst and in x.
func copyFloat(dst []float32, to [3]int, x []float32, from [3]int, size Dims) {
	for c := range size.C {
		for h := range size.H {
			i, j := c*to[0]+h*to[1], c*from[0]+h*from[1]
			for range size.W {
				dst[i] = x[j]
				i += to[2]
				j += from[2]
			}
		}
	}
}
