// Command asm generates the vector kernels of package ot.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Truth tables of VPTERNLOGQ for (dst, second, first operand).
const (
	xorAnd     = 0x78 // d ⊕ (s ∧ f)
	xorThenAnd = 0x28 // (d ⊕ s) ∧ f
	xor3       = 0x96 // d ⊕ s ⊕ f
)

const (
	rounds = 10
	lanes  = 4 // blocks of a register
)

var (
	high      = eight("silent_high", 0, ^uint64(0), 0, ^uint64(0), 0, ^uint64(0), 0, ^uint64(0))
	number    = eight("silent_number", 0, 0, 1, 1, 2, 2, 3, 3)
	counter   = eight("silent_counter", 0, 0, 0, 1, 0, 2, 0, 3)
	fourHigh  = eight("silent_four_high", 0, 4, 0, 4, 0, 4, 0, 4)
	four      = eight("silent_four", 4, 4, 4, 4, 4, 4, 4, 4)
	swapBytes = swap()
)

func main() {
	ConstraintExpr("amd64,!purego")
	schedule()
	expand()
	tags()
	addAt()
	rows()
	encode()
	tree()
	Generate()
}

// eight is a constant of eight words.
func eight(name string, words ...uint64) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i, w := range words {
		DATA(8*i, U64(w))
	}
	return m
}

// swap reverses the bytes of every word.
func swap() Mem {
	m := GLOBL("silent_swap", RODATA|NOPTR)
	for i := range 64 {
		DATA(i, U8(i%16/8*8+7-i%8))
	}
	return m
}

func load(m Mem) VecVirtual {
	z := ZMM()
	VMOVDQU64(m, z)
	return z
}

// schedule emits the key schedule of AES-128 (FIPS 197, section 5.2).
func schedule() {
	TEXT("scheduleAES", NOSPLIT, "func(dst *byte, key *byte)")
	Pragma("noescape")
	Doc("scheduleAES writes the 11 round keys of an AES-128 key.")
	dst := Load(Param("dst"), GP64())
	key := Load(Param("key"), GP64())
	k, t, u := XMM(), XMM(), XMM()
	VMOVDQU(Mem{Base: key}, k)
	VMOVDQU(k, Mem{Base: dst})
	rcon := 1
	for r := 1; r <= rounds; r++ {
		VAESKEYGENASSIST(Imm(uint64(rcon)), k, t)
		if rcon <<= 1; rcon > 0xff {
			rcon ^= 0x11b
		}
		VPSHUFD(Imm(0xff), t, t)
		VPSLLDQ(Imm(4), k, u)
		VPXOR(u, k, k)
		VPSLLDQ(Imm(8), k, u)
		VPXOR(u, k, k)
		VPXOR(t, k, k)
		VMOVDQU(k, Mem{Base: dst, Disp: 16 * r})
	}
	RET()
}

// roundKeys loads the keys that keys points at into all lanes.
func roundKeys(keys Register) (k [rounds + 1]VecVirtual) {
	for r := range k {
		k[r] = ZMM()
		VBROADCASTI32X4(Mem{Base: keys, Disp: 16 * r}, k[r])
	}
	return k
}

// aes encrypts all of x.
func aes(k [rounds + 1]VecVirtual, x []VecVirtual) {
	for _, v := range x {
		VPXORQ(k[0], v, v)
	}
	for r := 1; r < rounds; r++ {
		for _, v := range x {
			VAESENC(k[r], v, v)
		}
	}
	for _, v := range x {
		VAESENCLAST(k[rounds], v, v)
	}
}

// sigma returns σ of all of x, twice.
func sigma(mask VecVirtual, x []VecVirtual) (y, z []VecVirtual) {
	for _, v := range x {
		a, b := ZMM(), ZMM()
		VPSHUFD(Imm(0x4e), v, a)
		VPTERNLOGQ(Imm(xorAnd), mask, v, a)
		VMOVDQA64(a, b)
		y, z = append(y, a), append(z, b)
	}
	return y, z
}

// turns emits body for lots of wide registers while n blocks suffice, then for one
// register at a time. next goes on by that many registers.
func turns(n Register, wide int, body func(width int)) {
	Label("wide")
	CMPQ(n, Imm(uint64(wide*lanes)))
	JL(LabelRef("narrow"))
	body(wide)
	SUBQ(Imm(uint64(wide*lanes)), n)
	JMP(LabelRef("wide"))
	Label("narrow")
	CMPQ(n, Imm(lanes))
	JL(LabelRef("done"))
	body(1)
	SUBQ(Imm(lanes), n)
	JMP(LabelRef("narrow"))
	Label("done")
}

func loadAll(base Register, width int) (x []VecVirtual) {
	for i := range width {
		v := ZMM()
		VMOVDQU64(Mem{Base: base, Disp: 64 * i}, v)
		x = append(x, v)
	}
	return x
}

func advance(width int, pointers ...Register) {
	for _, p := range pointers {
		ADDQ(U32(64*width), p)
	}
}

// total writes the sum of the lanes of v to where to points.
func total(v VecVirtual, to Register) {
	y, x := YMM(), XMM()
	VEXTRACTI64X4(Imm(1), v, y)
	VPXOR(y, v.AsY(), y)
	VEXTRACTI128(Imm(1), y, x)
	VPXOR(x, y.AsX(), x)
	VMOVDQU(x, Mem{Base: to})
	VZEROUPPER()
}

