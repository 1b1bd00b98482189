package block

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"dorcas/internal/impl/impltest"
)

func bitOf(p []byte, i int) byte { return p[i/8] >> (i % 8) & 1 }

// lengths and offsets around the kernels' 64 bits.
var (
	bitLengths = []int{0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 130, 200}
	bitOffsets = []int{0, 1, 7, 8, 13, 63, 64}
)

// eachBits runs f on every implementation, length and offset.
func eachBits(t *testing.T, f func(t *testing.T, rng *rand.Rand, n, at int)) {
	impltest.Each(t, bitwise, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, n := range bitLengths {
			for _, at := range bitOffsets {
				f(t, rng, n, at)
			}
		}
	})
}

// checkBits compares the bits of got from at on, n of them, with want, and all
// others with those of old.
func checkBits(t *testing.T, got, old []byte, at, n int, want func(i int) byte) {
	t.Helper()
	for i := range 8 * len(got) {
		w := bitOf(old, i)
		if i >= at && i < at+n {
			w ^= want(i - at)
		}
		if bitOf(got, i) != w {
			t.Fatalf("n=%d at=%d: bit %d is wrong", n, at, i)
		}
	}
}

func TestAddWhere(t *testing.T) {
	eachBits(t, func(t *testing.T, rng *rand.Rand, n, at int) {
		src := fixedBytes(rng.Uint64(), (at+n+7)/8)
		delta := randomBlocks(rng, 1)[0]
		row := randomBlocks(rng, n+1)
		want := slices.Clone(row)
		for i := range n {
			if bitOf(src, at+i) == 1 {
				want[i] = want[i].Xor(delta)
			}
		}
		AddWhere(row[:n], src, at, delta)
		if !slices.Equal(row, want) {
			t.Fatalf("n=%d at=%d: differs", n, at)
		}
	})
}

func TestAddColours(t *testing.T) {
	eachBits(t, func(t *testing.T, rng *rand.Rand, n, at int) {
		labels := randomBlocks(rng, n)
		old := fixedBytes(rng.Uint64(), (at+n+7)/8)
		got := bytes.Clone(old)
		AddColours(got, at, labels)
		checkBits(t, got, old, at, n, func(i int) byte { return byte(labels[i].Lo & 1) })
	})
}

func TestPlanes(t *testing.T) {
	eachBits(t, func(t *testing.T, rng *rand.Rand, n, at int) {
		for _, bit := range []int{0, 1, 15, 30, 31} {
			values := randomValues(rng, n)
			old := fixedBytes(rng.Uint64(), (at+n+7)/8)
			got := bytes.Clone(old)
			AddPlane(got, at, values, bit)
			checkBits(t, got, old, at, n, func(i int) byte { return byte(uint32(values[i]) >> bit & 1) })

			want := slices.Clone(values)
			for i := range want {
				if bitOf(old, at+i) == 1 {
					want[i] |= int32(uint32(1) << bit)
				}
			}
			OrPlane(values, bit, old, at)
			if !slices.Equal(values, want) {
				t.Fatalf("n=%d at=%d bit=%d: values differ", n, at, bit)
			}
		}
	})
}

func TestAddIf(t *testing.T) {
	impltest.Each(t, bitwise, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 8))
		lengths := []int{255, 256, 257, 319, 320, 321, 511, 512, 1040, 2056}
		for n := range 140 {
			lengths = append(lengths, n)
		}
		for _, n := range lengths {
			for bit := range uint64(2) {
				dst, src := fixedBytes(rng.Uint64(), n+9), fixedBytes(rng.Uint64(), n)
				want := bytes.Clone(dst)
				for i := range src {
					want[i] ^= src[i] * byte(bit)
				}
				if AddIf(dst, src, bit); !bytes.Equal(dst, want) {
					t.Fatalf("n=%d: wrong for bit %d", n, bit)
				}
				same := bytes.Clone(src)
				AddIf(same, same, bit)
				if bit == 0 != bytes.Equal(same, src) && n > 8 || bit == 1 && !bytes.Equal(same, make([]byte, n)) {
					t.Fatalf("n=%d: wrong for bit %d of the slice itself", n, bit)
				}
			}
		}
	})
}

func randomValues(rng *rand.Rand, n int) []int32 {
	values := make([]int32, n)
	for i := range values {
		values[i] = int32(rng.Uint32())
	}
	return values
}

func TestAddWordsAndBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, at := range bitOffsets {
		for _, width := range []int{1, 5, 8, 22, 31, 32} {
			values := randomValues(rng, 9)
			n := len(values) * width
			old := fixedBytes(rng.Uint64(), (at+n+7)/8)
			got := bytes.Clone(old)
			AddWords(got, at, values, width)
			checkBits(t, got, old, at, n, func(i int) byte { return byte(uint32(values[i/width]) >> (i % width) & 1) })
		}
		for _, n := range bitLengths {
			for _, from := range bitOffsets {
				src, old := fixedBytes(rng.Uint64(), (from+n+7)/8), fixedBytes(rng.Uint64(), (at+n+7)/8)
				got := bytes.Clone(old)
				AddBits(got, at, src, from, n)
				checkBits(t, got, old, at, n, func(i int) byte { return bitOf(src, from+i) })
			}
		}
	}
}

// TestBitsPanic: a slice that is too short is not read or written past its end,
// even where it has room.
func TestBitsPanic(t *testing.T) {
	short := make([]byte, 9)[:8]
	for name, f := range map[string]func(){
		"AddWhere":   func() { AddWhere(make([]Block, 64), short, 1, Block{}) },
		"AddColours": func() { AddColours(short, 1, make([]Block, 64)) },
		"AddPlane":   func() { AddPlane(short, 63, make([]int32, 2), 0) },
		"OrPlane":    func() { OrPlane(make([]int32, 64), 0, short, 8) },
		"AddWords":   func() { AddWords(short, 33, make([]int32, 1), 32) },
		"AddBits":    func() { AddBits(make([]byte, 9), 0, short, 1, 64) },
		"AddIf":      func() { AddIf(short, make([]byte, 9), 1) },
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

func TestPutAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	row := randomBlocks(rng, 5)
	p := make([]byte, 5*Size+1)
	PutAll(p, row)
	for i, b := range row {
		if Get(p[i*Size:]) != b {
			t.Fatalf("block %d differs", i)
		}
	}
	got := make([]Block, 5)
	GetAll(got, p)
	if !slices.Equal(got, row) || p[5*Size] != 0 {
		t.Error("GetAll is not the inverse")
	}
}

func BenchmarkBits(b *testing.B) {
	impltest.EachBench(b, bitwise, func(b *testing.B) {
		const n = 512
		labels, values, p := make([]Block, n), make([]int32, n), make([]byte, n/8)
		column := make([]byte, 8<<10)
		for name, f := range map[string]func(){
			"AddWhere":   func() { AddWhere(labels, p, 0, Block{1, 2}) },
			"AddColours": func() { AddColours(p, 0, labels) },
			"AddPlane":   func() { AddPlane(p, 0, values, 3) },
			"OrPlane":    func() { OrPlane(values, 3, p, 0) },
			"AddWords":   func() { AddWords(p, 0, values[:n/8], 8) },
			"AddBits":    func() { AddBits(p, 1, p, 0, n-8) },
			"AddIf":      func() { AddIf(column, column, 1) },
		} {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/bit")
			})
		}
	})
}
