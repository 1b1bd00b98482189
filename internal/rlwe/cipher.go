package rlwe

import (
	"unsafe"

	"dorcas/internal/ring"
)

// MaxT is the largest number of bits of a plaintext.
const MaxT = 32

// Ciphertext is an upload as the server holds it: C0 + C1·s is the message
// times Q/2^T, rounded, plus noise.
type Ciphertext struct{ C0, C1 ring.NTT }

// Encrypt writes C0 of an encryption of m, CiphertextSize bytes: the
// coefficients m[i] mod 2^T of a polynomial, at most N (the rest are 0), with
// 1 ≤ T ≤ MaxT. C1 is expanded from (maskSeed, index): a pair must never serve
// two messages under one key, since their difference would show. The error is
// drawn from noise, a secret stream. Messages are the client's masks: uniform, or
// 0 where nothing is masked, as the noise bound of AnswerParams supposes.
func (sk *SecretKey) Encrypt(dst []byte, m []uint32, T int, maskSeed *[32]byte, index uint64, noise *ring.Stream) {
	var p, e ring.Poly
	var a ring.NTT
	encode(&p, m, T)
	ring.Gaussian(&e, noise)
	p.Add(&p, &e)
	ring.UniformNTT(&a, ring.NewStream(maskSeed, labelCiphertext, index))
	sk.seal(dst, &p, &a)
}

// Parse reads C0 from a peer's bytes and expands C1 from (maskSeed, index). It
// fails on a wrong length and on values not below Q.
func (ct *Ciphertext) Parse(src []byte, maskSeed *[32]byte, index uint64) error {
	if err := parseNTT(&ct.C0, src, "ciphertext"); err != nil {
		return err
	}
	ring.UniformNTT(&ct.C1, ring.NewStream(maskSeed, labelCiphertext, index))
	return nil
}

// encode sets dst to round(Q·m/2^T), halves up.
func encode(dst *ring.Poly, m []uint32, T int) {
	if T < 1 || T > MaxT || len(m) > ring.N {
		panic("rlwe: message out of range")
	}
	ring.ScaleUp(dst, m, T)
}

// EncodePlain sets dst to the NTT form of the polynomial with the given small
// coefficients, at most N (the rest are 0). They are not scaled: they multiply
// messages.
func EncodePlain(dst *ring.NTT, coeffs []int32) {
	if len(coeffs) > ring.N {
		panic("rlwe: more than N coefficients")
	}
	p := (*ring.Poly)(dst)
	ring.FromSigned(p, coeffs)
	ring.Forward(dst, p)
}

// Sum is a sum of ciphertexts times plaintexts, reduced only when it leaves in
// an answer. The zero value is an empty sum.
type Sum struct{ a0, a1 ring.Acc }

// Zero empties the sum.
func (s *Sum) Zero() { s.a0.Zero(); s.a1.Zero() }

// MulAdd adds ct·w, w as EncodePlain makes it. A sum holds at most
// ring.MaxTerms products.
func (s *Sum) MulAdd(ct *Ciphertext, w *ring.NTT) {
	s.MulAddAll(unsafe.Slice(ct, 1), unsafe.Slice(w, 1))
}

// MulAddAll adds the products of cts with as many ws. For several it is quicker
// than MulAdd.
func (s *Sum) MulAddAll(cts []Ciphertext, ws []ring.NTT) {
	if len(cts) != len(ws) {
		panic("rlwe: numbers of ciphertexts and plaintexts differ")
	}
	ring.MulAddPairs(&s.a0, &s.a1, unsafe.Slice((*[2]ring.NTT)(unsafe.Pointer(unsafe.SliceData(cts))), len(cts)), ws)
}

// MulAddScalars adds, for every k, the products of cts with as many words ws[·][k]
// below Q, which multiply as constant polynomials, to sums[k].
func MulAddScalars(sums *[ring.Columns]Sum, cts []Ciphertext, ws [][ring.Columns]uint64) {
	if len(cts) != len(ws) {
		panic("rlwe: numbers of ciphertexts and plaintexts differ")
	}
	ring.MulAddScalars((*[ring.Columns][2]ring.Acc)(unsafe.Pointer(sums)),
		unsafe.Slice((*[2]ring.NTT)(unsafe.Pointer(unsafe.SliceData(cts))), len(cts)), ws)
}
