package bench

import (
	"crypto/rand"
	"testing"

	"dorcas/internal/ring"

	lattigo "github.com/tuneinsight/lattigo/v6/ring"
)

// BenchmarkNTT transforms a polynomial of degree 2048 modulo the same 50-bit
// prime, forward and back, here and in Lattigo.
func BenchmarkNTT(b *testing.B) {
	var seed [32]byte
	rand.Read(seed[:])
	var p ring.Poly
	ring.UniformPoly(&p, ring.NewStream(&seed, "bench", 0))
	r, err := lattigo.NewRing(ring.N, []uint64{ring.Q})
	if err != nil {
		b.Fatal(err)
	}
	theirs := r.NewPoly()
	copy(theirs.Coeffs[0], p[:])
	checkNTT(b, r, &p)
	var ours ring.NTT
	b.Run("forward/dorcas", func(b *testing.B) {
		for b.Loop() {
			ring.Forward(&ours, &p)
		}
	})
	b.Run("forward/lattigo", func(b *testing.B) {
		for b.Loop() {
			r.NTT(theirs, theirs)
		}
	})
	b.Run("inverse/dorcas", func(b *testing.B) {
		for b.Loop() {
			ring.Inverse(&p, &ours)
		}
	})
	b.Run("inverse/lattigo", func(b *testing.B) {
		for b.Loop() {
			r.INTT(theirs, theirs)
		}
	})
}

// checkNTT squares p on both sides and compares: the orders of the transforms'
// values may differ, the products may not.
func checkNTT(b *testing.B, r *lattigo.Ring, p *ring.Poly) {
	x, square := r.NewPoly(), ring.Poly{}
	copy(x.Coeffs[0], p[:])
	r.NTT(x, x)
	r.MulCoeffsBarrett(x, x, x)
	r.INTT(x, x)
	var v ring.NTT
	ring.Forward(&v, p)
	v.Mul(&v, &v)
	ring.Inverse(&square, &v)
	for i, want := range x.Coeffs[0] {
		if square[i] != want {
			b.Fatalf("coefficient %d of the square is %d, not %d", i, square[i], want)
		}
	}
}
