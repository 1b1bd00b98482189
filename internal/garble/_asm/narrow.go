package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The And gates with AES on one block a register, eight registers under way: a
// group at a time, first one half gate, then the other. The sum so far of each
// output label waits in memory.

const (
	oneSchedule = 16 * (rounds + 1)
	sums        = 2 * oneSchedule // where the sums begin in temp
)

var numbers = numberWords()

// numberWords has σ of the number of each instance of a group.
func numberWords() Mem {
	m := GLOBL("numbers", RODATA|NOPTR)
	for i := range 8 {
		DATA(16*i, U64(0))
		DATA(16*i+8, U64(i))
	}
	return m
}

type narrow struct {
	dst, a, b, table, temp Register
	high                   VecVirtual
	delta, sigmaDelta      VecVirtual // of the garbler
}

// loop emits the groups: their two keys, then what group emits.
func (n *narrow) loop(group func()) {
	groups, start := Load(Param("groups"), GP64()), Load(Param("start"), GP64())
	k, l := Load(Param("k"), GP64()), Load(Param("l"), GP64())
	Label("group")
	n.schedules(start, k, l)
	group()
	for _, r := range []Register{n.dst, n.a, n.b} {
		ADDQ(I32(128), r)
	}
	ADDQ(I32(256), n.table)
	INCQ(k)
	INCQ(l)
	DECQ(groups)
	JNZ(LabelRef("group"))
	RET()
}

// schedules expands two keys side by side (FIPS 197, section 5.2). AESENCLAST of
// four equal words is SubWord and the addition of the round constant, in each.
func (n *narrow) schedules(start, k, l Register) {
	var key [2]VecVirtual
	rot, t, u := XMM(), XMM(), XMM()
	VMOVDQU(rotateAll, rot)
	for i, counter := range []Register{k, l} {
		key[i] = XMM()
		VMOVQ(counter, key[i])
		VPXOR(Mem{Base: start}, key[i], key[i])
		VMOVDQU(key[i], Mem{Base: n.temp, Disp: oneSchedule * i})
	}
	for r := range rounds {
		for i, z := range key {
			VPSHUFB(rot, z, t)
			VPBROADCASTD(rcon.Offset(4*r), u)
			VAESENCLAST(u, t, t)
			VPSLLDQ(Imm(4), z, u)
			VPXOR(u, z, z)
			VPSLLDQ(Imm(8), z, u)
			VPXOR(u, z, z)
			VPXOR(t, z, z)
			VMOVDQU(z, Mem{Base: n.temp, Disp: oneSchedule*i + 16*(r+1)})
		}
	}
}

// sigma puts σ of label i, with its number, into z.
func (n *narrow) sigma(labels Register, i int, z VecVirtual) {
	t := XMM()
	VMOVDQU(Mem{Base: labels, Disp: 16 * i}, t)
	VPSHUFD(Imm(0x4e), t, z)
	VPAND(n.high, t, t)
	VPXOR(t, z, z)
	VPXOR(numbers.Offset(16*i), z, z)
}

// colour puts ones into z if the colour of label i is 1, else zeros.
func (n *narrow) colour(labels Register, i int, z VecVirtual) {
	VPBROADCASTD(Mem{Base: labels, Disp: 16 * i}, z)
	VPSLLD(Imm(31), z, z)
	VPSRAD(Imm(31), z, z)
}

// encrypt runs AES under the key of a half gate.
func (n *narrow) encrypt(half int, states []VecVirtual) {
	key := XMM()
	for r := 0; r <= rounds; r++ {
		VMOVDQU(Mem{Base: n.temp, Disp: oneSchedule*half + 16*r}, key)
		for _, z := range states {
			switch r {
			case 0:
				VPXOR(key, z, z)
			case rounds:
				VAESENCLAST(key, z, z)
			default:
				VAESENC(key, z, z)
			}
		}
	}
}

func newNarrow() *narrow {
	n := &narrow{
		dst: Load(Param("dst"), GP64()), a: Load(Param("a"), GP64()), b: Load(Param("b"), GP64()),
		table: Load(Param("table"), GP64()), temp: Load(Param("temp"), GP64()), high: XMM(),
	}
	VMOVDQU(high, n.high)
	return n
}

func states8() []VecVirtual {
	z := make([]VecVirtual, 8)
	for i := range z {
		z[i] = XMM()
	}
	return z
}

