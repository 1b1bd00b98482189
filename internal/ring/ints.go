package ring

import "encoding/binary"

// Integer is a value of a tensor or of a share.
type Integer interface{ int32 | uint32 }

// few is the number of values that are widened at a time: they stay in the nearest
// cache. A multiple of 8, so that every part begins with a byte. LOCAL
const few = 256

// PackInts is PackBits for integers, of at most 32 bits.
func PackInts[T Integer](dst []byte, src []T, bits int) {
	checkInts(dst, len(src), bits)
	var wide [few]uint64
	for len(src) > 0 {
		n := min(few, len(src))
		for i, v := range src[:n] {
			wide[i] = uint64(uint32(v))
		}
		size := PackedSize(n, bits)
		pack(dst[:size], wide[:n], bits, 0)
		dst, src = dst[size:], src[n:]
	}
}

// UnpackInts reads what PackInts wrote, as UnpackBits does. The values are not
// negative, unless bits is 32.
func UnpackInts[T Integer](dst []T, src []byte, bits int) {
	checkInts(src, len(dst), bits)
	var wide [few]uint64
	for len(dst) > 0 {
		n := min(few, len(dst))
		size := PackedSize(n, bits)
		unpack(wide[:n], src[:size], bits)
		for i, v := range wide[:n] {
			dst[i] = T(v)
		}
		dst, src = dst[n:], src[size:]
	}
}

func checkInts(packed []byte, n, bits int) {
	if bits < 1 || bits > 32 {
		panic("ring: width of packed integers not 1 to 32")
	}
	if len(packed) != PackedSize(n, bits) {
		panic("ring: wrong length of packed values")
	}
}

// ReadInts fills dst with the next integers of a stream, of four bytes each, the
// lowest first.
func ReadInts[T Integer](s *Stream, dst []T) {
	if raw := bytesOfInts(dst); raw != nil {
		s.Read(raw)
		return
	}
	var raw [4 * few]byte
	for len(dst) > 0 {
		n := min(few, len(dst))
		s.Read(raw[:4*n])
		for i := range dst[:n] {
			dst[i] = T(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		dst = dst[n:]
	}
}
