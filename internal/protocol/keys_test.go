package protocol

import (
	"slices"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/garble"
)

// TestKeysServeOnce: the batches and sums of an inference take all of its
// garbling keys, each of them once. Both parties would agree on any other
// assignment too, and a key that serves twice under one Δ can give Δ away.
func TestKeysServeOnce(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			p, err := NewPlan(&n.build().m.Shape)
			if err != nil {
				t.Fatal(err)
			}
			var taken [][2]uint64 // first, and the one after the last
			take := func(first, n uint64) { taken = append(taken, [2]uint64{first, first + n}) }
			record := engine{
				gates: func(c *circuit.Circuit, n int, t garble.Tweak, _, _ []block.Block, _ []byte) {
					take(t.Next, garble.Keys(c, n))
				},
				sums: func(s *circuit.Sum, n int, t garble.Tweak, _ []block.Block, _ []uint32, _ []byte) {
					take(t.Next, garble.SumKeys(s, n))
				},
			}
			for _, st := range p.stages {
				for i := range st.chunks {
					ch := &st.chunks[i]
					ws := &workspace{values: make([]uint32, ch.values)}
					ch.run(ws, make([]block.Block, 2*ch.ots), st.mask, make([]byte, ch.frame), garble.Tweak{}, record)
				}
			}
			slices.SortFunc(taken, func(a, b [2]uint64) int { return int(int64(a[0]-b[0])*2 + int64(a[1]-b[1])) })
			next := uint64(0)
			for _, k := range taken {
				if k[0] != next {
					t.Fatalf("keys from %d on are taken, %d is next", k[0], next)
				}
				next = k[1]
			}
			if next != p.keys {
				t.Errorf("%d keys are taken of %d", next, p.keys)
			}
		})
	}
}

// TestMasksDiffer: every tensor of every material has masks of its own.
func TestMasksDiffer(t *testing.T) {
	const n = 64
	seen := map[[2]int32]bool{}
	for seed := range byte(3) {
		m := &ClientMaterial{seed: &[32]byte{seed}}
		for tensor := range 5 {
			masks := m.masks(tensor, n)
			for i := 0; i < n; i += 2 {
				pair := [2]int32(masks[i:])
				if seen[pair] {
					t.Fatalf("seed %d, tensor %d: masks repeat", seed, tensor)
				}
				seen[pair] = true
			}
		}
	}
}
