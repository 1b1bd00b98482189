package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Eight values of b bits are b bytes. For b ≤ 57 a value, moved to where it
// begins in its first byte, fits a word.
//
// A width's table is, as 64 bytes each: the shifts, the bytes of the packed
// string that make up each word, and for the words with even and with odd number
// those that make up each byte of the string, 255 for none. Words of one parity
// share no byte if b ≥ 8.

func unpack() {
	TEXT("unpackVBMI", NOSPLIT, "func(dst *uint64, src *byte, vectors int, last int, bits int, table *[256]byte)")
	Pragma("noescape")
	Doc("unpackVBMI reads 64 bytes for each vector of eight values, and for the last ones no more than they are packed in.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	width, tab := Load(Param("bits"), GP64()), Load(Param("table"), GP64())
	shift, index := read(Mem{Base: tab}), read(Mem{Base: tab, Disp: 64})
	mask := lowBits(width)
	turn := func(x VecVirtual) {
		VPSRLVQ(shift, x, x)
		VPANDQ(mask, x, x)
		VMOVDQU64(x, Mem{Base: dst})
		ADDQ(width, src)
		ADDQ(I8(64), dst)
	}
	times("unpackLoop", "vectors", func() {
		x := ZMM()
		VPERMB(Mem{Base: src}, index, x)
		turn(x)
	})
	some := firstBytes(width)
	times("unpackLast", "last", func() {
		x := ZMM()
		VMOVDQU8_Z(Mem{Base: src}, some, x)
		VPERMB(x, index, x)
		turn(x)
	})
	VZEROUPPER()
	RET()
}

// times emits body for as many turns as a parameter says, or none.
func times(name, param string, body func()) {
	left := Load(Param(param), GP64())
	TESTQ(left, left)
	JZ(LabelRef(name + "End"))
	Label(name)
	body()
	DECQ(left)
	JNZ(LabelRef(name))
	Label(name + "End")
}

// firstBytes is the mask of as many bytes of a vector, fewer than 64.
func firstBytes(n Register) Register {
	g, k := GP64(), K()
	MOVQ(I32(-1), g)
	BZHIQ(n, g, g)
	KMOVQ(g, k)
	return k
}

func pack() {
	TEXT("packVBMI", NOSPLIT, "func(dst *byte, src *uint64, vectors int, last int, bits int, drop int, table *[256]byte)")
	Pragma("noescape")
	Doc("packVBMI drops low bits, then packs. It writes 64 bytes for each vector of eight values, and for the last ones",
		"no more than they are packed in.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	width, tab := Load(Param("bits"), GP64()), Load(Param("table"), GP64())
	drop := XMM()
	d := Load(Param("drop"), GP64())
	VMOVQ(d, drop)
	shift, even, odd := read(Mem{Base: tab}), read(Mem{Base: tab, Disp: 128}), read(Mem{Base: tab, Disp: 192})
	mask := lowBits(width)
	a, b := K(), K()
	VPMOVB2M(even, a)
	KNOTQ(a, a)
	VPMOVB2M(odd, b)
	KNOTQ(b, b)
	turn := func(store func(z VecVirtual)) {
		x, y := ZMM(), ZMM()
		VPSRLQ(drop, read(Mem{Base: src}), x)
		VPANDQ(mask, x, x)
		VPSLLVQ(shift, x, x)
		VPERMB_Z(x, even, a, y)
		z := ZMM()
		VPERMB_Z(x, odd, b, z)
		VPORQ(y, z, z)
		store(z)
		ADDQ(width, dst)
		ADDQ(I8(64), src)
	}
	times("packLoop", "vectors", func() { turn(func(z VecVirtual) { VMOVDQU64(z, Mem{Base: dst}) }) })
	some := firstBytes(width)
	times("packLast", "last", func() { turn(func(z VecVirtual) { VMOVDQU8(z, some, Mem{Base: dst}) }) })
	VZEROUPPER()
	RET()
}
