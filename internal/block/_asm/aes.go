package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var (
	rotate = quads("rotate", 0x0c0f0e0d0c0f0e0d, 0x0c0f0e0d0c0f0e0d)
	rcon   = roundConstants()
)

// roundConstants has the constant of each round in all four words of a block.
func roundConstants() Mem {
	m := GLOBL("rcon", RODATA|NOPTR)
	c := uint64(1)
	for r := range rounds {
		DATA(16*r, U64(c|c<<32))
		DATA(16*r+8, U64(c|c<<32))
		if c <<= 1; c&0x100 != 0 {
			c ^= 0x11b
		}
	}
	return m
}

// keySchedule expands the key in the register (FIPS 197, section 5.2) and stores
// the round keys at to. AESENCLAST of four equal words is SubWord and the
// addition of the round constant, in each.
func keySchedule(key VecVirtual, to Register) {
	t, u, rot := XMM(), XMM(), XMM()
	MOVOU(rotate, rot)
	MOVOU(key, Mem{Base: to})
	for r := range rounds {
		MOVO(key, t)
		PSHUFB(rot, t)
		MOVOU(rcon.Offset(16*r), u)
		AESENCLAST(u, t)
		for _, shift := range []uint64{4, 8} {
			MOVO(key, u)
			PSLLDQ(Imm(shift), u)
			PXOR(u, key)
		}
		PXOR(t, key)
		MOVOU(key, Mem{Base: to, Disp: 16 * (r + 1)})
	}
}

// expandKey emits the schedule of one key.
func expandKey() {
	TEXT("expandKeyAESNI", NOSPLIT, "func(dst, key *byte)")
	Pragma("noescape")
	Doc("expandKeyAESNI writes the 11 round keys of a key.")
	dst, at, key := pointer("dst"), pointer("key"), XMM()
	MOVOU(Mem{Base: at}, key)
	keySchedule(key, dst)
	RET()
}

// hash emits HashBatch: a schedule a key, then blocks under it, eight side by
// side and one by one.
func hash() {
	TEXT("hashAESNI", NOSPLIT, "func(dst, src *byte, n int, keys *byte, per int)")
	Pragma("noescape")
	Doc("hashAESNI hashes n blocks, n > 0, the first per under the first key and so on.")
	dst, src, n := pointer("dst"), pointer("src"), pointer("n")
	keys, per := pointer("keys"), pointer("per")
	local := AllocLocal(16 * (rounds + 1))
	schedule, left := GP64(), GP64()
	LEAQ(local, schedule)
	Label("key")
	key := XMM()
	MOVOU(Mem{Base: keys}, key)
	keySchedule(key, schedule)
	ADDQ(Imm(16), keys)
	MOVQ(per, left)
	CMPQ(left, n)
	CMOVQGT(n, left)
	SUBQ(left, n)
	Label("eight")
	CMPQ(left, Imm(8))
	JL(LabelRef("single"))
	hashBlocks(dst, src, schedule, 8)
	SUBQ(Imm(8), left)
	JMP(LabelRef("eight"))
	Label("single")
	TESTQ(left, left)
	JZ(LabelRef("done"))
	hashBlocks(dst, src, schedule, 1)
	DECQ(left)
	JMP(LabelRef("single"))
	Label("done")
	TESTQ(n, n)
	JNZ(LabelRef("key"))
	RET()
}

// hashBlocks hashes count blocks and moves on. σ changes the halves' places and
// adds the low one to the high one.
func hashBlocks(dst, src, schedule Register, count int) {
	key := XMM()
	states := make([]VecVirtual, count)
	sigma := func(i int) VecVirtual {
		z, t := XMM(), XMM()
		MOVOU(Mem{Base: src, Disp: 16 * i}, z)
		PSHUFD(Imm(0x4e), z, t)
		PSRLO(Imm(8), z)
		PSLLO(Imm(8), z)
		PXOR(t, z)
		return z
	}
	MOVOU(Mem{Base: schedule}, key)
	for i := range states {
		states[i] = sigma(i)
		PXOR(key, states[i])
	}
	for r := 1; r <= rounds; r++ {
		MOVOU(Mem{Base: schedule, Disp: 16 * r}, key)
		for _, z := range states {
			if r < rounds {
				AESENC(key, z)
			} else {
				AESENCLAST(key, z)
			}
		}
	}
	for i, z := range states {
		PXOR(sigma(i), z)
		MOVOU(z, Mem{Base: dst, Disp: 16 * i})
	}
	ADDQ(I32(16*count), src)
	ADDQ(I32(16*count), dst)
}

