package nn

import (
	"math"
	"slices"
)

// Equalization says whether channels are brought to like ranges.
type Equalization string

// The choices. Equalised networks compute the same real function.
const (
	// EqualizeAuto, the default, tries it where a depthwise or grouped
	// convolution takes part, or where ranges differ much, and keeps it if the
	// scores are then closer to those of the float network.
	EqualizeAuto   Equalization = "auto"
	EqualizeAlways Equalization = "always"
	EqualizeNever  Equalization = "never"
)

// link is a pair of convolutions (Conv or Dense) of which the second takes,
// channel by channel, what the first gives, through layers that a positive
// factor of a channel passes: relu, leaky relu, pools, borders, reshapes.
//
// A clip does not count: its bounds would have to change channel by channel,
// but a stage has one circuit for all, and bounds are public.
type link struct{ first, second int }

const (
	// equalizeSweeps bounds the sweeps over all links; chains of several
	// settle within some.
	equalizeSweeps = 40
	// equalizeEnough ends the sweeps: the logarithm of the largest factor.
	equalizeEnough = 1e-3
	// unevenRatio is how much smaller than the largest the range of a channel
	// is where EqualizeAuto takes a network for uneven.
	unevenRatio = 16
)

// equalized returns the prepared graph with the weights of each link scaled so
// that each channel has the same range in both convolutions (Nagel et al.,
// ICCV 2019, section 4.1), and how many links there are: 0, and the graph
// itself, where how says or nothing calls for it. The weights that do not
// change are shared with g.
func (g *Graph) equalized(how Equalization) (*Graph, int) {
	links := g.links()
	if how == EqualizeNever || len(links) == 0 || how == EqualizeAuto && !slices.ContainsFunc(links, g.uneven) {
		return g, 0
	}
	f := *g
	f.Nodes = slices.Clone(g.Nodes)
	for range equalizeSweeps {
		largest := 0.0
		for _, l := range links {
			largest = max(largest, f.equalize(l))
		}
		if largest < equalizeEnough {
			break
		}
	}
	return &f, len(links)
}

// links finds all links of a prepared graph.
func (g *Graph) links() []link {
	uses := g.uses()
	var links []link
	for i := range g.Nodes {
		if !g.Nodes[i].secret() {
			continue
		}
		t := i + 1
		for j := t; j < len(g.Nodes) && uses[t] == 1; j++ {
			n := &g.Nodes[j]
			if !slices.Contains(n.In, t) {
				continue
			}
			if n.secret() {
				if g.inputFactors(link{i, j}, make([]float32, g.Nodes[i].Out.C)) != nil {
					links = append(links, link{i, j})
				}
				break
			}
			if !n.passes() {
				break
			}
			t = j + 1
		}
	}
	return links
}

// secret reports whether a node has weights that equalisation may change:
// integers that a file gives stay what they are.
func (n *Node) secret() bool {
	return (n.Op == NodeConv || n.Op == NodeDense) && n.Quantized == nil
}

// passes reports whether a positive factor of a channel of its input is the
// same factor of a channel of its output.
func (n *Node) passes() bool {
	switch n.Op {
	case NodeRelu, NodeMaxPool, NodeAvgPool, NodeZeroPad, NodeReshape, NodeUpsample, NodeStuff:
		return true
	case NodeTable:
		return n.Func.Name == "leaky_relu"
	}
	return false
}

// inputFactors turns factors for the channels that the first node gives into
// those for the blocks of weights of the second; nil if one block would need
// several.
func (g *Graph) inputFactors(l link, factors []float32) []float32 {
	first, second := &g.Nodes[l.first], &g.Nodes[l.second]
	in := g.Dims(second.In[0])
	switch {
	case in.C == first.Out.C && second.Op == NodeConv:
		return factors
	case second.Op == NodeDense && in.Len()%first.Out.C == 0:
		return factors // a block of the flattened input belongs to each channel
	}
	return nil
}

// ranges returns the largest magnitude of the weights that make each channel
// between the two nodes, and of those that take it.
func (g *Graph) ranges(l link) (made, taken []float64) {
	first, second := &g.Nodes[l.first], &g.Nodes[l.second]
	channels := first.Out.C
	made, taken = make([]float64, channels), make([]float64, channels)
	row := len(first.Weights) / channels
	for i, w := range first.Weights {
		made[i/row] = max(made[i/row], math.Abs(float64(w)))
	}
	groups := second.groups()
	part := channels / groups // of the channels, that each output takes
	row = len(second.Weights) / second.Out.C
	for i, w := range second.Weights {
		c := i/row*groups/second.Out.C*part + i%row*part/row
		taken[c] = max(taken[c], math.Abs(float64(w)))
	}
	return made, taken
}

// uneven reports whether EqualizeAuto tries a link.
func (g *Graph) uneven(l link) bool {
	if g.Nodes[l.first].groups() > 1 || g.Nodes[l.second].groups() > 1 {
		return true
	}
	made, taken := g.ranges(l)
	for _, r := range [][]float64{made, taken} {
		top := slices.Max(r)
		for _, v := range r {
			if v > 0 && v*unevenRatio < top {
				return true
			}
		}
	}
	return false
}

// equalize scales the channels of a link and returns the logarithm of the
// factor that was farthest from 1. It replaces slices and leaves what they
// held.
func (g *Graph) equalize(l link) float64 {
	made, taken := g.ranges(l)
	down, up := make([]float32, len(made)), make([]float32, len(made))
	largest := 0.0
	for c := range made {
		down[c], up[c] = 1, 1
		if made[c] > 0 && taken[c] > 0 {
			s := math.Sqrt(made[c] / taken[c])
			down[c], up[c] = float32(1/s), float32(s)
			largest = max(largest, math.Abs(math.Log(s)))
		}
	}
	g.Nodes[l.first].affine(down, nil)
	second := &g.Nodes[l.second]
	second.affineInput(g.inputFactors(l, up), make([]float32, len(up)), g.Dims(second.In[0]))
	return largest
}
