//go:build !amd64 || purego

package garble

import (
	"dorcas/internal/block"
	"dorcas/internal/impl"
)

var (
	andGates  = impl.New("and gates", impl.Generic)
	freeGates = impl.New("free gates", impl.Generic)
)

// ahead is what kernels keep between gates.
type ahead struct{}

func (s *Scratch) garbleAnd(dst, a, b []block.Block, table []byte, delta, start block.Block, keys, _ [2]uint64) {
	s.garbleAndGeneric(dst, a, b, table, delta, start, keys)
}

func (s *Scratch) evaluateAnd(dst, a, b []block.Block, table []byte, start block.Block, keys, _ [2]uint64) {
	s.evaluateAndGeneric(dst, a, b, table, start, keys)
}

func xorDelta(dst, a, b []block.Block, delta block.Block) { xorDeltaGeneric(dst, a, b, delta) }
