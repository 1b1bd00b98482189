// Command asm generates the vector kernels of package block.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Truth tables of VPTERNLOGQ for (dst, second, first operand).
const (
	xor3   = 0x96 // d ⊕ s ⊕ f
	xorAnd = 0x78 // d ⊕ (s ∧ f)
)

const rounds = 10 // of AES-128

func main() {
	ConstraintExpr("amd64,!purego")
	expandKey()
	hash()
	ctr()
	keyStream()
	sumStream()
	universal()
	transpose()
	planes()
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

// bytes is a constant of 64 bytes.
func bytes(name string, f func(i int) int) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 64 {
		DATA(i, U8(f(i)))
	}
	return m
}

// load puts a constant into a register.
func load(m Mem) VecVirtual {
	z := ZMM()
	VMOVDQU64(m, z)
	return z
}

// zero returns a register of zeros.
func zero() VecVirtual {
	z := ZMM()
	VPXORQ(z, z, z)
	return z
}

func pointer(name string) GPVirtual { return Load(Param(name), GP64()).(GPVirtual) }
