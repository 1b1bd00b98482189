package ring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// maxLabel keeps the text that makes a Stream's key within one block of SHA-256:
// a length byte, the label, the seed, the index and 9 bytes of padding.
const maxLabel = sha256.BlockSize - 1 - 32 - 8 - 9

// Stream is a sequence of pseudorandom bytes, fixed by seed, label and index:
// AES-256 in counter mode from zero, under the key
//
//	SHA-256(len(label) ‖ label ‖ seed ‖ index)
//
// with the length as one byte and the index as eight, little-endian. The text
// is prefix-free, so the hash behaves as a random oracle where the seed is
// public (Coron et al., "Merkle–Damgård revisited", CRYPTO 2005, section 3.1)
// and as a pseudorandom function where it is secret. AGREED.
//
// A Stream is for one goroutine. It prints as [redacted].
type Stream struct {
	fast fastCounter   // in use if ctr is nil
	ctr  cipher.Stream // the standard library's
	left int           // unread bytes, at the end of buf
	buf  [chunk]byte
}

// NewStream returns the stream of seed, label and index. Labels are constants
// of at most 14 bytes; a longer one panics.
func NewStream(seed *[32]byte, label string, index uint64) *Stream {
	if len(label) > maxLabel {
		panic("ring: stream label too long")
	}
	text := make([]byte, 0, sha256.BlockSize)
	text = append(text, byte(len(label)))
	text = append(text, label...)
	text = append(text, seed[:]...)
	text = binary.LittleEndian.AppendUint64(text, index)
	key := sha256.Sum256(text)
	s := new(Stream)
	if s.fast.init(&key) {
		return s
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("ring: " + err.Error())
	}
	var zero [aes.BlockSize]byte
	s.ctr = cipher.NewCTR(block, zero[:])
	return s
}

// String hides the state.
func (s *Stream) String() string { return "[redacted]" }

// Format hides the state from every verb.
func (s Stream) Format(f fmt.State, _ rune) { io.WriteString(f, "[redacted]") }

// Read fills p with the next len(p) bytes. However they are split into calls,
// the bytes are the same.
func (s *Stream) Read(p []byte) {
	for len(p) > 0 {
		if s.left == 0 {
			if whole := len(p) &^ (chunk - 1); whole > 0 && s.ctr == nil {
				s.fast.generate(p[:whole])
				p = p[whole:]
				continue
			}
			s.fill()
		}
		n := copy(p, s.buf[len(s.buf)-s.left:])
		s.left -= n
		p = p[n:]
	}
}

// chunk is the number of bytes of which a fastCounter makes multiples. It is small,
// since many a stream gives one key only. LOCAL
const chunk = 512

// fill replaces the buffer, whose bytes have all been read.
func (s *Stream) fill() {
	if s.ctr == nil {
		s.fast.generate(s.buf[:])
	} else {
		clear(s.buf[:])
		s.ctr.XORKeyStream(s.buf[:], s.buf[:])
	}
	s.left = len(s.buf)
}
