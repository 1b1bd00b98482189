//go:build amd64 && !purego

package garble

import (
	"unsafe"

	"dorcas/internal/block"
	"dorcas/internal/impl"
)

//go:generate sh -c "cd _asm && go run . -out ../gate_amd64.s -stubs ../gate_stubs_amd64.go -pkg garble"

// andGates are the And gates: AES in 512-bit registers or in 128-bit ones, key
// schedules included, and the half gates in the same pass.
var andGates = impl.New("and gates",
	impl.Impl{Name: "vaes512", Available: impl.VAES},
	impl.Impl{Name: "aesni", Available: impl.AESNI && impl.AVX2},
	impl.Generic,
)

const (
	andVAES = iota
	andAESNI
	andGeneric
)

// freeGates are the Xor, Xnor and Not gates. Wider registers are no quicker: the
// rows come and go at the speed of the caches.
var freeGates = impl.New("free gates",
	impl.Impl{Name: "avx2", Available: impl.AVX2},
	impl.Generic,
)

const freeAVX2 = 0

// scheduleSize is the room for sixteen expanded keys: the first round keys of
// all, then the second, and two rounds of room that the kernels write into.
const scheduleSize = 13 * 16 * block.Size

// ahead has the key schedules of the gate that comes next, made under the hashes
// of the one before. It holds no secrets. It is quicker at a multiple of 64.
type ahead struct {
	memory [2][scheduleSize]byte
	ready  int // which half of memory
	start  block.Block
	keys   [2]uint64 // what that half is for
	valid  bool
}

// prepare returns the schedules of the first eight groups, and the other room.
func (h *ahead) prepare(start *block.Block, keys [2]uint64) (ready, spare *byte) {
	ready, spare = &h.memory[h.ready][0], &h.memory[1-h.ready][0]
	if !h.valid || h.start != *start || h.keys != keys {
		firstKeysVAES(ready, bytesOfBlock(start), keys[0], keys[1])
		h.start, h.valid = *start, true
	}
	return ready, spare
}

// done notes what a kernel leaves after groups.
func (h *ahead) done(groups int, keys [2]uint64) {
	h.keys = keys
	h.ready ^= (groups + 7) / 8 % 2
}

// garbleAnd garbles an And gate: see garbleAndGeneric. after are the counters of
// the gate that is likely to follow.
func (s *Scratch) garbleAnd(dst, a, b []block.Block, table []byte, delta, start block.Block, keys, after [2]uint64) {
	if s.hash != nil || andGates.Use() == andGeneric {
		s.garbleAndGeneric(dst, a, b, table, delta, start, keys)
		return
	}
	done, rest := split(len(dst), keys, after)
	s.garbleGroups(dst[:done], a, b, table, &delta, &start, keys, rest)
	if done < len(dst) {
		r := &s.rest
		n := copy(r.a[:], a[done:])
		copy(r.b[:], b[done:])
		n = int(groups(n)) * KeyBatch
		s.garbleGroups(r.a[:n], r.a[:], r.b[:], r.table[:], &delta, &start, rest, after)
		copy(dst[done:], r.a[:])
		copy(table[done*entrySize:], r.table[:])
	}
}

// split returns how many of n instances go to a kernel as they are, and the
// counters that follow these; the others do not fill their keys.
func split(n int, keys, after [2]uint64) (int, [2]uint64) {
	if n%KeyBatch == 0 {
		return n, after
	}
	if n < few {
		return 0, keys
	}
	full := uint64(n / KeyBatch)
	return n / KeyBatch * KeyBatch, [2]uint64{keys[0] + full, keys[1] + full}
}

// garbleGroups garbles a multiple of KeyBatch instances.
func (s *Scratch) garbleGroups(dst, a, b []block.Block, table []byte, delta, start *block.Block, keys, after [2]uint64) {
	n, h := len(dst), &s.ahead
	if n == 0 {
		return
	}
	a, b, table = a[:n], b[:n], table[:n*entrySize]
	if andGates.Use() == andAESNI {
		garbleAndAESNI(bytesOf(dst), bytesOf(a), bytesOf(b), &table[0], n/KeyBatch, bytesOfBlock(delta), bytesOfBlock(start),
			keys[0], keys[1], bytesOf(s.half[0][:]))
		return
	}
	ready, spare := h.prepare(start, keys)
	garbleAndVAES(bytesOf(dst), bytesOf(a), bytesOf(b), &table[0], n/KeyBatch, bytesOfBlock(delta), bytesOfBlock(start),
		keys[0], keys[1], after[0], after[1], ready, spare, s.gateTable)
	h.done(n/KeyBatch, after)
}

// evaluateAnd evaluates an And gate: see evaluateAndGeneric and garbleAnd.
func (s *Scratch) evaluateAnd(dst, a, b []block.Block, table []byte, start block.Block, keys, after [2]uint64) {
	if s.hash != nil || andGates.Use() == andGeneric {
		s.evaluateAndGeneric(dst, a, b, table, start, keys)
		return
	}
	done, rest := split(len(dst), keys, after)
	s.evaluateGroups(dst[:done], a, b, table, &start, keys, rest)
	if done < len(dst) {
		r := &s.rest
		n := copy(r.a[:], a[done:])
		copy(r.b[:], b[done:])
		copy(r.table[:], table[done*entrySize:])
		n = int(groups(n)) * KeyBatch
		s.evaluateGroups(r.a[:n], r.a[:], r.b[:], r.table[:], &start, rest, after)
		copy(dst[done:], r.a[:])
	}
}

// evaluateGroups evaluates a multiple of KeyBatch instances.
func (s *Scratch) evaluateGroups(dst, a, b []block.Block, table []byte, start *block.Block, keys, after [2]uint64) {
	n, h := len(dst), &s.ahead
	if n == 0 {
		return
	}
	a, b, table = a[:n], b[:n], table[:n*entrySize]
	if andGates.Use() == andAESNI {
		evaluateAndAESNI(bytesOf(dst), bytesOf(a), bytesOf(b), &table[0], n/KeyBatch, bytesOfBlock(start),
			keys[0], keys[1], bytesOf(s.half[0][:]))
		return
	}
	ready, spare := h.prepare(start, keys)
	evaluateAndVAES(bytesOf(dst), bytesOf(a), bytesOf(b), &table[0], n/KeyBatch, bytesOfBlock(start),
		keys[0], keys[1], after[0], after[1], ready, spare, s.gateTable)
	h.done(n/KeyBatch, after)
}

// xorDelta sets dst = a ⊕ b ⊕ delta.
func xorDelta(dst, a, b []block.Block, delta block.Block) {
	n := len(dst)
	a, b = a[:n], b[:n]
	if n == 0 {
		return
	}
	if freeGates.Use() == freeAVX2 {
		xorDeltaAVX2(bytesOf(dst), bytesOf(a), bytesOf(b), n, bytesOfBlock(&delta))
		return
	}
	xorDeltaGeneric(dst, a, b, delta)
}

// bytesOf returns where a row of blocks begins, which must not be empty.
func bytesOf(row []block.Block) *byte { return (*byte)(unsafe.Pointer(&row[0])) }

func bytesOfBlock(b *block.Block) *byte { return (*byte)(unsafe.Pointer(b)) }
