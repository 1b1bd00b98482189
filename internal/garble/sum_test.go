package garble

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/impl/impltest"
)

// summed is a batch of sums as both parties hold it.
type summed struct {
	sum    *circuit.Sum
	n      int
	delta  block.Block
	tweak  Tweak
	zero   []block.Block
	active []block.Block
	bits   [][]bool // by instance
	pads   []uint32
	table  []byte
}

func newSummed(rng *rand.Rand, s *circuit.Sum, width, n int) *summed {
	b := &summed{
		sum: s, n: n, delta: randomBlocks(rng, 1)[0],
		tweak: Tweak{randomBlocks(rng, 1)[0], rng.Uint64() >> 1},
		zero:  randomBlocks(rng, len(s.Weights)*n), pads: make([]uint32, n),
		table: make([]byte, SumSize(s, width, n)),
	}
	b.delta.Lo |= 1
	b.active = make([]block.Block, len(b.zero))
	for j := range n {
		b.pads[j] = rng.Uint32()
		row := make([]bool, len(s.Weights))
		for i := range row {
			bit := rng.Uint64() & 1
			row[i] = bit == 1
			b.active[i*n+j] = b.zero[i*n+j].Xor(b.delta.And(bit))
		}
		b.bits = append(b.bits, row)
	}
	return b
}

// testSums are sums as stages have them, and the limits.
func testSums() map[string]*circuit.Sum {
	relu := circuit.Stage{Share: circuit.Share{Width: 22, Guard: 2}, Shift: 7, Func: circuit.Relu, Bits: 8, Rounded: true}
	identity, square, short := relu, relu, relu
	identity.Func, identity.Signed = circuit.Identity, true
	square.Func, square.Mid, square.Shift2 = circuit.Square, 8, 8
	short.Width = 12
	return map[string]*circuit.Sum{
		"relu":       relu.Fused().Sum,
		"relu short": short.Fused().Sum,
		"identity":   identity.Fused().Sum,
		"square":     square.Fused().Sum,
		"pool":       relu.Pool(4).Sum,
		"constant":   {Const: -5},
		"plain":      {Weights: []int32{1, -2, 1 << 30, -1 << 31, 255}, Const: 3},
		"gated":      {Weights: []int32{1, -1 << 31, 6, 0}, Gated: 3},
		"both":       {Weights: []int32{-4, 3, 5, -7}, Gated: 2, Const: 1},
	}
}

// TestSums compares the evaluator's sums with their definition.
func TestSums(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(20, 1))
		scratch := new(Scratch)
		for name, s := range testSums() {
			for _, n := range []int{0, 1, 7, 8, 9, 100, 255, 256, 257, 513} {
				for _, width := range []int{1, 2, 8, 9, 22, 31, 32} {
					b := newSummed(rng, s, width, n)
					GarbleSum(s, width, n, b.delta, b.tweak, b.zero, b.pads, b.table, scratch)
					got := make([]uint32, n)
					EvaluateSum(s, width, n, b.tweak, b.active, got, b.table, scratch)
					for j := range n {
						want := (uint32(s.Of(b.bits[j])) + b.pads[j]) & uint32(1<<width-1)
						if got[j] != want {
							t.Fatalf("%s mod 2^%d, n=%d: instance %d: got %d, want %d", name, width, n, j, got[j], want)
						}
					}
				}
			}
		}
	})
}

// TestSumGolden pins the bytes of the rows: they travel.
func TestSumGolden(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(21, 1))
		b := newSummed(rng, testSums()["relu"], 22, 300)
		GarbleSum(b.sum, 22, b.n, b.delta, b.tweak, b.zero, b.pads, b.table, new(Scratch))
		const want = "1217f3616b76be1d4df3488730cafb7f1971f548d1e8b48f50a5e3fddbfb06cd"
		if sum := sha256.Sum256(b.table); hex.EncodeToString(sum[:]) != want {
			t.Errorf("SHA-256 of the rows is %x", sum)
		}
	})
}

// TestSumKeyUse: as TestKeyUse, for sums.
func TestSumKeyUse(t *testing.T) {
	rng := rand.New(rand.NewPCG(22, 1))
	for name, s := range testSums() {
		for _, n := range []int{1, 8, 13, 300} {
			b := newSummed(rng, s, 32, n)
			garbler, evaluator := keyCounter{}, keyCounter{}
			GarbleSum(s, 32, n, b.delta, b.tweak, b.zero, b.pads, b.table, garbler.scratch())
			EvaluateSum(s, 32, n, b.tweak, b.active, make([]uint32, n), b.table, evaluator.scratch())
			if uint64(len(garbler)) != SumKeys(s, n) || len(evaluator) != len(garbler) {
				t.Errorf("%s, n=%d: %d and %d keys used, SumKeys says %d", name, n, len(garbler), len(evaluator), SumKeys(s, n))
			}
			for i := range SumKeys(s, n) {
				key := b.tweak.Start
				key.Lo ^= b.tweak.Next + i
				if garbler[key] == 0 || garbler[key] > 2*KeyBatch || 2*evaluator[key] != garbler[key] {
					t.Errorf("%s, n=%d: key %d hashes %d labels in garbling and %d in evaluation", name, n, i, garbler[key], evaluator[key])
				}
			}
		}
	}
}

