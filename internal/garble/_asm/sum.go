package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The kernels of sums: first the hashes of two wires at a time, with the key
// schedules and the pace of the And gates; then the arithmetic on their words.
// Package garble's type words is three rows of tile words.

const wordRow = 8 * tile

// garbleWords emits the hashes of both labels, eight registers under way.
func garbleWords() {
	TEXT("garbleWordsVAES", NOSPLIT, "func(x, y, a, b *byte, groups int, delta, start *byte, k, l, nextK, nextL uint64, ready, spare *byte)")
	Pragma("noescape")
	Doc("garbleWordsVAES sets x and y to the garbler's words of the wires with zero labels a and b, for groups·KeyBatch",
		"instances, groups > 0. Keys and schedules are as in garbleAndVAES.")
	k := newKernel()
	sigmaDelta := k.sigma(broadcast(Mem{Base: Load(Param("delta"), GP64())}))
	var both [2]VecVirtual
	for j := range both {
		both[j] = ZMM()
		VPXORQ(sigmaDelta, k.number[j], both[j])
	}
	dst := [2]Register{k.row("x", 64), k.row("y", 64)}
	keys := GP64()
	garble := func(i int, between func(round int)) {
		var states []state
		for half, labels := range []Register{k.a, k.b} {
			for j := range 2 {
				x := k.sigma(load(Mem{Base: labels, Disp: group*i + 64*j}))
				zero, one := roundKey(keys, 0, i, half), roundKey(keys, 0, i, half)
				sum(zero, x, k.number[j])
				sum(one, x, both[j])
				states = append(states, state{zero, i, half}, state{one, i, half})
			}
		}
		encrypt(keys, states, between)
		for half, labels := range []Register{k.a, k.b} {
			last := roundKey(keys, rounds, i, half)
			for j := range 2 {
				x, zero, one := lowSigma(labels, i, j, last), states[4*half+2*j].z, states[4*half+2*j+1].z
				VAESENCLAST(x, zero, zero)
				VPXORQ(sigmaDelta, x, x)
				VAESENCLAST(x, one, one)
			}
			h0, h1 := k.low(states[4*half].z, states[4*half+2].z), k.low(states[4*half+1].z, states[4*half+3].z)
			k.storeColours(labels, dst[half], i, func(mask Register) {
				t := ZMM()
				VMOVDQA64(h0, t)
				VMOVDQA64(h1, mask, h0)
				VMOVDQA64(t, mask, h1)
				VMOVDQU64(h0, Mem{Base: dst[half], Disp: 64 * i})
				VMOVDQU64(h1, Mem{Base: dst[half], Disp: 64*i + wordRow})
			})
		}
	}
	k.loop(keys, func() {
		garble(0, func(r int) {
			if r%4 == 3 {
				k.keys.step()
			}
		})
		DECQ(k.groups)
		JZ(LabelRef("end"))
		garble(1, func(r int) {
			if r == 5 {
				k.keys.step()
			}
		})
		DECQ(k.groups)
		JZ(LabelRef("end"))
	})
	k.end()
}

// lowSigma returns key ⊕ σ(label), right in the low words only: all that sums use
// of a hash.
func lowSigma(labels Register, i, j int, key VecVirtual) VecVirtual {
	x := ZMM()
	VPSHUFD(Imm(0x4e), Mem{Base: labels, Disp: group*i + 64*j}, x)
	VPXORQ(key, x, x)
	return x
}

// low returns the low words of eight blocks.
func (k *kernel) low(x, y Op) VecVirtual {
	z := load(lowOfAll)
	VPERMI2Q(y, x, z)
	return z
}

// storeColours writes the third row of words: ones where the colour of a label of
// group i is 1.
func (k *kernel) storeColours(labels, dst Register, i int, with func(mask Register)) {
	x := load(Mem{Base: labels, Disp: group * i})
	z, mask := k.low(x, Mem{Base: labels, Disp: group*i + 64}), K()
	VPTESTMQ(k.one, z, mask)
	with(mask)
	VPMOVM2Q(mask, z)
	VMOVDQU64(z, Mem{Base: dst, Disp: 64*i + 2*wordRow})
}

// evaluateWords emits the hashes of one label, two groups side by side.
func evaluateWords() {
	TEXT("evaluateWordsVAES", NOSPLIT, "func(x, y, a, b *byte, groups int, start *byte, k, l, nextK, nextL uint64, ready, spare *byte)")
	Pragma("noescape")
	Doc("evaluateWordsVAES sets x and y to the evaluator's words of the wires with labels a and b, for groups·KeyBatch",
		"instances, groups > 0. Keys and schedules are as in evaluateAndVAES.")
	k := newKernel()
	dst := [2]Register{k.row("x", 64), k.row("y", 64)}
	keys := GP64()
	evaluate := func(groups []int, between func(round int)) {
		var states []state
		for _, i := range groups {
			for half, labels := range []Register{k.a, k.b} {
				for j := range 2 {
					x := k.sigma(load(Mem{Base: labels, Disp: group*i + 64*j}))
					z := roundKey(keys, 0, i, half)
					sum(z, x, k.number[j])
					states = append(states, state{z, i, half})
				}
			}
		}
		encrypt(keys, states, between)
		for n, i := range groups {
			for half, labels := range []Register{k.a, k.b} {
				last := roundKey(keys, rounds, i, half)
				at := 4*n + 2*half
				for j := range 2 {
					VAESENCLAST(lowSigma(labels, i, j, last), states[at+j].z, states[at+j].z)
				}
				VMOVDQU64(k.low(states[at].z, states[at+1].z), Mem{Base: dst[half], Disp: 64 * i})
				k.storeColours(labels, dst[half], i, func(Register) {})
			}
		}
	}
	k.loop(keys, func() {
		CMPQ(k.groups, Imm(1))
		JE(LabelRef("one"))
		evaluate([]int{0, 1}, func(r int) {
			if r%3 == 0 {
				k.keys.step()
			}
		})
		SUBQ(Imm(2), k.groups)
		JZ(LabelRef("end"))
	})
	Label("one")
	evaluate([]int{0}, func(int) {})
	k.end()
}

