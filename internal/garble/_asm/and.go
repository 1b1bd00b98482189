package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A kernel is what all kernels consist of that hash the labels a under one key
// a group and the labels b under another.
type kernel struct {
	a, b      Register
	groups    Register // that remain
	now, next Register // schedules in use and in the making
	keys      *keySchedule
	high, one VecVirtual
	number    [2]VecVirtual // σ of the numbers of instances 0 to 3 and 4 to 7
	rows      []row
}

// A row is a pointer that advances by so many bytes a group.
type row struct {
	at    Register
	bytes uint32
}

func newKernel() *kernel {
	k := &kernel{
		a: Load(Param("a"), GP64()), b: Load(Param("b"), GP64()), groups: Load(Param("groups"), GP64()),
		now: Load(Param("spare"), GP64()), next: Load(Param("ready"), GP64()), keys: newKeySchedule(),
		high: load(high), one: load(one), number: [2]VecVirtual{load(numberLow), load(numberTop)},
	}
	k.rows = []row{{k.a, group}, {k.b, group}}
	k.keys.count("k", "l")
	for _, c := range k.keys.counters {
		VPADDQ(eights, c, c)
	}
	return k
}

// row loads another row.
func (k *kernel) row(name string, bytes uint32) Register {
	r := Load(Param(name), GP64())
	k.rows = append(k.rows, row{r, bytes})
	return r
}

// loop emits turns of two groups, eight groups to a schedule. It goes on until
// turn jumps to another label.
func (k *kernel) loop(keys Register, turn func()) {
	turns := GP64()
	Label("schedule")
	XCHGQ(k.now, k.next)
	CMPQ(k.groups, Imm(8))
	JG(LabelRef("more"))
	k.keys.count("nextK", "nextL")
	Label("more")
	k.keys.begin(k.next)
	MOVQ(k.now, keys)
	MOVQ(U32(4), turns)
	Label("turn")
	turn()
	for _, r := range k.rows {
		ADDQ(U32(2*r.bytes), r.at)
	}
	ADDQ(Imm(32), keys)
	DECQ(turns)
	JNZ(LabelRef("turn"))
	JMP(LabelRef("schedule"))
}

func (k *kernel) end() {
	Label("end")
	k.keys.finish(k.next)
	VZEROUPPER()
	RET()
}

// sigma returns σ(x): the halves change places, and the low one is added to the
// high one.
func (k *kernel) sigma(x VecVirtual) VecVirtual {
	s := ZMM()
	VPSHUFD(Imm(0x4e), x, s)
	VPTERNLOGQ(Imm(xorAnd), k.high, x, s)
	return s
}

// colours returns the mask of the words of the labels at m whose colour is 1.
func (k *kernel) colours(m Mem) Register {
	z, mask := ZMM(), K()
	VMOVDDUP(m, z)
	VPTESTMQ(k.one, z, mask)
	return mask
}

// lastKeys returns what the last round adds to the sum of two hashes.
func (k *kernel) lastKeys(keys Register, i int) VecVirtual {
	z := roundKey(keys, rounds, i, 0)
	VPXORQ(roundKey(keys, rounds, i, 1), z, z)
	return z
}

// sum adds three and leaves the result in d.
func sum(d, x, y VecVirtual) VecVirtual {
	VPTERNLOGQ(Imm(xor3), x, y, d)
	return d
}

// and is what both And gates consist of.
type and struct {
	*kernel
	dst, table Register
	ahead      Register // bytes to the table of the next gate
}

func newAnd() *and {
	k := newKernel()
	return &and{k, k.row("dst", group), k.row("table", 2*group), Load(Param("ahead"), GP64())}
}

// garbleAnd emits the kernel of the garbler, eight registers under way.
func garbleAnd() {
	TEXT("garbleAndVAES", NOSPLIT, "func(dst, a, b, table *byte, groups int, delta, start *byte, k, l, nextK, nextL uint64, ready, spare *byte, ahead int)")
	Pragma("noescape")
	Doc("garbleAndVAES garbles groups·KeyBatch instances, groups > 0, with keys start ⊕ (k + i) and start ⊕ (l + i).",
		"The schedules of the first eight of both are at ready; those from nextK and nextL on go to ready or, if the",
		"number of eights of groups, rounded up, is odd, to spare. The table is fetched ahead by so many bytes.")
	k := newAnd()
	g := &garbler{and: k, delta: broadcast(Mem{Base: Load(Param("delta"), GP64())})}
	g.sigmaDelta = k.sigma(g.delta)
	for j := range g.both {
		g.both[j] = ZMM()
		VPXORQ(g.sigmaDelta, k.number[j], g.both[j])
	}
	keys := GP64()
	k.loop(keys, func() {
		g.garble(0, keys, func(r int) {
			if r%4 == 3 {
				k.keys.step()
			}
		})
		DECQ(k.groups)
		JZ(LabelRef("end"))
		g.garble(1, keys, func(r int) {
			if r == 5 {
				k.keys.step()
			}
		})
		DECQ(k.groups)
		JZ(LabelRef("end"))
	})
	k.end()
}

type garbler struct {
	*and
	delta, sigmaDelta VecVirtual
	both              [2]VecVirtual // number ⊕ σ(Δ)
}

