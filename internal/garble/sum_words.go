package garble

import "dorcas/internal/block"

// words are what sums use of one wire, by instance of a tile. Of a hash they use
// the low word, whose halves serve the two colours of a gate.
type words struct {
	h       [2][tile]uint64 // the garbler's hashes by colour of the label; the evaluator's in the first row
	colours [tile]uint64    // ones where the colour of the zero label, or of the evaluator's, is 1
}

// sums is the room for the sums of a tile. Words of two halves have one for each
// colour of the gate.
type sums struct {
	words [2]words
	gate  words
	order []int           // the wires, as they are hashed
	rows  [2][tile]uint64 // the low bits are packed
	keep  [tile]uint64    // the garbler's: ones in the half for the colour of the gate's 0
	total [tile]uint64    // Σ w·ρ in two halves; the evaluator's Σ w·e in the lower one
}

// The functions below are those of sum_amd64.go; they do m instances, and kernels
// may write on to the next multiple of eight.

// garbleWordsGeneric hashes both labels of a wire.
func (s *Scratch) garbleWordsGeneric(x *words, zero []block.Block, delta, start block.Block, counter uint64) {
	s.hashBoth(0, zero, delta, start, counter)
	for first := 0; first < len(zero); first += KeyBatch {
		m := min(KeyBatch, len(zero)-first)
		both := s.half[0][2*first:][:2*m]
		for i := range m {
			colour := -zero[first+i].Bit()
			h0, h1 := both[i].Lo, both[m+i].Lo
			swap := (h0 ^ h1) & colour
			x.h[0][first+i], x.h[1][first+i], x.colours[first+i] = h0^swap, h1^swap, colour
		}
	}
}

// evaluateWordsGeneric hashes one label of a wire.
func (s *Scratch) evaluateWordsGeneric(x *words, labels []block.Block, start block.Block, counter uint64) {
	h := s.half[0][:len(labels)]
	for i, label := range labels {
		h[i] = number(label, i)
	}
	s.hashBatch(h, h, s.keyBatch(len(labels), start, counter), KeyBatch)
	for i, label := range labels {
		x.h[0][i], x.colours[i] = h[i].Lo, -label.Bit()
	}
}

// shareGatedGeneric makes the garbler's rows of a gated wire and adds its shares.
// Where a half of keep is 1 as a number k, and b_0 is the colour of the zero label,
// the row is h_0 − h_1 + k·(1 − 2·b_0) and the share h_0 − k·b_0.
func (s *sums) shareGatedGeneric(x *words, weight uint32, m int) {
	for i := range m {
		var total uint64
		for q := 0; q < 64; q += 32 {
			u0, u1 := uint32(x.h[0][i]>>q), uint32(x.h[1][i]>>q)
			keep, colour := uint32(s.keep[i]>>q), uint32(x.colours[i])
			s.rows[q/32][i] = uint64(u0 - u1 + keep&(colour|1))
			total |= uint64(uint32(s.total[i]>>q)+weight*(u0+keep&colour)) << q
		}
		s.total[i] = total
	}
}

// sharePlainGeneric is the same for a wire that always counts, in the first row.
func (s *sums) sharePlainGeneric(x *words, weight uint32, m int) {
	for i := range m {
		u0, u1, colour := uint32(x.h[0][i]), uint32(x.h[1][i]), uint32(x.colours[i])
		s.rows[0][i] = uint64(u0 - u1 + (colour | 1))
		rho := weight * (u0 + colour)
		s.total[i] = uint64(uint32(s.total[i])+rho) | uint64(uint32(s.total[i]>>32)+rho)<<32
	}
}

// openGatedGeneric adds the evaluator's shares of a gated wire, h_c + c·row, with
// the half of the hash and the row of the gate's colour.
func (s *sums) openGatedGeneric(x *words, weight uint32, m int) {
	for i := range m {
		q := s.gate.colours[i]
		h := x.h[0][i] >> (32 & q)
		row := s.rows[0][i] ^ (s.rows[0][i]^s.rows[1][i])&q
		s.total[i] = uint64(uint32(s.total[i]) + weight*(uint32(h)+uint32(row&x.colours[i])))
	}
}

// openPlainGeneric is the same for a wire that always counts.
func (s *sums) openPlainGeneric(x *words, weight uint32, m int) {
	for i := range m {
		e := uint32(x.h[0][i]) + uint32(s.rows[0][i]&x.colours[i])
		s.total[i] = uint64(uint32(s.total[i]) + weight*e)
	}
}
