package nn

import (
	"errors"
	"fmt"
)

// nodeOps are the operators' names and how many tensors each takes.
var nodeOps = [...]struct {
	name string
	in   int
}{
	NodeConv:    {"Conv", 1},
	NodeDense:   {"Dense", 1},
	NodeAffine:  {"Affine", 1},
	NodeRelu:    {"Relu", 1},
	NodeSquare:  {"Square", 1},
	NodeMaxPool: {"MaxPool", 1},
	NodeAvgPool: {"AvgPool", 1},
	NodeAdd:     {"Add", 2},
	NodeReshape: {"Reshape", 1},
	NodeZeroPad: {"ZeroPad", 1},
}

// String returns the operator's name.
func (op NodeOp) String() string {
	if op < 0 || int(op) >= len(nodeOps) {
		return fmt.Sprintf("NodeOp(%d)", int(op))
	}
	return nodeOps[op].name
}

// String returns the name of the function.
func (h Head) String() string {
	switch h {
	case HeadNone:
		return "none"
	case HeadSoftmax:
		return "softmax"
	case HeadLogSoftmax:
		return "log-softmax"
	case HeadArgMax:
		return "arg-max"
	}
	return fmt.Sprintf("Head(%d)", int(h))
}

// Dims returns the size of a tensor: 0 is the input, i+1 the output of node i.
func (g *Graph) Dims(tensor int) Dims {
	if tensor == 0 {
		return g.Input
	}
	return g.Nodes[tensor-1].Out
}

// Validate reports what is wrong with a graph: tensors that do not come before
// their use, sizes that do not follow from one another, sizes beyond what a
// Shape may have, weights that are not finite.
func (g *Graph) Validate() error {
	if err := g.validateSizes(); err != nil {
		return err
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for _, v := range [][]float32{n.Weights, n.Bias, n.Scale, n.Shift} {
			if j := notFinite(v); j >= 0 {
				return g.nodeError(i, fmt.Errorf("parameter %d is %v", j, v[j]))
			}
		}
	}
	return nil
}

// notFinite returns the index of the first infinity or NaN, -1 if there is
// none.
func notFinite(v []float32) int {
	for i, x := range v {
		if x-x != 0 {
			return i
		}
	}
	return -1
}

// validateSizes is what Run relies on; it does not look at the weights.
func (g *Graph) validateSizes() error {
	if err := g.Input.validate(); err != nil {
		return fmt.Errorf("nn: graph: input: %w", err)
	}
	total := g.Input.Len()
	for i := range g.Nodes {
		if err := g.validateNode(i); err != nil {
			return g.nodeError(i, err)
		}
		if total += g.Nodes[i].Out.Len(); total > maxTotal {
			return g.nodeError(i, fmt.Errorf("more than %d elements in all tensors", maxTotal))
		}
	}
	if g.Output < 0 || g.Output > len(g.Nodes) {
		return fmt.Errorf("nn: graph: output: no tensor %d", g.Output)
	}
	if g.Head < HeadNone || g.Head > HeadArgMax {
		return fmt.Errorf("nn: graph: output: unknown function %d", int(g.Head))
	}
	return nil
}

func (g *Graph) nodeError(i int, err error) error {
	n := &g.Nodes[i]
	return fmt.Errorf("nn: graph: node %d %q (%v): %w", i, n.Name, n.Op, err)
}

func (g *Graph) validateNode(i int) error {
	n := &g.Nodes[i]
	if n.Op < 0 || int(n.Op) >= len(nodeOps) {
		return errors.New("unknown operator")
	}
	if want := nodeOps[n.Op].in; len(n.In) != want {
		return fmt.Errorf("%d inputs, want %d", len(n.In), want)
	}
	for _, t := range n.In {
		if t < 0 || t > i {
			return fmt.Errorf("input tensor %d does not come before it", t)
		}
	}
	if err := n.Out.validate(); err != nil {
		return err
	}
	in := g.Dims(n.In[0])
	want, err := n.outDims(in)
	if err != nil {
		return err
	}
	if want != n.Out {
		return fmt.Errorf("output is %s, want %s", n.Out, want)
	}
	if n.Op == NodeAdd && g.Dims(n.In[1]) != in {
		return fmt.Errorf("sum of %s and %s", in, g.Dims(n.In[1]))
	}
	return n.validateParameters(in)
}

// outDims returns the size that the node makes of its first input. Channels
// of Conv and Dense and the whole of Reshape are the node's own choice.
func (n *Node) outDims(in Dims) (Dims, error) {
	switch n.Op {
	case NodeConv, NodeMaxPool, NodeAvgPool:
		if err := n.Window.validate(); err != nil {
			return Dims{}, err
		}
		h, w := n.Window.Out(in.H, in.W)
		if h < 1 || w < 1 {
			return Dims{}, fmt.Errorf("window of %d×%d on a plane of %d×%d", n.Window.KH, n.Window.KW, in.H, in.W)
		}
		if n.Op == NodeConv {
			return Dims{n.Out.C, h, w}, nil
		}
		return Dims{in.C, h, w}, nil
	case NodeDense:
		return Dims{n.Out.C, 1, 1}, nil
	case NodeReshape:
		if in.Len() != n.Out.Len() {
			return Dims{}, fmt.Errorf("reshape from %s to %s", in, n.Out)
		}
		return n.Out, nil
	case NodeZeroPad:
		if err := n.Pad.validate(); err != nil {
			return Dims{}, err
		}
		return Dims{in.C, in.H + n.Pad.Top + n.Pad.Bottom, in.W + n.Pad.Left + n.Pad.Right}, nil
	}
	return in, nil
}

// validateParameters checks the numbers of weights. Each product below is of
// validated numbers, at most 2^24 · 2^24 · 2^16; the weights' sum is compared
// in floating point, so that it cannot overflow.
func (n *Node) validateParameters(in Dims) error {
	var weights float64
	bias, scale := 0, 0
	switch n.Op {
	case NodeConv:
		weights = float64(n.Out.C*in.C) * float64(n.Window.KH*n.Window.KW)
	case NodeDense:
		weights = float64(n.Out.C) * float64(in.Len())
	case NodeAffine:
		scale = in.C
	}
	if weights > 0 && len(n.Bias) > 0 {
		bias = n.Out.C
	}
	if weights > maxWeights || float64(len(n.Weights)) != weights {
		return fmt.Errorf("%d weights, want %.0f (at most %d)", len(n.Weights), weights, maxWeights)
	}
	if len(n.Bias) != bias {
		return fmt.Errorf("%d biases, want %d", len(n.Bias), bias)
	}
	if len(n.Scale) != scale || len(n.Shift) != scale {
		return fmt.Errorf("%d scales and %d shifts, want %d", len(n.Scale), len(n.Shift), scale)
	}
	return nil
}

// uses counts how often each tensor is an input or the output of the graph.
func (g *Graph) uses() []int {
	uses := make([]int, len(g.Nodes)+1)
	for i := range g.Nodes {
		for _, t := range g.Nodes[i].In {
			uses[t]++
		}
	}
	uses[g.Output]++
	return uses
}