var (
	upTo3  = eight("up_to_3", 0, 0, 1, 0, 2, 0, 3, 0)
	fours  = quads("fours", 4, 0)
	mirror = bytes("mirror", func(i int) int { return 15 - i%16 })
)

// ctr emits AES-CTR, eight registers of four blocks side by side.
func ctr() {
	TEXT("ctrVAES", NOSPLIT, "func(dst, src *byte, blocks int, keys *byte, hi, lo uint64)")
	Pragma("noescape")
	Doc("ctrVAES adds the key stream from the counter hi·2^64 + lo to blocks blocks. lo + blocks must not pass 2^64.")
	counterMode(pointer("src"), nil)
}

// keyStream emits the key stream alone.
func keyStream() {
	TEXT("keyStreamVAES", NOSPLIT, "func(dst *byte, blocks int, keys *byte, hi, lo uint64)")
	Pragma("noescape")
	Doc("keyStreamVAES is ctrVAES of zeros.")
	counterMode(nil, nil)
}

// sumStream emits the key stream added to a sum, and the sum added to a column.
func sumStream() {
	TEXT("sumStreamVAES", NOSPLIT, "func(dst, column *byte, blocks int, keys *byte, hi, lo uint64)")
	Pragma("noescape")
	Doc("sumStreamVAES is ctrVAES in place; then it adds dst to column.")
	counterMode(pointer("dst"), pointer("column"))
}

// counterMode emits all; src is nil for zeros, column for none.
func counterMode(src, column Register) {
	dst, n := pointer("dst"), pointer("blocks")
	at := pointer("keys")
	var keys [rounds + 1]VecVirtual
	for r := range keys {
		keys[r] = ZMM()
		VBROADCASTI32X4(Mem{Base: at, Disp: 16 * r}, keys[r])
	}
	counter, swap := ctrStart(), load(mirror)
	Label("loop")
	CMPQ(n, Imm(32))
	JL(LabelRef("tail"))
	ctrBlocks(dst, src, column, counter, swap, keys[:], 8, nil)
	SUBQ(Imm(32), n)
	JMP(LabelRef("loop"))
	Label("tail")
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
	ctrBlocks(dst, src, column, counter, swap, keys[:], 1, mask)
	SUBQ(Imm(4), n)
	JMP(LabelRef("tail"))
	Label("end")
	VZEROUPPER()
	RET()
}

// ctrStart returns the first four counters, the low half first.
func ctrStart() VecVirtual {
	counter, t, odd, lanes := ZMM(), ZMM(), K(), GP32()
	MOVL(U32(0xaa), lanes)
	KMOVB(lanes, odd)
	VPBROADCASTQ(pointer("lo"), counter)
	VPBROADCASTQ(pointer("hi"), t)
	VMOVDQA64(t, odd, counter)
	VPADDQ(upTo3, counter, counter)
	return counter
}

// ctrBlocks is 4·count blocks, or those in the mask.
func ctrBlocks(dst, src, column Register, counter, swap VecVirtual, keys []VecVirtual, count int, mask Register) {
	states := make([]VecVirtual, count)
	for i := range states {
		states[i] = ZMM()
		VPSHUFB(swap, counter, states[i])
		VPXORQ(keys[0], states[i], states[i])
		VPADDQ(fours, counter, counter)
	}
	for r := 1; r < rounds; r++ {
		for _, z := range states {
			VAESENC(keys[r], z, z)
		}
	}
	for i, z := range states {
		last := ZMM()
		switch {
		case src == nil:
			last = keys[rounds]
		case mask != nil:
			VMOVDQU64_Z(Mem{Base: src}, mask, last)
			VPXORQ(keys[rounds], last, last)
		default:
			VPXORQ(Mem{Base: src, Disp: 64 * i}, keys[rounds], last)
		}
		VAESENCLAST(last, z, z)
		for _, to := range []Register{dst, column} {
			switch {
			case to == nil:
			case mask != nil:
				if to == column {
					VMOVDQU64_Z(Mem{Base: to}, mask, last)
					VPXORQ(last, z, z)
				}
				VMOVDQU64(z, mask, Mem{Base: to})
			default:
				if to == column {
					VPXORQ(Mem{Base: to, Disp: 64 * i}, z, z)
				}
				VMOVDQU64(z, Mem{Base: to, Disp: 64 * i})
			}
		}
	}
	for _, r := range []Register{dst, src, column} {
		if r != nil {
			ADDQ(I32(int32(64*count)), r)
		}
	}
}
