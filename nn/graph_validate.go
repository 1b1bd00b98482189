package nn

import (
	"errors"
	"fmt"
)

// nodeOps are the operators' names and how many tensors each takes.
var nodeOps = [...]struct {
	name   string
	lo, hi int
}{
	NodeConv:      {"Conv", 1, 1},
	NodeDense:     {"Dense", 1, 1},
	NodeAffine:    {"Affine", 1, 1},
	NodeRelu:      {"Relu", 1, 1},
	NodeSquare:    {"Square", 1, 1},
	NodeMaxPool:   {"MaxPool", 1, 1},
	NodeAvgPool:   {"AvgPool", 1, 1},
	NodeAdd:       {"Add", 2, maxInputs},
	NodeReshape:   {"Reshape", 1, 1},
	NodeZeroPad:   {"ZeroPad", 1, 1},
	NodeConcat:    {"Concat", 1, maxInputs},
	NodeSlice:     {"Slice", 1, 1},
	NodeTranspose: {"Transpose", 1, 1},
	NodeUpsample:  {"Upsample", 1, 1},
	NodeStuff:     {"Stuff", 1, 1},
	NodeTable:     {"Table", 1, 1},
}

// maxInputs bounds the tensors that a node takes, as it does those of a layer.
const maxInputs = 64

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
	case HeadSigmoid:
		return "sigmoid"
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
	if g.Head < HeadNone || g.Head > HeadSigmoid {
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
	if lo, hi := nodeOps[n.Op].lo, nodeOps[n.Op].hi; len(n.In) < lo || len(n.In) > hi {
		return fmt.Errorf("%d inputs, want %d to %d", len(n.In), lo, hi)
	}
	for _, t := range n.In {
		if t < 0 || t > i {
			return fmt.Errorf("input tensor %d does not come before it", t)
		}
	}
	if err := n.Out.validate(); err != nil {
		return err
	}
	in := make([]Dims, 0, 8) // on the stack
	for _, t := range n.In {
		in = append(in, g.Dims(t))
	}
	want, err := n.outDims(in)
	if err != nil {
		return err
	}
	if want != n.Out {
		return fmt.Errorf("output is %s, want %s", n.Out, want)
	}
	if err := n.validateParameters(in[0]); err != nil {
		return err
	}
	return n.validateStray()
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