// sumArithmetic emits one pass over eight instances a turn for each of what
// sum_words.go has.
func sumArithmetic() {
	ones := func() VecVirtual {
		one := ZMM()
		VPTERNLOGD(Imm(0xff), one, one, one)
		VPSRLD(Imm(31), one, one)
		return one
	}
	pass("shareGatedAVX512", []string{"words", "keep", "row0", "row1", "total"}, ones, func(at map[string]Register, one, weight VecVirtual) {
		u0, u1, c, t, k := load(Mem{Base: at["words"]}), ZMM(), load(Mem{Base: at["words"], Disp: 2 * wordRow}), ZMM(), load(Mem{Base: at["keep"]})
		VMOVDQA64(c, t)
		VPTERNLOGD(Imm(andOr), one, k, t)
		VPSUBD(Mem{Base: at["words"], Disp: wordRow}, u0, u1)
		VPADDD(t, u1, u1)
		VMOVDQU64(u1, Mem{Base: at["row0"]})
		VPSRLQ(Imm(32), u1, u1)
		VMOVDQU64(u1, Mem{Base: at["row1"]})
		VPANDD(k, c, c)
		accumulate(at["total"], weight, u0, c)
	})
	pass("sharePlainAVX512", []string{"words", "row0", "total"}, ones, func(at map[string]Register, one, weight VecVirtual) {
		u0, u1, c, t := load(Mem{Base: at["words"]}), ZMM(), load(Mem{Base: at["words"], Disp: 2 * wordRow}), ZMM()
		VPORD(one, c, t)
		VPSUBD(Mem{Base: at["words"], Disp: wordRow}, u0, u1)
		VPADDD(t, u1, u1)
		VMOVDQU64(u1, Mem{Base: at["row0"]})
		VPSHUFD(Imm(0xa0), u0, u0)
		accumulate(at["total"], weight, u0, c)
	})
	pass("openGatedAVX512", []string{"words", "gate", "row0", "row1", "total"}, nil, func(at map[string]Register, _, weight VecVirtual) {
		h, q := load(Mem{Base: at["words"]}), load(Mem{Base: at["gate"], Disp: 2 * wordRow})
		top, row := ZMM(), load(Mem{Base: at["row1"]})
		VPSRLQ(Imm(32), h, top)
		r := ZMM()
		VMOVDQA64(q, r)
		VPTERNLOGQ(Imm(choose), Mem{Base: at["row0"]}, row, r)
		VPTERNLOGQ(Imm(choose), h, top, q)
		VPANDQ(Mem{Base: at["words"], Disp: 2 * wordRow}, r, r)
		accumulate(at["total"], weight, q, r)
	})
	pass("openPlainAVX512", []string{"words", "row0", "total"}, nil, func(at map[string]Register, _, weight VecVirtual) {
		h, r := load(Mem{Base: at["words"]}), load(Mem{Base: at["row0"]})
		VPANDQ(Mem{Base: at["words"], Disp: 2 * wordRow}, r, r)
		accumulate(at["total"], weight, h, r)
	})
}

// accumulate adds weight·(x + y) to the sums at total.
func accumulate(total Register, weight, x, y VecVirtual) {
	VPADDD(y, x, x)
	VPMULLD(weight, x, x)
	VPADDD(Mem{Base: total}, x, x)
	VMOVDQU64(x, Mem{Base: total})
}

// pass emits a function of rows that all advance by eight words a turn.
func pass(name string, rows []string, setup func() VecVirtual, body func(at map[string]Register, one, weight VecVirtual)) {
	signature := "func("
	for _, r := range rows {
		signature += r + ", "
	}
	TEXT(name, NOSPLIT, signature[:len(signature)-2]+" *byte, weight uint32, eights int)")
	Pragma("noescape")
	Doc(name + " does eights·8 instances, eights > 0: see sum_words.go.")
	at := map[string]Register{}
	for _, r := range rows {
		at[r] = Load(Param(r), GP64())
	}
	weight := ZMM()
	VPBROADCASTD(Load(Param("weight"), GP32()), weight)
	eights := Load(Param("eights"), GP64())
	var one VecVirtual
	if setup != nil {
		one = setup()
	}
	Label("turn")
	body(at, one, weight)
	for _, r := range rows {
		ADDQ(Imm(64), at[r])
	}
	DECQ(eights)
	JNZ(LabelRef("turn"))
	VZEROUPPER()
	RET()
}