// garble emits one group. The last round of AES adds whatever it is given, so
// that sums of hashes cost nothing.
func (g *garbler) garble(i int, keys Register, between func(round int)) {
	var states []state
	var sigmas [2][2]VecVirtual
	for half, labels := range []Register{g.a, g.b} {
		for j := range 2 {
			x := g.sigma(load(Mem{Base: labels, Disp: group*i + 64*j}))
			zero, one := roundKey(keys, 0, i, half), roundKey(keys, 0, i, half)
			sum(zero, x, g.number[j])
			sum(one, x, g.both[j])
			states = append(states, state{zero, i, half}, state{one, i, half})
			sigmas[half][j] = x
		}
	}
	last := g.lastKeys(keys, i)
	for j := range 2 {
		sum(sigmas[0][j], sigmas[1][j], last)
	}
	encrypt(keys, states, between)
	for j := range 2 {
		at := group*i + 64*j
		ka := g.colours(Mem{Base: g.a, Disp: at})
		kb := g.colours(Mem{Base: g.b, Disp: at})
		h, tg := states[2*j].z, states[2*j+1].z
		for line := range 2 {
			PREFETCHT0(Mem{Base: g.table, Index: g.ahead, Scale: 1, Disp: 2*at + 64*line})
		}
		VAESENCLAST(g.sigmaDelta, h, h)
		VAESENCLAST(h, tg, tg)
		VPXORQ(g.delta, tg, kb, tg)
		e, te := states[4+2*j].z, states[5+2*j].z
		VAESENCLAST(g.sigmaDelta, e, e)
		VAESENCLAST(e, te, te) // T_E ⊕ a
		sum(h, e, sigmas[0][j])
		VPXORQ(tg, h, ka, h)
		VPXORQ(te, h, kb, h)
		VPXORQ(Mem{Base: g.a, Disp: at}, te, te)
		VMOVDQU64(h, Mem{Base: g.dst, Disp: at})
		for n, order := range []Mem{lowHalf, highHalf} {
			z := load(order)
			VPERMI2Q(te, tg, z)
			VMOVDQU64(z, Mem{Base: g.table, Disp: 2*at + 64*n})
		}
	}
}

// evaluateAnd emits the kernel of the evaluator: two groups side by side, eight
// registers under way.
func evaluateAnd() {
	TEXT("evaluateAndVAES", NOSPLIT, "func(dst, a, b, table *byte, groups int, start *byte, k, l, nextK, nextL uint64, ready, spare *byte, ahead int)")
	Pragma("noescape")
	Doc("evaluateAndVAES evaluates groups·KeyBatch instances, groups > 0, with keys start ⊕ (k + i) and start ⊕ (l + i).",
		"The schedules of the first eight of both are at ready; those from nextK and nextL on go to ready or, if the",
		"number of eights of groups, rounded up, is odd, to spare. The table is fetched ahead by so many bytes.")
	k := newAnd()
	keys := GP64()
	k.loop(keys, func() {
		CMPQ(k.groups, Imm(1))
		JE(LabelRef("one"))
		k.evaluate([]int{0, 1}, keys, func(r int) {
			if r%3 == 0 {
				k.keys.step()
			}
		})
		SUBQ(Imm(2), k.groups)
		JZ(LabelRef("end"))
	})
	Label("one")
	k.evaluate([]int{0}, keys, func(int) {})
	k.end()
}

// evaluate emits some groups.
func (k *and) evaluate(groups []int, keys Register, between func(round int)) {
	var states []state
	var sums []VecVirtual
	for _, i := range groups {
		last := k.lastKeys(keys, i)
		for j := range 2 {
			at := group*i + 64*j
			a := k.sigma(load(Mem{Base: k.a, Disp: at}))
			b := k.sigma(load(Mem{Base: k.b, Disp: at}))
			za, zb := roundKey(keys, 0, i, 0), roundKey(keys, 0, i, 1)
			sum(za, a, k.number[j])
			sum(zb, b, k.number[j])
			states = append(states, state{za, i, 0}, state{zb, i, 1})
			sums = append(sums, sum(a, b, last))
		}
	}
	encrypt(keys, states, between)
	for n, x := range sums {
		at := group*groups[n/2] + 64*(n%2)
		za, zb := states[2*n].z, states[2*n+1].z
		for line := range 2 {
			PREFETCHT0(Mem{Base: k.table, Index: k.ahead, Scale: 1, Disp: 2*at + 64*line})
		}
		VAESENCLAST(x, za, za)
		VAESENCLAST(za, zb, zb)
		ka := k.colours(Mem{Base: k.a, Disp: at})
		kb := k.colours(Mem{Base: k.b, Disp: at})
		tg, te, top := load(evenLanes), load(oddLanes), load(Mem{Base: k.table, Disp: 2*at + 64})
		bottom := load(Mem{Base: k.table, Disp: 2 * at})
		VPERMI2Q(top, bottom, tg)
		VPERMI2Q(top, bottom, te)
		VPXORQ(tg, zb, ka, zb)
		VPTERNLOGQ(Imm(xor3), Mem{Base: k.a, Disp: at}, te, kb, zb)
		VMOVDQU64(zb, Mem{Base: k.dst, Disp: at})
	}
}
