package block

import "encoding/binary"

// Columns is the number of columns of the bit matrices that Transpose turns:
// one for each bit of a Block.
const Columns = 128

// Transpose turns a matrix of Columns columns of bits into len(dst) rows of one
// Block each: bit c of dst[r] becomes bit r of column c.
//
// Column c starts at src[c·stride]; its bit r is bit r mod 8 of byte r div 8.
// Columns are read in words of 64 rows, so that src must hold
// 127·stride + 8·⌈len(dst)/64⌉ bytes; the bits past row len(dst) are ignored.
// A stride that is a multiple of 1024 makes all columns compete for the same few
// lines of a level 1 cache: an odd multiple of 16 is quicker.
func Transpose(dst []Block, src []byte, stride int) {
	if len(dst) == 0 {
		return
	}
	_ = src[127*stride+8*((len(dst)+63)/64)-1]
	turns := len(dst) / 64
	if turns > 0 {
		transposeWords(dst[:64*turns], src, stride)
	}
	if full := 64 * turns; full < len(dst) {
		var tail [64]Block
		transposeWords(tail[:], src[full/8:], stride)
		copy(dst[full:], tail[:])
	}
}

// transposeWordsGeneric turns a multiple of 64 rows.
func transposeWordsGeneric(dst []Block, src []byte, stride int) {
	for r := 0; r < len(dst); r += 64 {
		transposeWord((*[64]Block)(dst[r:]), src[r/8:], stride)
	}
}

// transposeWord turns the first 64 rows of all columns.
func transposeWord(dst *[64]Block, src []byte, stride int) {
	var a [64]uint64
	coarseHalvings(&a, src, stride)
	for i := 0; i < 64; i += 8 {
		d := (*[8]Block)(dst[i:])
		d[0].Lo, d[1].Lo, d[2].Lo, d[3].Lo, d[4].Lo, d[5].Lo, d[6].Lo, d[7].Lo = fineHalvings((*[8]uint64)(a[i:]))
	}
	coarseHalvings(&a, src[64*stride:], stride)
	for i := 0; i < 64; i += 8 {
		d := (*[8]Block)(dst[i:])
		d[0].Hi, d[1].Hi, d[2].Hi, d[3].Hi, d[4].Hi, d[5].Hi, d[6].Hi, d[7].Hi = fineHalvings((*[8]uint64)(a[i:]))
	}
}

// A 64×64 matrix is transposed by exchanging blocks of 32, 16, 8, 4, 2 and 1 bits
// (Knuth, The Art of Computer Programming, volume 4A, section 7.1.3), in two
// passes of three halvings each, so that eight words at a time stay in registers.

// coarseHalvings exchanges blocks of 32, 16 and 8 bits. Column c of the matrix is
// the word at src[c·stride].
func coarseHalvings(a *[64]uint64, src []byte, stride int) {
	for i := range 8 {
		s := src[i*stride:]
		step := 8 * stride
		x0 := columnWord(s, 0)
		x1 := columnWord(s, step)
		x2 := columnWord(s, 2*step)
		x3 := columnWord(s, 3*step)
		x4 := columnWord(s, 4*step)
		x5 := columnWord(s, 5*step)
		x6 := columnWord(s, 6*step)
		x7 := columnWord(s, 7*step)
		const m32, m16, m8 = 0x00000000ffffffff, 0x0000ffff0000ffff, 0x00ff00ff00ff00ff
		x0, x4 = exchange(x0, x4, 32, m32)
		x1, x5 = exchange(x1, x5, 32, m32)
		x2, x6 = exchange(x2, x6, 32, m32)
		x3, x7 = exchange(x3, x7, 32, m32)
		x0, x2 = exchange(x0, x2, 16, m16)
		x1, x3 = exchange(x1, x3, 16, m16)
		x4, x6 = exchange(x4, x6, 16, m16)
		x5, x7 = exchange(x5, x7, 16, m16)
		a[i], a[i+8] = exchange(x0, x1, 8, m8)
		a[i+16], a[i+24] = exchange(x2, x3, 8, m8)
		a[i+32], a[i+40] = exchange(x4, x5, 8, m8)
		a[i+48], a[i+56] = exchange(x6, x7, 8, m8)
	}
}

// fineHalvings exchanges blocks of 4, 2 and 1 bits among eight neighbouring words.
func fineHalvings(x *[8]uint64) (x0, x1, x2, x3, x4, x5, x6, x7 uint64) {
	const m4, m2, m1 = 0x0f0f0f0f0f0f0f0f, 0x3333333333333333, 0x5555555555555555
	x0, x4 = exchange(x[0], x[4], 4, m4)
	x1, x5 = exchange(x[1], x[5], 4, m4)
	x2, x6 = exchange(x[2], x[6], 4, m4)
	x3, x7 = exchange(x[3], x[7], 4, m4)
	x0, x2 = exchange(x0, x2, 2, m2)
	x1, x3 = exchange(x1, x3, 2, m2)
	x4, x6 = exchange(x4, x6, 2, m2)
	x5, x7 = exchange(x5, x7, 2, m2)
	x0, x1 = exchange(x0, x1, 1, m1)
	x2, x3 = exchange(x2, x3, 1, m1)
	x4, x5 = exchange(x4, x5, 1, m1)
	x6, x7 = exchange(x6, x7, 1, m1)
	return
}

// exchange swaps the bits of x that low << j selects with the bits of y that low
// selects; low has j ones, then j zeros, and so on.
func exchange(x, y uint64, j uint, low uint64) (uint64, uint64) {
	t := (x>>j ^ y) & low
	return x ^ t<<j, y ^ t
}

func columnWord(src []byte, at int) uint64 { return binary.LittleEndian.Uint64(src[at:]) }
