package ring

import "math/bits"

// Changes between Z_Q and integers of other sizes: messages modulo 2^bits, small
// signed numbers, and values whose low bits were dropped.

// FromSigned sets dst to the polynomial with the given coefficients, at most N,
// modulo Q; the rest are 0.
func FromSigned(dst *Poly, src []int32) {
	fromSigned(dst[:len(src)], src)
	clear(dst[len(src):])
}

func fromSignedGeneric(dst []uint64, src []int32) {
	for i, c := range src {
		dst[i] = addIfNegative(uint64(int64(c)))
	}
}

// ScaleUp sets dst to round(Q·m/2^bits), halves up, of each m of src modulo
// 2^bits; at most N, the rest are 0. bits is 1 to 32.
func ScaleUp(dst *Poly, src []uint32, bits int) {
	checkScale(bits)
	scaleUp(dst[:len(src)], src, bits)
	clear(dst[len(src):])
}

// scaleUpGeneric computes with Q·m = m·2^50 − m·(2^14−1), of which only the last
// part has a fraction. The result is at most Q − Q/2^bits + 1 < Q.
func scaleUpGeneric(dst []uint64, src []uint32, bits int) {
	mask, half := uint64(1)<<bits-1, int64(1)<<(bits-1)
	for i, v := range src {
		m := uint64(v) & mask
		dst[i] = m<<(LogQ-bits) + uint64((half-int64(m<<14-m))>>bits)
	}
}

// ScaleDown sets dst to x·2^bits/Q modulo 2^bits of each x of src, which are below
// Q, rounded to the nearest or down. bits is 1 to 32; dst is as long as src.
func ScaleDown(dst []uint32, src []uint64, bits int, nearest bool) {
	checkScale(bits)
	add := uint64(0)
	if nearest {
		add = (Q - 1) / 2 // Q is odd, so there are no ties
	}
	scaleDown(dst[:len(src)], src, bits, add)
}

// scaleDownGeneric rounds (x·2^bits + add)/Q down, with add < Q/2, in a time that
// does not depend on x (a division instruction's does). With quo =
// ⌊2^(64+bits)/Q⌋ the estimate x·quo/2^64 of x·2^bits/Q is too small by less than
// x/2^64 < 2^-14, so the remainder r is below Q·(1 + 2^-14), with add below 2Q,
// and one correction is enough.
func scaleDownGeneric(dst []uint32, src []uint64, width int, add uint64) {
	quo, _ := bits.Div64(1<<width, 0, Q)
	for i, x := range src {
		y, _ := bits.Mul64(x, quo)
		r := x<<width - y*Q + add
		y += (Q - 1 - r) >> 63
		dst[i] = uint32(y & (1<<width - 1))
	}
}

func checkScale(bits int) {
	if bits < 1 || bits > 32 {
		panic("ring: scaled values not of 1 to 32 bits")
	}
}

// UnpackTop reads what PackTop wrote and puts the middle of what the dropped bits
// could be, 2^(d−1) with d = LogQ − bits, in their place, modulo Q. It returns
// the number of the first value that with zeros in their place is not below Q,
// or −1 if there is none; dst is then useless. bits is at most LogQ.
func UnpackTop(dst []uint64, src []byte, bits int) int {
	checkPack(src, dst, bits)
	drop := LogQ - bits
	if drop < 0 {
		panic("ring: more bits than a value has")
	}
	unpack(dst, src, bits)
	if !restore(dst, drop) {
		return -1
	}
	unpack(dst, src, bits)
	for i, v := range dst {
		if v<<drop >= Q {
			return i
		}
	}
	panic("ring: the value out of range is gone")
}

// restoreGeneric says whether any value is out of range.
func restoreGeneric(x []uint64, drop int) bool {
	bad := uint64(0)
	for i, v := range x {
		v <<= drop
		bad |= ^(v - Q) >> 63 // v < 2^63
		x[i] = reduceOnce(v + 1<<drop>>1)
	}
	return bad != 0
}
