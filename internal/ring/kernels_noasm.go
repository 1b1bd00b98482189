//go:build !amd64 || purego

package ring

import "dorcas/internal/impl"

var kernels = impl.New("ring", impl.Generic)

func forward(dst, src *[N]uint64) { forwardGeneric(dst, src) }

func inverse(dst, src *[N]uint64) { inverseGeneric(dst, src) }

func addVec(dst, a, b *[N]uint64) { addGeneric(dst, a, b) }

func subVec(dst, a, b *[N]uint64) { subGeneric(dst, a, b) }

func mulVec(dst, a, b *[N]uint64) { mulGeneric(dst, a, b) }

func mulAdd(lo, hi, x, y *[N]uint64) { mulAddGeneric(lo, hi, x, y) }

func reduceAcc(dst, lo, hi *[N]uint64) { reduceAccGeneric(dst, lo, hi) }

func accept(x []uint64) int { return acceptGeneric(x) }

func ternary(x *[N]uint64) { ternaryGeneric(x) }

func gaussian(dst *[8 * 64]uint64, words *[8 * 65]uint64) { gaussianGeneric(dst, words) }

func pack(dst []byte, src []uint64, bits, drop int) { packGeneric(dst, src, bits, drop) }

func unpack(dst []uint64, src []byte, bits int) { unpackGeneric(dst, src, bits) }

func mulAddPairs(a, b *Acc, xs [][2]NTT, ws []NTT) {
	for i := range xs {
		mulAdd(&a.lo, &a.hi, (*[N]uint64)(&xs[i][0]), (*[N]uint64)(&ws[i]))
		mulAdd(&b.lo, &b.hi, (*[N]uint64)(&xs[i][1]), (*[N]uint64)(&ws[i]))
	}
}

func mulAddScalars(sums *[Columns][2]Acc, xs [][2]NTT, ws [][Columns]uint64) {
	mulAddScalarsGeneric(sums, xs, ws)
}

func fromSigned(dst []uint64, src []int32) { fromSignedGeneric(dst, src) }

func scaleUp(dst []uint64, src []uint32, bits int) { scaleUpGeneric(dst, src, bits) }

func scaleDown(dst []uint32, src []uint64, bits int, add uint64) {
	scaleDownGeneric(dst, src, bits, add)
}

func restore(x []uint64, drop int) bool { return restoreGeneric(x, drop) }
