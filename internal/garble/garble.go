// Package garble garbles a Boolean circuit over a batch of instances and
// evaluates it: the step of the protocol between oblivious transfer, which gives
// the evaluator the labels of its inputs, and the decoding of the outputs.
//
// The garbler (the server) calls Garble with a zero label for every input bit
// and sends the table; the evaluator (the client) calls Evaluate with one label
// for every input bit and gets one for every output bit. A wire's zero label
// stands for 0, its zero label ⊕ Δ for 1, and bit 0 of a label, its colour, tells
// the two apart for whoever knows the zero label's (lsb(Δ) = 1).
//
// The scheme is half gates (Zahur, Rosulek, Evans, EUROCRYPT 2015) with free XOR
// (Kolesnikov, Schneider, ICALP 2008): an And gate is 32 bytes of table an
// instance, the other gates are nothing. The hash is AES under keys that serve
// KeyBatch instances of one half gate each (Guo, Katz, Wang, Weng, Yu, CRYPTO
// 2020); a constant output is the all-zero label, as circuit.Build makes it.
//
// The package moves labels, not meaning: it does not know whose bits they are,
// does not choose Δ or Start, and cannot see a counter used twice. It protects
// against an evaluator who is curious; what a wrong table or label evaluates to
// is undefined, but it never panics. Package protocol is its only intended user.
//
// Read this file, then gate.go for the gates.
package garble

import (
	"fmt"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
)

// KeyBatch is the number of neighbouring instances whose hashes share a key, for
// one half of one And gate. The garbler hashes two labels of each, so that a key
// sees at most 16 inputs, 8 of which the evaluator cannot compute: the numbers
// that the bound in docs/security.md is for. SECURITY.
const KeyBatch = 8

// Tweak says which keys a batch takes: key number i is Start ⊕ (Next + i), with
// the counter in the low 64 bits, and a batch takes Keys(c, n) of them. Start is
// random, public, and the same for a session. No counter may ever be used for
// two batches under one Δ: hashes of the same label under the same key, once
// with and once without Δ added, would reveal Δ.
type Tweak struct {
	Start block.Block
	Next  uint64
}

// Keys returns how many key counters a batch of n instances takes.
func Keys(c *circuit.Circuit, n int) uint64 { return 2 * uint64(c.Ands) * groups(n) }

// TableSize returns the bytes of the table of a batch of n instances. It holds
// the And gates in the order of the circuit, of each gate the instances in turn,
// and of each instance two blocks.
func TableSize(c *circuit.Circuit, n int) int { return c.Ands * n * entrySize }

const entrySize = 2 * block.Size

// groups returns how many keys one half gate takes.
func groups(n int) uint64 { return (uint64(n) + KeyBatch - 1) / KeyBatch }

// tile is the number of instances that go through the circuit together, so that
// the labels between gates stay in the nearer caches, and many enough to make a
// call to a gate cheap. A multiple of KeyBatch. LOCAL: the table does not depend
// on it.
const tile = 256

// Scratch is memory that calls share, to save allocations. The zero value is
// ready. It holds secrets between calls, and serves one call at a time.
type Scratch struct {
	ahead ahead
	wires []block.Block // labels of the slots that are not inputs, tile of each
	half  [2][2 * tile]block.Block
	keys  [tile / KeyBatch]block.Block
	rest  rest
	sums  sums

	gateTable int                                         // bytes of the table of one gate
	hash      func(dst, src, keys []block.Block, per int) // set by tests only
}

// rest is room for the last instances of a gate when they do not fill their key,
// for kernels that want full ones.
type rest struct {
	a, b  [few]block.Block
	table [few * entrySize]byte
}

// few is a number of instances that are rather copied together than made two
// batches of. A multiple of KeyBatch. LOCAL
const few = 64

// Garble writes the table of n instances and the zero labels of their outputs.
// Zero labels of inputs may be equal, within an instance and between instances.
//
// in holds the zero labels of the inputs, [Inputs][n]; out gets those of the
// outputs, [Outputs][n]; table has TableSize(c, n) bytes. delta is the garbler's
// secret Δ, with bit 0 set. in and out must not overlap. Garble panics if a
// length does not fit, if delta.Bit() is 0 or if the counters run over.
func Garble(c *circuit.Circuit, n int, delta block.Block, t Tweak, in, out []block.Block, table []byte, scratch *Scratch) {
	if delta.Bit() != 1 {
		panic("garble: bit 0 of delta is not set")
	}
	run(c, n, t, in, out, table, scratch, delta)
}

// Evaluate computes one label of every output of n instances: its zero label if
// the output bit is 0, that ⊕ Δ if it is 1.
//
// in holds one label of every input, [Inputs][n], and out gets those of the
// outputs, [Outputs][n]; table and t are the garbler's. in and out must not
// overlap. Evaluate panics if a length does not fit or if the counters run over;
// the bytes of table may be anything.
func Evaluate(c *circuit.Circuit, n int, t Tweak, in, out []block.Block, table []byte, scratch *Scratch) {
	run(c, n, t, in, out, table, scratch, block.Block{})
}

// run goes through the circuit, one tile of instances after the other. delta is
// zero for the evaluator, whose free gates are the garbler's without Δ.
func run(c *circuit.Circuit, n int, t Tweak, in, out []block.Block, table []byte, s *Scratch, delta block.Block) {
	if n < 0 || len(in) != c.Inputs*n || len(out) != len(c.Outputs)*n || len(table) != TableSize(c, n) {
		panic(fmt.Sprintf("garble: %d labels in, %d out and %d table bytes do not fit %d instances", len(in), len(out), len(table), n))
	}
	if t.Next+Keys(c, n) < t.Next {
		panic("garble: key counters run over")
	}
	s.prepare(c)
	s.gateTable = n * entrySize
	perHalf := groups(n)
	for first := 0; first < n; first += tile {
		m := min(tile, n-first)
		// wire returns the labels of a slot. Inputs are read in place.
		wire := func(slot int32) []block.Block {
			if int(slot) < c.Inputs {
				return in[int(slot)*n+first:][:m]
			}
			return s.wires[(int(slot)-c.Inputs)*tile:][:m]
		}
		next := t.Next + uint64(first)/KeyBatch
		rest := table
		for _, g := range c.Gates {
			dst, a, b := wire(g.Out), wire(g.A), wire(g.B)
			if g.Op != circuit.And {
				free(g.Op, dst, a, b, delta)
				continue
			}
			entries := rest[first*entrySize:][:m*entrySize]
			keys := [2]uint64{next, next + perHalf}
			next += 2 * perHalf
			after := [2]uint64{next, next + perHalf}
			if delta.Bit() == 1 {
				s.garbleAnd(dst, a, b, entries, delta, t.Start, keys, after)
			} else {
				s.evaluateAnd(dst, a, b, entries, t.Start, keys, after)
			}
			rest = rest[n*entrySize:]
		}
		for i, slot := range c.Outputs {
			copy(out[i*n+first:][:m], wire(slot))
		}
	}
}

// prepare makes room for the slots of c that are not inputs.
func (s *Scratch) prepare(c *circuit.Circuit) {
	if need := (c.Slots - c.Inputs) * tile; len(s.wires) < need {
		s.wires = make([]block.Block, need)
	}
}
