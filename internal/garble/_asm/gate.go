// Command asm generates the vector gates of package garble.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	group = 8 * 16 // bytes of the labels of one key
	tile  = 256    // instances, as package garble has it
)

// Truth tables of VPTERNLOGQ for (dst, second, first operand).
const (
	xor3   = 0x96 // d ⊕ s ⊕ f
	xorAnd = 0x78 // d ⊕ (s ∧ f)
	choose = 0xca // s where d is 1, else f
	andOr  = 0xc8 // s ∧ (d ∨ f)
)

// Constants in memory.
var (
	rcon      = roundConstants()
	rotate    = rotation()
	rotateAll = quads("rotate_all", 0x0c0f0e0d0c0f0e0d, 0x0c0f0e0d0c0f0e0d)
	high      = quads("high", 0, ^uint64(0))
	one       = quads("one", 1, 1)
	numberLow = eight("number_low", 0, 0, 0, 1, 0, 2, 0, 3)
	numberTop = eight("number_high", 0, 4, 0, 5, 0, 6, 0, 7)
	upTo7     = eight("up_to_7", 0, 1, 2, 3, 4, 5, 6, 7)
	eights    = quads("eights", 8, 8)
	lowWords  = words("low_words", func(p int) int { return 2 * p })
	highWords = words("high_words", func(p int) int { return 2*p + 1 })
	lowHalf   = eight("low_half", 0, 1, 8, 9, 2, 3, 10, 11)
	highHalf  = eight("high_half", 4, 5, 12, 13, 6, 7, 14, 15)
	evenLanes = eight("even_lanes", 0, 1, 4, 5, 8, 9, 12, 13)
	oddLanes  = eight("odd_lanes", 2, 3, 6, 7, 10, 11, 14, 15)
	lowOfAll  = eight("low_of_all", 0, 2, 4, 6, 8, 10, 12, 14)
)

func main() {
	ConstraintExpr("amd64,!purego")
	firstKeys()
	garbleAnd()
	evaluateAnd()
	narrowGarble()
	narrowEvaluate()
	free()
	garbleWords()
	evaluateWords()
	sumArithmetic()
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

// quads repeats two words four times.
func quads(name string, lo, hi uint64) Mem {
	return eight(name, lo, hi, lo, hi, lo, hi, lo, hi)
}

// words is a choice of 16 words of 32, such that key p of the 16 in a schedule
// comes from word 4·(p mod 4) + p div 4: keySchedule.store leaves it at block p.
func words(name string, choice func(p int) int) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for d := range keys {
		DATA(4*d, U32(choice(d/4+d%4*4)))
	}
	return m
}

// rotation is RotWord of each word, before the inverse of ShiftRows: byte r of
// column c is taken from column c + r.
func rotation() Mem {
	m := GLOBL("rotation", RODATA|NOPTR)
	for i := range 64 {
		column, row := i/4%4, i%4
		from := (column - row + 4) % 4
		DATA(i, U8(4*from+(row+1)%4))
	}
	return m
}

// roundConstants has the constant of each round, and some that nobody uses.
func roundConstants() Mem {
	m := GLOBL("rcon", RODATA|NOPTR)
	c := uint32(1)
	for r := range steps {
		DATA(4*r, U32(c))
		if c <<= 1; c&0x100 != 0 {
			c ^= 0x11b
		}
	}
	return m
}

// load puts a constant into a register.
func load(m Mem) VecVirtual {
	z := ZMM()
	VMOVDQU64(m, z)
	return z
}

// broadcast puts 16 bytes into all lanes of a new register.
func broadcast(m Mem) VecVirtual {
	z := ZMM()
	VBROADCASTI32X4(m, z)
	return z
}
