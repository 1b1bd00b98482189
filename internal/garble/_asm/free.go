package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// free emits dst = a ⊕ b ⊕ delta, 128 bytes a turn, then a block a turn.
func free() {
	TEXT("xorDeltaAVX2", NOSPLIT, "func(dst, a, b *byte, n int, delta *byte)")
	Pragma("noescape")
	Doc("xorDeltaAVX2 sets dst = a ⊕ b ⊕ delta for n blocks; n > 0.")
	dst := Load(Param("dst"), GP64())
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	n := Load(Param("n"), GP64())
	const turn = 128
	d := YMM()
	VBROADCASTI128(Mem{Base: Load(Param("delta"), GP64())}, d)
	SUBQ(Imm(turn/16), n)
	JL(LabelRef("single"))
	Label("turn")
	for at := 0; at < turn; at += 32 {
		x := YMM()
		VPXOR(Mem{Base: a, Disp: at}, d, x)
		VPXOR(Mem{Base: b, Disp: at}, x, x)
		VMOVDQU(x, Mem{Base: dst, Disp: at})
	}
	for _, r := range []Register{dst, a, b} {
		ADDQ(U32(turn), r)
	}
	SUBQ(Imm(turn/16), n)
	JGE(LabelRef("turn"))
	Label("single")
	ADDQ(Imm(turn/16), n)
	JZ(LabelRef("end"))
	Label("block")
	x := XMM()
	VPXOR(Mem{Base: a}, d.AsX(), x)
	VPXOR(Mem{Base: b}, x, x)
	VMOVDQU(x, Mem{Base: dst})
	for _, r := range []Register{dst, a, b} {
		ADDQ(Imm(16), r)
	}
	DECQ(n)
	JNZ(LabelRef("block"))
	Label("end")
	VZEROUPPER()
	RET()
}
