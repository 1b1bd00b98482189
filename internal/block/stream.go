package block

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
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
		n := s.run(len(src))
		addStream(dst[:n], src[:n], &s.keys, s.hi, s.lo)
		dst, src = dst[n:], src[n:]
		s.skip(n)
	}
}

// Read sets dst to the next bytes of the stream, as XORKeyStream of zeros does. It
// panics if their number is not a multiple of 16.
func (s *Stream) Read(dst []byte) {
	if len(dst)%Size != 0 {
		panic("block: stream: lengths do not fit")
	}
	if s.std != nil {
		clear(dst)
		s.std.XORKeyStream(dst, dst)
		return
	}
	for len(dst) > 0 {
		n := s.run(len(dst))
		keyStream(dst[:n], &s.keys, s.hi, s.lo)
		dst = dst[n:]
		s.skip(n)
	}
}

// AddTo adds the next len(sum) bytes to sum, and sum to column. It panics if their
// number is not a multiple of 16 or column is shorter.
func (s *Stream) AddTo(sum, column []byte) {
	if len(sum)%Size != 0 || len(column) < len(sum) {
		panic("block: stream: lengths do not fit")
	}
	if s.std != nil {
		s.std.XORKeyStream(sum, sum)
		subtle.XORBytes(column, column, sum)
		return
	}
	for len(sum) > 0 {
		n := s.run(len(sum))
		sumStream(sum[:n], column[:n], &s.keys, s.hi, s.lo)
		sum, column = sum[n:], column[n:]
		s.skip(n)
	}
}

// run returns how many of n bytes come before the counter's low half runs over.
func (s *Stream) run(n int) int {
	if end := -s.lo; s.lo != 0 && uint64(n/Size) > end {
		return int(end) * Size
	}
	return n
}

// skip moves the counter on by a run.
func (s *Stream) skip(n int) {
	if s.lo += uint64(n / Size); s.lo == 0 {
		s.hi++
	}
}

// String hides the key.
func (s *Stream) String() string { return "[redacted]" }
