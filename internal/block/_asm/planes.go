package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var (
	// The bits of four blocks, each for both words of its block.
	nibble = eight("nibble", 1, 1, 2, 2, 4, 4, 8, 8)
	lows   = eight("lows", 0, 2, 4, 6, 8, 10, 12, 14)
	one    = quads("one", 1, 1)
)

// planes emits the kernels that carry 64 bits to blocks or integers and back.
func planes() {
	addWhere()
	colours()
	plane()
	orPlane()
	addMasked()
}

func addWhere() {
	TEXT("addWhere64AVX512", NOSPLIT, "func(dst *byte, w uint64, delta *byte)")
	Pragma("noescape")
	Doc("addWhere64AVX512 adds delta to the blocks of 64 whose bit in w is 1.")
	dst, w, delta := pointer("dst"), ZMM(), ZMM()
	VPBROADCASTQ(pointer("w"), w)
	VBROADCASTI32X4(Mem{Base: pointer("delta")}, delta)
	bit := load(nibble)
	for i := range 16 {
		at, k, x := Mem{Base: dst, Disp: 64 * i}, K(), ZMM()
		VPTESTMQ(bit, w, k)
		VPSRLQ(Imm(4), w, w)
		VMOVDQU64(at, x)
		VPXORQ(delta, x, k, x)
		VMOVDQU64(x, at)
	}
	VZEROUPPER()
	RET()
}

func colours() {
	TEXT("colours64AVX512", NOSPLIT, "func(labels *byte) uint64")
	Pragma("noescape")
	Doc("colours64AVX512 returns bit 0 of 64 blocks.")
	labels, first := pointer("labels"), load(one)
	returnBits(join(0, 8, 64, func(i int) OpmaskVirtual {
		z, k := load(lows), K()
		x := load(Mem{Base: labels, Disp: 128 * i})
		VPERMI2Q(Mem{Base: labels, Disp: 128*i + 64}, x, z)
		VPTESTMQ(first, z, k)
		return k
	}))
	RET()
}

// join emits the 64/size parts of a mask, each of size bits, and puts them
// together, starting at part first.
func join(first, size, whole int, part func(i int) OpmaskVirtual) OpmaskVirtual {
	if whole == size {
		return part(first)
	}
	half := whole / 2
	low, high := join(first, size, half, part), join(first+half/size, size, half, part)
	switch half {
	case 8:
		KUNPCKBW(low, high, low)
	case 16:
		KUNPCKWD(low, high, low)
	default:
		KUNPCKDQ(low, high, low)
	}
	return low
}

func returnBits(k OpmaskVirtual) {
	w := GP64()
	KMOVQ(k, w)
	Store(w, ReturnIndex(0))
	VZEROUPPER()
}

func plane() {
	TEXT("plane64AVX512", NOSPLIT, "func(values *byte, bit uint32) uint64")
	Pragma("noescape")
	Doc("plane64AVX512 returns whether 64 integers have the bit.")
	values, bit := pointer("values"), ZMM()
	VPBROADCASTD(Load(Param("bit"), GP32()), bit)
	returnBits(join(0, 16, 64, func(i int) OpmaskVirtual {
		k := K()
		VPTESTMD(Mem{Base: values, Disp: 64 * i}, bit, k)
		return k
	}))
	RET()
}

func orPlane() {
	TEXT("orPlane64AVX512", NOSPLIT, "func(values *byte, bit uint32, w uint64)")
	Pragma("noescape")
	Doc("orPlane64AVX512 sets the bit of the integers of 64 whose bit in w is 1.")
	values, w, bit := pointer("values"), pointer("w"), ZMM()
	VPBROADCASTD(Load(Param("bit"), GP32()), bit)
	for i := range 4 {
		at, k, x := Mem{Base: values, Disp: 64 * i}, K(), ZMM()
		KMOVW(w.As32(), k)
		SHRQ(Imm(16), w)
		VMOVDQU32(at, x)
		VPORD(bit, x, k, x)
		VMOVDQU32(x, at)
	}
	VZEROUPPER()
	RET()
}

// addMasked emits dst ⊕= src ∧ mask, 256 bytes a turn, then 64.
func addMasked() {
	TEXT("addMaskedAVX512", NOSPLIT, "func(dst, src *byte, lines int, mask uint64)")
	Pragma("noescape")
	Doc("addMaskedAVX512 adds the words of 64·lines bytes, lines > 0, with the bits of mask only.")
	dst, src, lines, mask := pointer("dst"), pointer("src"), pointer("lines"), ZMM()
	VPBROADCASTQ(pointer("mask"), mask)
	step := func(count int) {
		for i := range count {
			x := load(Mem{Base: dst, Disp: 64 * i})
			VPTERNLOGQ(Imm(xorAnd), Mem{Base: src, Disp: 64 * i}, mask, x)
			VMOVDQU64(x, Mem{Base: dst, Disp: 64 * i})
		}
		ADDQ(U32(uint32(64*count)), dst)
		ADDQ(U32(uint32(64*count)), src)
	}
	Label("four")
	CMPQ(lines, Imm(4))
	JL(LabelRef("single"))
	step(4)
	SUBQ(Imm(4), lines)
	JMP(LabelRef("four"))
	Label("single")
	TESTQ(lines, lines)
	JZ(LabelRef("end"))
	step(1)
	DECQ(lines)
	JMP(LabelRef("single"))
	Label("end")
	VZEROUPPER()
	RET()
}
