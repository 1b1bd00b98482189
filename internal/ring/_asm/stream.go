package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const rounds = 14

// expandKey is AES-256's key schedule (FIPS 197, section 5.2): two vectors of
// four words at a time, each the running sum of the last but one's words plus
// what the instruction makes of the last word before.
func expandKey() {
	TEXT("expandKeyAES", NOSPLIT, "func(keys *[240]byte, key *[32]byte)")
	Pragma("noescape")
	Doc("expandKeyAES computes the fifteen round keys of AES-256.")
	dst, src := Load(Param("keys"), GP64()), Load(Param("key"), GP64())
	a, b := XMM(), XMM()
	MOVOU(Mem{Base: src}, a)
	MOVOU(Mem{Base: src, Disp: 16}, b)
	MOVOU(a, Mem{Base: dst})
	MOVOU(b, Mem{Base: dst, Disp: 16})
	for i := 2; i <= rounds; i++ {
		g := XMM()
		if i%2 == 0 {
			AESKEYGENASSIST(U8(1<<(i/2-1)), b, g)
			PSHUFD(U8(0xff), g, g)
		} else {
			AESKEYGENASSIST(U8(0), b, g)
			PSHUFD(U8(0xaa), g, g)
		}
		t := XMM()
		for range 3 {
			MOVOU(a, t)
			PSLLDQ(U8(4), t)
			PXOR(t, a)
		}
		PXOR(g, a)
		MOVOU(a, Mem{Base: dst, Disp: 16 * i})
		a, b = b, a
	}
	RET()
}

// counter writes AES-256 of consecutive counters, 32 blocks at a time.
func counter() {
	TEXT("counterVAES", NOSPLIT, "func(dst *byte, chunks int, keys *[240]byte, counter uint64)")
	Pragma("noescape")
	Doc("counterVAES writes chunks of 512 bytes, positive many: AES-256 of the numbers from", "counter on, as blocks of 128 bits, big-endian.")
	dst, left := Load(Param("dst"), GP64()), Load(Param("chunks"), GP64())
	keys, first := Load(Param("keys"), GP64()), Load(Param("counter"), GP64())
	var key [rounds + 1]VecVirtual
	for i := range key {
		key[i] = ZMM()
		VBROADCASTI32X4(Mem{Base: keys, Disp: 16 * i}, key[i])
	}
	odd := GP32()
	MOVL(U32(0xaa), odd)
	k := K()
	KMOVB(odd, k)
	number := ZMM()
	VPBROADCASTQ_Z(first, k, number)
	VPADDQ(table("counterStart", 0, 0, 0, 1, 0, 2, 0, 3), number, number)
	step := lanes("counterStep", 0, 4, 0, 4, 0, 4, 0, 4)
	swap := lanes("counterSwap", 0x0706050403020100, 0x08090a0b0c0d0e0f, 0x0706050403020100, 0x08090a0b0c0d0e0f,
		0x0706050403020100, 0x08090a0b0c0d0e0f, 0x0706050403020100, 0x08090a0b0c0d0e0f)
	Label("counterLoop")
	var x [8]VecVirtual
	for i := range x {
		x[i] = ZMM()
		VPSHUFB(swap, number, x[i])
		VPADDQ(step, number, number)
		VPXORQ(key[0], x[i], x[i])
	}
	for r := 1; r < rounds; r++ {
		for i := range x {
			VAESENC(key[r], x[i], x[i])
		}
	}
	for i := range x {
		VAESENCLAST(key[rounds], x[i], x[i])
		VMOVDQU64(x[i], Mem{Base: dst, Disp: 64 * i})
	}
	ADDQ(I32(512), dst)
	DECQ(left)
	JNZ(LabelRef("counterLoop"))
	VZEROUPPER()
	RET()
}
