package ring

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"math/big"
	"testing"

	"dorcas/internal/impl/impltest"
)

var seed = [32]byte{1, 2, 3}

func TestUniformRejects(t *testing.T) { impltest.Each(t, kernels, testUniformRejects) }

func testUniformRejects(t *testing.T) {
	x := []uint64{Q, 5, 1<<50 - 1, Q - 1, 1<<50 + 7, Q | 1<<60, 0}
	if n := accept(x); n != 4 || x[0] != 5 || x[1] != Q-1 || x[2] != 7 || x[3] != 0 {
		t.Fatalf("accept keeps %d: %v", n, x)
	}
	if n := accept([]uint64{Q, Q + 1}); n != 0 {
		t.Fatalf("accept keeps %d of none", n)
	}
}

// TestUniformSplit: calls of any length continue each other.
func TestUniformSplit(t *testing.T) { impltest.Each(t, kernels, testUniformSplit) }

func testUniformSplit(t *testing.T) {
	whole := make([]uint64, 3000)
	Uniform(whole, NewStream(&seed, "test", 0))
	s, got := NewStream(&seed, "test", 0), make([]uint64, 0, 3000)
	for n := 1; len(got) < 3000; n = n*2 + 1 {
		part := make([]uint64, min(n, 3000-len(got)))
		Uniform(part, s)
		got = append(got, part...)
	}
	for i := range whole {
		if whole[i] != got[i] {
			t.Fatalf("value %d depends on the lengths of calls", i)
		}
	}
}

// chiSquare fails if the counts are 6.5 standard deviations or more from what is
// expected, a chance of about 10^-9 for honest counts.
func chiSquare(t *testing.T, what string, counts []int, expected []float64) {
	t.Helper()
	sum := 0.0
	for i, e := range expected {
		d := float64(counts[i]) - e
		sum += d * d / e
	}
	free := float64(len(expected) - 1)
	if limit := free + 6.5*math.Sqrt(2*free) + 15; sum > limit {
		t.Errorf("%s: chi-square %.1f, limit %.1f", what, sum, limit)
	}
}

func TestUniformDistribution(t *testing.T) {
	const polys = 100
	s := NewStream(&seed, "test", 1)
	high, low := make([]int, 256), make([]int, 256)
	expected := make([]float64, 256)
	for range polys {
		var p Poly
		UniformPoly(&p, s)
		for _, v := range p {
			if v >= Q {
				t.Fatal("value not below Q")
			}
			high[v>>(LogQ-8)]++
			low[v&255]++
		}
	}
	for i := range expected {
		expected[i] = polys * N / 256
	}
	chiSquare(t, "high bits", high, expected)
	chiSquare(t, "low bits", low, expected)
}

func signed(v uint64) int {
	if v > Q/2 {
		return -int(Q - v)
	}
	return int(v)
}

func TestTernaryDistribution(t *testing.T) {
	const polys = 100
	s := NewStream(&seed, "test", 2)
	counts, pairs := make([]int, 3), make([]int, 9)
	for range polys {
		var p Poly
		Ternary(&p, s)
		for i, v := range p {
			if v > 1 && v != Q-1 {
				t.Fatalf("ternary value %d", v)
			}
			counts[signed(v)+1]++
			if i%2 == 1 {
				pairs[3*(signed(p[i-1])+1)+signed(v)+1]++
			}
		}
	}
	third, ninth := polys*N/3.0, polys*N/18.0
	chiSquare(t, "values", counts, []float64{third, third, third})
	chiSquare(t, "neighbours", pairs, []float64{ninth, ninth, ninth, ninth, ninth, ninth, ninth, ninth, ninth})
}

func TestTernaryWords(t *testing.T) { impltest.Each(t, kernels, testTernaryWords) }

func testTernaryWords(t *testing.T) {
	const third = math.MaxUint64 / 3
	x := [N]uint64{0, third, third + 1, 2 * third, 2*third + 1, math.MaxUint64}
	ternary(&x)
	if want := [6]uint64{0, 0, 1, 1, Q - 1, Q - 1}; [6]uint64(x[:6]) != want {
		t.Fatalf("got %v, want %v", x[:6], want)
	}
}

// tailProbability returns P(|X| ≥ k) for X = round(G) given |X| ≤ MaxError, by
// the series of the error function: erf(x)·√π/2 = Σ (−1)^n x^(2n+1)/(n!(2n+1)).
// The factor cancels in the quotient.
func tailProbability(k int) *big.Float {
	const precision = 300
	number := func(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }
	erf := func(k int) *big.Float { // at (k − 1/2)/(σ√2), squared: (2k−1)²/(8σ²)
		square := number(float64((2*k - 1) * (2*k - 1)))
		square.Quo(square, number(8))
		square.Mul(square, number(100)).Quo(square, number(1024))
		term := new(big.Float).SetPrec(precision).Sqrt(square)
		sum := number(0)
		for n := range 400 {
			sum.Add(sum, new(big.Float).Quo(term, number(float64(2*n+1))))
			term.Mul(term, square).Quo(term, number(float64(-(n + 1))))
		}
		return sum
	}
	all := erf(MaxError + 1)
	return new(big.Float).Quo(new(big.Float).Sub(all, erf(k)), all)
}

func TestTailTable(t *testing.T) {
	for k := 1; k <= MaxError; k++ {
		p := tailProbability(k)
		p.SetMantExp(p, 64).Add(p, big.NewFloat(0.5))
		if want, _ := p.Uint64(); tail[k-1] != want {
			t.Errorf("tail[%d] = %#x, want %#x", k-1, tail[k-1], want)
		}
	}
}

// TestGaussianWords probes both sides of each threshold.
func TestGaussianWords(t *testing.T) { impltest.Each(t, kernels, testGaussianWords) }

