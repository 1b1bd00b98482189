package ring

import "math/bits"

// MaxTerms is the number of products that an Acc can hold: each is below
// 2^100, so their sum stays below 2^126 and its upper limb below 2^62.
const MaxTerms = 1 << 26

// Acc is a sum of products of NTT forms that is reduced once, at the end. The
// zero value is an empty sum.
type Acc struct{ lo, hi [N]uint64 }

// Zero empties the sum.
func (a *Acc) Zero() { *a = Acc{} }

// MulAdd adds x·y. At most MaxTerms products fit between two calls of Zero.
func (a *Acc) MulAdd(x, y *NTT) { mulAdd(&a.lo, &a.hi, (*[N]uint64)(x), (*[N]uint64)(y)) }

// Reduce sets dst to the sum and leaves the Acc as it is.
func (a *Acc) Reduce(dst *NTT) { reduceAcc((*[N]uint64)(dst), &a.lo, &a.hi) }

// mulAdd needs x, y < Q.
func mulAdd(lo, hi, x, y *[N]uint64) {
	for i := range lo {
		h, l := bits.Mul64(x[i], y[i])
		sum, carry := bits.Add64(lo[i], l, 0)
		lo[i], hi[i] = sum, hi[i]+h+carry
	}
}

// limb is 2^64 mod Q = 2^14·(2^14 − 1).
var limb = newFactor(1<<28 - 1<<14)

// reduceAcc needs hi < 2^62, returns dst < Q: mul gives less than 5Q/4, fold
// less than 2^50 + 2^28 (< Q + 2^29), so the sum is below 9Q/4 + 2^29 < 2^52
// and a second fold leaves it below 2^50 + 2^16.
func reduceAcc(dst, lo, hi *[N]uint64) {
	for i := range dst {
		dst[i] = reduceOnce(fold(limb.mul(hi[i]) + fold(lo[i])))
	}
}
