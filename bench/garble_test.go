package bench

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/garble"

	mpc "github.com/markkurossi/mpc/circuit"
	"github.com/markkurossi/mpc/ot"
	"github.com/markkurossi/mpc/types"
)

// instances is how many instances of a circuit go through in one call here. The
// rival garbles one at a time.
const instances = 512

// named is a circuit that both garble.
type named struct {
	name string
	c    *circuit.Circuit
}

// circuits are a chain of And gates, each waiting for the one before, and the
// protocol's ReLU of 20 bits to 8.
func circuits() []named {
	relu := circuit.Stage{Share: circuit.Share{Width: 22, Guard: 2}, Shift: 7, Func: circuit.Relu, Bits: 8, Rounded: true}
	const length = 100
	b := circuit.NewBuilder(length + 1)
	chain := b.Input(0)
	for i := range length {
		chain = b.And(chain, b.Input(i+1))
	}
	return []named{{"relu", relu.Fused()}, {"chain", b.Build(chain)}}
}

// rival is the same circuit for the other library, with a wire for each value
// instead of slots. Its INV costs a row of table, so a Not is an XNOR with
// one more input, which is 0.
func rival(c *circuit.Circuit) *mpc.Circuit {
	bits := func(n int) mpc.IO {
		size := types.Size(n)
		return mpc.IO{{Type: types.Info{Type: types.TUint, IsConcrete: true, Bits: size, MinBits: size}}}
	}
	ops := map[circuit.Op]mpc.Operation{circuit.Xor: mpc.XOR, circuit.Xnor: mpc.XNOR, circuit.And: mpc.AND, circuit.Not: mpc.XNOR}
	wires := make([]mpc.Wire, c.Slots)
	for i := range c.Inputs {
		wires[i] = mpc.Wire(i)
	}
	zero, next := mpc.Wire(c.Inputs), mpc.Wire(c.Inputs+1)
	r := &mpc.Circuit{Inputs: bits(c.Inputs + 1)}
	for _, g := range c.Gates {
		a, b := wires[g.A], wires[g.B]
		if g.Op == circuit.Not {
			b = zero
		}
		r.Gates = append(r.Gates, mpc.Gate{Input0: a, Input1: b, Output: next, Op: ops[g.Op]})
		wires[g.Out] = next
		next++
	}
	for _, slot := range c.Outputs { // its outputs are its last wires
		r.Gates = append(r.Gates, mpc.Gate{Input0: wires[slot], Input1: zero, Output: next, Op: mpc.XOR})
		next++
	}
	r.NumGates, r.NumWires, r.Outputs = len(r.Gates), int(next), bits(len(c.Outputs))
	return r
}

// garbled is a batch of instances here, with labels of random inputs.
type garbled struct {
	c                           *circuit.Circuit
	delta                       block.Block
	tweak                       garble.Tweak
	zero, active, outZero, outs []block.Block
	bits                        []bool // of instance 0
	table                       []byte
	scratch                     garble.Scratch
}

func randomBlock() block.Block {
	var b [block.Size]byte
	rand.Read(b[:])
	return block.Get(b[:])
}

func newGarbled(c *circuit.Circuit) *garbled {
	g := &garbled{
		c: c, delta: randomBlock(), tweak: garble.Tweak{Start: randomBlock()}, bits: make([]bool, c.Inputs),
		outZero: make([]block.Block, len(c.Outputs)*instances), outs: make([]block.Block, len(c.Outputs)*instances),
		table: make([]byte, garble.TableSize(c, instances)),
	}
	g.delta.Lo |= 1
	for i := range g.bits {
		g.bits[i] = mathrand.N(2) == 1
		for range instances {
			x := randomBlock()
			g.zero = append(g.zero, x)
			if g.bits[i] {
				x = x.Xor(g.delta)
			}
			g.active = append(g.active, x)
		}
	}
	g.garble()
	g.evaluate()
	return g
}

func (g *garbled) garble() {
	garble.Garble(g.c, instances, g.delta, g.tweak, g.zero, g.outZero, g.table, &g.scratch)
}

func (g *garbled) evaluate() {
	garble.Evaluate(g.c, instances, g.tweak, g.active, g.outs, g.table, &g.scratch)
}

// theirs is one instance of the rival on the same input.
type theirs struct {
	c     *mpc.Circuit
	g     *mpc.Garbled
	wires []ot.Label
	key   []byte
	rand  *mathrand.ChaCha8
}

func newTheirs(b *testing.B, c *circuit.Circuit, bits []bool) *theirs {
	t := &theirs{c: rival(c), key: make([]byte, 16), rand: mathrand.NewChaCha8([32]byte{1})}
	t.wires = make([]ot.Label, t.c.NumWires)
	g, err := t.c.Garble(t.rand, t.key)
	if err != nil {
		b.Fatal(err)
	}
	t.g = g
	for i := range t.c.Inputs.Size() {
		t.wires[i] = g.Wires[i].L0
		if i < len(bits) && bits[i] {
			t.wires[i] = g.Wires[i].L1
		}
	}
	if err := t.c.Eval(t.key, t.wires, g.Gates); err != nil {
		b.Fatal(err)
	}
	return t
}

// garble garbles once more and gives its memory back, as their documentation
// says that a program should.
func (t *theirs) garble(b *testing.B) {
	g, err := t.c.Garble(t.rand, t.key)
	if err != nil {
		b.Fatal(err)
	}
	g.Release()
}

func (t *theirs) evaluate(b *testing.B) {
	if err := t.c.Eval(t.key, t.wires, t.g.Gates); err != nil {
		b.Fatal(err)
	}
}

// check compares both with the bits in the clear.
func check(b *testing.B, ours *garbled, t *theirs) {
	outs := len(ours.c.Outputs)
	for i, bit := range ours.c.Eval(ours.bits) {
		want := ours.outZero[i*instances]
		last := t.g.Wires[t.c.NumWires-outs+i]
		theirWant := last.L0
		if bit {
			want, theirWant = want.Xor(ours.delta), last.L1
		}
		if got := t.wires[t.c.NumWires-outs+i]; ours.outs[i*instances] != want || !got.Equal(theirWant) {
			b.Fatalf("output %d is wrong", i)
		}
	}
}

// BenchmarkGarbling garbles and evaluates the same circuits here and in
// markkurossi/mpc, on one core; ns are for one And gate, free gates included.
func BenchmarkGarbling(b *testing.B) {
	for _, n := range circuits() {
		name, c := n.name, n.c
		ours := newGarbled(c)
		other := newTheirs(b, c, ours.bits)
		check(b, ours, other)
		run := func(who string, ands int, f func()) {
			b.Run(name+"/"+who, func(b *testing.B) {
				for b.Loop() {
					f()
				}
				ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(ands)
				b.ReportMetric(ns, "ns/and")
				b.ReportMetric(1e3/ns, "Mand/s")
			})
		}
		run("garble/dorcas", c.Ands*instances, ours.garble)
		run("garble/mpc", c.Ands, func() { other.garble(b) })
		run("evaluate/dorcas", c.Ands*instances, ours.evaluate)
		run("evaluate/mpc", c.Ands, func() { other.evaluate(b) })
	}
}
