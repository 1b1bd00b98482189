package garble

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/impl/impltest"
)

// wordLengths are every number of instances up to a few groups and around the
// tile.
func wordLengths() []int {
	lengths := []int{tile - 9, tile - 8, tile - 1, tile}
	for n := 1; n < 140; n++ {
		lengths = append(lengths, n)
	}
	return lengths
}

// checkWords compares n instances, and that nothing past their groups changed.
func checkWords(t *testing.T, what string, n int, got, want, before *words) {
	t.Helper()
	rows := func(x *words) [3]*[tile]uint64 { return [3]*[tile]uint64{&x.h[0], &x.h[1], &x.colours} }
	for r, row := range rows(got) {
		for i, v := range row {
			switch {
			case i < n && v != rows(want)[r][i]:
				t.Fatalf("%s, n=%d: row %d of instance %d is %x, want %x", what, n, r, i, v, rows(want)[r][i])
			case i >= (n+KeyBatch-1)/KeyBatch*KeyBatch && v != rows(before)[r][i]:
				t.Fatalf("%s, n=%d: row %d is written at %d", what, n, r, i)
			}
		}
	}
}

func randomWords(rng *rand.Rand) *words {
	x := new(words)
	for i := range tile {
		x.h[0][i], x.h[1][i], x.colours[i] = rng.Uint64(), rng.Uint64(), -(rng.Uint64() & 1)
	}
	return x
}

// TestWordsAgainstGeneric hashes a pair of wires, one wire twice and a wire alone,
// with counters that carry.
func TestWordsAgainstGeneric(t *testing.T) {
	impltest.Each(t, sumGates, func(t *testing.T) {
		for _, n := range wordLengths() {
			rng := rand.New(rand.NewPCG(uint64(n), 30))
			a, b := randomBlocks(rng, n), randomBlocks(rng, n)
			a[0], b[n-1] = block.Block{}, block.Block{Lo: ^uint64(0), Hi: ^uint64(0)}
			delta, start := randomBlocks(rng, 1)[0], randomBlocks(rng, 1)[0]
			delta.Lo |= 1
			keys, after := [2]uint64{rng.Uint64(), 0xfffffffd}, [2]uint64{^uint64(5), rng.Uint64()}
			for name, second := range map[string][]block.Block{"pair": b, "same": a, "alone": nil} {
				for _, d := range []block.Block{delta, {}} {
					run := func(s *Scratch, x, y *words) {
						if second == nil {
							y = nil
						}
						if d.Bit() == 1 {
							s.garbleWords(x, y, a, second, d, start, keys, after)
						} else {
							s.evaluateWords(x, y, a, second, start, keys, after)
						}
					}
					x, y := randomWords(rng), randomWords(rng)
					beforeX, beforeY := *x, *y
					wantX, wantY := *x, *y
					impltest.Generic(sumGates, func() { run(new(Scratch), &wantX, &wantY) })
					s := new(Scratch)
					run(s, x, y)
					run(s, x, y) // with keys that are not the ones made ahead
					if d.Bit() == 0 {
						x.h[1], y.h[1] = beforeX.h[1], beforeY.h[1]
					}
					checkWords(t, name, n, x, &wantX, &beforeX)
					checkWords(t, name, n, y, &wantY, &beforeY)
				}
			}
		}
	})
}

// edgeWords are halves at which additions carry.
var edgeWords = []uint64{0, 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 | 1<<31, ^uint64(0), 1<<64 - 1<<32, 0x7fffffff_80000000}

// TestSumArithmeticAgainstGeneric: the passes over words, with edge values in all
// of them and every kind of weight.
func TestSumArithmeticAgainstGeneric(t *testing.T) {
	type pass func(s *sums, x *words, weight uint32, m int)
	passes := map[string]pass{
		"share gated": (*sums).shareGated, "share plain": (*sums).sharePlain,
		"open gated": (*sums).openGated, "open plain": (*sums).openPlain,
	}
	impltest.Each(t, sumGates, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(31, 1))
		for name, f := range passes {
			for _, m := range wordLengths() {
				weight := []uint32{0, 1, 1 << 31, 1<<32 - 1, 12, rng.Uint32()}[m%6]
				s := &sums{gate: *randomWords(rng)}
				x := randomWords(rng)
				edge := func(i int) uint64 { return edgeWords[(i+m)/(1+m%5)%len(edgeWords)] }
				for i := range tile {
					s.rows[0][i], s.rows[1][i], s.total[i] = rng.Uint64(), edge(2*i), edge(3*i)
					s.keep[i] = s.gate.colours[i] ^ (1<<32 - 1)
					if i%3 == 0 {
						x.h[0][i], x.h[1][i], s.rows[0][i] = edge(i), edge(5*i), edge(7*i)
					}
				}
				want := *s
				impltest.Generic(sumGates, func() { f(&want, x, weight, m) })
				f(s, x, weight, m)
				for i := range m {
					lower := name == "open gated" || name == "open plain"
					if s.total[i] != want.total[i] && !(lower && uint32(s.total[i]) == uint32(want.total[i])) {
						t.Fatalf("%s, m=%d: total %d is %x, want %x", name, m, i, s.total[i], want.total[i])
					}
					for r := range s.rows {
						if uint32(s.rows[r][i]) != uint32(want.rows[r][i]) {
							t.Fatalf("%s, m=%d: row %d of %d is %x, want %x", name, m, r, i, s.rows[r][i], want.rows[r][i])
						}
					}
				}
				for i := (m + 7) / 8 * 8; i < tile; i++ {
					if s.total[i] != want.total[i] || s.rows[0][i] != want.rows[0][i] || s.rows[1][i] != want.rows[1][i] {
						t.Fatalf("%s, m=%d: written at %d", name, m, i)
					}
				}
			}
		}
	})
}

// TestSumsAccumulated makes 10^5 sums, the labels of each from what the last ones
// left, and compares one hash of all rows and results.
func TestSumsAccumulated(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(32, 1))
		s, delta, scratch := testSums()["both"], randomBlocks(rng, 1)[0], new(Scratch)
		delta.Lo |= 1
		const most, width = 300, 29
		labels, pads := randomBlocks(rng, len(s.Weights)*most), make([]uint32, most)
		sum := sha256.New()
		for done := 0; done < 100_000; {
			n := 1 + done%most
			tweak, table := Tweak{labels[0], uint64(done)}, make([]byte, SumSize(s, width, n))
			GarbleSum(s, width, n, delta, tweak, labels[:len(s.Weights)*n], pads[:n], table, scratch)
			EvaluateSum(s, width, n, tweak, labels[:len(s.Weights)*n], pads[:n], table, scratch)
			sum.Write(table)
			for i := range n {
				labels[i] = labels[i].Xor(block.Get(bytes.Repeat([]byte{table[i%len(table)], byte(pads[i])}, 8)))
			}
			done += n
		}
		for _, p := range pads {
			sum.Write([]byte{byte(p), byte(p >> 8), byte(p >> 16), byte(p >> 24)})
		}
		const want = "43d12261cf696611"
		if got := hex.EncodeToString(sum.Sum(nil)[:8]); got != want {
			t.Errorf("accumulated hash %s, want %s", got, want)
		}
	})
}
