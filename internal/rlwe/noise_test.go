package rlwe

import (
	"math"
	"strings"
	"testing"

	"dorcas/internal/ring"
)

// within computes the condition of AnswerParams by floating point, from the
// formula in its comment; slack > 1 makes it stricter.
func within(p AnswerParams, d0, d1 int, slack float64) bool {
	norm2 := math.Exp2(float64(2 * p.NormBits))
	v := norm2*(3.2*3.2+2.0/12) + (3.2*3.2+1.0/12)*(2*ring.N+1)
	means := math.Sqrt(norm2*ring.N*float64(p.Terms)) / math.Exp2(float64(p.T+1))
	if d1 > 0 {
		v += 0.77 * ring.N * math.Exp2(float64(2*d1)) / 12
		means += ring.N / 2
	}
	cut := 0.0
	if d0 > 0 {
		cut = math.Exp2(float64(d0 - 1))
	}
	guard := max(p.Guard, 2)
	return slack*(math.Sqrt(86*v)+means+cut) < ring.Q/math.Exp2(float64(p.T+guard))
}

// TestBits: the pair kept is within the bound, and the cheapest pair within a
// slightly stricter one is no cheaper.
func TestBits(t *testing.T) {
	count := 0
	for T := 4; T <= 31; T += 3 {
		for guard := 1; guard <= 4; guard++ {
			for norm := 0; norm <= 16; norm += 4 {
				for _, terms := range []int{1, 4096} {
					p := AnswerParams{T, guard, norm, terms}
					err := p.Check()
					if T+guard > 32 {
						if err == nil {
							t.Fatalf("%+v: more than 32 bits accepted", p)
						}
						continue
					}
					if err == nil && !within(p, 0, 0, 1) || err != nil && within(p, 0, 0, 1.01) {
						t.Fatalf("%+v: Check says %v", p, err)
					}
					if err != nil {
						continue
					}
					count++
					checkBits(t, p)
				}
			}
		}
	}
	if count < 200 {
		t.Fatalf("only %d parameters are within the budget", count)
	}
}

func checkBits(t *testing.T, p AnswerParams) {
	t.Helper()
	var largest [ring.LogQ]int // the largest cut of c1 beside each of c0
	for d0 := range largest {
		largest[d0] = maxCut
		for largest[d0] >= 0 && !within(p, d0, largest[d0], 1.03) {
			largest[d0]--
		}
	}
	for _, wanted := range []int{0, 1, 100, ring.N / 4, ring.N} {
		b0, b1 := p.Bits(wanted)
		if b0 < 1 || b0 > ring.LogQ || b1 < ring.LogQ-maxCut || b1 > ring.LogQ || !within(p, ring.LogQ-b0, ring.LogQ-b1, 1) {
			t.Fatalf("%+v keeps %d and %d bits", p, b0, b1)
		}
		if got, want := p.Size(wanted), (ring.N*b1+7)/8+(wanted*b0+7)/8; got != want {
			t.Fatalf("%+v: size %d, want %d", p, got, want)
		}
		for d0, d1 := range largest {
			if d1 >= 0 && wanted*(ring.LogQ-d0)+ring.N*(ring.LogQ-d1) < wanted*b0+ring.N*b1 {
				t.Fatalf("%+v, %d wanted: keeps %d and %d bits, %d and %d would do", p, wanted, b0, b1, ring.LogQ-d0, ring.LogQ-d1)
			}
		}
	}
}

// TestBitsTable shows the sizes that the documentation gives.
func TestBitsTable(t *testing.T) {
	for _, c := range []struct {
		AnswerParams
		wanted, b0, b1 int
	}{
		{AnswerParams{20, 2, 11, 1}, ring.N, 22, 30},
		{AnswerParams{20, 1, 11, 1}, ring.N, 22, 30},
		{AnswerParams{20, 2, 11, 1}, 16, 24, 29},
		{AnswerParams{28, 2, 13, 4}, ring.N, 30, 38},
		{AnswerParams{28, 4, 13, 4}, ring.N, 36, 41},
	} {
		if b0, b1 := c.Bits(c.wanted); b0 != c.b0 || b1 != c.b1 {
			t.Errorf("%+v: %d and %d bits", c, b0, b1)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		AnswerParams
		err string
	}{
		{AnswerParams{28, 2, 14, 4}, ""},
		{AnswerParams{28, 4, 13, 4}, ""},
		{AnswerParams{0, 2, 1, 1}, "0 bits of plaintext"},
		{AnswerParams{33, 1, 1, 1}, "33 bits of plaintext"},
		{AnswerParams{8, 0, 1, 1}, "0 guard bits"},
		{AnswerParams{30, 3, 1, 1}, "3 guard bits"},
		{AnswerParams{8, math.MaxInt, 1, 1}, "guard bits"},
		{AnswerParams{8, 2, -1, 1}, "norm 2^-1"},
		{AnswerParams{8, 2, 32, 1}, "norm 2^32"},
		{AnswerParams{8, 2, 1, 0}, "0 products"},
		{AnswerParams{8, 2, 1, ring.MaxTerms + 1}, "products"},
		{AnswerParams{28, 4, 14, 4}, "noise budget"},
		{AnswerParams{28, 2, 16, 4}, "noise budget"},
	} {
		err := c.Check()
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%+v: error %v, want %q", c.AnswerParams, err, c.err)
		}
	}
}

// TestProxies computes E exp(tX) of the error distribution and of the roundings
// and compares with exp(t²v/2).
func TestProxies(t *testing.T) {
	mass := func(k int) float64 {
		g := func(x float64) float64 { return math.Erfc(x/(ring.Sigma*math.Sqrt2)) / 2 }
		return g(math.Abs(float64(k))-0.5) - g(math.Abs(float64(k))+0.5)
	}
	for s := 1e-3; s < 4; s *= 1.07 {
		total, moment := 0.0, 0.0
		for k := -ring.MaxError; k <= ring.MaxError; k++ {
			total += mass(k)
			moment += mass(k) * math.Exp(s*float64(k))
		}
		if v := 2 * math.Log(moment/total) / (s * s); v > 10.33 {
			t.Fatalf("Gaussian: proxy %v at t = %v", v, s)
		}
		for d := 1; d <= 12; d++ {
			m := 0.0 // uniform on 2^d points, centred, unit distance
			for x := range 1 << d {
				m += math.Exp(s / math.Exp2(float64(d)) * (float64(x) - (math.Exp2(float64(d))-1)/2))
			}
			if v := 2 * math.Log(m/math.Exp2(float64(d))) / (s * s); v > 1.0/12 {
				t.Fatalf("uniform on 2^%d points: proxy %v at t = %v", d, v, s)
			}
		}
		if v := 2 * math.Log((1+2*math.Cosh(s))/3) / (s * s); v > 2.0/3+1e-9 {
			t.Fatalf("ternary: proxy %v at t = %v", v, s)
		}
	}
	// Chernoff's bound of ‖s‖² > 0.77·N, in bits.
	if b := ring.N * (0.77*math.Log2(0.77*3/2) + 0.23*math.Log2(0.23*3)); b < 70 {
		t.Errorf("‖s‖² is beyond its bound with probability 2^-%v", b)
	}
}