func expand() {
	TEXT("expandVAES", NOSPLIT, "func(lo, hi *byte, n int, keys, keep, sum *byte)")
	Pragma("noescape")
	Doc("expandVAES is expandGeneric for n blocks, a multiple of 4.")
	lo := Load(Param("lo"), GP64())
	hi := Load(Param("hi"), GP64())
	n := Load(Param("n"), GP64())
	keys := Load(Param("keys"), GP64())
	keepAt := Load(Param("keep"), GP64())
	to := Load(Param("sum"), GP64())
	k := roundKeys(keys)
	mask, keep, sum := load(high), ZMM(), ZMM()
	VBROADCASTI32X4(Mem{Base: keepAt}, keep)
	VPXORQ(sum, sum, sum)
	turns(n, 4, func(width int) {
		x := loadAll(lo, width)
		y, z := sigma(mask, x)
		aes(k, y)
		for i := range x {
			VPXORQ(z[i], y[i], y[i])
			VPTERNLOGQ(Imm(xorThenAnd), keep, y[i], x[i])
			VPANDQ(keep, y[i], y[i])
			VPXORQ(y[i], sum, sum)
			VMOVDQU64(y[i], Mem{Base: lo, Disp: 64 * i})
			VMOVDQU64(x[i], Mem{Base: hi, Disp: 64 * i})
		}
		advance(width, lo, hi)
	})
	total(sum, to)
	RET()
}

func tags() {
	TEXT("tagsVAES", NOSPLIT, "func(dst, src *byte, n int, keys, sum *byte)")
	Pragma("noescape")
	Doc("tagsVAES is tagsGeneric for n blocks, a multiple of 4.")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	n := Load(Param("n"), GP64())
	keys := Load(Param("keys"), GP64())
	to := Load(Param("sum"), GP64())
	k := roundKeys(keys)
	mask, sum := load(high), ZMM()
	VPXORQ(sum, sum, sum)
	turns(n, 4, func(width int) {
		y, z := sigma(mask, loadAll(src, width))
		aes(k, y)
		for i := range y {
			VPXORQ(z[i], y[i], y[i])
			VPXORQ(y[i], sum, sum)
			VMOVDQU64(y[i], Mem{Base: dst, Disp: 64 * i})
		}
		advance(width, dst, src)
	})
	total(sum, to)
	RET()
}

func addAt() {
	TEXT("addAtAVX512", NOSPLIT, "func(v *byte, n int, x *byte, at int)")
	Pragma("noescape")
	Doc("addAtAVX512 is addAtGeneric for n blocks, a multiple of 4.")
	v := Load(Param("v"), GP64())
	n := Load(Param("n"), GP64())
	from := Load(Param("x"), GP64())
	at := Load(Param("at"), GP64())
	x, want, place, step := ZMM(), ZMM(), load(number), load(four)
	VBROADCASTI32X4(Mem{Base: from}, x)
	VPBROADCASTQ(at, want)
	turns(n, 4, func(width int) {
		for i, b := range loadAll(v, width) {
			here, t := K(), ZMM()
			VPCMPEQQ(want, place, here)
			VMOVDQU64_Z(x, here, t)
			VPXORQ(t, b, b)
			VPADDQ(step, place, place)
			VMOVDQU64(b, Mem{Base: v, Disp: 64 * i})
		}
		advance(width, v)
	})
	VZEROUPPER()
	RET()
}

func rows() {
	TEXT("rowsVAES", NOSPLIT, "func(dst *byte, n int, keys *byte, first uint64)")
	Pragma("noescape")
	Doc("rowsVAES writes n blocks of AES in counter mode from a 64-bit counter; n is a multiple of 16.")
	dst := Load(Param("dst"), GP64())
	n := Load(Param("n"), GP64())
	keys := Load(Param("keys"), GP64())
	first := Load(Param("first"), GP64())
	k := roundKeys(keys)
	c, step, order, mask := ZMM(), load(fourHigh), load(swapBytes), load(high)
	VPBROADCASTQ(first, c)
	VPANDQ(mask, c, c)
	VPADDQ(load(counter), c, c)
	Label("turn")
	var x []VecVirtual
	for range 4 {
		v := ZMM()
		VPSHUFB(order, c, v)
		VPADDQ(step, c, c)
		x = append(x, v)
	}
	aes(k, x)
	for i, v := range x {
		VMOVDQU64(v, Mem{Base: dst, Disp: 64 * i})
	}
	advance(4, dst)
	SUBQ(Imm(16), n)
	JG(LabelRef("turn"))
	VZEROUPPER()
	RET()
}

// Fields of a row: the rotations to the right that bring them to bit 4, since a
// block has 16 bytes.
var fields = []uint64{60, 17, 38}

func encode() {
	TEXT("encodeAVX2", NOSPLIT, "func(dst, table *byte, mask uint64, rows *byte, n int)")
	Pragma("noescape")
	Doc("encodeAVX2 is encodeGeneric for n > 0 blocks; mask is 16·(len(table) − 1).")
	dst := Load(Param("dst"), GP64())
	table := Load(Param("table"), GP64())
	mask := Load(Param("mask"), GP64())
	from := Load(Param("rows"), GP64())
	n := Load(Param("n"), GP64())
	Label("row")
	a := XMM()
	VMOVDQU(Mem{Base: dst}, a)
	for w := range 4 {
		word := GP64()
		MOVQ(Mem{Base: from, Disp: 8 * w}, word)
		for f, by := range fields {
			if w == 3 && f > 0 {
				break
			}
			at := GP64()
			RORXQ(Imm(by), word, at)
			ANDQ(mask, at)
			VPXOR(Mem{Base: table, Index: at, Scale: 1}, a, a)
		}
	}
	VMOVDQU(a, Mem{Base: dst})
	ADDQ(Imm(16), dst)
	ADDQ(Imm(32), from)
	DECQ(n)
	JNZ(LabelRef("row"))
	RET()
}
