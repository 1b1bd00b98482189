package ring

import "encoding/binary"

// PackedSize returns the number of bytes of n values of the given width.
func PackedSize(n, bits int) int { return (n*bits + 7) / 8 }

// PackBits writes the low bits of each value of src as one string of bits, the
// first value and the lowest bits first; spare bits of the last byte are 0.
// bits is 1 to 64. It panics unless len(dst) is PackedSize(len(src), bits).
func PackBits(dst []byte, src []uint64, bits int) {
	checkPack(dst, src, bits)
	pack(dst, src, bits, 0)
}

// PackTop is PackBits for the top bits of values of LogQ bits.
func PackTop(dst []byte, src []uint64, bits int) {
	checkPack(dst, src, bits)
	pack(dst, src, bits, LogQ-bits)
}

// packGeneric drops low bits of each value, then packs.
func packGeneric(dst []byte, src []uint64, bits, drop int) {
	var word uint64 // the bits not yet written, fewer than 64
	mask, have := ^uint64(0)>>(64-bits), 0
	for _, v := range src {
		v = v >> drop & mask
		word |= v << have
		have += bits
		if have >= 64 {
			binary.LittleEndian.PutUint64(dst, word)
			dst = dst[8:]
			have -= 64
			word = v >> (bits - have)
		}
	}
	for i := range dst {
		dst[i] = byte(word >> (8 * i))
	}
}

// UnpackBits reads what PackBits wrote and ignores spare bits of the last byte.
// It panics unless len(src) is PackedSize(len(dst), bits): the caller checks
// the length of a peer's bytes.
func UnpackBits(dst []uint64, src []byte, bits int) {
	checkPack(src, dst, bits)
	unpack(dst, src, bits)
}

func unpackGeneric(dst []uint64, src []byte, bits int) {
	var word uint64 // the bits not yet used, fewer than 64
	mask, have := ^uint64(0)>>(64-bits), 0
	for i := range dst {
		v := word
		word >>= bits
		have -= bits
		if have < 0 {
			next := uint64(0)
			if len(src) >= 8 {
				next, src = binary.LittleEndian.Uint64(src), src[8:]
			} else {
				for j, b := range src {
					next |= uint64(b) << (8 * j)
				}
				src = nil
			}
			v |= next << (have + bits)
			word = next >> -have
			have += 64
		}
		dst[i] = v & mask
	}
}

func checkPack(packed []byte, values []uint64, bits int) {
	if bits < 1 || bits > 64 {
		panic("ring: width of packed values not 1 to 64")
	}
	if len(packed) != PackedSize(len(values), bits) {
		panic("ring: wrong length of packed values")
	}
}
