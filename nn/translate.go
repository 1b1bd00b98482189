package nn

import (
	"errors"
	"fmt"
	"slices"
)

// quantizer turns a prepared graph into terms.
type quantizer struct {
	*observed
	graph  *Graph
	opt    QuantizeOptions
	uses   []int // of the graph's tensors
	strict bool  // see excess

	inputBits   int
	terms       []*term       // of the graph's tensors
	waiting     map[int]*Node // tensors that are not computed yet: a MaxPool or Relu, for the one node that takes it
	requantised map[requantised]*term
	out         *term // the scores
}

// translatable names the nodes that have no integer counterpart yet.
func (g *Graph) translatable() error {
	var errs []error
	for i := range g.Nodes {
		n := &g.Nodes[i]
		dh, dw := n.Window.Dilation()
		switch {
		case n.Op > NodeZeroPad:
			errs = append(errs, g.nodeError(i, errors.New("the integer network does not have this operator yet")))
		case n.Groups > 1 || dh > 1 || dw > 1 || len(n.In) > 2 || n.Sign != nil:
			errs = append(errs, g.nodeError(i, errors.New("the integer network does not have groups, dilations, or sums of more than two tensors or with signs yet")))
		}
	}
	return errors.Join(errs...)
}

// translate finds the terms of the graph. It is strict with the widths of sums
// only where that turns out to be needed.
func translate(g *Graph, seen *observed, opt QuantizeOptions) (*quantizer, error) {
	for _, strict := range []bool{false, true} {
		q := &quantizer{observed: seen, graph: g, opt: opt, uses: g.uses(), strict: strict}
		if err := q.translate(); err != nil {
			return nil, err
		}
		if _, terms := q.model(); shareable(terms) {
			return q, nil
		}
	}
	return nil, errors.New("sums that are tied together have no room for their shares")
}

func (q *quantizer) translate() error {
	q.terms = make([]*term, len(q.graph.Nodes)+1)
	q.waiting = map[int]*Node{}
	q.requantised = map[requantised]*term{}
	q.terms[0] = q.input()
	for i := range q.graph.Nodes {
		t, err := q.node(i)
		if err != nil {
			return fmt.Errorf("node %d %q: %w", i, q.graph.Nodes[i].Name, err)
		}
		q.terms[i+1] = t
	}
	q.out = q.terms[q.graph.Output]
	if q.out.layer == nil {
		return errors.New("the output is the input")
	}
	return q.settle(q.out, noFrac)
}

// input chooses what integers the network takes.
func (q *quantizer) input() *term {
	s := &q.tensors[0]
	signed := s.lo < 0
	bits := q.opt.InputBits
	if bits == 0 {
		bits = 8
		for bits < 12 && s.relativeError(bits, signed) > 0.01 {
			bits++
		}
	}
	q.inputBits = bits
	t := &term{name: "input", out: q.graph.Input, settled: true}
	in := Input{Dims: t.out, Bits: bits, Signed: signed}
	t.scale = scale{s.bestFrac(bits, signed, 1), 1}
	t.bounds = in.bounds()
	return t
}

// node returns the term of node i, or that of its input where the node waits
// for the next one or does nothing.
func (q *quantizer) node(i int) (*term, error) {
	n := &q.graph.Nodes[i]
	x := q.terms[n.In[0]]
	switch n.Op {
	case NodeConv, NodeDense:
		return q.convolution(i, x)
	case NodeRelu, NodeSquare, NodeMaxPool:
		return q.nonLinear(i, x)
	case NodeAvgPool:
		return q.averagePool(i, x)
	case NodeAdd:
		return q.join(i, &Layer{Add: new(Add)})
	case NodeReshape:
		return q.reshape(n.Name, x, n.Out)
	case NodeZeroPad:
		pad := n.Pad
		return q.public(&term{name: n.Name, layer: &Layer{ZeroPad: &pad}, in: []*term{x}, out: n.Out, ref: i + 1})
	}
	return nil, errors.New("unknown operator")
}

// public finishes a term of a public linear layer. One of activations has no
// scale to choose and is settled at once.
func (q *quantizer) public(t *term) (*term, error) {
	for _, in := range t.in {
		t.accumulator = t.accumulator || in.accumulator
	}
	if t.accumulator {
		return t, nil
	}
	return t, q.settle(t, noFrac)
}

