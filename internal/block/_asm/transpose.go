package main

import (
	"math/bits"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var (
	// Byte b of eight columns, the last column first, to word b.
	byBytes = bytes("by_bytes", func(i int) int { return i/8 + 8*(7-i%8) })
	// Row 4q + l to byte q of lane l.
	byLanes = bytes("by_lanes", func(i int) int { return 4*(i%16) + i/16 })
	// The bytes with one bit, which an affine map takes to its columns.
	units = quads("units", 0x8040201008040201, 0x8040201008040201)
)

// transpose emits 64 rows of 128 columns a turn.
func transpose() {
	TEXT("transposeGFNI", NOSPLIT, "func(dst, src *byte, stride, turns int)")
	Pragma("noescape")
	Doc("transposeGFNI transposes 64·turns rows, turns > 0.")
	dst, src, stride, turns := pointer("dst"), pointer("src"), pointer("stride"), pointer("turns")
	var masks [8]Register
	for i := 1; i < 8; i++ {
		masks[i] = K()
		m := GP32()
		MOVL(U32(1<<i), m)
		KMOVB(m, masks[i])
	}
	stride3, stride5, stride7 := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: stride, Index: stride, Scale: 4}, stride5)
	LEAQ(Mem{Base: stride3, Index: stride, Scale: 4}, stride7)
	order, lanes, unit := load(byBytes), load(byLanes), load(units)
	Label("turn")
	at := GP64()
	MOVQ(src, at)
	z := make([]VecVirtual, 16)
	for j := range z {
		z[j] = ZMM()
		for i, m := range []Mem{
			{Base: at}, {Base: at, Index: stride, Scale: 1}, {Base: at, Index: stride, Scale: 2},
			{Base: at, Index: stride3, Scale: 1}, {Base: at, Index: stride, Scale: 4},
			{Base: at, Index: stride5, Scale: 1}, {Base: at, Index: stride3, Scale: 2}, {Base: at, Index: stride7, Scale: 1},
		} {
			if i == 0 {
				VPBROADCASTQ(m, z[j])
			} else {
				VPBROADCASTQ(m, masks[i], z[j])
			}
		}
		LEAQ(Mem{Base: at, Index: stride, Scale: 8}, at)
		VPERMB(z[j], order, z[j])
		VGF2P8AFFINEQB(Imm(0), z[j], unit, z[j])
		VPERMB(z[j], lanes, z[j])
	}
	interleave(z)
	for q, y := range z {
		VMOVDQU64(y, Mem{Base: dst, Disp: 64 * q})
	}
	ADDQ(U32(1024), dst)
	ADDQ(Imm(8), src)
	DECQ(turns)
	JNZ(LabelRef("turn"))
	VZEROUPPER()
	RET()
}

// interleave turns lanes of 16 bytes of 16 registers: byte q of register j
// becomes byte j of register q.
func interleave(z []VecVirtual) {
	low := []func(...Op){VPUNPCKLBW, VPUNPCKLWD, VPUNPCKLDQ, VPUNPCKLQDQ}
	high := []func(...Op){VPUNPCKHBW, VPUNPCKHWD, VPUNPCKHDQ, VPUNPCKHQDQ}
	for s := range low {
		for i := range 16 {
			if j := i | 1<<s; j != i {
				t := ZMM()
				VMOVDQA64(z[i], t)
				low[s](z[j], t, z[i])
				high[s](z[j], t, z[j])
			}
		}
	}
	// Stage s leaves the half that bit s of the register says: the registers are
	// in the order of the mirrored bits.
	y := append([]VecVirtual{}, z...)
	for i := range y {
		z[bits.Reverse8(uint8(i))>>4] = y[i]
	}
}
