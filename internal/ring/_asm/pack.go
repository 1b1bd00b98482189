package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// Eight values of b bits are b bytes. For b ≤ 57 a value, moved to where it
// begins in its first byte, fits a word.
//
// A width's table is, as 64 bytes each: the shifts, the bytes of the packed
// string that make up each word, and for the words with even and with odd number
// those that make up each byte of the string, 255 for none. Words of one parity
// share no byte if b ≥ 8.

func unpack() {
	TEXT("unpackVBMI", NOSPLIT, "func(dst *uint64, src *byte, vectors int, bits int, table *[256]byte)")
	Pragma("noescape")
	Doc("unpackVBMI reads 64 bytes for each vector of eight values, positive many.")
	dst, src, left := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("vectors"), GP64())
	width, tab := Load(Param("bits"), GP64()), Load(Param("table"), GP64())
	shift, index := read(Mem{Base: tab}), read(Mem{Base: tab, Disp: 64})
	mask := lowBits(width)
	Label("unpackLoop")
	x := ZMM()
	VPERMB(Mem{Base: src}, index, x)
	VPSRLVQ(shift, x, x)
	VPANDQ(mask, x, x)
	VMOVDQU64(x, Mem{Base: dst})
	ADDQ(width, src)
	ADDQ(I8(64), dst)
	DECQ(left)
	JNZ(LabelRef("unpackLoop"))
	VZEROUPPER()
	RET()
}

func pack() {
	TEXT("packVBMI", NOSPLIT, "func(dst *byte, src *uint64, vectors int, bits int, drop int, table *[256]byte)")
	Pragma("noescape")
	Doc("packVBMI drops low bits, then packs. It writes 64 bytes for each vector of eight", "values, positive many.")
	dst, src, left := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("vectors"), GP64())
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
	Label("packLoop")
	x, y := ZMM(), ZMM()
	VPSRLQ(drop, read(Mem{Base: src}), x)
	VPANDQ(mask, x, x)
	VPSLLVQ(shift, x, x)
	VPERMB_Z(x, even, a, y)
	z := ZMM()
	VPERMB_Z(x, odd, b, z)
	VPORQ(y, z, z)
	VMOVDQU64(z, Mem{Base: dst})
	ADDQ(width, dst)
	ADDQ(I8(64), src)
	DECQ(left)
	JNZ(LabelRef("packLoop"))
	VZEROUPPER()
	RET()
}
