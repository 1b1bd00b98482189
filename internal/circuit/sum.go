package circuit

import (
	"math/bits"
	"slices"
)

// A Sum says which integer the outputs of a circuit stand for. With b_i the
// bit of output i and k the last output,
//
//	z = Const + Σ_{i<Gated} Weights[i]·b_i·(1 − b_k) + Σ_{i≥Gated} Weights[i]·b_i.
//
// Adding bits up costs no conjunction: garbling turns the label of a bit into
// two additive shares of weight·bit (garble.GarbleSum). Nor does the gate b_k:
// it says which of two shares counts. So a choice between a word and a constant
// at the end of a stage, and the subtraction of a mask, are free of gates.
type Sum struct {
	Weights []int32 // one an output, none zero but that of the gate
	Gated   int     // how many outputs, the first ones, the last output gates; 0: there is no gate
	Const   int32
}

// Of returns the integer for the bits of the outputs.
func (s *Sum) Of(bits []bool) int32 {
	z := s.Const
	for i, w := range s.Weights {
		if bits[i] && !(i < s.Gated && bits[len(bits)-1]) {
			z += w
		}
	}
	return z
}

// Shift returns the number of zero bits below weight i: a share of its bit is
// needed to that many bits fewer.
func (s *Sum) Shift(i int) int {
	if s.Weights[i] == 0 {
		return 0
	}
	return bits.TrailingZeros32(uint32(s.Weights[i]))
}

// term is a bit with a weight.
type term struct {
	bit    Lit
	weight int32
}

// number is a weighted sum of bits, some of which count only where gate is
// false.
type number struct {
	gate  Lit
	gated []term
	plain []term
}

// unsigned returns the terms of a word.
func unsigned(w word) []term {
	terms := make([]term, len(w))
	for i, x := range w {
		terms[i] = term{x, 1 << i}
	}
	return terms
}

// signed returns the terms of a word in two's complement.
func signed(w word) []term {
	terms := unsigned(w)
	terms[len(w)-1].weight = -terms[len(w)-1].weight
	return terms
}

// buildSum returns the circuit of the bits of n, with its Sum.
func (b *Builder) buildSum(n number) *Circuit {
	if n.gate.node() == 0 || len(n.gated) == 0 {
		if n.gate == False {
			n.plain = append(n.plain, n.gated...)
		}
		n.gate, n.gated = False, nil
	}
	sum := &Sum{}
	// A constant true counts where the gate is false: 1 − gate. The gate itself
	// counts nowhere.
	gated, always := merged(n.gated)
	gated = slices.DeleteFunc(gated, func(t term) bool { return t.bit == n.gate })
	if always != 0 {
		n.plain = append(n.plain, term{True, always}, term{n.gate, -always})
	}
	if len(gated) == 0 {
		n.gate = False
	}
	plain, constant := merged(n.plain)
	sum.Const, sum.Gated = constant, len(gated)
	last := int32(0)
	var outs []Lit
	for _, t := range append(gated, plain...) {
		if n.gate != False && t.bit == n.gate {
			last = t.weight
			continue
		}
		outs = append(outs, t.bit)
		sum.Weights = append(sum.Weights, t.weight)
	}
	if n.gate != False {
		outs = append(outs, n.gate)
		sum.Weights = append(sum.Weights, last)
	}
	c := b.Build(outs...)
	c.Sum = sum
	return c
}

// merged adds up the weights of equal bits and takes the constants out: what is
// left has distinct bits, no constant, and no weight of zero.
func merged(terms []term) (bits []term, constant int32) {
	weights := map[Lit]int32{}
	for _, t := range terms {
		weights[t.bit] += t.weight
	}
	for x, w := range weights {
		switch {
		case x == True:
			constant += w
		case x != False && w != 0:
			bits = append(bits, term{x, w})
		}
	}
	slices.SortFunc(bits, func(a, b term) int { return int(a.bit - b.bit) })
	return bits, constant
}