// narrowGarble emits the kernel of the garbler, four instances at a time.
func narrowGarble() {
	TEXT("garbleAndAESNI", NOSPLIT, "func(dst, a, b, table *byte, groups int, delta, start *byte, k, l uint64, temp *byte)")
	Pragma("noescape")
	Doc("garbleAndAESNI garbles groups·KeyBatch instances, groups > 0, with keys start ⊕ (k + i) and start ⊕ (l + i).",
		"temp has 480 bytes.")
	n := newNarrow()
	at := Load(Param("delta"), GP64())
	n.delta, n.sigmaDelta = XMM(), XMM()
	VMOVDQU(Mem{Base: at}, n.delta)
	t := XMM()
	VPSHUFD(Imm(0x4e), n.delta, n.sigmaDelta)
	VPAND(n.high, n.delta, t)
	VPXOR(t, n.sigmaDelta, n.sigmaDelta)
	n.loop(func() {
		for first := 0; first < 8; first += 4 {
			n.garbleHalf(first, 0)
		}
		for first := 0; first < 8; first += 4 {
			n.garbleHalf(first, 1)
		}
	})
}

// garbleHalf is one half gate of four instances. Both use the colour of a label
// that is not overwritten before: dst is written in the second half only.
func (n *narrow) garbleHalf(first, half int) {
	z := states8()
	labels := []Register{n.a, n.b}[half]
	for i := range 4 {
		n.sigma(labels, first+i, z[2*i])
		VPXOR(n.sigmaDelta, z[2*i], z[2*i+1])
	}
	n.encrypt(half, z)
	for i := range 4 {
		j := first + i
		h, t, mask := z[2*i], z[2*i+1], XMM()
		VPXOR(h, t, t)
		VPXOR(n.sigmaDelta, t, t)
		s := XMM()
		n.sigma(labels, j, s)
		VPXOR(s, h, h)
		sum := Mem{Base: n.temp, Disp: sums + 16*j}
		if half == 0 {
			n.colour(n.b, j, mask)
			VPAND(n.delta, mask, mask)
			VPXOR(mask, t, t) // T_G
			VMOVDQU(t, Mem{Base: n.table, Disp: 32 * j})
			n.colour(n.a, j, mask)
			VPAND(t, mask, mask)
			VPXOR(mask, h, h)
			VMOVDQU(h, sum)
			continue
		}
		n.colour(n.b, j, mask)
		VPAND(t, mask, mask)
		VPXOR(mask, h, h)
		VPXOR(sum, h, h)
		VPXOR(Mem{Base: n.a, Disp: 16 * j}, t, t) // T_E
		VMOVDQU(t, Mem{Base: n.table, Disp: 32*j + 16})
		VMOVDQU(h, Mem{Base: n.dst, Disp: 16 * j})
	}
}

// narrowEvaluate emits the kernel of the evaluator.
func narrowEvaluate() {
	TEXT("evaluateAndAESNI", NOSPLIT, "func(dst, a, b, table *byte, groups int, start *byte, k, l uint64, temp *byte)")
	Pragma("noescape")
	Doc("evaluateAndAESNI evaluates groups·KeyBatch instances, groups > 0, with keys start ⊕ (k + i) and start ⊕ (l + i).",
		"temp has 480 bytes.")
	n := newNarrow()
	n.loop(func() {
		n.evaluateHalf(0)
		n.evaluateHalf(1)
	})
}

// evaluateHalf is one half gate of eight instances.
func (n *narrow) evaluateHalf(half int) {
	z := states8()
	labels := []Register{n.a, n.b}[half]
	for i := range z {
		n.sigma(labels, i, z[i])
	}
	n.encrypt(half, z)
	for i, h := range z {
		s, mask := XMM(), XMM()
		n.sigma(labels, i, s)
		VPXOR(s, h, h)
		n.colour(labels, i, mask)
		sum := Mem{Base: n.temp, Disp: sums + 16*i}
		entry := Mem{Base: n.table, Disp: 32*i + 16*half}
		if half == 0 {
			VPAND(entry, mask, mask)
			VPXOR(mask, h, h)
			VMOVDQU(h, sum)
			continue
		}
		VMOVDQU(entry, s)
		VPXOR(Mem{Base: n.a, Disp: 16 * i}, s, s)
		VPAND(s, mask, mask)
		VPXOR(mask, h, h)
		VPXOR(sum, h, h)
		VMOVDQU(h, Mem{Base: n.dst, Disp: 16 * i})
	}
}
