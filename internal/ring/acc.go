package ring

import "math/bits"

// MaxTerms is the number of products that an Acc is tested to hold; it has no
// limit of its own.
const MaxTerms = 1 << 26

// maxLazy is the number of products between two reductions: their lower halves,
// below 2^52 each, fill a word.
const maxLazy = 1 << 12

// Acc is a sum of products of NTT forms that is reduced once, at the end, or
// every maxLazy products. The zero value is an empty sum.
type Acc struct {
	lo, hi [N]uint64 // the sum is hi·2^52 + lo
	terms  int       // products in it, at most maxLazy
}

// Zero empties the sum.
func (a *Acc) Zero() { *a = Acc{} }

// MulAdd adds x·y.
func (a *Acc) MulAdd(x, y *NTT) {
	if a.terms == maxLazy {
		a.carry()
	}
	a.terms++
	mulAdd(&a.lo, &a.hi, (*[N]uint64)(x), (*[N]uint64)(y))
}

// MulAddPairs adds x[0]·w to a and x[1]·w to b for each x of xs with its w of ws,
// as many. For several terms that is quicker than MulAdd, since the sums stay in
// registers.
func MulAddPairs(a, b *Acc, xs [][2]NTT, ws []NTT) {
	for len(xs) > 0 {
		if max(a.terms, b.terms) == maxLazy {
			a.carry()
			b.carry()
		}
		n := min(len(xs), maxLazy-max(a.terms, b.terms))
		a.terms += n
		b.terms += n
		mulAddPairs(a, b, xs[:n], ws[:n])
		xs, ws = xs[n:], ws[n:]
	}
}

// Columns is how many pairs of sums MulAddScalars works on.
const Columns = 4

// scalarTerms is how many terms one passage goes through: so many lines of
// memory, far apart from each other, stay in the cache. LOCAL
const scalarTerms = 128

// MulAddScalars adds, for every k, x[0]·w[k] to sums[k][0] and x[1]·w[k] to
// sums[k][1] for each x of xs with its w of ws, as many; the words w[k] are below
// Q. Four sums share one passage through xs.
func MulAddScalars(sums *[Columns][2]Acc, xs [][2]NTT, ws [][Columns]uint64) {
	for len(xs) > 0 {
		terms := 0
		for k := range sums {
			terms = max(terms, sums[k][0].terms, sums[k][1].terms)
		}
		if terms == maxLazy {
			for k := range sums {
				sums[k][0].carry()
				sums[k][1].carry()
			}
			terms = 1
		}
		n := min(len(xs), maxLazy-terms, scalarTerms)
		mulAddScalars(sums, xs[:n], ws[:n])
		for k := range sums {
			sums[k][0].terms += n
			sums[k][1].terms += n
		}
		xs, ws = xs[n:], ws[n:]
	}
}

func mulAddScalarsGeneric(sums *[Columns][2]Acc, xs [][2]NTT, ws [][Columns]uint64) {
	for i := range xs {
		for k, w := range ws[i] {
			mulAddScalarGeneric(&sums[k][0], &xs[i][0], w)
			mulAddScalarGeneric(&sums[k][1], &xs[i][1], w)
		}
	}
}

// mulAddScalarGeneric is mulAddGeneric with one word for all of y.
func mulAddScalarGeneric(a *Acc, x *NTT, w uint64) {
	for i := range x {
		h, l := bits.Mul64(x[i], w)
		a.lo[i] += l & mask52
		a.hi[i] += h<<12 | l>>52
	}
}

// carry reduces the sum, which then counts as one product.
func (a *Acc) carry() {
	reduceAcc(&a.lo, &a.lo, &a.hi)
	clear(a.hi[:])
	a.terms = 1
}

// Reduce sets dst to the sum and leaves the Acc as it is.
func (a *Acc) Reduce(dst *NTT) { reduceAcc((*[N]uint64)(dst), &a.lo, &a.hi) }

// mulAddGeneric adds the halves of x·y, of 52 bits below and 48 above. It needs
// x, y < Q.
func mulAddGeneric(lo, hi, x, y *[N]uint64) {
	for i := range lo {
		h, l := bits.Mul64(x[i], y[i])
		lo[i] += l & mask52
		hi[i] += h<<12 | l>>52
	}
}

// mask52 cuts words to the lower half of a product.
const mask52 = 1<<52 - 1

// limb is 2^64 mod Q = 2^14·(2^14 − 1).
var limb = newFactor(1<<28 - 1<<14)

// reduceAccGeneric needs any lo and hi, returns dst < Q, congruent to
// hi·2^52 + lo. As two words of 64 bits the upper is below 2^53: mul gives less
// than 5Q/4, fold less than 2^50 + 2^28 (< Q + 2^29), so the sum is below
// 9Q/4 + 2^29 < 2^52 and a second fold leaves it below 2^50 + 2^16.
func reduceAccGeneric(dst, lo, hi *[N]uint64) {
	for i := range dst {
		l, carry := bits.Add64(lo[i], hi[i]<<52, 0)
		h := hi[i]>>12 + carry
		dst[i] = reduceOnce(fold(limb.mul(h) + fold(l)))
	}
}
