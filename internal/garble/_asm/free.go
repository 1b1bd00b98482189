package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// free emits dst = a ⊕ b ⊕ delta for both register sizes.
func free() {
	for _, v := range []struct {
		name string
		wide bool
	}{{"AVX512", true}, {"AVX2", false}} {
		TEXT("xorDelta"+v.name, NOSPLIT, "func(dst, a, b *byte, n int, delta *byte)")
		Pragma("noescape")
		Doc(fmt.Sprintf("xorDelta%s sets dst = a ⊕ b ⊕ delta for n blocks; n > 0.", v.name))
		xorDelta(v.wide)
	}
}

// xorDelta goes 128 bytes a turn, then a block a turn.
func xorDelta(wide bool) {
	dst := Load(Param("dst"), GP64())
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	n := Load(Param("n"), GP64())
	delta := Load(Param("delta"), GP64())
	size, fresh := 32, func() VecVirtual { return YMM() }
	if wide {
		size, fresh = 64, func() VecVirtual { return ZMM() }
	}
	const turn = 128
	d := fresh()
	if wide {
		VBROADCASTI32X4(Mem{Base: delta}, d)
	} else {
		VBROADCASTI128(Mem{Base: delta}, d)
	}
	SUBQ(Imm(turn/16), n)
	JL(LabelRef("single"))
	Label("turn")
	for at := 0; at < turn; at += size {
		x := fresh()
		if wide {
			VMOVDQU64(Mem{Base: a, Disp: at}, x)
			VPTERNLOGQ(Imm(xor3), Mem{Base: b, Disp: at}, d, x)
			VMOVDQU64(x, Mem{Base: dst, Disp: at})
		} else {
			VPXOR(Mem{Base: a, Disp: at}, d, x)
			VPXOR(Mem{Base: b, Disp: at}, x, x)
			VMOVDQU(x, Mem{Base: dst, Disp: at})
		}
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
