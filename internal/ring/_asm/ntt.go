package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Products by constants use Montgomery's reduction with the constant's quotient
// computed in advance (Seiler, "Faster AVX2 optimized NTT multiplication for
// Ring-LWE lattice cryptography", 2018, section 2.2), on the 52-bit products of
// AVX-512 IFMA and without its subtraction. With
//
//	W = w·2^52 mod q,  W' = −W/q mod 2^52,  C = −1/q mod 2^52
//	m = low(x·W') + C,  t = high(x·W) + high(m·q)
//
// the low halves of x·W and m·q add to −1 mod 2^52. Two numbers below 2^52 with
// such a sum add to 2^52 − 1 exactly, hence without a carry, so that
//
//	t = (x·W + m·q + 1)/2^52 − 1 ≡ x·w + c (mod q),  c = 2^-52 − 1
//
// for every x < 2^52, with 0 ≤ t < 2q. The instructions that multiply also
// add, so t costs three of them and x + t nothing more.
//
// The constants c are never taken away. A transform with them is the linear one
// plus a constant vector, and adding another constant vector to the input
// cancels it; the first pass does so.
//
// Bounds are written in units of q: 4q < 2^52. A word may hold a negative
// number in two's complement; only what is multiplied must be in [0, 4).
// min(x, x−2q), unsigned, brings [0, 4) to [0, 2), min(x, x+2q) brings [−2, 2)
// to [0, 2), and max(x, x−2q) brings [−2, 2) to [−2, 0).

// What keeps the multipliers busy, by measurement.
const (
	together   = 2 // butterflies whose instructions alternate
	sideBySide = 4 // blocks of 32 values in the innermost layers
)

// constants are the registers that every butterfly reads.
type constants struct{ c, q, q2, zero VecVirtual }

// negInverse is C: Newton's iteration doubles the right bits of the inverse.
func negInverse() uint64 {
	x := uint64(1)
	for range 6 {
		x *= 2 - q*x
	}
	return -x & (1<<52 - 1)
}

func newConstants() constants {
	return constants{broadcast(negInverse()), broadcast(q), broadcast(2 * q), broadcast(0)}
}

// factor is a constant multiplier: W' and W, in registers or in memory; in
// memory, as vectors or as single words.
type factor struct {
	quo, w Op
	word   bool
}

// factorAt is a factor of two words, or of two vectors.
func factorAt(m Mem, word bool) factor {
	if word {
		return factor{m, m.Offset(8), true}
	}
	return factor{m, m.Offset(64), false}
}

// load moves a factor of two words to registers.
func (f factor) load() factor {
	quo, w := ZMM(), ZMM()
	VPBROADCASTQ(f.quo, quo)
	VPBROADCASTQ(f.w, w)
	return factor{quo, w, false}
}

// product is x·w, to be added to sum. It needs x in [0, 4).
type product struct {
	sum, x VecVirtual
	f      factor
}

// add computes products step by step, so that no instruction directly follows
// the one that it waits for.
func (k constants) add(ps ...product) {
	m := make([]VecVirtual, len(ps))
	for i, p := range ps {
		m[i] = ZMM()
		VMOVDQA64(k.c, m[i])
		if p.f.word {
			VPMADD52LUQ_BCST(p.f.quo, p.x, m[i])
		} else {
			VPMADD52LUQ(p.f.quo, p.x, m[i])
		}
	}
	for _, p := range ps {
		if p.f.word {
			VPMADD52HUQ_BCST(p.f.w, p.x, p.sum)
		} else {
			VPMADD52HUQ(p.f.w, p.x, p.sum)
		}
	}
	for i, p := range ps {
		VPMADD52HUQ(k.q, m[i], p.sum)
	}
}

// lower is min(x, x−by): [0, 2·by) to [0, by).
func lower(by VecVirtual, xs ...VecVirtual) { both(VPSUBQ, VPMINUQ, by, xs) }

// raise is min(x, x+by): [−by, by) to [0, by).
func raise(by VecVirtual, xs ...VecVirtual) { both(VPADDQ, VPMINUQ, by, xs) }

// sink is max(x, x−by): [−by, by) to [−by, 0).
func sink(by VecVirtual, xs ...VecVirtual) { both(VPSUBQ, VPMAXUQ, by, xs) }

func both(move, choose func(...Op), by VecVirtual, xs []VecVirtual) {
	for _, x := range xs {
		s := ZMM()
		move(by, x, s)
		choose(s, x, x)
	}
}

// group is vectors a stride apart.
type group []VecVirtual

func load(vectors int, base Register, stride int) group {
	g := make(group, vectors)
	for i := range g {
		g[i] = ZMM()
		VMOVDQU64(Mem{Base: base, Disp: i * stride}, g[i])
	}
	return g
}

// every returns every step-th vector from the start-th on.
func (g group) every(step, start int) (some []VecVirtual) {
	for i := start; i < len(g); i += step {
		some = append(some, g[i])
	}
	return some
}

func (g group) add(base Register, stride int) {
	for i := range g {
		VPADDQ(Mem{Base: base, Disp: i * stride}, g[i], g[i])
	}
}

func (g group) store(base Register, stride int) {
	for i := range g {
		VMOVDQU64(g[i], Mem{Base: base, Disp: i * stride})
	}
}

// loadFactors is the factors of three layers: one, two, four. Those that each
// serve one pair only stay in memory.
func loadFactors(base Register) (f [8]factor) {
	for i := 1; i < 8; i++ {
		f[i] = factorAt(Mem{Base: base, Disp: 16 * (i - 1)}, true)
		if i < 4 {
			f[i] = f[i].load()
		}
	}
	return f
}

// The layout of tables in ntt_amd64.go, in bytes: the shift, then for each 32
// values three factors in words and six in vectors, then nine groups of seven
// factors, then the inverse transform's last one.
const (
	polyBytes  = 8 * n
	groupBytes = 7 * 16
	wordBytes  = 64
	blockBytes = wordBytes + 2*3*128

	blockStart = polyBytes
	groupStart = blockStart + n/32*blockBytes
	scaleStart = groupStart + 9*groupBytes
)