// join translates a node that takes several tensors, which must come to one
// scale.
func (q *quantizer) join(i int, l *Layer) (*term, error) {
	n := &q.graph.Nodes[i]
	t := &term{name: n.Name, layer: l, out: n.Out, ref: i + 1}
	for _, in := range n.In {
		t.in, t.signs = append(t.in, q.terms[in]), append(t.signs, 1)
	}
	return q.public(t)
}

// reshape stands for the same tensor of the float graph as x, which has the
// same values in the same order.
func (q *quantizer) reshape(name string, x *term, out Dims) (*term, error) {
	if x.out == out {
		return x, nil
	}
	return q.public(&term{name: name, layer: &Layer{Reshape: new(Reshape)}, in: []*term{x}, out: out, ref: x.ref})
}

// convolution translates a Conv, or a Dense as one of a vector.
func (q *quantizer) convolution(i int, x *term) (*term, error) {
	n := &q.graph.Nodes[i]
	win := n.Window
	var err error
	if n.Op == NodeDense {
		win = Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}
	} else {
		x, win = mergePad(x, win)
	}
	if x.accumulator {
		if x, err = q.requantise(x, q.opt.ActBits); err != nil {
			return nil, err
		}
	}
	if n.Op == NodeDense {
		if x, err = q.reshape(n.Name+"/flatten", x, Dims{x.out.Len(), 1, 1}); err != nil {
			return nil, err
		}
	}
	return &term{
		name: n.Name, layer: &Layer{Conv: &Conv{Window: win}}, in: []*term{x}, out: n.Out, ref: i + 1, accumulator: true,
		conv: &floatConv{n.Weights, n.Bias, q.inputs[i]},
	}, nil
}

// mergePad takes the borders that ZeroPads have put around x into a window.
func mergePad(x *term, win Window) (*term, Window) {
	for x.layer != nil && x.layer.ZeroPad != nil {
		p, merged := *x.layer.ZeroPad, win
		merged.Pad.Top += p.Top
		merged.Pad.Left += p.Left
		merged.Pad.Bottom += p.Bottom
		merged.Pad.Right += p.Right
		if merged.validate() != nil {
			break // a border as wide as the window stays a layer
		}
		x, win = x.in[0], merged
	}
	return x, win
}

// averagePool translates an average as a sum, whose scale has the divisor.
func (q *quantizer) averagePool(i int, x *term) (*term, error) {
	n := &q.graph.Nodes[i]
	win := n.Window
	if win.Pad != (Pad{}) && !n.CountPad {
		return nil, errors.New("an average whose divisor leaves the border out (count_include_pad = 0) has no one divisor; pool without a border")
	}
	x, win = mergePad(x, win)
	return q.public(&term{name: n.Name, layer: &Layer{SumPool: &SumPool{Window: win}}, in: []*term{x}, out: n.Out, ref: i + 1})
}

// nonLinear translates a Relu, Square or MaxPool. Relu and MaxPool, in either
// order, become one stage: the first of them waits for the second.
func (q *quantizer) nonLinear(i int, x *term) (*term, error) {
	n := &q.graph.Nodes[i]
	a := Activate{Func: Identity, Bits: q.opt.ActBits}
	stages := []*Node{n}
	next := q.onlyUser(i + 1)
	positive := !x.accumulator && Hull(x.bounds).Lo >= 0 // a Relu changes nothing
	switch first := q.waiting[n.In[0]]; {
	case first != nil:
		stages = append(stages, first)
	case n.Op == NodeRelu && positive:
		return x, nil
	case next != nil && (n.Op == NodeRelu && next.Op == NodeMaxPool || n.Op == NodeMaxPool && next.Op == NodeRelu):
		q.waiting[i+1] = n
		return x, nil
	case next != nil && n.Op == NodeMaxPool && next.Op == NodeSquare:
		a.Bits = q.opt.SquareBits
	}
	for _, s := range stages {
		switch s.Op {
		case NodeMaxPool:
			win := s.Window
			a.Pool = &win
		case NodeRelu:
			if !positive {
				a.Func = Relu
			}
		case NodeSquare:
			a.Func, a.Bits, a.Mid = Square, q.opt.SquareBits, q.opt.SquareBits
		}
	}
	return q.activate(n.Name, x, a, n.Out, i+1)
}

// onlyUser returns the node that takes a tensor if nothing else does.
func (q *quantizer) onlyUser(tensor int) *Node {
	for i := range q.graph.Nodes {
		if n := &q.graph.Nodes[i]; q.uses[tensor] == 1 && slices.Contains(n.In, tensor) {
			return n
		}
	}
	return nil
}
