//go:build !amd64 || purego

package garble

import (
	"dorcas/internal/block"
	"dorcas/internal/impl"
)

var sumGates = impl.New("sums", impl.Generic)

func (s *Scratch) garbleWords(x, y *words, a, b []block.Block, delta, start block.Block, keys, _ [2]uint64) {
	s.garbleWordsGeneric(x, a, delta, start, keys[0])
	if y != nil {
		s.garbleWordsGeneric(y, b, delta, start, keys[1])
	}
}

func (s *Scratch) evaluateWords(x, y *words, a, b []block.Block, start block.Block, keys, _ [2]uint64) {
	s.evaluateWordsGeneric(x, a, start, keys[0])
	if y != nil {
		s.evaluateWordsGeneric(y, b, start, keys[1])
	}
}

func (s *sums) shareGated(x *words, weight uint32, m int) { s.shareGatedGeneric(x, weight, m) }
func (s *sums) sharePlain(x *words, weight uint32, m int) { s.sharePlainGeneric(x, weight, m) }
func (s *sums) openGated(x *words, weight uint32, m int)  { s.openGatedGeneric(x, weight, m) }
func (s *sums) openPlain(x *words, weight uint32, m int)  { s.openPlainGeneric(x, weight, m) }
