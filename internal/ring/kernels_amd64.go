//go:build amd64 && !purego

package ring

import "dorcas/internal/impl"

//go:generate sh -c "cd _asm && go run . -out ../kernels_amd64.s -stubs ../kernels_stubs_amd64.go -pkg ring"

// kernels is AVX-512 with 52-bit products and permutations of bytes, or portable
// Go. Both give the same values.
var kernels = impl.New("ring", impl.Impl{Name: "avx512ifma", Available: impl.AVX512IFMA}, impl.Generic)

func vectorised() bool { return kernels.Use() == 0 }

func forward(dst, src *[N]uint64) {
	if vectorised() {
		forwardIFMA(dst, src, &forwardTables.shift)
	} else {
		forwardGeneric(dst, src)
	}
}

func inverse(dst, src *[N]uint64) {
	if vectorised() {
		inverseIFMA(dst, src, &inverseTables.shift)
	} else {
		inverseGeneric(dst, src)
	}
}

func addVec(dst, a, b *[N]uint64) {
	if vectorised() {
		addIFMA(dst, a, b)
	} else {
		addGeneric(dst, a, b)
	}
}

func subVec(dst, a, b *[N]uint64) {
	if vectorised() {
		subIFMA(dst, a, b)
	} else {
		subGeneric(dst, a, b)
	}
}

func mulVec(dst, a, b *[N]uint64) {
	if vectorised() {
		mulIFMA(dst, a, b)
	} else {
		mulGeneric(dst, a, b)
	}
}

func mulAdd(lo, hi, x, y *[N]uint64) {
	if vectorised() {
		mulAddIFMA(lo, hi, x, y)
	} else {
		mulAddGeneric(lo, hi, x, y)
	}
}

func reduceAcc(dst, lo, hi *[N]uint64) {
	if vectorised() {
		reduceAccIFMA(dst, lo, hi)
	} else {
		reduceAccGeneric(dst, lo, hi)
	}
}

func mulAddPairs(a, b *Acc, xs [][2]NTT, ws []NTT) {
	if vectorised() && len(xs) > 1 {
		mulAddPairsIFMA(&a.lo, &a.hi, &b.lo, &b.hi, (*[N]uint64)(&xs[0][0]), (*[N]uint64)(&ws[0]), len(xs))
		return
	}
	for i := range xs {
		mulAdd(&a.lo, &a.hi, (*[N]uint64)(&xs[i][0]), (*[N]uint64)(&ws[i]))
		mulAdd(&b.lo, &b.hi, (*[N]uint64)(&xs[i][1]), (*[N]uint64)(&ws[i]))
	}
}

func mulAddScalars(sums *[Columns][2]Acc, xs [][2]NTT, ws [][Columns]uint64) {
	if vectorised() {
		mulAddScalarsIFMA(&sums[0][0].lo, (*[N]uint64)(&xs[0][0]), &ws[0], len(xs))
	} else {
		mulAddScalarsGeneric(sums, xs, ws)
	}
}

// accept leaves the words beyond the last whole vector to the generic one.
func accept(x []uint64) int {
	vectors := len(x) / 8
	if !vectorised() || vectors == 0 {
		return acceptGeneric(x)
	}
	n := acceptIFMA(&x[0], vectors)
	rest := x[8*vectors:]
	return n + copy(x[n:], rest[:acceptGeneric(rest)])
}

func ternary(x *[N]uint64) {
	if vectorised() {
		ternaryIFMA(x)
	} else {
		ternaryGeneric(x)
	}
}

func gaussian(dst *[8 * 64]uint64, words *[8 * 65]uint64) {
	if vectorised() {
		gaussianIFMA(dst, words, &searchTable)
	} else {
		gaussianGeneric(dst, words)
	}
}

// searchTable is what gaussianIFMA searches; see _asm/sample.go for its order.
var searchTable = newSearchTable()

func newSearchTable() (t [64]uint64) {
	below := func(n int) uint64 { // the largest x whose magnitude is n or less
		if n < MaxError {
			return ^tail[n]
		}
		return ^uint64(0)
	}
	t[0] = below(15)
	for r := range 16 {
		n := r&1<<4 | r&2<<2 | r&4 | r&8>>2
		switch {
		case r < 2:
			t[8+r] = below(n + 7)
			fallthrough
		case r < 4:
			t[16+r] = below(n + 3)
			fallthrough
		case r < 8:
			t[24+r] = below(n + 1)
		}
		t[32+r], t[48+r] = below(n), uint64(n)
	}
	return t
}
