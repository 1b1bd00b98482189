package block

import (
	"encoding/binary"
	"math/bits"
)

// Strings of bits in bytes: bit i is bit i mod 8 of byte i div 8. These functions
// carry such strings to labels and back, and to the bits of integers. A string
// may begin at any bit of its slice. A slice that is too short panics.

// AddWhere adds delta to dst[i] where bit at + i of src is 1.
func AddWhere(dst []Block, src []byte, at int, delta Block) {
	for len(dst) >= 64 {
		addWhere64((*[64]Block)(dst), word(src, at, 64), delta)
		dst, at = dst[64:], at+64
	}
	if len(dst) > 0 {
		w := word(src, at, len(dst))
		for i := range dst {
			dst[i] = dst[i].Xor(delta.And(w >> i & 1))
		}
	}
}

// AddColours adds bit 0 of label i to bit at + i of dst.
func AddColours(dst []byte, at int, labels []Block) {
	for len(labels) >= 64 {
		addWord(dst, at, colours64((*[64]Block)(labels)), 64)
		labels, at = labels[64:], at+64
	}
	var w uint64
	for i := range labels {
		w |= labels[i].Bit() << i
	}
	addWord(dst, at, w, len(labels))
}

// AddPlane adds bit number bit of values[i] to bit at + i of dst.
func AddPlane(dst []byte, at int, values []int32, bit int) {
	for len(values) >= 64 {
		addWord(dst, at, plane64((*[64]int32)(values), bit), 64)
		values, at = values[64:], at+64
	}
	var w uint64
	for i, v := range values {
		w |= uint64(uint32(v)>>bit&1) << i
	}
	addWord(dst, at, w, len(values))
}

// OrPlane sets bit number bit of values[i] where bit at + i of src is 1.
func OrPlane(values []int32, bit int, src []byte, at int) {
	for len(values) >= 64 {
		orPlane64((*[64]int32)(values), bit, word(src, at, 64))
		values, at = values[64:], at+64
	}
	if len(values) > 0 {
		w := word(src, at, len(values))
		for i := range values {
			values[i] |= int32(w>>i&1) << bit
		}
	}
}

// AddWords adds the low width bits of the values, one value after the other, to
// the bits of dst from bit at on. 0 < width ≤ 32.
func AddWords(dst []byte, at int, values []int32, width int) {
	for _, v := range values {
		addWord(dst, at, uint64(uint32(v)), width)
		at += width
	}
}

// AddBits adds n bits of src, from bit from on, to those of dst from bit at on.
func AddBits(dst []byte, at int, src []byte, from, n int) {
	for ; n >= 64; n -= 64 {
		addWord(dst, at, word(src, from, 64), 64)
		at, from = at+64, from+64
	}
	if n > 0 {
		addWord(dst, at, word(src, from, n), n)
	}
}

// AddIf adds src to dst if bit is 1, and nothing if it is 0, in the same time. It
// panics if dst is shorter than src. dst may be src.
func AddIf(dst, src []byte, bit uint64) {
	if len(src) == 0 {
		return
	}
	_ = dst[len(src)-1]
	n := len(src) &^ 63
	if n > 0 {
		addMasked(dst[:n], src[:n], -bit)
	}
	addMaskedGeneric(dst[n:], src[n:], -bit)
}

// word returns the n bits of src from bit at on, 0 < n ≤ 64, and zeros.
func word(src []byte, at, n int) uint64 {
	_ = src[(at+n+7)/8-1]
	src = src[at/8 : (at+n+7)/8]
	shift := at % 8
	if len(src) >= 8 {
		w := binary.LittleEndian.Uint64(src) >> shift
		if len(src) > 8 {
			w |= uint64(src[8]) << (64 - shift)
		}
		return w & (^uint64(0) >> (64 - n))
	}
	var w uint64
	for i, b := range src {
		w |= uint64(b) << (8 * i)
	}
	return w >> shift & (^uint64(0) >> (64 - n))
}

// addWord adds the low n bits of w to those of dst from bit at on.
func addWord(dst []byte, at int, w uint64, n int) {
	if n == 0 {
		return
	}
	_ = dst[(at+n+7)/8-1]
	dst = dst[at/8 : (at+n+7)/8]
	w &= ^uint64(0) >> (64 - n)
	shift := at % 8
	low := w << shift
	if len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(dst)^low)
		if len(dst) > 8 {
			dst[8] ^= byte(w >> (64 - shift))
		}
		return
	}
	for i := range dst {
		dst[i] ^= byte(low >> (8 * i))
	}
}

func addWhere64Generic(dst *[64]Block, w uint64, delta Block) {
	for i := range dst {
		dst[i] = dst[i].Xor(delta.And(w & 1))
		w >>= 1
	}
}

func colours64Generic(labels *[64]Block) (w uint64) {
	for i := range labels {
		w |= labels[i].Bit()
		w = bits.RotateLeft64(w, -1)
	}
	return w
}

func plane64Generic(values *[64]int32, bit int) (w uint64) {
	for _, v := range values {
		w |= uint64(uint32(v) >> bit & 1)
		w = bits.RotateLeft64(w, -1)
	}
	return w
}

func orPlane64Generic(values *[64]int32, bit int, w uint64) {
	for i := range values {
		values[i] |= int32(w&1) << bit
		w >>= 1
	}
}

func addMaskedGeneric(dst, src []byte, mask uint64) {
	for len(src) >= 8 {
		v := binary.LittleEndian.Uint64(dst) ^ binary.LittleEndian.Uint64(src)&mask
		binary.LittleEndian.PutUint64(dst, v)
		dst, src = dst[8:], src[8:]
	}
	for i, b := range src {
		dst[i] ^= b & byte(mask)
	}
}
