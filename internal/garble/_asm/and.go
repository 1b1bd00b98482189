package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// constants that stay in registers.
type constants struct {
	high, one VecVirtual
	number    [2]VecVirtual // σ of the numbers of instances 0 to 3 and 4 to 7
}

func newConstants() *constants {
	return &constants{load(high), load(one), [2]VecVirtual{load(numberLow), load(numberTop)}}
}

// sigma returns σ(x ⊕ number): the halves change places, and the low one is
// added to the high one.
func (c *constants) sigma(x VecVirtual, i int) VecVirtual {
	s := ZMM()
	VPSHUFD(Imm(0x4e), x, s)
	VPTERNLOGQ(Imm(xorAnd), c.high, x, s)
	VPXORQ(c.number[i], s, s)
	return s
}

// colours returns the mask of the words of the labels at m whose colour is 1.
func (c *constants) colours(m Op) Register {
	z, k := ZMM(), K()
	VMOVDDUP(m, z)
	VPTESTMQ(c.one, z, k)
	return k
}

// labels is where 16 instances are.
type labels struct{ dst, a, b, table Register }

func (l *labels) advance() {
	for _, r := range []Register{l.dst, l.a, l.b} {
		ADDQ(I32(2*group), r)
	}
	ADDQ(I32(4*group), l.table)
}

func loadLabels() *labels {
	return &labels{
		Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("table"), GP64()),
	}
}

// garbleAnd emits the kernel of the garbler: two groups a turn, each with 8
// registers under way.
func garbleAnd() {
	TEXT("garbleAndVAES", 0, "func(dst, a, b, table *byte, groups int, delta, start *byte, k, l uint64)")
	Pragma("noescape")
	Doc("garbleAndVAES garbles groups·KeyBatch instances, groups > 0, with keys start ⊕ (k + i) and start ⊕ (l + i).")
	l := loadLabels()
	groups := Load(Param("groups"), GP64())
	deltaAt := Load(Param("delta"), GP64())
	now, next := stack()
	s := newKeySchedule(Load(Param("start"), GP64()), Load(Param("k"), GP64()), Load(Param("l"), GP64()), next)
	c := newConstants()
	delta, sigmaDelta := broadcast(Mem{Base: deltaAt}), ZMM()
	VPSHUFD(Imm(0x4e), delta, sigmaDelta)
	VPTERNLOGQ(Imm(xorAnd), c.high, delta, sigmaDelta)

	s.all()
	Label("two")
	XCHGQ(now, next)
	s.begin()
	garbleGroup(c, l, 0, now, delta, sigmaDelta, s)
	DECQ(groups)
	JZ(LabelRef("end"))
	garbleGroup(c, l, 1, now, delta, sigmaDelta, s)
	l.advance()
	DECQ(groups)
	JNZ(LabelRef("two"))
	Label("end")
	VZEROUPPER()
	RET()
}

// garbleGroup garbles the group i of 0 and 1 and makes half of the next keys.
func garbleGroup(c *constants, l *labels, i int, now Register, delta, sigmaDelta VecVirtual, s *keySchedule) {
	var states, plain []VecVirtual
	var lanes []int
	for _, half := range []struct {
		at   Register
		lane int
	}{{l.a, i}, {l.b, 2 + i}} {
		k0 := roundKey(now, 0, half.lane)
		k1 := ZMM()
		VPXORQ(sigmaDelta, k0, k1)
		for j := range 2 {
			x := load(Mem{Base: half.at, Disp: group*i + 64*j})
			x = c.sigma(x, j)
			zero, one := ZMM(), ZMM()
			VPXORQ(k0, x, zero)
			VPXORQ(k1, x, one)
			states, plain = append(states, zero, one), append(plain, x)
			lanes = append(lanes, half.lane, half.lane)
		}
	}
	encrypt(now, states, lanes, func(r int) {
		if r%2 == 0 {
			s.step()
		}
	})
	for j := range 2 {
		at := group*i + 64*j
		ka := c.colours(Mem{Base: l.a, Disp: at})
		kb := c.colours(Mem{Base: l.b, Disp: at})
		g, g1, e, e1 := states[2*j], states[2*j+1], states[4+2*j], states[5+2*j]
		VPTERNLOGQ(Imm(xor3), sigmaDelta, g, g1)
		VPXORQ(delta, g1, kb, g1)                // T_G
		VPTERNLOGQ(Imm(xor3), sigmaDelta, e, e1) // T_E ⊕ a
		VPTERNLOGQ(Imm(xor3), plain[j], e, g)
		VPXORQ(plain[2+j], g, g)
		VPXORQ(g1, g, ka, g)
		VPXORQ(e1, g, kb, g)
		VPXORQ(Mem{Base: l.a, Disp: at}, e1, e1)
		VMOVDQU64(g, Mem{Base: l.dst, Disp: at})
		lo, hi := load(lowHalf), load(highHalf)
		VPERMI2Q(e1, g1, lo)
		VPERMI2Q(e1, g1, hi)
		VMOVDQU64(lo, Mem{Base: l.table, Disp: 2 * at})
		VMOVDQU64(hi, Mem{Base: l.table, Disp: 2*at + 64})
	}
}