func testGaussianWords(t *testing.T) {
	for sign := range uint64(2) {
		for k := range tail {
			var words [8 * 65]uint64
			for i := range words {
				words[i] = [4]uint64{-tail[k] - 1, -tail[k], 0, math.MaxUint64}[i%65*3%4]
				if i%65 == 0 {
					words[i] = -sign
				}
			}
			var x [8 * 64]uint64
			gaussian(&x, &words)
			f := 1 - 2*int(sign)
			for i, v := range x {
				if want := [4]int{f * k, f * (k + 1), 0, f * MaxError}[(i%64+1)*3%4]; signed(v) != want {
					t.Fatalf("threshold %d, sign %d: %d, want %d", k+1, sign, signed(v), want)
				}
				if v >= Q {
					t.Fatalf("zero with sign is %d", v)
				}
			}
		}
	}
}

func TestGaussianDistribution(t *testing.T) {
	polys := 1000
	if testing.Short() {
		polys = 200
	}
	s := NewStream(&seed, "test", 3)
	count := make([]int, 2*MaxError+1)
	sum, squares, neighbours, n := 0, 0, 0, float64(polys*N)
	for range polys {
		var p Poly
		Gaussian(&p, s)
		for i, v := range p {
			e := signed(v)
			if e < -MaxError || e > MaxError {
				t.Fatalf("Gaussian value %d", e)
			}
			count[e+MaxError]++
			sum += e
			squares += e * e
			neighbours += e * signed(p[(i+1)%N])
		}
	}
	const variance = Sigma*Sigma + 1.0/12
	if mean := float64(sum) / n; math.Abs(mean) > 6*math.Sqrt(variance/n) {
		t.Errorf("mean %v", mean)
	}
	if v := float64(squares) / n; math.Abs(v-variance) > 6*variance*math.Sqrt(2/n) {
		t.Errorf("variance %v, want %v", v, variance)
	}
	if c := float64(neighbours) / n; math.Abs(c) > 6*variance/math.Sqrt(n) {
		t.Errorf("covariance of neighbours %v", c)
	}
	// Values beyond ±13 are counted together: each bucket expects more than 5.
	const cut = 13
	buckets, expected := make([]int, 2*cut+1), make([]float64, 2*cut+1)
	for e := -MaxError; e <= MaxError; e++ {
		b := max(-cut, min(cut, e)) + cut
		buckets[b] += count[e+MaxError]
		g := func(x float64) float64 { return math.Erfc(x/(Sigma*math.Sqrt2)) / 2 }
		expected[b] += n * (g(float64(e)-0.5) - g(float64(e)+0.5))
	}
	chiSquare(t, "values", buckets, expected)
	// Tails: about 46 of 10^6 values reach ±14 (4.2 σ).
	beyond := 0
	for e := 14; e <= MaxError; e++ {
		beyond += count[MaxError+e] + count[MaxError-e]
	}
	if want := n * math.Erfc(13.5/(Sigma*math.Sqrt2)); math.Abs(float64(beyond)-want) > 6*math.Sqrt(want) {
		t.Errorf("%d values reach ±14, want %.1f", beyond, want)
	}
}

// TestGolden fixes the order of values, the words that samplers read and the
// bytes of packing, for other implementations to meet.
func TestGolden(t *testing.T) { impltest.Each(t, kernels, testGolden) }

func testGolden(t *testing.T) {
	h := sha256.New()
	s := NewStream(&seed, "golden", 0)
	var a, e, u Poly
	var x, y NTT
	packed := make([]byte, PackedSize(N, LogQ))
	var acc Acc
	for range 100 {
		UniformNTT(&x, s)
		Gaussian(&e, s)
		Ternary(&u, s)
		Forward(&y, &u)
		acc.MulAdd(&x, &y)
		y.Mul(&x, &y)
		Inverse(&a, &y)
		a.Add(&a, &e)
		PackBits(packed, a[:], LogQ)
		h.Write(packed)
		acc.Reduce(&x)
		PackBits(packed, x[:], LogQ)
		h.Write(packed)
	}
	const want = "358115a01680c821df6f0312dd27a2c9d2868a47e00a893666fc15cb1e3ca554"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestNoAllocation(t *testing.T) { impltest.Each(t, kernels, testNoAllocation) }

func testNoAllocation(t *testing.T) {
	s := NewStream(&seed, "test", 4)
	var p, q Poly
	var x, y NTT
	var acc, acc2 Acc
	packed, shares := make([]byte, PackedSize(N, LogQ)), make([]uint32, N)
	xs, ws := make([][2]NTT, 2), make([]NTT, 2)
	for name, f := range map[string]func(){
		"Forward":  func() { Forward(&x, &p) },
		"Inverse":  func() { Inverse(&q, &x) },
		"Mul":      func() { y.Mul(&x, &y) },
		"MulAdd":   func() { acc.MulAdd(&x, &y) },
		"Reduce":   func() { acc.Reduce(&x) },
		"Uniform":  func() { UniformNTT(&x, s) },
		"Ternary":  func() { Ternary(&p, s) },
		"Gaussian": func() { Gaussian(&p, s) },
		"pairs":    func() { MulAddPairs(&acc, &acc2, xs, ws) },
		"scale":    func() { ScaleUp(&p, shares, 22); ScaleDown(shares, p[:], 22, true) },
		"top":      func() { PackTop(packed[:PackedSize(N, 30)], p[:], 30); UnpackTop(q[:], packed[:PackedSize(N, 30)], 30) },
		"signed":   func() { FromSigned(&p, []int32{1, -1}) },
		"pack":     func() { PackBits(packed, p[:], LogQ); UnpackBits(q[:], packed, LogQ) },
	} {
		if n := testing.AllocsPerRun(3, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
