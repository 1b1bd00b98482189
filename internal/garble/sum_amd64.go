//go:build amd64 && !purego

package garble

import (
	"unsafe"

	"dorcas/internal/block"
	"dorcas/internal/impl"
)

// sumGates are the hashes and the arithmetic of sums.
var sumGates = impl.New("sums", impl.Impl{Name: "vaes512", Available: impl.VAES}, impl.Generic)

const sumVAES = 0

// garbleWords hashes both labels of the wires a and b, whose counters begin with
// keys, into x and y. y is nil if there is no b. after are the counters of the wires
// that are likely to follow.
func (s *Scratch) garbleWords(x, y *words, a, b []block.Block, delta, start block.Block, keys, after [2]uint64) {
	if s.hash != nil || sumGates.Use() != sumVAES {
		s.garbleWordsGeneric(x, a, delta, start, keys[0])
		if y != nil {
			s.garbleWordsGeneric(y, b, delta, start, keys[1])
		}
		return
	}
	s.wordGroups(x, y, a, b, &delta, &start, keys, after)
}

// evaluateWords is garbleWords for the evaluator's labels.
func (s *Scratch) evaluateWords(x, y *words, a, b []block.Block, start block.Block, keys, after [2]uint64) {
	if s.hash != nil || sumGates.Use() != sumVAES {
		s.evaluateWordsGeneric(x, a, start, keys[0])
		if y != nil {
			s.evaluateWordsGeneric(y, b, start, keys[1])
		}
		return
	}
	s.wordGroups(x, y, a, b, nil, &start, keys, after)
}

// wordGroups runs the kernel of the garbler or, without delta, of the evaluator. A
// wire alone is hashed twice, to the same place.
func (s *Scratch) wordGroups(x, y *words, a, b []block.Block, delta, start *block.Block, keys, after [2]uint64) {
	if y == nil {
		y, b, keys[1] = x, a, keys[0]
	}
	run := func(at int, a, b []block.Block, keys, after [2]uint64) {
		if len(a) == 0 {
			return
		}
		ready, spare := s.ahead.prepare(start, keys)
		toX, toY := wordsAt(x, at), wordsAt(y, at)
		if delta != nil {
			garbleWordsVAES(toX, toY, bytesOf(a), bytesOf(b), len(a)/KeyBatch, bytesOfBlock(delta), bytesOfBlock(start),
				keys[0], keys[1], after[0], after[1], ready, spare)
		} else {
			evaluateWordsVAES(toX, toY, bytesOf(a), bytesOf(b), len(a)/KeyBatch, bytesOfBlock(start),
				keys[0], keys[1], after[0], after[1], ready, spare)
		}
		s.ahead.done(len(a)/KeyBatch, after)
	}
	done, restKeys := split(len(a), keys, after)
	run(0, a[:done], b[:done], keys, restKeys)
	if done < len(a) {
		n := copy(s.rest.a[:], a[done:])
		copy(s.rest.b[:], b[done:])
		n = int(groups(n)) * KeyBatch
		run(done, s.rest.a[:n], s.rest.b[:n], restKeys, after)
	}
}

// wordsAt returns where an instance begins.
func wordsAt(x *words, at int) *byte { return (*byte)(unsafe.Pointer(&x.h[0][at])) }

func wordBytes(row *[tile]uint64) *byte { return (*byte)(unsafe.Pointer(row)) }

func (s *sums) shareGated(x *words, weight uint32, m int) {
	if sumGates.Use() != sumVAES {
		s.shareGatedGeneric(x, weight, m)
		return
	}
	shareGatedAVX512(wordsAt(x, 0), wordBytes(&s.keep), wordBytes(&s.rows[0]), wordBytes(&s.rows[1]), wordBytes(&s.total), weight, int(groups(m)))
}

func (s *sums) sharePlain(x *words, weight uint32, m int) {
	if sumGates.Use() != sumVAES {
		s.sharePlainGeneric(x, weight, m)
		return
	}
	sharePlainAVX512(wordsAt(x, 0), wordBytes(&s.rows[0]), wordBytes(&s.total), weight, int(groups(m)))
}

func (s *sums) openGated(x *words, weight uint32, m int) {
	if sumGates.Use() != sumVAES {
		s.openGatedGeneric(x, weight, m)
		return
	}
	openGatedAVX512(wordsAt(x, 0), wordsAt(&s.gate, 0), wordBytes(&s.rows[0]), wordBytes(&s.rows[1]), wordBytes(&s.total), weight, int(groups(m)))
}

func (s *sums) openPlain(x *words, weight uint32, m int) {
	if sumGates.Use() != sumVAES {
		s.openPlainGeneric(x, weight, m)
		return
	}
	openPlainAVX512(wordsAt(x, 0), wordBytes(&s.rows[0]), wordBytes(&s.total), weight, int(groups(m)))
}