// evaluateAnd emits the kernel of the evaluator: two groups a turn, side by
// side, 8 registers under way.
func evaluateAnd() {
	TEXT("evaluateAndVAES", 0, "func(dst, a, b, table *byte, groups int, start *byte, k, l uint64)")
	Pragma("noescape")
	Doc("evaluateAndVAES evaluates groups·KeyBatch instances, groups > 0, with keys start ⊕ (k + i) and start ⊕ (l + i).")
	l := loadLabels()
	groups := Load(Param("groups"), GP64())
	now, next := stack()
	s := newKeySchedule(Load(Param("start"), GP64()), Load(Param("k"), GP64()), Load(Param("l"), GP64()), next)
	c := newConstants()

	s.all()
	SUBQ(Imm(2), groups)
	JL(LabelRef("last"))
	Label("two")
	XCHGQ(now, next)
	s.begin()
	evaluateGroups(c, l, []int{0, 1}, now, func(int) { s.step() })
	l.advance()
	SUBQ(Imm(2), groups)
	JGE(LabelRef("two"))
	Label("last")
	ADDQ(Imm(2), groups)
	JZ(LabelRef("end"))
	evaluateGroups(c, l, []int{0}, next, func(int) {})
	Label("end")
	VZEROUPPER()
	RET()
}

// evaluateGroups evaluates groups of 0 and 1.
func evaluateGroups(c *constants, l *labels, groups []int, now Register, between func(round int)) {
	var first, second, plain []VecVirtual
	var lanes []int
	for _, i := range groups {
		ka, kb := roundKey(now, 0, i), roundKey(now, 0, 2+i)
		for j := range 2 {
			at := group*i + 64*j
			a := c.sigma(load(Mem{Base: l.a, Disp: at}), j)
			b := c.sigma(load(Mem{Base: l.b, Disp: at}), j)
			x := ZMM()
			VPXORQ(a, b, x)
			VPXORQ(ka, a, a)
			VPXORQ(kb, b, b)
			first, second, plain = append(first, a), append(second, b), append(plain, x)
			lanes = append(lanes, i)
		}
	}
	states := append([]VecVirtual{}, first...)
	for _, i := range lanes {
		lanes = append(lanes, 2+i)
	}
	encrypt(now, append(states, second...), lanes, between)
	for n, g := range first {
		at := group*groups[n/2] + 64*(n%2)
		a := load(Mem{Base: l.a, Disp: at})
		ka, kb := c.colours(a), c.colours(Mem{Base: l.b, Disp: at})
		lo, hi := load(Mem{Base: l.table, Disp: 2 * at}), load(Mem{Base: l.table, Disp: 2*at + 64})
		tg, te := load(evenLanes), load(oddLanes)
		VPERMI2Q(hi, lo, tg)
		VPERMI2Q(hi, lo, te)
		VPXORQ(a, te, te)
		VPTERNLOGQ(Imm(xor3), plain[n], second[n], g)
		VPXORQ(tg, g, ka, g)
		VPXORQ(te, g, kb, g)
		VMOVDQU64(g, Mem{Base: l.dst, Disp: at})
	}
}
