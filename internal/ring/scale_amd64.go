//go:build amd64 && !purego

package ring

import "math/bits"

// whole returns the number of vectors of eight in n values that the kernels
// shall do.
func whole(n int) int {
	if vectorised() {
		return n / 8
	}
	return 0
}

func fromSigned(dst []uint64, src []int32) {
	if v := whole(len(src)); v > 0 {
		fromSignedIFMA(&dst[0], &src[0], v)
		dst, src = dst[8*v:], src[8*v:]
	}
	fromSignedGeneric(dst, src)
}

func scaleUp(dst []uint64, src []uint32, bits int) {
	if v := whole(len(src)); v > 0 {
		scaleUpIFMA(&dst[0], &src[0], v, bits)
		dst, src = dst[8*v:], src[8*v:]
	}
	scaleUpGeneric(dst, src, bits)
}

func scaleDown(dst []uint32, src []uint64, width int, add uint64) {
	if v := whole(len(src)); v > 0 {
		quo, _ := bits.Div64(1<<width>>12, 1<<width<<52, Q)
		scaleDownIFMA(&dst[0], &src[0], v, width, quo, add)
		dst, src = dst[8*v:], src[8*v:]
	}
	scaleDownGeneric(dst, src, width, add)
}

func restore(x []uint64, drop int) bool {
	bad := false
	if v := whole(len(x)); v > 0 {
		bad = restoreIFMA(&x[0], v, drop) != 0
		x = x[8*v:]
	}
	return restoreGeneric(x, drop) || bad
}
