package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// each emits a loop over a number of vectors.
func each(name string, vectors Register, body func()) {
	Label(name + "Loop")
	body()
	DECQ(vectors)
	JNZ(LabelRef(name + "Loop"))
}

// count loads a parameter as what shift instructions take.
func count(param string) VecVirtual {
	x := XMM()
	VMOVQ(Load(Param(param), GP64()), x)
	return x
}

// every loads a parameter to all lanes.
func every(param string) VecVirtual {
	z := ZMM()
	VPBROADCASTQ(Load(Param(param), GP64()), z)
	return z
}

func scaleDown() {
	TEXT("scaleDownIFMA", NOSPLIT, "func(dst *uint32, src *uint64, vectors int, bits int, quo uint64, add uint64)")
	Pragma("noescape")
	Doc("scaleDownIFMA is scaleDownGeneric for a positive number of vectors of eight; quo is",
		"2^(52+bits)/Q, rounded down. The estimate of the quotient is too small by less than",
		"1 + 2^-2, so that the remainder with add is below 2Q.")
	dst, src, left := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("vectors"), GP64())
	bits, quo, add := count("bits"), every("quo"), every("add")
	modulus, mask, one := broadcast(q), broadcast(1<<52-1), broadcast(1)
	low := lowBits(Load(Param("bits"), GP64()))
	k := K()
	each("scaleDown", left, func() {
		x, y, r, back := read(Mem{Base: src}), ZMM(), ZMM(), ZMM()
		VPXORQ(y, y, y)
		VPXORQ(back, back, back)
		VPMADD52HUQ(quo, x, y)
		VPSLLQ(bits, x, r)
		VPMADD52LUQ(modulus, y, back)
		VPADDQ(add, r, r)
		VPSUBQ(back, r, r)
		VPANDQ(mask, r, r)
		VPCMPUQ(U8(5), modulus, r, k)
		VPADDQ(one, y, k, y)
		VPANDQ(low, y, y)
		VPMOVQD(y, Mem{Base: dst})
		ADDQ(I8(64), src)
		ADDQ(I8(32), dst)
	})
	VZEROUPPER()
	RET()
}

func scaleUp() {
	TEXT("scaleUpIFMA", NOSPLIT, "func(dst *uint64, src *uint32, vectors int, bits int)")
	Pragma("noescape")
	Doc("scaleUpIFMA is scaleUpGeneric for a positive number of vectors of eight.")
	dst, src, left := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("vectors"), GP64())
	width := Load(Param("bits"), GP64())
	bits, low := count("bits"), lowBits(width)
	half, rest := ZMM(), XMM()
	VPADDQ(broadcast(1), low, half)
	VPSRLQ(U8(1), half, half)
	g := GP64()
	MOVQ(U32(logQ), g)
	SUBQ(width, g)
	VMOVQ(g, rest)
	each("scaleUp", left, func() {
		x, s, d := ZMM(), ZMM(), ZMM()
		VPMOVZXDQ(Mem{Base: src}, x)
		VPANDQ(low, x, x)
		VPSLLQ(U8(14), x, s)
		VPADDQ(half, x, d)
		VPSUBQ(s, d, d)
		VPSRAQ(bits, d, d)
		VPSLLQ(rest, x, x)
		VPADDQ(d, x, x)
		VMOVDQU64(x, Mem{Base: dst})
		ADDQ(I8(32), src)
		ADDQ(I8(64), dst)
	})
	VZEROUPPER()
	RET()
}

func fromSigned() {
	TEXT("fromSignedIFMA", NOSPLIT, "func(dst *uint64, src *int32, vectors int)")
	Pragma("noescape")
	Doc("fromSignedIFMA is fromSignedGeneric for a positive number of vectors of eight.")
	dst, src, left := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("vectors"), GP64())
	modulus := broadcast(q)
	each("fromSigned", left, func() {
		x := ZMM()
		VPMOVSXDQ(Mem{Base: src}, x)
		raise(modulus, x)
		VMOVDQU64(x, Mem{Base: dst})
		ADDQ(I8(32), src)
		ADDQ(I8(64), dst)
	})
	VZEROUPPER()
	RET()
}

func restore() {
	TEXT("restoreIFMA", NOSPLIT, "func(x *uint64, vectors int, drop int) int")
	Pragma("noescape")
	Doc("restoreIFMA is restoreGeneric for a positive number of vectors of eight.")
	p, left := Load(Param("x"), GP64()), Load(Param("vectors"), GP64())
	drop, width := count("drop"), Load(Param("drop"), GP64())
	modulus, half := broadcast(q), ZMM()
	VPADDQ(broadcast(1), lowBits(width), half)
	VPSRLQ(U8(1), half, half)
	bad := GP64()
	XORQ(bad, bad)
	k, b := K(), GP32()
	each("restore", left, func() {
		x := read(Mem{Base: p})
		VPSLLQ(drop, x, x)
		VPCMPUQ(U8(5), modulus, x, k)
		KMOVB(k, b)
		ORQ(b.As64(), bad)
		VPADDQ(half, x, x)
		lower(modulus, x)
		VMOVDQU64(x, Mem{Base: p})
		ADDQ(I8(64), p)
	})
	Store(bad, ReturnIndex(0))
	VZEROUPPER()
	RET()
}
