//go:build amd64 && !purego

package garble

import (
	"unsafe"

	"dorcas/internal/block"
	"dorcas/internal/impl"
)

//go:generate sh -c "cd _asm && go run . -out ../gate_amd64.s -stubs ../gate_stubs_amd64.go -pkg garble"

// andGates are the And gates: AES in 512-bit registers, key schedules included,
// and the half gates in the same pass.
var andGates = impl.New("and gates",
	impl.Impl{Name: "vaes512", Available: impl.VAES},
	impl.Generic,
)

const andVAES = 0

// freeGates are the Xor, Xnor and Not gates.
var freeGates = impl.New("free gates",
	impl.Impl{Name: "avx512", Available: impl.AVX512},
	impl.Impl{Name: "avx2", Available: impl.AVX2},
	impl.Generic,
)

const (
	freeAVX512 = iota
	freeAVX2
)

// scheduleSize is the room for sixteen expanded keys: the first round keys of
// all, then the second, and two rounds of room that the kernels write into.
const scheduleSize = 13 * 16 * block.Size

// ahead has the key schedules of the gate that comes next, made under the hashes
// of the one before. It holds no secrets.
type ahead struct {
	memory       [2*scheduleSize + 64]byte
	ready, spare *byte // in memory, at multiples of 64
	start        block.Block
	keys         [2]uint64 // what ready is for
}

// prepare makes the schedules of the first eight groups if they are not there.
func (h *ahead) prepare(start *block.Block, keys [2]uint64) {
	if h.ready == nil {
		at := -uintptr(unsafe.Pointer(&h.memory)) & 63
		h.ready, h.spare = &h.memory[at], &h.memory[at+scheduleSize]
	} else if h.start == *start && h.keys == keys {
		return
	}
	h.start = *start
	firstKeysVAES(h.ready, bytesOfBlock(start), keys[0], keys[1])
}

// done notes what a kernel leaves after groups.
func (h *ahead) done(groups int, keys [2]uint64) {
	if h.keys = keys; (groups+7)/8%2 == 1 {
		h.ready, h.spare = h.spare, h.ready
	}
}

// garbleAnd garbles an And gate: see garbleAndGeneric. after are the counters of
// the gate that is likely to follow.
func (s *Scratch) garbleAnd(dst, a, b []block.Block, table []byte, delta, start block.Block, keys, after [2]uint64) {
	if s.hash != nil || andGates.Use() != andVAES {
		s.garbleAndGeneric(dst, a, b, table, delta, start, keys)
		return
	}
	full := len(dst) / KeyBatch
	if done := full * KeyBatch; done < len(dst) {
		rest := [2]uint64{keys[0] + uint64(full), keys[1] + uint64(full)}
		if full > 0 {
			s.garbleGroups(dst[:done], a, b, table, &delta, &start, keys, rest)
		}
		r := &s.rest
		copy(r.a[:], a[done:])
		copy(r.b[:], b[done:])
		s.garbleGroups(r.a[:], r.a[:], r.b[:], r.table[:], &delta, &start, rest, after)
		copy(dst[done:], r.a[:])
		copy(table[done*entrySize:], r.table[:])
		return
	}
	s.garbleGroups(dst, a, b, table, &delta, &start, keys, after)
}

// garbleGroups garbles a positive multiple of KeyBatch instances.
func (s *Scratch) garbleGroups(dst, a, b []block.Block, table []byte, delta, start *block.Block, keys, after [2]uint64) {
	n, h := len(dst), &s.ahead
	a, b, table = a[:n], b[:n], table[:n*entrySize]
	h.prepare(start, keys)
	garbleAndVAES(bytesOf(dst), bytesOf(a), bytesOf(b), &table[0], n/KeyBatch, bytesOfBlock(delta), bytesOfBlock(start),
		keys[0], keys[1], after[0], after[1], h.ready, h.spare)
	h.done(n/KeyBatch, after)
}

// evaluateAnd evaluates an And gate: see evaluateAndGeneric and garbleAnd.
func (s *Scratch) evaluateAnd(dst, a, b []block.Block, table []byte, start block.Block, keys, after [2]uint64) {
	if s.hash != nil || andGates.Use() != andVAES {
		s.evaluateAndGeneric(dst, a, b, table, start, keys)
		return
	}
	full := len(dst) / KeyBatch
	if done := full * KeyBatch; done < len(dst) {
		rest := [2]uint64{keys[0] + uint64(full), keys[1] + uint64(full)}
		if full > 0 {
			s.evaluateGroups(dst[:done], a, b, table, &start, keys, rest)
		}
		r := &s.rest
		copy(r.a[:], a[done:])
		copy(r.b[:], b[done:])
		copy(r.table[:], table[done*entrySize:])
		s.evaluateGroups(r.a[:], r.a[:], r.b[:], r.table[:], &start, rest, after)
		copy(dst[done:], r.a[:])
		return
	}
	s.evaluateGroups(dst, a, b, table, &start, keys, after)
}

// evaluateGroups evaluates a positive multiple of KeyBatch instances.
func (s *Scratch) evaluateGroups(dst, a, b []block.Block, table []byte, start *block.Block, keys, after [2]uint64) {
	n, h := len(dst), &s.ahead
	a, b, table = a[:n], b[:n], table[:n*entrySize]
	h.prepare(start, keys)
	evaluateAndVAES(bytesOf(dst), bytesOf(a), bytesOf(b), &table[0], n/KeyBatch, bytesOfBlock(start),
		keys[0], keys[1], after[0], after[1], h.ready, h.spare)
	h.done(n/KeyBatch, after)
}

// xorDelta sets dst = a ⊕ b ⊕ delta.
func xorDelta(dst, a, b []block.Block, delta block.Block) {
	n := len(dst)
	a, b = a[:n], b[:n]
	if n == 0 {
		return
	}
	switch d := bytesOfBlock(&delta); freeGates.Use() {
	case freeAVX512:
		xorDeltaAVX512(bytesOf(dst), bytesOf(a), bytesOf(b), n, d)
	case freeAVX2:
		xorDeltaAVX2(bytesOf(dst), bytesOf(a), bytesOf(b), n, d)
	default:
		xorDeltaGeneric(dst, a, b, delta)
	}
}

// bytesOf returns where a row of blocks begins, which must not be empty.
func bytesOf(row []block.Block) *byte { return (*byte)(unsafe.Pointer(&row[0])) }

func bytesOfBlock(b *block.Block) *byte { return (*byte)(unsafe.Pointer(b)) }
