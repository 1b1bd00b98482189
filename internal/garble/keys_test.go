package garble

import (
	"math/rand/v2"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
)

// keyCounter counts the hashes under each key.
type keyCounter map[block.Block]int

func (k keyCounter) scratch() *Scratch {
	return &Scratch{hash: func(dst, src, keys []block.Block, per int) {
		for i := range src {
			k[keys[i/per]]++
		}
		block.HashBatch(dst, src, keys, per)
	}}
}

// TestKeyUse: the keys are those of the tweak, all Keys() of them and no other,
// and none is used more than the security statement says.
func TestKeyUse(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for name, c := range stages() {
		for _, n := range []int{1, 8, 13, 130} {
			if c.Ands*n > 20000 {
				continue
			}
			garbler, evaluator := keyCounter{}, keyCounter{}
			s := garbled(rng, c, n, new(Scratch))
			Garble(c, n, s.delta, s.tweak, s.zero, s.outZero, s.table, garbler.scratch())
			Evaluate(c, n, s.tweak, s.active, s.outLabel, s.table, evaluator.scratch())
			if uint64(len(garbler)) != Keys(c, n) || len(evaluator) != len(garbler) {
				t.Errorf("%s, n=%d: %d and %d keys used, Keys says %d", name, n, len(garbler), len(evaluator), Keys(c, n))
			}
			hashes := 0
			for i := range Keys(c, n) {
				key := s.tweak.Start
				key.Lo ^= s.tweak.Next + i
				if garbler[key] == 0 || garbler[key] > 2*KeyBatch || 2*evaluator[key] != garbler[key] {
					t.Errorf("%s, n=%d: key %d hashes %d labels in garbling and %d in evaluation", name, n, i, garbler[key], evaluator[key])
				}
				hashes += garbler[key]
			}
			if hashes != 4*c.Ands*n {
				t.Errorf("%s, n=%d: %d hashes for %d And gates", name, n, hashes, c.Ands*n)
			}
		}
	}
}

// TestEqualLabels: a label that stands at the same wire of all instances must
// not make their tables differ by Δ, or agree. (Without the number of the
// instance in the hash, half of the pairs would give Δ away.)
func TestEqualLabels(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	b := circuit.NewBuilder(2)
	c := b.Build(b.And(b.Input(0), b.Input(1)))
	const n = 32
	delta := randomBlocks(rng, 1)[0]
	delta.Lo |= 1
	for _, same := range []int{0, 1} {
		zero := randomBlocks(rng, 2*n)
		for i := range n {
			zero[same*n+i] = block.Block{}
		}
		table := make([]byte, TableSize(c, n))
		Garble(c, n, delta, Tweak{}, zero, make([]block.Block, n), table, new(Scratch))
		seen := map[block.Block]bool{}
		for i := range n {
			entry := block.Get(table[i*32+same*16:])
			if same == 1 { // T_E holds the label of the other wire besides
				entry = entry.Xor(zero[i])
			}
			if seen[entry] || seen[entry.Xor(delta)] {
				t.Fatalf("wire %d: instance %d repeats a hash", same, i)
			}
			seen[entry] = true
		}
	}
}
