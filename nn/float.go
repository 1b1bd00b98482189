package nn

import (
	"fmt"
	"math"
)

// Run computes the graph in float32 on one image and returns the scores, as
// they are before the Head.
func (g *Graph) Run(x []float32) ([]float32, error) {
	tensors, err := g.RunAll(x, nil)
	if err != nil {
		return nil, err
	}
	return append([]float32(nil), tensors[g.Output]...), nil
}

// RunAll computes the graph in float32 on one image and returns every tensor.
// Tensor 0 is x itself and a reshaped tensor shares its numbers with the one
// it comes from: they are to be read only.
//
// reuse is nil or what an earlier call for the same graph returned; its memory
// then becomes that of the result. Calls with different reuse may run at the
// same time.
func (g *Graph) RunAll(x []float32, reuse [][]float32) ([][]float32, error) {
	if err := g.validateSizes(); err != nil {
		return nil, err
	}
	if len(x) != g.Input.Len() {
		return nil, fmt.Errorf("nn: graph: input: have %d values, the network takes %d", len(x), g.Input.Len())
	}
	tensors := reuse
	if len(tensors) != len(g.Nodes)+1 {
		tensors = make([][]float32, len(g.Nodes)+1)
	}
	tensors[0] = x
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Op == NodeReshape {
			tensors[i+1] = tensors[n.In[0]]
			continue
		}
		if len(tensors[i+1]) != n.Out.Len() {
			tensors[i+1] = make([]float32, n.Out.Len())
		}
		n.run(tensors[i+1], tensors, g)
	}
	return tensors, nil
}

// run computes any node but a Reshape.
func (n *Node) run(dst []float32, tensors [][]float32, g *Graph) {
	x, in := tensors[n.In[0]], g.Dims(n.In[0])
	switch n.Op {
	case NodeConv:
		groupsFloat(dst, x, in, n)
		addBiasFloat(dst, n.Bias)
	case NodeDense:
		productFloat(dst, 1, x, n.Weights, len(x))
		addBiasFloat(dst, n.Bias)
	case NodeAffine:
		affineFloat(dst, x, n.Scale, n.Shift)
	case NodeRelu:
		for i, v := range x {
			dst[i] = max(v, 0)
		}
	case NodeSquare:
		for i, v := range x {
			dst[i] = v * v
		}
	case NodeTable:
		for i, v := range x {
			dst[i] = float32(n.Func.F(float64(v)))
		}
	case NodeMaxPool:
		poolFloat(dst, x, in, n.Out, n.Window, math.Inf(-1), func(a, b float64) float64 { return max(a, b) })
	case NodeAvgPool:
		poolFloat(dst, x, in, n.Out, n.Window, 0, func(a, b float64) float64 { return a + b })
		averageFloat(dst, in, n.Out, n.Window, n.CountPad)
	case NodeAdd:
		n.addFloat(dst, tensors)
	default:
		n.moveFloat(dst, tensors, g)
	}
}

func (n *Node) addFloat(dst []float32, tensors [][]float32) {
	for j, t := range n.In {
		sign := float32(1)
		if n.Sign != nil {
			sign = float32(n.Sign[j])
		}
		for i, v := range tensors[t] {
			if j == 0 {
				dst[i] = sign * v
			} else {
				dst[i] += sign * v
			}
		}
	}
}

// addBiasFloat adds one number to each channel; an empty bias is zeros.
func addBiasFloat(dst, bias []float32) {
	if len(bias) == 0 {
		return
	}
	plane := len(dst) / len(bias)
	for c, b := range bias {
		for i := range dst[c*plane : (c+1)*plane] {
			dst[c*plane+i] += b
		}
	}
}

func affineFloat(dst, x, scale, shift []float32) {
	plane := len(x) / len(scale)
	for c, s := range scale {
		out, t := dst[c*plane:(c+1)*plane], shift[c]
		for i, v := range x[c*plane : (c+1)*plane] {
			out[i] = s*v + t
		}
	}
}
