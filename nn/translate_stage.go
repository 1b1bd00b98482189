package nn

import (
	"math"
	"slices"
)

// nonLinear translates a Relu, Square, Table or MaxPool. A MaxPool and an
// activation become one stage, also where the activation comes first but never
// falls: the first of them waits for the second.
func (q *quantizer) nonLinear(i int, x *term) (*term, error) {
	n := &q.graph.Nodes[i]
	stages := []*Node{n}
	positive := !x.accumulator && Hull(x.bounds).Lo >= 0 // a Relu changes nothing
	next := q.onlyUser(i + 1)
	switch first := q.waiting[n.In[0]]; {
	case first != nil:
		stages = append(stages, first)
	case n.Op == NodeRelu && positive, n.Op == NodeTable && !x.accumulator && n.Func.roundsOnly(&q.tensors[n.In[0]]):
		return x, nil
	case next != nil && q.fuses(n, next):
		q.waiting[i+1] = n
		return x, nil
	}
	f := function{Activate: Activate{Func: Identity, Bits: q.opt.ActBits}}
	if next != nil && n.Op == NodeMaxPool && next.Op == NodeSquare {
		f.Bits = q.opt.SquareBits
	}
	for _, s := range stages {
		switch s.Op {
		case NodeMaxPool:
			win := s.Window
			f.Pool = &win
		case NodeRelu:
			if !positive {
				f.Func = Relu
			}
		case NodeSquare:
			f.Func, f.Bits, f.Mid = Square, q.opt.SquareBits, q.opt.SquareBits
		case NodeTable:
			f.set(&s.Func, q.opt.TableBits)
		}
	}
	if w := f.Pool; w != nil && w.KH*w.KW > maxPooled {
		var err error
		if x, err = q.poolRows(n.Name, x, &f, n.Out.W); err != nil {
			return nil, err
		}
	}
	return q.activate(n.Name, x, f, n.Out, i+1)
}

// poolRows takes the largest elements of every row first, in a stage of its
// own, and leaves the columns to f.
func (q *quantizer) poolRows(name string, x *term, f *function, width int) (*term, error) {
	rows, columns := *f.Pool, *f.Pool
	rows.KH, rows.StrideH, rows.DilH, rows.Pad.Top, rows.Pad.Bottom = 1, 1, 0, 0, 0
	columns.KW, columns.StrideW, columns.DilW, columns.Pad.Left, columns.Pad.Right = 1, 1, 0, 0, 0
	first := function{Activate: Activate{Func: Identity, Bits: f.Bits, Pool: &rows}}
	if f.Func == Relu {
		first.Func, f.Func = Relu, Identity
	}
	f.Pool = &columns
	t, err := q.activate(name+"/rows", x, first, Dims{x.out.C, x.out.H, width}, x.ref)
	if err == nil {
		t.partial = true
	}
	return t, err
}

// fuses reports whether two nodes, the second the only user of the first, make
// one stage.
func (q *quantizer) fuses(first, second *Node) bool {
	pointwise := func(n *Node) bool { return n.Op == NodeRelu || n.Op == NodeTable }
	switch {
	case first.Op == NodeMaxPool:
		return pointwise(second)
	case second.Op == NodeMaxPool:
		return first.Op == NodeRelu || first.Op == NodeTable && first.Func.rises(&q.tensors[first.In[0]])
	}
	return false
}

// rises reports whether the function falls nowhere within twice the range of
// what it was seen to take.
func (u *Univariate) rises(in *statistics) bool {
	const steps = 4096
	reach := 2 * max(math.Abs(in.lo), math.Abs(in.hi))
	last := math.Inf(-1)
	for i := range steps {
		y := u.F(reach * (float64(2*i+1)/steps - 1))
		if !(y >= last) {
			return false
		}
		last = y
	}
	return true
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

// function is a stage before its scales are chosen.
type function struct {
	Activate
	of     func(float64) float64 // of a table
	lo, hi float64               // of a clip
}

// set chooses the cheapest stage that computes a public function.
func (f *function) set(u *Univariate, tableBits int) {
	switch {
	case u.Name == "clip" && len(u.Params) == 2:
		f.Func, f.lo, f.hi = Clip, u.Params[0], u.Params[1]
	case u.Name == "leaky_relu" && len(u.Params) == 1 && slope(u.Params[0]) > 0:
		f.Func, f.Slope = Leaky, slope(u.Params[0])
	case u.quantizes():
		f.Func = Clip
		f.lo, f.hi = u.quantized()
	default:
		f.Func, f.Mid, f.of = Table, tableBits, u.F
	}
}

// quantizes reports whether the function rounds to the integers of a file that
// is quantised already. Stages round anyway, to powers of two that are chosen
// for the same values, so that only the range of those integers counts.
func (u *Univariate) quantizes() bool { return u.Name == "quantize" && len(u.Params) == 4 }

// quantized returns the range of what a function that quantizes gives.
func (u *Univariate) quantized() (lo, hi float64) {
	scale, zero := u.Params[0], u.Params[1]
	return (u.Params[2] - zero) * scale, (u.Params[3] - zero) * scale
}

// roundsOnly reports whether the function quantizes and does not clamp any of
// the values that were seen by more than the rounding.
func (u *Univariate) roundsOnly(in *statistics) bool {
	if !u.quantizes() {
		return false
	}
	lo, hi := u.quantized()
	return in.lo >= lo-u.Params[0] && in.hi <= hi+u.Params[0]
}

// slope returns k where alpha is 2^-k for a k from 1 to 16, else 0.
func slope(alpha float64) int {
	if frac, exp := math.Frexp(alpha); frac == 0.5 && exp <= 0 && exp > -16 {
		return 1 - exp
	}
	return 0
}

// signed reports whether results can be negative; x holds the inputs.
func (f *function) signed(x []Interval, seen *statistics) bool {
	switch f.Func {
	case Identity:
		return Hull(x).Lo < 0
	case Leaky:
		return true
	case Clip:
		return f.lo < 0
	case Table:
		return seen.lo < 0
	}
	return false
}

// setBounds turns the bounds of a clip into integers of a scale. A clip that
// does no more than the width does is a relu or the identity.
func (a *Activate) setBounds(lo, hi float64, s scale) {
	least, most := Limits(a.Bits, a.Signed)
	whole := func(v float64) int32 {
		return int32(max(float64(least), min(float64(most), math.Floor(v*s.perUnit()+0.5))))
	}
	a.Lo, a.Hi = whole(lo), whole(hi)
	a.Hi = max(a.Hi, min(a.Lo+1, most))
	a.Lo = min(a.Lo, a.Hi-1)
	if a.Hi == most && a.Lo == least {
		a.Func, a.Lo, a.Hi = Identity, 0, 0
		if !a.Signed {
			a.Func = Relu
		}
	}
}
