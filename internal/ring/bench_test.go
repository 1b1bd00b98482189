package ring

import (
	"testing"

	"dorcas/internal/impl/impltest"
)

// each runs a benchmark with every implementation of the kernels.
func each(b *testing.B, f func()) {
	impltest.EachBench(b, kernels, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f()
		}
	})
}

func BenchmarkForward(b *testing.B) {
	p, x := randomPoly(newRand(7)), new(NTT)
	each(b, func() { Forward(x, p) })
}

func BenchmarkInverse(b *testing.B) {
	x, p := (*NTT)(randomPoly(newRand(8))), new(Poly)
	each(b, func() { Inverse(p, x) })
}

func BenchmarkMul(b *testing.B) {
	x, y := (*NTT)(randomPoly(newRand(9))), (*NTT)(randomPoly(newRand(10)))
	each(b, func() { x.Mul(x, y) })
}

func BenchmarkAdd(b *testing.B) {
	x, y := (*NTT)(randomPoly(newRand(9))), (*NTT)(randomPoly(newRand(10)))
	each(b, func() { x.Add(x, y) })
}

func BenchmarkMulAdd(b *testing.B) {
	x, y := (*NTT)(randomPoly(newRand(9))), (*NTT)(randomPoly(newRand(10)))
	acc := new(Acc)
	each(b, func() { acc.MulAdd(x, y) })
}

// BenchmarkMulAddPairs is eight pairs.
func BenchmarkMulAddPairs(b *testing.B) {
	xs, ws := make([][2]NTT, 8), make([]NTT, 8)
	for i := range xs {
		xs[i][0], ws[i] = NTT(*randomPoly(newRand(9))), NTT(*randomPoly(newRand(10)))
	}
	x, y := new(Acc), new(Acc)
	each(b, func() { MulAddPairs(x, y, xs, ws) })
}

func BenchmarkReduce(b *testing.B) {
	x, acc := (*NTT)(randomPoly(newRand(9))), new(Acc)
	acc.MulAdd(x, x)
	each(b, func() { acc.Reduce(x) })
}

// BenchmarkNewStream makes a stream and reads its first bytes.
func BenchmarkNewStream(b *testing.B) {
	impltest.EachBench(b, streams, func(b *testing.B) {
		b.ReportAllocs()
		var p [8]byte
		for b.Loop() {
			NewStream(&seed, "bench", 0).Read(p[:])
		}
	})
}

func BenchmarkRead(b *testing.B) {
	impltest.EachBench(b, streams, func(b *testing.B) {
		s, p := NewStream(&seed, "bench", 0), make([]byte, 8*N)
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			s.Read(p)
		}
	})
}

// The samplers' figures contain the stream's, which is the best available.

func BenchmarkUniform(b *testing.B) {
	p, s := new(Poly), NewStream(&seed, "bench", 0)
	each(b, func() { UniformPoly(p, s) })
}

func BenchmarkTernary(b *testing.B) {
	p, s := new(Poly), NewStream(&seed, "bench", 0)
	each(b, func() { Ternary(p, s) })
}

func BenchmarkGaussian(b *testing.B) {
	p, s := new(Poly), NewStream(&seed, "bench", 0)
	each(b, func() { Gaussian(p, s) })
}

func BenchmarkPack(b *testing.B) {
	p, packed := randomPoly(newRand(11)), make([]byte, PackedSize(N, LogQ))
	each(b, func() { PackBits(packed, p[:], LogQ) })
}

func BenchmarkUnpack(b *testing.B) {
	p, packed := new(Poly), make([]byte, PackedSize(N, LogQ))
	each(b, func() { UnpackBits(p[:], packed, LogQ) })
}

func BenchmarkUnpackTop(b *testing.B) {
	p, packed := new(Poly), make([]byte, PackedSize(N, 33))
	each(b, func() { UnpackTop(p[:], packed, 33) })
}

func BenchmarkScaleDown(b *testing.B) {
	p, dst := randomPoly(newRand(12)), make([]uint32, N)
	each(b, func() { ScaleDown(dst, p[:], 24, true) })
}

func BenchmarkScaleUp(b *testing.B) {
	p, src := new(Poly), make([]uint32, N)
	each(b, func() { ScaleUp(p, src, 22) })
}

func BenchmarkFromSigned(b *testing.B) {
	p, src := new(Poly), make([]int32, N)
	each(b, func() { FromSigned(p, src) })
}
