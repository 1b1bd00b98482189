package block

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// Stream is the AES-128-CTR key stream of the standard library's cipher.NewCTR,
// byte for byte, for runs of whole blocks. Its memory holds the key. It is not
// safe for concurrent use.
type Stream struct {
	hi, lo uint64 // the counter
	keys   [11]Block
	std    cipher.Stream // without a kernel; else nil
}

// NewStream returns the key stream from the big-endian counter start. The key must
// be uniform, and no two streams under one key may meet in a counter.
func NewStream(key, start *[16]byte) *Stream {
	s := new(Stream)
	s.Reset(key, start)
	return s
}

// Reset makes s the stream that NewStream returns.
func (s *Stream) Reset(key, start *[16]byte) {
	s.hi, s.lo = binary.BigEndian.Uint64(start[:]), binary.BigEndian.Uint64(start[8:])
	if s.std = nil; expandKey(&s.keys, key) {
		return
	}
	c, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // a key of 16 bytes is always valid
	}
	s.std = cipher.NewCTR(c, start[:])
}

// XORKeyStream sets dst = src ⊕ the next len(src) bytes of the stream. Their
// number must be a multiple of 16, dst at least as long, and dst must be src
// or apart from it; it panics if a length does not fit.
func (s *Stream) XORKeyStream(dst, src []byte) {
	if len(src)%Size != 0 || len(dst) < len(src) {
		panic("block: stream: lengths do not fit")
	}
	if s.std != nil {
		s.std.XORKeyStream(dst, src)
		return
	}
	for len(src) > 0 {
		n := uint64(len(src) / Size)
		if end := -s.lo; s.lo != 0 && n > end { // no carry within a run
			n = end
		}
		addStream(dst[:n*Size], src[:n*Size], &s.keys, s.hi, s.lo)
		dst, src = dst[n*Size:], src[n*Size:]
		if s.lo += n; s.lo == 0 {
			s.hi++
		}
	}
}

// String hides the key.
func (s *Stream) String() string { return "[redacted]" }
