package main

import (
	"math/bits"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var (
	upTo3  = eight("tree_up_to_3", 0, 0, 1, 0, 2, 0, 3, 0)
	fours  = eight("tree_fours", 4, 0, 4, 0, 4, 0, 4, 0)
	mirror = reverse()
)

// reverse reverses the bytes of every block.
func reverse() Mem {
	m := GLOBL("tree_mirror", RODATA|NOPTR)
	for i := range 64 {
		DATA(i, U8(15-i%16))
	}
	return m
}

// depth is that of the trees that the kernel expands.
const depth = 4

// tree emits the expansion of all leaves of a tree but the first. All columns and the sum
// stay in registers, four registers wide; leaves that follow one another overlap, since
// only the last round depends on the sum.
func tree() {
	TEXT("treeVAES", NOSPLIT, "func(cols *byte, stride int, sum *byte, blocks int, keys *byte, hi, lo uint64)")
	Pragma("noescape")
	Doc("treeVAES is expandTree of depth 4 for streams in step, by their round keys.")
	t := &treeKernel{}
	t.cols = Load(Param("cols"), GP64())
	t.stride = Load(Param("stride"), GP64())
	t.sum = Load(Param("sum"), GP64())
	n := Load(Param("blocks"), GP64())
	t.keys = Load(Param("keys"), GP64())
	t.start()
	Label("wide")
	CMPQ(n, Imm(16))
	JL(LabelRef("narrow"))
	t.run(4, nil)
	SUBQ(Imm(16), n)
	JMP(LabelRef("wide"))
	Label("narrow")
	TESTQ(n, n)
	JLE(LabelRef("end"))
	// The words of the blocks that remain, at most eight.
	words, shift, mask := GP64(), GP64(), K()
	MOVQ(U32(4), shift)
	CMPQ(n, shift)
	CMOVQLT(n, shift)
	ADDQ(shift, shift)
	MOVQ(U32(0xff), words)
	BZHIQ(shift, words, words)
	KMOVB(words.As32(), mask)
	t.run(1, mask)
	SUBQ(Imm(4), n)
	JMP(LabelRef("narrow"))
	Label("end")
	VZEROUPPER()
	RET()
}

type treeKernel struct {
	cols, stride, sum, keys Register
	counter                 VecVirtual // the low half first
}

// start sets the counters of the first four blocks.
func (t *treeKernel) start() {
	t.counter = ZMM()
	high, odd, lanes := ZMM(), K(), GP32()
	MOVL(U32(0xaa), lanes)
	KMOVB(lanes, odd)
	VPBROADCASTQ(Load(Param("lo"), GP64()), t.counter)
	VPBROADCASTQ(Load(Param("hi"), GP64()), high)
	VMOVDQA64(high, odd, t.counter)
	VPADDQ(upTo3, t.counter, t.counter)
}

// run does 4·width blocks of every column, or those in the mask.
func (t *treeKernel) run(width int, mask Register) {
	counters := make([]VecVirtual, width)
	for i := range counters {
		counters[i] = ZMM()
		VPSHUFB(mirror, t.counter, counters[i])
		VPADDQ(fours, t.counter, t.counter)
	}
	sum := make([]VecVirtual, width)
	cols := make([][]VecVirtual, depth)
	for x := 1<<depth - 1; x > 0; x-- {
		t.leaf(x, counters, sum)
		b := bits.TrailingZeros(uint(x))
		if cols[b] == nil {
			for _, s := range sum {
				c := ZMM()
				VMOVDQA64(s, c)
				cols[b] = append(cols[b], c)
			}
			continue
		}
		for i, s := range sum {
			VPXORQ(s, cols[b][i], cols[b][i])
		}
	}
	for b := depth - 2; b >= 0; b-- {
		for i, c := range cols[b] {
			VPXORQ(cols[b+1][i], c, c)
		}
	}
	for i, s := range sum {
		store(s, Mem{Base: t.sum, Disp: 64 * i}, mask)
	}
	col := GP64()
	MOVQ(t.cols, col)
	for b := range depth {
		if b > 0 {
			ADDQ(t.stride, col)
		}
		for i, c := range cols[b] {
			store(c, Mem{Base: col, Disp: 64 * i}, mask)
		}
	}
	ADDQ(U32(64*width), t.sum)
	ADDQ(U32(64*width), t.cols)
}

// leaf adds the stream of leaf x to sum, which is nil before the first.
func (t *treeKernel) leaf(x int, counters, sum []VecVirtual) {
	key := ZMM()
	states := make([]VecVirtual, len(sum))
	at := func(r int) Mem { return Mem{Base: t.keys, Disp: 16 * ((rounds+1)*x + r)} }
	VBROADCASTI32X4(at(0), key)
	for i := range states {
		states[i] = ZMM()
		VPXORQ(key, counters[i], states[i])
	}
	for r := 1; r < rounds; r++ {
		VBROADCASTI32X4(at(r), key)
		for _, z := range states {
			VAESENC(key, z, z)
		}
	}
	VBROADCASTI32X4(at(rounds), key)
	for i, z := range states {
		if sum[i] == nil {
			sum[i] = ZMM()
			VAESENCLAST(key, z, sum[i])
			continue
		}
		VPXORQ(key, sum[i], sum[i])
		VAESENCLAST(sum[i], z, sum[i])
	}
}

func store(z VecVirtual, to Mem, mask Register) {
	if mask != nil {
		VMOVDQU64(z, mask, to)
	} else {
		VMOVDQU64(z, to)
	}
}
