package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// accept takes eight words at a time and writes eight, of which those that are
// kept come first; what it writes beyond is read already or written again.
func accept() {
	TEXT("acceptIFMA", NOSPLIT, "func(x *uint64, vectors int) int")
	Pragma("noescape")
	Doc("acceptIFMA is accept for a positive number of vectors of eight words.")
	src, left := Load(Param("x"), GP64()), Load(Param("vectors"), GP64())
	dst, start, count := GP64(), GP64(), GP64()
	MOVQ(src, dst)
	MOVQ(src, start)
	mask, limit := broadcast(1<<logQ-1), broadcast(q)
	k := K()
	Label("acceptLoop")
	x := ZMM()
	VPANDQ(Mem{Base: src}, mask, x)
	VPCMPUQ(U8(1), limit, x, k)
	VPCOMPRESSQ_Z(x, k, x)
	VMOVDQU64(x, Mem{Base: dst})
	KMOVB(k, count.As32())
	POPCNTL(count.As32(), count.As32())
	LEAQ(Mem{Base: dst, Index: count, Scale: 8}, dst)
	ADDQ(I8(64), src)
	DECQ(left)
	JNZ(LabelRef("acceptLoop"))
	SUBQ(start, dst)
	SHRQ(U8(3), dst)
	Store(dst, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func ternary() {
	TEXT("ternaryIFMA", NOSPLIT, "func(x *[2048]uint64)")
	Pragma("noescape")
	Doc("ternaryIFMA is ternary.")
	p := Load(Param("x"), GP64())
	third, twice := broadcast((1<<64-1)/3), broadcast((1<<64-1)/3*2)
	one, minus := broadcast(1), broadcast(q-1)
	a, b := K(), K()
	loop("ternaryLoop", n/8, func() {
		x := read(Mem{Base: p})
		VPCMPUQ(U8(6), third, x, a)
		VPCMPUQ(U8(6), twice, x, b)
		VMOVDQA64_Z(one, a, x)
		VMOVDQA64(minus, b, x)
		VMOVDQU64(x, Mem{Base: p})
		ADDQ(I8(64), p)
	})
	VZEROUPPER()
	RET()
}

// gaussian finds the number of thresholds below x by binary search in 31 of
// them, those from the twentieth on infinite, with tables that lie in
// registers. The bits of the number come highest first and go to r lowest first:
// then the bits known so far are the index for the next table. The tables are
// filled accordingly by the caller:
//
//	first word  c[15]
//	one vector  c[7] c[23], 6 unused
//	one vector  c[3] c[19] c[11] c[27], 4 unused
//	one vector  c[1] c[17] c[9] …
//	two vectors c[0] c[16] c[8] …
//	two vectors 0 16 8 …, the number without its last bit
func gaussian() {
	TEXT("gaussianIFMA", NOSPLIT, "func(dst *[512]uint64, words *[520]uint64, table *[64]uint64)")
	Pragma("noescape")
	Doc("gaussianIFMA maps eight times a word of signs and 64 others to values in [0, Q).")
	dst, src, tab := Load(Param("dst"), GP64()), Load(Param("words"), GP64()), Load(Param("table"), GP64())
	first := ZMM()
	VPBROADCASTQ(Mem{Base: tab}, first)
	var t [7]VecVirtual
	for i := range t {
		t[i] = read(Mem{Base: tab, Disp: 64 * (i + 1)})
	}
	var bit [4]VecVirtual
	for i := range bit {
		bit[i] = broadcast(1 << i)
	}
	modulus := broadcast(q)
	sign := GP64()
	k, s := K(), K()
	loop("gaussianGroup", 8, func() {
		MOVQ(Mem{Base: src}, sign)
		for i := range 8 {
			x := read(Mem{Base: src, Disp: 8 + 64*i})
			r, c := ZMM(), ZMM()
			VPCMPUQ(U8(6), first, x, k)
			VMOVDQA64_Z(bit[0], k, r)
			for level := range 3 {
				c = ZMM()
				VPERMQ(t[level], r, c)
				VPCMPUQ(U8(6), c, x, k)
				VPADDQ(bit[level+1], r, k, r)
			}
			c = ZMM()
			VMOVDQA64(r, c)
			VPERMI2Q(t[4], t[3], c)
			VPCMPUQ(U8(6), c, x, k)
			VPERMI2Q(t[6], t[5], r)
			VPADDQ(bit[0], r, k, r)
			KMOVB(sign.As32(), s)
			VPTESTMQ(r, r, s, s) // no minus zero
			VPSUBQ(r, modulus, s, r)
			VMOVDQU64(r, Mem{Base: dst, Disp: 64 * i})
			if i < 7 {
				SHRQ(U8(8), sign)
			}
		}
		ADDQ(I32(65*8), src)
		ADDQ(I32(64*8), dst)
	})
	VZEROUPPER()
	RET()
}
