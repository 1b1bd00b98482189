package ring

import "testing"

func BenchmarkForward(b *testing.B) {
	p := randomPoly(newRand(7))
	var x NTT
	for b.Loop() {
		Forward(&x, p)
	}
}

func BenchmarkInverse(b *testing.B) {
	x := NTT(*randomPoly(newRand(8)))
	var p Poly
	for b.Loop() {
		Inverse(&p, &x)
	}
}

func BenchmarkMul(b *testing.B) {
	x, y := NTT(*randomPoly(newRand(9))), NTT(*randomPoly(newRand(10)))
	for b.Loop() {
		x.Mul(&x, &y)
	}
}

func BenchmarkAdd(b *testing.B) {
	x, y := NTT(*randomPoly(newRand(9))), NTT(*randomPoly(newRand(10)))
	for b.Loop() {
		x.Add(&x, &y)
	}
}

func BenchmarkMulAdd(b *testing.B) {
	x, y := NTT(*randomPoly(newRand(9))), NTT(*randomPoly(newRand(10)))
	var acc Acc
	for b.Loop() {
		acc.MulAdd(&x, &y)
	}
}

func BenchmarkReduce(b *testing.B) {
	x := NTT(*randomPoly(newRand(9)))
	var acc Acc
	acc.MulAdd(&x, &x)
	for b.Loop() {
		acc.Reduce(&x)
	}
}

func BenchmarkNewStream(b *testing.B) {
	b.ReportAllocs()
	var p [8]byte
	for b.Loop() {
		NewStream(&seed, "bench", 0).Read(p[:])
	}
}

func BenchmarkUniform(b *testing.B) {
	var p Poly
	s := NewStream(&seed, "bench", 0)
	for b.Loop() {
		UniformPoly(&p, s)
	}
}

func BenchmarkTernary(b *testing.B) {
	var p Poly
	s := NewStream(&seed, "bench", 0)
	for b.Loop() {
		Ternary(&p, s)
	}
}

func BenchmarkGaussian(b *testing.B) {
	var p Poly
	s := NewStream(&seed, "bench", 0)
	for b.Loop() {
		Gaussian(&p, s)
	}
}

func BenchmarkPack(b *testing.B) {
	p := randomPoly(newRand(11))
	packed := make([]byte, PackedSize(N, LogQ))
	for b.Loop() {
		PackBits(packed, p[:], LogQ)
	}
}

func BenchmarkUnpack(b *testing.B) {
	var p Poly
	packed := make([]byte, PackedSize(N, LogQ))
	for b.Loop() {
		UnpackBits(p[:], packed, LogQ)
	}
}
