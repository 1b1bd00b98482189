// Package circuit builds the Boolean circuits of the non-linear layers, as
// data.
//
// A linear layer ends with its result shared additively between client and
// server. A circuit of this package takes the bits of both shares, adds them,
// rounds, applies the activation and clamps; its Sum says which integer its
// outputs are, so that the next layer starts from additive shares too. Package garble
// runs a circuit under encryption over a batch of instances; package protocol
// decides which circuit a layer needs.
//
// An AND gate costs 32 bytes on the wire and the garbler four AES calls, while
// Xor, Xnor and Not cost neither; everything here is built to have few AND
// gates, and the counts are pinned by a test. The package knows nothing of
// models or of cryptography, and it is of no use for circuits with more than a
// few thousand gates: the builder keeps every node in memory.
//
// Words are little-endian: bit 0 comes first, in inputs and in outputs.
//
// Read stage.go first: it defines what a stage computes. builder.go makes
// gates, arith.go adders and comparators, emit.go turns nodes into gates on
// reused slots.
package circuit

import "fmt"

// Op is what a gate computes.
type Op uint8

// The operations. All but And are free in garbling.
const (
	Xor  Op = iota // Out = A ⊕ B
	Xnor           // Out = ¬(A ⊕ B)
	And            // Out = A ∧ B
	Not            // Out = ¬A; B repeats A
)

// Gate reads slots A and B and writes slot Out, which may be one of the two.
type Gate struct {
	Op        Op
	A, B, Out int32
}

// Circuit is a list of gates over numbered slots.
//
// The inputs are slots 0 to Inputs−1, which no gate writes, so that an
// evaluator may read them in place. The other slots, up to Slots−1, are reused
// after the last read of the value they hold: their number says how much memory
// a batch keeps moving. After the last gate, Outputs names the slots with the
// results; two outputs may name the same slot, and an output may be an input.
//
// A Circuit is immutable once built.
type Circuit struct {
	Inputs  int
	Outputs []int32
	Gates   []Gate
	Slots   int
	Ands    int // the number of And gates
	// Sum says which integer the outputs stand for; nil if they are bits.
	Sum *Sum
}

// Eval computes the outputs in the clear. It is what garbling is tested
// against. It panics if len(in) is not c.Inputs.
func (c *Circuit) Eval(in []bool) []bool {
	words := make([]uint64, len(in))
	for i, bit := range in {
		if bit {
			words[i] = 1
		}
	}
	out := make([]bool, len(c.Outputs))
	for i, w := range c.eval64(words) {
		out[i] = w&1 == 1
	}
	return out
}

// eval64 computes 64 instances at once, one in each bit position.
func (c *Circuit) eval64(in []uint64) []uint64 {
	if len(in) != c.Inputs {
		panic(fmt.Sprintf("circuit: %d input bits for a circuit with %d", len(in), c.Inputs))
	}
	slots := make([]uint64, c.Slots)
	copy(slots, in)
	for _, g := range c.Gates {
		a, b := slots[g.A], slots[g.B]
		switch g.Op {
		case Xor:
			slots[g.Out] = a ^ b
		case Xnor:
			slots[g.Out] = ^(a ^ b)
		case And:
			slots[g.Out] = a & b
		case Not:
			slots[g.Out] = ^a
		}
	}
	out := make([]uint64, len(c.Outputs))
	for i, slot := range c.Outputs {
		out[i] = slots[slot]
	}
	return out
}
