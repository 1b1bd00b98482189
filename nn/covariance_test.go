package nn

import (
	"math"
	"math/rand/v2"
	"testing"
)

// inputs returns vectors whose elements vary together, with a mean.
func correlated(rng *rand.Rand, count, n int) [][]float32 {
	mix := floats(rng, n*10)
	xs := make([][]float32, count)
	for k := range xs {
		z := floats(rng, 10)
		x := floats(rng, n)
		for i := range x {
			x[i] = 0.2*x[i] + 1
			for j, v := range z {
				x[i] += mix[i*10+j] * v
			}
		}
		xs[k] = x
	}
	return xs
}

// The factor, multiplied out, is the damped covariance computed directly.
func TestCovarianceFactor(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 12
	xs := correlated(rng, 50, n)
	c := newCovariance(n)
	for _, x := range xs {
		c.add(x)
	}
	c.finish()
	mean := make([]float64, n)
	for _, x := range xs {
		for i, v := range x {
			mean[i] += float64(v) / float64(len(xs))
		}
	}
	cov := func(i, j int) (s float64) {
		for _, x := range xs {
			s += (float64(x[i]) - mean[i]) * (float64(x[j]) - mean[j]) / float64(len(xs))
		}
		return s
	}
	var trace float64
	for i := range n {
		trace += cov(i, i)
	}
	r := func(i, j int) float64 {
		if j < i {
			return 0
		}
		return c.blocks[0][i*n-i*(i-1)/2+j-i]
	}
	for i := range n {
		if math.Abs(c.mean[i]-mean[i]) > 1e-9 {
			t.Fatalf("mean %d is %v, want %v", i, c.mean[i], mean[i])
		}
		for j := range n {
			var got float64
			for k := range n {
				got += r(k, i) * r(k, j)
			}
			want := cov(i, j)
			if i == j {
				want += damping * trace / n
			}
			if math.Abs(got-want) > 1e-9 {
				t.Fatalf("element %d, %d is %v, want %v", i, j, got, want)
			}
		}
	}
}

// Rounding by the covariance changes results less than rounding to the
// nearest, also across blocks, and leaves integers alone.
func TestCovarianceRound(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{40, maxBlock + 20} {
		xs := correlated(rng, 300, n)
		c := newCovariance(n)
		for _, x := range xs[:200] {
			c.add(x)
		}
		c.finish()
		w := floats(rng, n)
		const perUnit = 20
		dst, errors := make([]int16, n), make([]float64, n)
		c.round(dst, w, perUnit, -15, 15, errors)
		var mine, nearest float64
		for _, x := range xs[200:] { // others than it knows
			var a, b float64
			for i, v := range x {
				d := float64(v) - c.mean[i]
				k := min(max(math.Floor(float64(w[i])*perUnit+0.5), -15), 15)
				a += d * (float64(dst[i]) - float64(w[i])*perUnit)
				b += d * (k - float64(w[i])*perUnit)
			}
			mine, nearest = mine+a*a, nearest+b*b
		}
		if mine > nearest/2 {
			t.Errorf("%d taps: error %.3g, to the nearest %.3g", n, mine, nearest)
		}
		for i, k := range dst {
			if k < -15 || k > 15 {
				t.Fatalf("weight %d is %d", i, k)
			}
			w[i] = float32(k) / 32
		}
		again := make([]int16, n)
		c.round(again, w, 32, -16, 15, errors)
		for i := range again {
			if again[i] != dst[i] {
				t.Fatalf("integer %d became %d", dst[i], again[i])
			}
		}
	}
}

// Taps that never vary, and a single sample, are rounded to the nearest.
func TestCovarianceOfNothing(t *testing.T) {
	c := newCovariance(3)
	c.add([]float32{1, 0, -2})
	c.finish()
	dst := make([]int16, 3)
	c.round(dst, []float32{1.4, -2.6, 0.5}, 1, -128, 127, make([]float64, 3))
	if dst[0] != 1 || dst[1] != -3 || dst[2] != 1 {
		t.Errorf("rounded to %v", dst)
	}
}
