//go:build !amd64 || purego

package ring

import "dorcas/internal/impl"

var streams = impl.New("ring stream", impl.Generic)

type fastCounter struct{}

func (*fastCounter) init(*[32]byte) bool { return false }

func (*fastCounter) generate([]byte) { panic("ring: a stream without a cipher") }

func (s *Stream) words(dst []uint64) { s.wordsGeneric(dst) }
