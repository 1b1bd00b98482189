package ring

import (
	"crypto/sha256"
	"encoding/hex"
	"math/bits"
	"testing"

	"dorcas/internal/impl/impltest"
)

// TestMulEdges multiplies each pair of edge values.
func TestMulEdges(t *testing.T) {
	impltest.Each(t, kernels, func(t *testing.T) {
		e := edges()
		for shift := range e {
			var a, b, got NTT
			for i := range a {
				a[i], b[i] = e[i%len(e)], e[(i+shift)%len(e)]
			}
			got.Mul(&a, &b)
			var acc Acc
			var sum NTT
			acc.MulAdd(&a, &b)
			acc.Reduce(&sum)
			for i := range got {
				hi, lo := bits.Mul64(a[i], b[i])
				if _, want := bits.Div64(hi, lo, Q); got[i] != want || sum[i] != want {
					t.Fatalf("%d·%d = %d by Mul, %d by MulAdd, want %d", a[i], b[i], got[i], sum[i], want)
				}
			}
		}
	})
}

// TestAcceptLengths: every length around a vector, with refused words
// anywhere.
func TestAcceptLengths(t *testing.T) {
	impltest.Each(t, kernels, func(t *testing.T) {
		r := newRand(12)
		for n := range 40 {
			for refuse := range 5 {
				x := make([]uint64, n+1)
				var want []uint64
				for i := range n {
					x[i] = r.Uint64()
					if refuse > 0 && r.IntN(refuse) == 0 {
						x[i] |= 1<<LogQ - 1<<r.IntN(15)
					}
					if v := x[i] & (1<<LogQ - 1); v < Q {
						want = append(want, v)
					}
				}
				x[n] = 12345
				got := accept(x[:n])
				if got != len(want) || x[n] != 12345 {
					t.Fatalf("%d words: keeps %d, want %d", n, got, len(want))
				}
				for i, v := range want {
					if x[i] != v {
						t.Fatalf("%d words: value %d is %d, want %d", n, i, x[i], v)
					}
				}
			}
		}
	})
}

// TestUnaligned runs the transforms on words that begin anywhere in a line of
// the cache.
func TestUnaligned(t *testing.T) {
	impltest.Each(t, kernels, func(t *testing.T) {
		p := randomPoly(newRand(13))
		var want NTT
		Forward(&want, p)
		buf := make([]uint64, N+8)
		for offset := range 8 {
			x := (*Poly)(buf[offset:])
			*x = *p
			if Forward((*NTT)(x), x); NTT(*x) != want {
				t.Fatalf("Forward at word %d", offset)
			}
			if Inverse(x, (*NTT)(x)); *x != *p {
				t.Fatalf("Inverse at word %d", offset)
			}
		}
	})
}

// TestLong runs kernels on each other's results, 10^5 times in all, against one
// hash for all implementations.
func TestLong(t *testing.T) {
	rounds, want := 12500, "68cd1f75c17130c82566a2bc280ad3b1dcb11e7170604317b6d80c62665cbf97" // of eight kernels
	if testing.Short() {
		rounds, want = 500, "91197e5dedb3ee5102580a63fcbdff6c2a188f2ace002472b6305f5702106108"
	}
	impltest.Each(t, kernels, func(t *testing.T) {
		h := sha256.New()
		s := NewStream(&seed, "long", 0)
		var e, u Poly
		var x, y NTT
		var acc Acc
		packed := make([]byte, PackedSize(N, LogQ))
		UniformNTT(&x, s)
		for i := range rounds {
			if i%16 == 0 {
				UniformNTT(&y, s)
				Gaussian(&e, s)
				Ternary(&u, s)
			}
			acc.MulAdd(&x, &y)
			y.Mul(&y, &x)
			Inverse(&u, &y)
			e.Add(&e, &u)
			Forward(&y, &e)
			x.Sub(&x, &y)
			acc.Reduce(&y)
			PackBits(packed, x[:], LogQ)
			h.Write(packed)
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("hash %s, want %s", got, want)
		}
	})
}

// TestStreamAcross: a stream keeps the cipher that it began with.
func TestStreamAcross(t *testing.T) {
	var a, b [1000]byte
	s := NewStream(&seed, "test", 0)
	var generic *Stream
	impltest.Generic(streams, func() {
		generic = NewStream(&seed, "test", 0)
		s.Read(a[:])
	})
	if generic.Read(b[:]); a != b {
		t.Fatal("streams differ")
	}
}
