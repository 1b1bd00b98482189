package ring

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"dorcas/internal/impl/impltest"
)

// TestMulAddScalars compares with sums of products with constant polynomials,
// on edge values, for numbers of terms around the tile and beyond what a sum
// holds between reductions.
func TestMulAddScalars(t *testing.T) {
	e := edges()
	impltest.Each(t, kernels, func(t *testing.T) {
		r := newRand(21)
		for _, terms := range []int{0, 1, 2, 3, 4, 5, 9, 40, maxLazy + 3} {
			if terms > 40 && testing.Short() {
				terms = maxLazy/8 + 1
			}
			xs := make([][2]NTT, min(terms, 40))
			for i := range xs {
				for j := range N {
					xs[i][0][j], xs[i][1][j] = e[(i+j)%len(e)], e[(3*i+j*7+1)%len(e)]
				}
			}
			ws := make([][Columns]uint64, len(xs))
			for i := range ws {
				for k := range ws[i] {
					ws[i][k] = e[r.IntN(len(e))]
				}
			}
			var got, want [Columns][2]Acc
			for done := 0; done < terms; done += len(xs) {
				n := min(len(xs), terms-done)
				MulAddScalars(&got, xs[:n], ws[:n])
				for i := range n {
					for k := range want {
						var w NTT
						for j := range w {
							w[j] = ws[i][k]
						}
						want[k][0].MulAdd(&xs[i][0], &w)
						want[k][1].MulAdd(&xs[i][1], &w)
					}
				}
			}
			for k := range got {
				for half := range got[k] {
					var a, b NTT
					got[k][half].Reduce(&a)
					want[k][half].Reduce(&b)
					if a != b {
						t.Fatalf("%d terms: sum %d, half %d differs", terms, k, half)
					}
				}
			}
		}
	})
}

// BenchmarkScalars compares, interleaved, four sums of products with constants
// by MulAddScalars and by MulAddPairs with the constants as polynomials.
func BenchmarkScalars(b *testing.B) {
	for _, terms := range []int{16, 64, 256, 512} {
		b.Run(fmt.Sprint(terms), func(b *testing.B) {
			xs, plain := make([][2]NTT, terms), make([]NTT, Columns*terms)
			ws := make([][Columns]uint64, terms)
			s := NewStream(&seed, "scalars", 0)
			for i := range xs {
				UniformNTT(&xs[i][0], s)
				UniformNTT(&xs[i][1], s)
				Uniform(ws[i][:], s)
			}
			for i := range plain {
				UniformNTT(&plain[i], s)
			}
			var sums [Columns][2]Acc
			var scalars, pairs []time.Duration
			for b.Loop() {
				start := time.Now()
				MulAddScalars(&sums, xs, ws)
				half := time.Now()
				for k := range sums {
					MulAddPairs(&sums[k][0], &sums[k][1], xs, plain[k*terms:][:terms])
				}
				scalars, pairs = append(scalars, half.Sub(start)), append(pairs, time.Since(half))
			}
			per := float64(Columns * terms)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(least(scalars).Nanoseconds())/per, "scalar-ns/product")
			b.ReportMetric(float64(least(pairs).Nanoseconds())/per, "pairs-ns/product")
		})
	}
}

func least(d []time.Duration) time.Duration { return slices.Min(d) }
