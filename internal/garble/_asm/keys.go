package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	rounds   = 10        // of AES-128
	keys     = 16        // expanded at a time
	roundLen = 16 * keys // bytes of their keys of one round
	stepLen  = 3         // rounds made in a turn of two groups
	steps    = keys / 4 * stepLen
	schedule = (1 + steps) * roundLen // one round more than needed
)

// A keySchedule expands 16 keys at a time, those of eight groups of instances
// for the first half gate, then for the second. Word i of all keys is in
// words[i], so that a round is few operations; each round key is then turned
// into 16 blocks in a row. The steps stand between the rounds of AES under the
// keys before: the latency of one hides that of the other.
type keySchedule struct {
	counters [2]VecVirtual // of the first and of the second half gates
	start    Register
	words    [4]VecVirtual
	rot      VecVirtual
	to, rcon Register // where the next round goes, and its constant
}

func newKeySchedule() *keySchedule {
	s := &keySchedule{start: Load(Param("start"), GP64()), rot: load(rotate), to: GP64(), rcon: GP64()}
	s.counters = [2]VecVirtual{ZMM(), ZMM()}
	for i := range s.words {
		s.words[i] = ZMM()
	}
	return s
}

// count goes on with the counters from two parameters on.
func (s *keySchedule) count(params ...string) {
	for i, name := range params {
		VPBROADCASTQ(Load(Param(name), GP64()), s.counters[i])
		VPADDQ(upTo7, s.counters[i], s.counters[i])
	}
}

// begin starts on the next 16 keys: Start ⊕ counter, the counter in words 0
// and 1. They go to next.
func (s *keySchedule) begin(next Register) {
	for i, order := range []Mem{lowWords, highWords} {
		VMOVDQU64(order, s.words[i])
		VPERMI2D(s.counters[1], s.counters[0], s.words[i])
		VPXORD_BCST(Mem{Base: s.start, Disp: 4 * i}, s.words[i], s.words[i])
	}
	for i := 2; i < 4; i++ {
		VPBROADCASTD(Mem{Base: s.start, Disp: 4 * i}, s.words[i])
	}
	for _, c := range s.counters {
		VPADDQ(eights, c, c)
	}
	MOVQ(next, s.to)
	LEAQ(rcon, s.rcon)
	s.store()
}

// step makes one more round key (FIPS 197, section 5.2). VAESENCLAST is
// SubWord, once the bytes are where its ShiftRows takes them from, and the
// addition of word 0.
func (s *keySchedule) step() {
	w, t := s.words, ZMM()
	VPSHUFB(s.rot, w[3], t)
	VPXORD_BCST(Mem{Base: s.rcon}, w[0], w[0])
	VAESENCLAST(w[0], t, w[0])
	VPXORQ(w[0], w[1], w[1])
	VPXORQ(w[1], w[2], w[2])
	VPXORQ(w[2], w[3], w[3])
	ADDQ(Imm(4), s.rcon)
	ADDQ(I32(roundLen), s.to)
	s.store()
}

// store turns words of 16 keys into 16 keys.
func (s *keySchedule) store() {
	var pairs, out [4]VecVirtual
	for i := range pairs {
		pairs[i], out[i] = ZMM(), ZMM()
	}
	for i := range 2 {
		VPUNPCKLDQ(s.words[2*i+1], s.words[2*i], pairs[2*i])
		VPUNPCKHDQ(s.words[2*i+1], s.words[2*i], pairs[2*i+1])
	}
	for i := range 2 {
		VPUNPCKLQDQ(pairs[2+i], pairs[i], out[2*i])
		VPUNPCKHQDQ(pairs[2+i], pairs[i], out[2*i+1])
	}
	for i, z := range out {
		VMOVDQU64(z, Mem{Base: s.to, Disp: 64 * i})
	}
}

// finish makes the rounds that the turns have not come to.
func (s *keySchedule) finish(next Register) {
	last := GP64()
	LEAQ(Mem{Base: next, Disp: rounds * roundLen}, last)
	Label("round")
	CMPQ(s.to, last)
	JAE(LabelRef("finished"))
	s.step()
	JMP(LabelRef("round"))
	Label("finished")
}

// firstKeys emits one schedule alone.
func firstKeys() {
	TEXT("firstKeysVAES", NOSPLIT, "func(schedule, start *byte, k, l uint64)")
	Pragma("noescape")
	Doc("firstKeysVAES expands the keys start ⊕ (k + i) and start ⊕ (l + i), i < 8.")
	to := Load(Param("schedule"), GP64())
	s := newKeySchedule()
	s.count("k", "l")
	s.begin(to)
	for range rounds {
		s.step()
	}
	VZEROUPPER()
	RET()
}

// roundKey loads a round key of the group at now, for the first half gate
// (half 0) or for the second, into all lanes of a register.
func roundKey(now Register, round, group, half int) VecVirtual {
	return broadcast(Mem{Base: now, Disp: roundLen*round + 16*group + roundLen/2*half})
}

// A state is a register of four blocks under AES.
type state struct {
	z           VecVirtual
	group, half int // whose key
}

// encrypt runs all rounds but the first addition and the last round on states,
// and calls between after each.
func encrypt(now Register, states []state, between func(round int)) {
	for r := 1; r < rounds; r++ {
		keys := map[[2]int]VecVirtual{}
		for _, s := range states {
			id := [2]int{s.group, s.half}
			if keys[id] == nil {
				keys[id] = roundKey(now, r, s.group, s.half)
			}
			VAESENC(keys[id], s.z, s.z)
		}
		between(r)
	}
}
