package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A keySchedule expands four keys at a time, one in each lane: those of two
// groups of instances for the first half gate, then for the second. Its steps
// are emitted between the rounds of AES under the keys before, whose latency
// hides the other's.
type keySchedule struct {
	counters, start, rot VecVirtual
	key, t, u            VecVirtual
	next                 Register // where the four schedules go, 64 bytes a round
	round                int
}

// newKeySchedule loads the first keys: Start ⊕ counter, of counters from k and
// from l.
func newKeySchedule(start, k, l Register, next Register) *keySchedule {
	s := &keySchedule{counters: load(firstKeys), start: broadcast(Mem{Base: start}), rot: load(rotate)}
	s.key, s.t, s.u, s.next = ZMM(), ZMM(), ZMM(), next
	for _, half := range []struct {
		counter Register
		lanes   uint32
	}{{k, 0b00000101}, {l, 0b01010000}} {
		m, lanes := K(), GP32()
		MOVL(U32(half.lanes), lanes)
		KMOVB(lanes, m)
		VPBROADCASTQ_Z(half.counter, m, s.t)
		VPADDQ(s.t, s.counters, s.counters)
	}
	return s
}

// begin starts on the next four keys.
func (s *keySchedule) begin() {
	s.round = 0
	VPXORQ(s.counters, s.start, s.key)
	VPADDQ(nextKeys, s.counters, s.counters)
	VMOVDQA64(s.key, Mem{Base: s.next})
}

// step makes one more round key (FIPS 197, section 5.2). VAESENCLAST of four
// equal words is SubWord and the addition of the round constant, in each.
func (s *keySchedule) step() {
	s.round++
	VPSHUFB(s.rot, s.key, s.t)
	VAESENCLAST(rcon.Offset(64*(s.round-1)), s.t, s.t)
	VPSLLDQ(Imm(4), s.key, s.u)
	VPXORQ(s.u, s.key, s.key)
	VPSLLDQ(Imm(8), s.key, s.u)
	VPTERNLOGQ(Imm(xor3), s.t, s.u, s.key)
	VMOVDQA64(s.key, Mem{Base: s.next, Disp: 64 * s.round})
}

// all makes a whole schedule at once.
func (s *keySchedule) all() {
	s.begin()
	for range rounds {
		s.step()
	}
}

// roundKey loads the round key of one lane into all lanes.
func roundKey(now Register, round, lane int) VecVirtual {
	return broadcast(Mem{Base: now, Disp: 64*round + 16*lane})
}

// encrypt runs AES on states, of which states[i] is under the key of lane
// lanes[i], and calls between after each round. The first round key has been
// added.
func encrypt(now Register, states []VecVirtual, lanes []int, between func(round int)) {
	for r := 1; r <= rounds; r++ {
		keys := map[int]VecVirtual{}
		for i, z := range states {
			k, ok := keys[lanes[i]]
			if !ok {
				k = roundKey(now, r, lanes[i])
				keys[lanes[i]] = k
			}
			if r < rounds {
				VAESENC(k, z, z)
			} else {
				VAESENCLAST(k, z, z)
			}
		}
		between(r)
	}
}