// TestSumRowsLookRandom: for all bits alike, zero or one, the rows and the
// evaluator's sums are not skewed: no bit of them is the same more often than
// chance has it.
func TestSumRowsLookRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 1))
	for name, s := range testSums() {
		for _, one := range []uint64{0, 1} {
			const n, width = 4096, 32
			b := newSummed(rng, s, width, n)
			for i := range b.active {
				b.active[i] = b.zero[i].Xor(b.delta.And(one))
			}
			GarbleSum(s, width, n, b.delta, b.tweak, b.zero, b.pads, b.table, new(Scratch))
			got := make([]uint32, n)
			EvaluateSum(s, width, n, b.tweak, b.active, got, b.table, new(Scratch))
			ones := 0
			for _, v := range b.table {
				for ; v > 0; v &= v - 1 {
					ones++
				}
			}
			// Six standard deviations of a fair coin.
			total := 8 * len(b.table)
			if d := 2*ones - total; d*d > 36*total {
				t.Errorf("%s of %d: %d ones in %d bits of rows", name, one, ones, total)
			}
			for bit := range width {
				ones := 0
				for _, v := range got {
					ones += int(v >> bit & 1)
				}
				if d := 2*ones - n; d*d > 36*n {
					t.Errorf("%s of %d: bit %d of the sums is one %d times in %d", name, one, bit, ones, n)
				}
			}
		}
	}
}

// TestSumMisusePanics and nothing else does: any table evaluates to something.
func TestSumMisusePanics(t *testing.T) {
	rng := rand.New(rand.NewPCG(24, 1))
	s := testSums()["relu"]
	b := newSummed(rng, s, 20, 9)
	rng.Uint64()
	for i := range b.table {
		b.table[i] = byte(rng.Uint32())
	}
	EvaluateSum(s, 20, 9, b.tweak, b.active, make([]uint32, 9), b.table, new(Scratch))
	for name, f := range map[string]func(){
		"labels":   func() { EvaluateSum(s, 20, 9, b.tweak, b.active[1:], make([]uint32, 9), b.table, new(Scratch)) },
		"sums":     func() { EvaluateSum(s, 20, 9, b.tweak, b.active, make([]uint32, 8), b.table, new(Scratch)) },
		"table":    func() { EvaluateSum(s, 20, 9, b.tweak, b.active, make([]uint32, 9), b.table[1:], new(Scratch)) },
		"width":    func() { EvaluateSum(s, 33, 9, b.tweak, b.active, make([]uint32, 9), b.table, new(Scratch)) },
		"delta":    func() { GarbleSum(s, 20, 9, block.Block{}, b.tweak, b.zero, b.pads, b.table, new(Scratch)) },
		"counters": func() { GarbleSum(s, 20, 9, b.delta, Tweak{Next: 1<<64 - 2}, b.zero, b.pads, b.table, new(Scratch)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

// BenchmarkSums is the end of a ReLU of 20 bits to 8 whose next layer has 22.
func BenchmarkSums(b *testing.B) {
	const n, width = 512, 22
	s := newSummed(rand.New(rand.NewPCG(25, 1)), testSums()["relu"], width, n)
	scratch, sums := new(Scratch), make([]uint32, n)
	impltest.EachBench(b, sumGates, func(b *testing.B) {
		b.Run("garble", func(b *testing.B) {
			for b.Loop() {
				GarbleSum(s.sum, width, n, s.delta, s.tweak, s.zero, s.pads, s.table, scratch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/sum")
		})
		b.Run("evaluate", func(b *testing.B) {
			for b.Loop() {
				EvaluateSum(s.sum, width, n, s.tweak, s.active, sums, s.table, scratch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/sum")
		})
	})
}

// TestOtherColoursOpenNothing: an evaluator that takes one of its labels for the
// label of the other colour must not get any sum of use. It would, if a row that is
// not for its colour went without the hash of the label that it does not hold: the
// sum of the other colour and its own differ by what is hidden.
func TestOtherColoursOpenNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(26, 1))
	const n, width = 256, 32
	for name, s := range testSums() {
		for wire, weight := range s.Weights {
			if s.Shift(wire) > 12 {
				continue // too few bits to tell chance from use
			}
			b := newSummed(rng, s, width, n)
			GarbleSum(s, width, n, b.delta, b.tweak, b.zero, b.pads, b.table, new(Scratch))
			for j := range n {
				b.active[wire*n+j].Lo ^= 1
			}
			got := make([]uint32, n)
			EvaluateSum(s, width, n, b.tweak, b.active, got, b.table, new(Scratch))
			for j := range n {
				bits := b.bits[j]
				z := uint32(s.Of(bits))
				bits[wire] = !bits[wire]
				other := uint32(s.Of(bits))
				for _, useful := range []uint32{0, z, other, z + uint32(weight), z - uint32(weight)} {
					if got[j]-b.pads[j] == useful {
						t.Fatalf("%s: wire %d, instance %d: the label of the other colour opens a sum", name, wire, j)
					}
				}
			}
		}
	}
}
