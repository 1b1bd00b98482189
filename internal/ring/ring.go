// Package ring computes in Z_q[X]/(X^N+1): polynomials, their number
// theoretic transform, sums of products and the samplers that lattice
// encryption draws from.
//
// It stands at the bottom of the homomorphic layers: package rlwe builds
// encryption from it and package linear keeps network weights in its NTT form.
// Nothing here is encryption, and the samplers are safe only with the secret
// seeds and separate labels that rlwe gives them; use rlwe instead. Read ring.go
// first, then ntt.go, then sample.go.
//
// The degree N = 2048 and the prime q = 2^50 − 2^14 + 1 are constants, since
// all bounds below depend on them: q < 2^50 leaves 14 bits of a word unused, so
// that the transforms add without reducing, and 2^50 ≡ 2^14 − 1 (mod q) makes
// reduction shifts and additions.
//
// Time does not depend on values, except where a name or comment says that the
// values are public.
package ring

import "math/bits"

// AGREED: the ring.
const (
	// N is the number of coefficients of a polynomial.
	N = 1 << LogN
	// LogN is log2 N.
	LogN = 11
	// Q is the modulus: prime, and 1 mod 2N, so that X^N+1 splits.
	Q = 1<<LogQ - 1<<14 + 1
	// LogQ is the number of bits of a coefficient: 2^49 < Q < 2^50.
	LogQ = 50
)

// Poly is a polynomial by its coefficients, lowest first, entries in [0, Q).
type Poly [N]uint64

// NTT is a polynomial by its values at the N roots of X^N+1, entries in [0, Q).
// Entry j is the value at ψ^(2·rev(j)+1), where ψ is the least primitive 2N-th
// root of 1 and rev reverses the LogN bits of j. The order is AGREED: values
// travel between the parties.
type NTT [N]uint64

// Add sets p = a + b. p may be a or b.
func (p *Poly) Add(a, b *Poly) { addVec((*[N]uint64)(p), (*[N]uint64)(a), (*[N]uint64)(b)) }

// Sub sets p = a − b. p may be a or b.
func (p *Poly) Sub(a, b *Poly) { subVec((*[N]uint64)(p), (*[N]uint64)(a), (*[N]uint64)(b)) }

// Add sets p = a + b. p may be a or b.
func (p *NTT) Add(a, b *NTT) { addVec((*[N]uint64)(p), (*[N]uint64)(a), (*[N]uint64)(b)) }

// Sub sets p = a − b. p may be a or b.
func (p *NTT) Sub(a, b *NTT) { subVec((*[N]uint64)(p), (*[N]uint64)(a), (*[N]uint64)(b)) }

// Mul sets p = a·b, the product of the polynomials. p may be a or b.
func (p *NTT) Mul(a, b *NTT) { mulVec((*[N]uint64)(p), (*[N]uint64)(a), (*[N]uint64)(b)) }

func addGeneric(dst, a, b *[N]uint64) {
	for i := range dst {
		dst[i] = reduceOnce(a[i] + b[i])
	}
}

func subGeneric(dst, a, b *[N]uint64) {
	for i := range dst {
		dst[i] = addIfNegative(a[i] - b[i])
	}
}

func mulGeneric(dst, a, b *[N]uint64) {
	for i := range dst {
		hi, lo := bits.Mul64(a[i], b[i])
		dst[i] = reduceProduct(hi, lo)
	}
}

// reduceOnce needs x < 2Q, returns x mod Q in [0, Q).
func reduceOnce(x uint64) uint64 { return addIfNegative(x - Q) }

// addIfNegative needs x in [−Q, Q) as a two's complement word, returns x mod Q
// in [0, Q).
func addIfNegative(x uint64) uint64 { return x + Q&uint64(int64(x)>>63) }

// fold needs any word x, returns a word congruent to x mod Q and below
// 2^50 + 2^28 < 2Q. It is x with 2^50 replaced by 2^14 − 1.
func fold(x uint64) uint64 {
	h := x >> LogQ
	return x&(1<<LogQ-1) + h<<14 - h
}

// reduceProduct needs hi·2^64 + lo < 2^100, returns it mod Q in [0, Q).
// With A its quotient by 2^50, A < 2^50, the first replacement of 2^50 by
// 2^14 − 1 gives at most (2^50−1)(2^14−1) + 2^50−1 < 2^64.
func reduceProduct(hi, lo uint64) uint64 {
	a := hi<<(64-LogQ) | lo>>LogQ
	return reduceOnce(fold(lo&(1<<LogQ-1) + a<<14 - a))
}
