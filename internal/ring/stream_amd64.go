//go:build amd64 && !purego

package ring

import (
	"unsafe"

	"dorcas/internal/impl"
)

// streams is AES-256 on four blocks at a time, or the standard library's.
var streams = impl.New("ring stream", impl.Impl{Name: "vaes", Available: impl.VAES}, impl.Generic)

// fastCounter is AES-256 in counter mode from zero.
type fastCounter struct {
	keys [240]byte
	next uint64 // counter of the next block
}

// init says whether a new Stream shall use it.
func (f *fastCounter) init(key *[32]byte) bool {
	if streams.Use() != 0 {
		return false
	}
	expandKeyAES(&f.keys, key)
	return true
}

// generate needs a multiple of chunk.
func (f *fastCounter) generate(p []byte) {
	counterVAES(&p[0], len(p)/chunk, &f.keys, f.next)
	f.next += uint64(len(p) / 16)
}

// words reads 8·len(dst) bytes as little-endian words, as memory holds them here.
func (s *Stream) words(dst []uint64) {
	if len(dst) > 0 {
		s.Read(unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), 8*len(dst)))
	}
}
