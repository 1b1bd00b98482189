package circuit

// Build returns the circuit that computes outs, with the nodes that they need
// and no others, in the order in which they were made.
//
// A constant output is the exclusive or of the first input with itself, or its
// complement, and so needs an input to be there: garbling turns it into the
// all-zero label, which says nothing, as the value says nothing.
func (b *Builder) Build(outs ...Lit) *Circuit {
	e := newEmitter(b, outs)
	for id := range b.nodes {
		if e.used[id] {
			e.gate(int32(id))
		}
	}
	c := &Circuit{Inputs: b.inputs, Outputs: make([]int32, len(outs)), Gates: e.gates}
	for i, x := range outs {
		c.Outputs[i] = e.value(x)
	}
	c.Gates = e.gates
	for _, g := range c.Gates {
		if g.Op == And {
			c.Ands++
		}
	}
	allocate(c, e.values)
	return c
}

// emitter turns nodes into gates on values: numbers that are assigned once,
// the inputs first. allocate maps them to slots.
type emitter struct {
	b     *Builder
	used  []bool    // by node: some output needs it
	wants [][2]bool // by node: a conjunction or an output reads it plain, complemented
	have  [][2]int32
	gates []Gate

	values int32
}

const noValue = -1

func newEmitter(b *Builder, outs []Lit) *emitter {
	e := &emitter{
		b:      b,
		used:   make([]bool, len(b.nodes)),
		wants:  make([][2]bool, len(b.nodes)),
		have:   make([][2]int32, len(b.nodes)),
		values: int32(b.inputs),
	}
	for i := range e.have {
		e.have[i] = [2]int32{noValue, noValue}
	}
	want := func(x Lit) {
		e.used[x.node()] = true
		e.wants[x.node()][x.negated()] = true
	}
	for _, x := range outs {
		want(x)
	}
	for id := len(b.nodes) - 1; id > b.inputs; id-- {
		n := b.nodes[id]
		switch {
		case !e.used[id]:
		case n.op == And:
			want(n.a)
			want(n.b)
		default:
			e.used[n.a.node()] = true
			e.used[n.b.node()] = true
		}
	}
	return e
}

// gate makes the gate of a node. An exclusive or is made in the polarity that
// is read, so that complements ride on it; if its readers are exclusive ors
// themselves, in whichever polarity comes.
func (e *emitter) gate(id int32) {
	n := e.b.nodes[id]
	have := &e.have[id]
	switch {
	case id == 0:
		if e.b.inputs == 0 {
			panic("circuit: constant output without an input")
		}
		for neg, want := range e.wants[0] {
			if want {
				have[neg] = e.push([2]Op{Xor, Xnor}[neg], 0, 0)
			}
		}
	case int(id) <= e.b.inputs:
		have[0] = id - 1
	case n.op == And:
		have[0] = e.push(And, e.value(n.a), e.value(n.b))
	default:
		x, negX := e.either(n.a.node())
		y, negY := e.either(n.b.node())
		neg := negX ^ negY
		op := Xor
		if e.wants[id][neg^1] && !e.wants[id][neg] {
			op, neg = Xnor, neg^1
		}
		have[neg] = e.push(op, x, y)
	}
}

// value returns the value of a literal, making a Not gate if only the other
// polarity is there.
func (e *emitter) value(x Lit) int32 {
	have := &e.have[x.node()]
	neg := x.negated()
	if have[neg] == noValue {
		have[neg] = e.push(Not, have[neg^1], have[neg^1])
	}
	return have[neg]
}

// either returns a value of a node in a polarity that is there already.
func (e *emitter) either(id int32) (value int32, neg int) {
	if v := e.have[id][0]; v != noValue {
		return v, 0
	}
	return e.have[id][1], 1
}

func (e *emitter) push(op Op, a, b int32) int32 {
	out := e.values
	e.values++
	e.gates = append(e.gates, Gate{op, a, b, out})
	return out
}

// allocate replaces values by slots in the gates and outputs of c. Slots are
// handed out like registers: a value gives its slot back at its last read, to
// the result of that same gate first.
func allocate(c *Circuit, values int32) {
	last := make([]int, values) // the gate that reads a value last
	for i, g := range c.Gates {
		last[g.A], last[g.B] = i, i
	}
	for _, v := range c.Outputs {
		last[v] = len(c.Gates)
	}
	slot := make([]int32, values)
	for i := range c.Inputs {
		slot[i] = int32(i)
		last[i] = len(c.Gates) // inputs stay
	}
	c.Slots = c.Inputs
	var free []int32
	for i := range c.Gates {
		g := &c.Gates[i]
		a, b, out := g.A, g.B, g.Out
		if b != a && last[b] == i {
			free = append(free, slot[b])
		}
		if last[a] == i {
			free = append(free, slot[a])
		}
		if len(free) == 0 {
			free = append(free, int32(c.Slots))
			c.Slots++
		}
		slot[out] = free[len(free)-1]
		free = free[:len(free)-1]
		g.A, g.B, g.Out = slot[a], slot[b], slot[out]
	}
	for i, v := range c.Outputs {
		c.Outputs[i] = slot[v]
	}
}
