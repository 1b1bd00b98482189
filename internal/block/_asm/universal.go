package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A block is taken with its bytes mirrored, which makes the coefficient of x^i
// bit 127 − i. The carry-less product of two such is one place too low; powers
// of H are kept times x for that (Gueron, Kounavis, Intel white paper on the
// carry-less multiplication instruction, revision 2.02, figure 8 and algorithm 5).

const stripe = 64 // blocks whose products are added before they are reduced

var field = quads("field", 0xc200000000000000, 0xc200000000000000)

// A product is a sum of carry-less products before reduction.
type product struct{ low, mid, high VecVirtual }

// multiply adds x·y to p.
func (p *product) multiply(x, y Op) {
	for _, half := range []struct {
		choice uint64
		sum    VecVirtual
	}{{0x00, p.low}, {0x01, p.mid}, {0x10, p.mid}, {0x11, p.high}} {
		t := ZMM()
		VPCLMULQDQ(Imm(half.choice), y, x, t)
		VPXORQ(t, half.sum, half.sum)
	}
}

func newProduct() *product { return &product{zero(), zero(), zero()} }

// reduce returns p modulo x^128 + x^7 + x^2 + x + 1, in each lane.
func (p *product) reduce(poly VecVirtual) VecVirtual {
	t := ZMM()
	VPSLLDQ(Imm(8), p.mid, t)
	VPXORQ(t, p.low, p.low)
	VPSRLDQ(Imm(8), p.mid, t)
	VPXORQ(t, p.high, p.high)
	for range 2 {
		VPCLMULQDQ(Imm(0x00), poly, p.low, t)
		VPSHUFD(Imm(0x4e), p.low, p.low)
		VPXORQ(t, p.low, p.low)
	}
	VPXORQ(p.low, p.high, p.high)
	return p.high
}

// fold adds the lanes of z into its lowest.
func fold(z VecVirtual) {
	y, x := YMM(), XMM()
	VEXTRACTI64X4(Imm(1), z, y)
	VPXOR(y, z.AsY(), z.AsY())
	VEXTRACTI128(Imm(1), z.AsY(), x)
	VPXOR(x, z.AsX(), z.AsX())
}

func universal() {
	universalPowers()
	universalSum()
}

// universalPowers emits the powers of H, four at a time, the highest first.
func universalPowers() {
	TEXT("universalPowersVPCLMUL", NOSPLIT, "func(dst, h *byte)")
	Pragma("noescape")
	Doc("universalPowersVPCLMUL writes H^68 to H^1, mirrored and times x.")
	dst, at := pointer("dst"), pointer("h")
	poly, h := load(field), ZMM()
	VBROADCASTI32X4(Mem{Base: at}, h)
	VPSHUFB(mirror, h, h)
	// Times x: a shift to the left; what leaves comes back as the polynomial.
	carry, t, u := ZMM(), ZMM(), ZMM()
	VPSHUFD(Imm(0xff), h, carry)
	VPSRAD(Imm(31), carry, carry)
	VPSLLQ(Imm(1), h, t)
	VPSRLQ(Imm(63), h, u)
	VPSLLDQ(Imm(8), u, u)
	VPXORQ(u, t, h)
	VPANDQ(quads("field_times_x", 1, 0xc200000000000000), carry, carry)
	VPXORQ(carry, h, h)
	power := []VecVirtual{h}
	for i := range 3 {
		p := newProduct()
		p.multiply(power[i], h)
		power = append(power, p.reduce(poly))
	}
	v := ZMM()
	VMOVDQA64(power[3], v)
	for i, lane := range []uint32{0b11000000, 0b00110000, 0b00001100} {
		k, m := K(), GP32()
		MOVL(U32(lane), m)
		KMOVB(m, k)
		VMOVDQA64(power[i], k, v)
	}
	const rows = stripe/4 + 1
	left := GP64()
	MOVQ(U32(rows-1), left)
	ADDQ(I32(64*(rows-1)), dst)
	Label("loop")
	VMOVDQU64(v, Mem{Base: dst})
	p := newProduct()
	p.multiply(v, power[3])
	VMOVDQA64(p.reduce(poly), v)
	SUBQ(Imm(64), dst)
	DECQ(left)
	JNZ(LabelRef("loop"))
	VMOVDQU64(v, Mem{Base: dst})
	VZEROUPPER()
	RET()
}

// universalSum emits the hash. Blocks go by fours; those of the first four that
// do not exist count as zeros, of which the first stripe may have more.
func universalSum() {
	TEXT("universalSumVPCLMUL", NOSPLIT, "func(dst, src *byte, blocks int, powers *byte)")
	Pragma("noescape")
	Doc("universalSumVPCLMUL hashes blocks blocks, blocks > 0, with powers H^65 to H^1.")
	src, rows, powers := pointer("src"), pointer("blocks"), pointer("powers")
	missing, words, mask, all := GP64(), GP64(), K(), K()
	MOVQ(rows, missing)
	NEGQ(missing)
	ANDQ(Imm(3), missing)
	ADDQ(missing, rows)
	SHRQ(Imm(2), rows)
	KXNORB(all, all, all)
	MOVQ(U32(0xff), words)
	shift := GP64()
	LEAQ(Mem{Base: missing, Index: missing, Scale: 1}, shift)
	SHLXQ(shift, words, words)
	KMOVB(words.As32(), mask)
	SHLQ(Imm(4), missing)
	SUBQ(missing, src)
	poly, swap, sum := load(field), load(mirror), zero()

	Label("stripe")
	count, at := GP64(), GP64()
	LEAQ(Mem{Base: rows, Disp: -1}, count)
	ANDQ(Imm(stripe/4-1), count)
	// The last stripe has the powers from H^65, all others from H^64.
	LEAQ(Mem{Base: powers, Disp: 16}, at)
	CMPQ(rows, Imm(stripe/4))
	CMOVQLE(powers, at)
	skip := GP64()
	MOVQ(U32(stripe/4-1), skip)
	SUBQ(count, skip)
	SHLQ(Imm(6), skip)
	ADDQ(skip, at)
	INCQ(count)
	SUBQ(count, rows)
	p := newProduct()
	Label("row")
	x := ZMM()
	VMOVDQU64_Z(Mem{Base: src}, mask, x)
	KMOVB(all, mask)
	VPSHUFB(swap, x, x)
	VPXORQ(sum, x, x)
	VPXORQ(sum, sum, sum)
	p.multiply(x, Mem{Base: at})
	ADDQ(Imm(64), src)
	ADDQ(Imm(64), at)
	DECQ(count)
	JNZ(LabelRef("row"))
	fold(p.low)
	fold(p.mid)
	fold(p.high)
	VMOVDQA64(p.reduce(poly), sum)
	TESTQ(rows, rows)
	JNZ(LabelRef("stripe"))
	out := pointer("dst")
	VPSHUFB(swap.AsX(), sum.AsX(), sum.AsX())
	VMOVDQU(sum.AsX(), Mem{Base: out})
	VZEROUPPER()
	RET()
}
