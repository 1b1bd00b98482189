package nn

import (
	"errors"
	"fmt"
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
	for i := range q.graph.Nodes { // what the file rounds it to, if it does
		if n := &q.graph.Nodes[i]; n.Op == NodeTable && n.In[0] == 0 && n.Func.quantizes() && q.uses[0] == 1 {
			s = &q.tensors[i+1]
		}
	}
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
	case NodeRelu, NodeSquare, NodeTable, NodeMaxPool:
		return q.nonLinear(i, x)
	case NodeAvgPool:
		return q.averagePool(i, x)
	case NodeAdd:
		return q.join(i, &Layer{Add: new(Add)})
	case NodeConcat:
		return q.join(i, &Layer{Concat: &Concat{Axis: n.Axis}})
	case NodeReshape:
		return q.reshape(n.Name, x, n.Out)
	}
	if l := n.layout(); l != nil {
		return q.public(&term{name: n.Name, layer: l, in: []*term{x}, out: n.Out, ref: i + 1})
	}
	return nil, errors.New("unknown operator")
}
