package rlwe

import (
	"fmt"

	"dorcas/internal/ring"
)

// An answer turns a Sum into additive shares of its coefficients.
//
//	server            R uniform, ρ = round(R·2^p/Q), p = T + Guard
//	server → client   c1 + a·u + e₁         N·b1 bits
//	                  c0 + b·u + e₀ − R     wanted·b0 bits
//	client            c = round(phase·2^p/Q)
//
// and c + ρ = 2^Guard·y + ε (mod 2^p) with ε ∈ {−1, 0, 1}, for Guard = 1
// ε ∈ {−1, 0}; see AnswerParams.
//
// What the client sees has no trace of the weights. c1 is masked by a·u + e₁, a
// ring-LWE sample whose secret u the server keeps and draws anew for each
// answer, under an a that neither party chose. Each c0 that is sent is masked
// by a uniform R of its own, and no other is sent; so the phases are uniform,
// whatever noise they carry and whatever b the client sent: noise flooding is
// not needed.

// Reshare writes the answer of sum, Size(len(wanted)) bytes, and the server's
// shares: share[i] of the coefficient wanted[i], mod 2^(T+Guard). wanted is
// public and ascends. It draws u and errors from fresh, a secret stream. mask
// holds the masks R, one for each wanted coefficient: uniform (ring.Uniform)
// from secret streams that do not depend on what fresh gives, since RedoShare
// needs them only. No part of any of these streams may serve twice.
func (p AnswerParams) Reshare(dst []byte, share []uint32, sum *Sum, pk *PublicKey, wanted []int32, fresh *ring.Stream, mask *ring.Poly) {
	p.checkWanted(len(share), wanted)
	if len(dst) != p.Size(len(wanted)) {
		panic("rlwe: wrong length of answer")
	}
	b0, b1 := p.Bits(len(wanted))
	cut := ring.PackedSize(ring.N, b1)

	var small, c ring.Poly
	var u ring.NTT
	ring.Ternary(&small, fresh)
	ring.Forward(&u, &small)

	ring.Gaussian(&small, fresh)
	addZero(&c, &sum.a1, &pk.a, &u, &small)
	ring.PackTop(dst[:cut], c[:], b1)

	ring.Gaussian(&small, fresh)
	addZero(&c, &sum.a0, &pk.b, &u, &small)
	for i, k := range wanted {
		c[i] = c[k] // i ≤ k, and what follows reads beyond k only
	}
	clear(mask[len(wanted):])
	c.Sub(&c, mask)
	ring.PackTop(dst[cut:], c[:len(wanted)], b0)
	p.serverShares(share, mask[:len(wanted)])
}

// addZero sets dst to sum plus one half of an encryption of zero, key·u + e.
func addZero(dst *ring.Poly, sum *ring.Acc, key, u *ring.NTT, e *ring.Poly) {
	var x, y ring.NTT
	sum.Reduce(&x)
	y.Mul(key, u)
	x.Add(&x, &y)
	ring.Inverse(dst, &x)
	dst.Add(dst, e)
}

// RedoShare computes the shares that Reshare returned for wanted coefficients
// whose masks came in a row from the same part of a stream.
func (p AnswerParams) RedoShare(share []uint32, mask *ring.Stream) {
	var r [128]uint64
	for len(share) > 0 {
		n := min(len(share), len(r))
		ring.Uniform(r[:n], mask)
		p.serverShares(share[:n], r[:n])
		share = share[n:]
	}
}

// serverShares sets share to ρ of the masks r.
func (p AnswerParams) serverShares(share []uint32, r []uint64) {
	ring.ScaleDown(share, r, p.T+p.Guard, p.Guard > 1)
}

// Open computes the client's shares from an answer: share[i] of the coefficient
// wanted[i], mod 2^(T+Guard). It fails on a wrong length, on values not below Q
// and on spare bits that are not 0.
func (p AnswerParams) Open(share []uint32, src []byte, sk *SecretKey, wanted []int32) error {
	p.checkWanted(len(share), wanted)
	var phase ring.Poly
	if err := p.open(&phase, src, sk, wanted); err != nil {
		return err
	}
	ring.ScaleDown(share, phase[:len(wanted)], p.T+p.Guard, true)
	return nil
}

// open sets the first entries of phase to the phases of the wanted coefficients.
func (p AnswerParams) open(phase *ring.Poly, src []byte, sk *SecretKey, wanted []int32) error {
	if want := p.Size(len(wanted)); len(src) != want {
		return fmt.Errorf("rlwe: answer: %d bytes, want %d", len(src), want)
	}
	b0, b1 := p.Bits(len(wanted))
	cut := ring.PackedSize(ring.N, b1)
	var c ring.Poly
	if err := restoreBits(c[:], src[:cut], b1); err != nil {
		return err
	}
	if err := restoreBits(phase[:len(wanted)], src[cut:], b0); err != nil {
		return err
	}
	x := (*ring.NTT)(&c)
	ring.Forward(x, &c)
	x.Mul(x, &sk.s)
	ring.Inverse(&c, x)
	for i, k := range wanted {
		c[i] = c[k]
	}
	phase.Add(phase, &c)
	return nil
}

func (p AnswerParams) checkWanted(shares int, wanted []int32) {
	last := int32(-1)
	for _, k := range wanted {
		if k <= last || k >= ring.N {
			panic("rlwe: wanted coefficients do not ascend within the ring")
		}
		last = k
	}
	if shares != len(wanted) {
		panic("rlwe: wrong number of shares")
	}
}

// restoreBits unpacks values that lost d = LogQ − b bits and puts 2^(d−1) in
// their place, so that the error is in [−2^(d−1), 2^(d−1)).
func restoreBits(dst []uint64, src []byte, b int) error {
	if spare := 8*len(src) - b*len(dst); spare > 0 && src[len(src)-1]>>(8-spare) != 0 {
		return fmt.Errorf("rlwe: answer: spare bits are not 0")
	}
	if i := ring.UnpackTop(dst, src, b); i >= 0 {
		return fmt.Errorf("rlwe: answer: value %d is not below the modulus", i)
	}
	return nil
}
