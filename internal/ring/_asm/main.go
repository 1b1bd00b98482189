// Command asm writes the assembly of package ring:
//
//	go run . -out ../kernels_amd64.s -stubs ../kernels_stubs_amd64.go -pkg ring
//
// Read ntt.go first: its comment derives the butterflies.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The ring, as package ring states it.
const (
	n    = 2048
	logQ = 50
	q    = 1<<logQ - 1<<14 + 1
)

func main() {
	ConstraintExpr("amd64,!purego")
	forward()
	inverse()
	vectorFunctions()
	accept()
	ternary()
	gaussian()
	unpack()
	pack()
	expandKey()
	counter()
	scaleDown()
	scaleUp()
	fromSigned()
	restore()
	sums()
	scalarSums()
	Generate()
}

// broadcast returns a register with v in every lane.
func broadcast(v uint64) VecVirtual {
	g, z := GP64(), ZMM()
	MOVQ(U64(v), g)
	VPBROADCASTQ(g, z)
	return z
}

// lanes returns a register with the given lanes, from a table of constants.
func lanes(name string, v ...uint64) VecVirtual {
	z := ZMM()
	VMOVDQU64(table(name, v...), z)
	return z
}

func table(name string, v ...uint64) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i, x := range v {
		DATA(8*i, U64(x))
	}
	return m
}

// lowBits returns a register whose words are 2^width − 1, for width 1 to 63.
func lowBits(width Register) VecVirtual {
	one, z := ZMM(), ZMM()
	w := XMM()
	VMOVQ(width, w)
	VPSLLQ(w, broadcast(1), one)
	VPSUBQ(broadcast(1), one, z)
	return z
}

// loop emits body for the given number of times. A pointer advances by step.
func loop(name string, times int, body func()) {
	i := GP64()
	MOVQ(U32(times), i)
	Label(name)
	body()
	DECQ(i)
	JNZ(LabelRef(name))
}
