//go:build !amd64 || purego

package ring

import (
	"encoding/binary"

	"dorcas/internal/impl"
)

var streams = impl.New("ring stream", impl.Generic)

type fastCounter struct{}

func (*fastCounter) init(*[32]byte) bool { return false }

func (*fastCounter) generate([]byte) { panic("ring: a stream without a cipher") }

// words reads 8·len(dst) bytes as little-endian words.
func (s *Stream) words(dst []uint64) {
	for len(dst) > 0 {
		if s.left == 0 {
			s.fill()
		}
		src := s.buf[len(s.buf)-s.left:]
		n := min(len(dst), len(src)/8)
		for i := range dst[:n] {
			dst[i] = binary.LittleEndian.Uint64(src[8*i:])
		}
		s.left -= 8 * n
		dst = dst[n:]
		if len(dst) > 0 && 0 < s.left && s.left < 8 {
			var word [8]byte
			s.Read(word[:])
			dst[0] = binary.LittleEndian.Uint64(word[:])
			dst = dst[1:]
		}
	}
}
