// Command asm generates the vector gates of package garble.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	rounds   = 10                // of AES-128
	schedule = (rounds + 1) * 64 // bytes of four expanded keys
	group    = 8 * 16            // bytes of the labels of one key
)

// Truth tables of VPTERNLOGQ for (dst, second, first operand).
const (
	xor3   = 0x96 // d ⊕ s ⊕ f
	xorAnd = 0x78 // d ⊕ (s ∧ f)
)

// Constants in memory.
var (
	rcon      = roundConstants()
	rotate    = quads("rotate", 0x0c0f0e0d0c0f0e0d, 0x0c0f0e0d0c0f0e0d)
	high      = quads("high", 0, ^uint64(0))
	one       = quads("one", 1, 1)
	numberLow = eight("number_low", 0, 0, 0, 1, 0, 2, 0, 3)
	numberTop = eight("number_high", 0, 4, 0, 5, 0, 6, 0, 7)
	firstKeys = eight("first_keys", 0, 0, 1, 0, 0, 0, 1, 0)
	nextKeys  = quads("next_keys", 2, 0)
	lowHalf   = eight("low_half", 0, 1, 8, 9, 2, 3, 10, 11)
	highHalf  = eight("high_half", 4, 5, 12, 13, 6, 7, 14, 15)
	evenLanes = eight("even_lanes", 0, 1, 4, 5, 8, 9, 12, 13)
	oddLanes  = eight("odd_lanes", 2, 3, 6, 7, 10, 11, 14, 15)
)

func main() {
	ConstraintExpr("amd64,!purego")
	garbleAnd()
	evaluateAnd()
	free()
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

// roundConstants has the constant of each round in all words of a register.
func roundConstants() Mem {
	m := GLOBL("rcon", RODATA|NOPTR)
	c := uint64(1)
	for r := range rounds {
		for i := range 8 {
			DATA(64*r+8*i, U64(c|c<<32))
		}
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

// stack returns the aligned addresses of two schedules. They hold no secrets.
func stack() (now, next Register) {
	m := AllocLocal(2*schedule + 64)
	now, next = GP64(), GP64()
	LEAQ(m.Offset(63), now)
	ANDQ(I32(-64), now)
	LEAQ(Mem{Base: now, Disp: schedule}, next)
	return now, next
}
