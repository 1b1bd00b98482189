package circuit

import "fmt"

// Lit is a literal: a node of a Builder or its complement. Complementing flips
// bit 0; the rest is the node's number. Node 0 is the constant false.
type Lit int32

// The constants.
const (
	False Lit = 0
	True  Lit = 1
)

// Not returns ¬x. It makes no gate.
func (x Lit) Not() Lit { return x ^ 1 }

func (x Lit) node() int32  { return int32(x >> 1) }
func (x Lit) negated() Lit { return x & 1 }

// node is a constant or an input (And, without operands), an exclusive or, or a
// conjunction.
// The operands of an exclusive or are never complemented: complements move to
// its result.
type node struct {
	op   Op
	a, b Lit
}

// Builder collects the nodes of one circuit. It folds constants, gives equal
// expressions one node, and takes an existing conjunction of two values for
// every other conjunction of them or of their complements, because the others
// differ from it by exclusive ors only. Nodes that no output needs are dropped
// by Build.
type Builder struct {
	inputs int
	nodes  []node
	index  map[node]int32
}

// NewBuilder starts a circuit with the given number of input bits.
func NewBuilder(inputs int) *Builder {
	b := &Builder{
		inputs: inputs,
		nodes:  make([]node, 1+inputs),
		index:  make(map[node]int32),
	}
	for i := range b.nodes {
		b.nodes[i].op = And
	}
	return b
}

// Input returns input bit i, 0 ≤ i < the number given to NewBuilder.
func (b *Builder) Input(i int) Lit {
	if i < 0 || i >= b.inputs {
		panic(fmt.Sprintf("circuit: input %d of %d", i, b.inputs))
	}
	return Lit(1+i) << 1
}

// Xor returns x ⊕ y.
func (b *Builder) Xor(x, y Lit) Lit {
	flip := x.negated() ^ y.negated()
	x, y = x&^1, y&^1
	if x > y {
		x, y = y, x
	}
	switch {
	case x == y:
		return flip
	case x == False:
		return y ^ flip
	}
	// (p ⊕ q) ⊕ p is q.
	if n := b.nodes[y.node()]; n.op == Xor {
		if n.a == x {
			return n.b ^ flip
		}
		if n.b == x {
			return n.a ^ flip
		}
	}
	if n := b.nodes[x.node()]; n.op == Xor && n.a == y {
		return n.b ^ flip
	} else if n.op == Xor && n.b == y {
		return n.a ^ flip
	}
	return b.intern(node{Xor, x, y}) ^ flip
}

// And returns x ∧ y.
func (b *Builder) And(x, y Lit) Lit {
	// Where x holds, x ⊕ q is ¬q.
	y = b.reduce(x, y)
	x = b.reduce(y, x)
	if x > y {
		x, y = y, x
	}
	switch {
	case x == False, x == y.Not():
		return False
	case x == True, x == y:
		return y
	}
	if n, ok := b.index[node{And, x, y}]; ok {
		return Lit(n) << 1
	}
	// xy ⊕ (¬x)y = y, and likewise for the other two.
	if n, ok := b.index[node{And, x.Not(), y}]; ok {
		return b.Xor(Lit(n)<<1, y)
	}
	if n, ok := b.index[node{And, x, y.Not()}]; ok {
		return b.Xor(Lit(n)<<1, x)
	}
	if n, ok := b.index[node{And, x.Not(), y.Not()}]; ok {
		return b.Xor(Lit(n)<<1, b.Xor(x, y.Not()))
	}
	return b.intern(node{And, x, y})
}

// reduce returns a literal that equals y wherever x is true, and is simpler
// than y if y is an exclusive or with x in it.
func (b *Builder) reduce(x, y Lit) Lit {
	n := b.nodes[y.node()]
	if n.op != Xor {
		return y
	}
	// x true makes its node's value ¬negated.
	value := True ^ x.negated()
	switch x.node() {
	case n.a.node():
		return n.b ^ value ^ y.negated()
	case n.b.node():
		return n.a ^ value ^ y.negated()
	}
	return y
}

// Or returns x ∨ y.
func (b *Builder) Or(x, y Lit) Lit { return b.And(x.Not(), y.Not()).Not() }

// Mux returns y where sel is true and x where it is false: one conjunction.
func (b *Builder) Mux(sel, x, y Lit) Lit { return b.Xor(x, b.And(sel, b.Xor(x, y))) }

// Majority returns the majority of x, y and z: one conjunction. It is the
// carry of a full adder, and of a comparison if x is complemented.
func (b *Builder) Majority(x, y, z Lit) Lit {
	return b.Xor(z, b.And(b.Xor(x, z), b.Xor(y, z)))
}

func (b *Builder) intern(n node) Lit {
	id, ok := b.index[n]
	if !ok {
		id = int32(len(b.nodes))
		b.nodes = append(b.nodes, n)
		b.index[n] = id
	}
	return Lit(id) << 1
}
