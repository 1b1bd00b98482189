package rlwe

import (
	"testing"

	"dorcas/internal/ring"
)

var benchParams = AnswerParams{T: 22, Guard: 2, NormBits: 13, Terms: 4}

// bench prepares everything that the benchmarks use.
type bench struct {
	*party
	m      []uint32
	packed []byte
	ct     Ciphertext
	plain  ring.NTT
	sum    Sum
	wanted []int32
	share  []uint32
	answer []byte
	fresh  *ring.Stream
	mask   *ring.Stream
}

func newBench(b testing.TB) *bench {
	x := &bench{party: newParty(b, 50), packed: make([]byte, CiphertextSize), wanted: upTo(ring.N), share: make([]uint32, ring.N)}
	x.m = x.message(benchParams.T)
	x.fresh = ring.NewStream(&x.agreed, "fresh", 0)
	x.mask = ring.NewStream(&x.agreed, "mask", 0)
	x.sk.Encrypt(x.packed, x.m, benchParams.T, &x.agreed, 0, x.noise)
	if err := x.ct.Parse(x.packed, &x.agreed, 0); err != nil {
		b.Fatal(err)
	}
	EncodePlain(&x.plain, []int32{1, -2, 3})
	x.sum.MulAdd(&x.ct, &x.plain)
	x.answer = make([]byte, benchParams.Size(ring.N))
	benchParams.reshare(x.answer, x.share, &x.sum, x.pk, x.wanted, x.fresh, x.mask)
	return x
}

func TestNoAllocation(t *testing.T) {
	x := newBench(t)
	for name, f := range map[string]func(){
		"EncodePlain": func() { EncodePlain(&x.plain, []int32{1, -2, 3}) },
		"MulAdd":      func() { x.sum.MulAdd(&x.ct, &x.plain) },
		"Reshare": func() {
			benchParams.reshare(x.answer, x.share, &x.sum, x.pk, x.wanted, x.fresh, x.mask)
		},
		"RedoShare": func() { benchParams.RedoShare(x.share, x.mask) },
		"Open": func() {
			if err := benchParams.Open(x.share, x.answer, x.sk, x.wanted); err != nil {
				t.Error(err)
			}
		},
	} {
		if n := testing.AllocsPerRun(3, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkEncrypt(b *testing.B) {
	x := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		x.sk.Encrypt(x.packed, x.m, benchParams.T, &x.agreed, 0, x.noise)
	}
}

func BenchmarkParse(b *testing.B) {
	x := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := x.ct.Parse(x.packed, &x.agreed, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodePlain(b *testing.B) {
	x := newBench(b)
	w := make([]int32, ring.N)
	for b.Loop() {
		EncodePlain(&x.plain, w)
	}
}

func BenchmarkSumMulAdd(b *testing.B) {
	x := newBench(b)
	for b.Loop() {
		x.sum.MulAdd(&x.ct, &x.plain)
	}
}

// BenchmarkSumMulAddAll is eight products.
func BenchmarkSumMulAddAll(b *testing.B) {
	x := newBench(b)
	cts, ws := make([]Ciphertext, 8), make([]ring.NTT, 8)
	for i := range cts {
		cts[i], ws[i] = x.ct, x.plain
	}
	for b.Loop() {
		x.sum.MulAddAll(cts, ws)
	}
}

func BenchmarkReshare(b *testing.B) {
	x := newBench(b)
	for b.Loop() {
		benchParams.reshare(x.answer, x.share, &x.sum, x.pk, x.wanted, x.fresh, x.mask)
	}
}

func BenchmarkRedoShare(b *testing.B) {
	x := newBench(b)
	for b.Loop() {
		benchParams.RedoShare(x.share, x.mask)
	}
}

func BenchmarkOpen(b *testing.B) {
	x := newBench(b)
	for b.Loop() {
		if err := benchParams.Open(x.share, x.answer, x.sk, x.wanted); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBits(b *testing.B) {
	for b.Loop() {
		benchParams.Bits(1000)
	}
}
