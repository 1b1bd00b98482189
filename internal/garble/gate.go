package garble

import (
	"dorcas/internal/block"
	"dorcas/internal/circuit"
)

// The gates over up to tile instances. dst may be a or b; no other two slices
// overlap. These loops and block.HashBatch are all that garbling spends time in;
// gate_amd64.go has the same for processors with vectors of AES.

// free computes a gate that costs nothing on the wire: labels are added, and a
// complement adds Δ to the zero label. The evaluator's delta is zero: its label
// of ¬x is that of x.
func free(op circuit.Op, dst, a, b []block.Block, delta block.Block) {
	switch op {
	case circuit.Xor:
		xorDelta(dst, a, b, block.Block{})
	case circuit.Xnor:
		xorDelta(dst, a, b, delta)
	case circuit.Not:
		addDelta(dst, a, delta)
	}
}

func xorDeltaGeneric(dst, a, b []block.Block, delta block.Block) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i].Xor(b[i]).Xor(delta)
	}
}

func addDelta(dst, a []block.Block, delta block.Block) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i].Xor(delta)
	}
}

// garbleAndGeneric garbles an And gate (Zahur, Rosulek, Evans, EUROCRYPT 2015, section
// 4, figure 2): a ∧ b = (a ∧ p) ⊕ (a ∧ (b ⊕ p)), where p is the colour of b's
// zero label. The garbler knows p, the evaluator b ⊕ p, and a conjunction with a
// bit that one party knows takes one block. With labels a, b of 0, a' = a ⊕ Δ,
// b' = b ⊕ Δ, and keys k, l:
//
//	T_G = H(k, a) ⊕ H(k, a') ⊕ p·Δ     half gate of a ∧ p
//	T_E = H(l, b) ⊕ H(l, b') ⊕ a       half gate of a ∧ (b ⊕ p)
//
// and the zero label of the output is that of both halves together: that of the
// first, H(k, a) ⊕ colour(a)·T_G, ⊕ that of the second, H(l, b) ⊕ p·(T_E ⊕ a).
func (s *Scratch) garbleAndGeneric(dst, a, b []block.Block, table []byte, delta, start block.Block, keys [2]uint64) {
	s.hashBoth(0, a, delta, start, keys[0])
	s.hashBoth(1, b, delta, start, keys[1])
	for first := 0; first < len(dst); first += KeyBatch {
		m := min(KeyBatch, len(dst)-first)
		g0, g1 := s.half[0][2*first:][:m], s.half[0][2*first+m:][:m]
		e0, e1 := s.half[1][2*first:][:m], s.half[1][2*first+m:][:m]
		x, y, z := a[first:][:m], b[first:][:m], dst[first:][:m]
		entries := table[first*entrySize:][:m*entrySize]
		for i := range z {
			p := y[i].Bit()
			tg := g0[i].Xor(g1[i]).Xor(delta.And(p))
			te := e0[i].Xor(e1[i]) // without a
			tg.Put(entries[i*entrySize:])
			te.Xor(x[i]).Put(entries[i*entrySize+block.Size:])
			z[i] = g0[i].Xor(tg.And(x[i].Bit())).Xor(e0[i]).Xor(te.And(p))
		}
	}
}

// evaluateAndGeneric evaluates an And gate with one label of each input.
func (s *Scratch) evaluateAndGeneric(dst, a, b []block.Block, table []byte, start block.Block, keys [2]uint64) {
	a, b = a[:len(dst)], b[:len(dst)]
	g, e := s.half[0][:len(dst)], s.half[1][:len(dst)]
	for i := range dst {
		g[i], e[i] = number(a[i], i), number(b[i], i)
	}
	s.hashBatch(g, g, s.keyBatch(len(dst), start, keys[0]), KeyBatch)
	s.hashBatch(e, e, s.keyBatch(len(dst), start, keys[1]), KeyBatch)
	for i := range dst {
		tg := block.Get(table[i*entrySize:])
		te := block.Get(table[i*entrySize+block.Size:])
		dst[i] = g[i].Xor(tg.And(a[i].Bit())).Xor(e[i]).Xor(te.Xor(a[i]).And(b[i].Bit()))
	}
}

// hashBoth hashes both labels of a wire into s.half[h]: of each KeyBatch
// instances, first the zero labels, then the others, all under one key.
func (s *Scratch) hashBoth(h int, labels []block.Block, delta, start block.Block, counter uint64) {
	both := s.half[h][:2*len(labels)]
	for first := 0; first < len(labels); first += KeyBatch {
		m := min(KeyBatch, len(labels)-first)
		zero, one := both[2*first:][:m], both[2*first+m:][:m]
		for i, x := range labels[first:][:m] {
			x = number(x, i)
			zero[i], one[i] = x, x.Xor(delta)
		}
	}
	s.hashBatch(both, both, s.keyBatch(len(labels), start, counter), 2*KeyBatch)
}

func (s *Scratch) hashBatch(dst, src, keys []block.Block, per int) {
	if s.hash != nil {
		s.hash(dst, src, keys, per)
		return
	}
	block.HashBatch(dst, src, keys, per)
}

// number adds to a label which of the instances of its key it belongs to, before
// it is hashed. So the same label may stand at the same wire of two instances (a
// constant, a padding element) and no two hashes are the same: T_G of one and of
// the other would differ by Δ, or by nothing.
func number(x block.Block, i int) block.Block {
	x.Lo ^= uint64(i % KeyBatch)
	return x
}

// keyBatch returns the keys of one half gate of n instances.
func (s *Scratch) keyBatch(n int, start block.Block, counter uint64) []block.Block {
	keys := s.keys[:groups(n)]
	for i := range keys {
		keys[i] = block.Block{Lo: start.Lo ^ (counter + uint64(i)), Hi: start.Hi}
	}
	return keys
}
