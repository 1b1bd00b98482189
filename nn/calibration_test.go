package nn

import (
	"math"
	"math/rand/v2"
	"testing"
)

// outliers returns values spread evenly over 0 to 1, of which each 1/share-th
// is size instead.
func outliers(n int, share, size float64) *statistics {
	rng := rand.New(rand.NewPCG(8, 8))
	s := &statistics{lo: math.Inf(1), hi: math.Inf(-1)}
	every := math.MaxInt
	if share > 0 {
		every = int(math.Round(1 / share))
	}
	for i := range n {
		v := rng.Float64()
		if i%every == every-1 {
			v = size
		}
		s.values = append(s.values, v)
		s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	}
	return s
}

// Each method treats planted outliers as its definition says: 8 unsigned bits
// hold values below 1 at 2^-8, those of 30 at 2^-3.
func TestCalibrationMethods(t *testing.T) {
	for _, c := range []struct {
		name                              string
		share, size                       float64
		minmax, most, more, least, atMost int // percentile 99.99, 99.9; mse from to
	}{
		{"none", 0, 0, 8, 8, 8, 8, 8},
		// Both percentiles clamp it, but the mean square error of clamping 30
		// to 16 is more than that of rounding all others to 1/8.
		{"one in 50 000", 1. / 50000, 30, 3, 8, 8, 3, 3},
		// Between both: 2.2 clamped to 2 is less than rounding to 1/64.
		{"near", 1. / 50000, 2.2, 6, 8, 8, 7, 7},
		{"one in 5000", 1. / 5000, 30, 3, 3, 8, 3, 5},
		{"one in 100", 1. / 100, 30, 3, 3, 3, 3, 4},
		// Small outliers are clamped where many values gain by it.
		{"small", 1. / 50000, 1.2, 7, 8, 8, 8, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &observed{tensors: []statistics{*outliers(60000, c.share, c.size)}}
			frac := func(m method) int { return o.by(m).tensors[0].bestFrac(8, false, 1) }
			got := []int{frac(method{CalibrateMinMax, 0}), frac(method{CalibratePercentile, 0.9999}), frac(method{CalibratePercentile, 0.999})}
			for i, want := range []int{c.minmax, c.most, c.more} {
				if got[i] != want {
					t.Errorf("minmax, 99.99, 99.9 choose %v, want %v", got, []int{c.minmax, c.most, c.more})
					break
				}
			}
			if f := frac(method{CalibrateMSE, 0}); f < c.least || f > c.atMost {
				t.Errorf("mse chooses %d, want %d to %d", f, c.least, c.atMost)
			}
			// mse is indeed the least.
			s := &o.tensors[0]
			best := s.roundingError(8, false, math.Ldexp(1, frac(method{CalibrateMSE, 0})))
			for _, f := range got {
				if e := s.roundingError(8, false, math.Ldexp(1, f)); e < best {
					t.Errorf("2^-%d has a mean square error of %g, that of mse %g", f, e, best)
				}
			}
		})
	}
}

// A percentile of mostly zeros falls back to the whole range, one of signed
// values keeps their signs.
func TestPercentileEdges(t *testing.T) {
	zeros := &statistics{values: make([]float64, 50000), hi: 3}
	zeros.values[7] = 3
	if r := zeros.percentile(0.999); *r != (reach{0, 3}) {
		t.Errorf("%v", *r)
	}
	signed := outliers(50000, 0, 0)
	signed.values[3], signed.lo = -50, -50
	if r := signed.percentile(0.9999); r.lo > -0.99 || r.lo < -1 || r.hi < 0.99 || r.hi > 1 {
		t.Errorf("%v", *r)
	}
	one := &statistics{values: []float64{2}, lo: 2, hi: 2}
	if r := one.percentile(0.999); *r != (reach{2, 2}) {
		t.Errorf("%v", *r)
	}
}

// Auto is as close to the float network as the closest of the others, with
// rare outliers in the samples and without.
func TestCalibrateAuto(t *testing.T) {
	for _, outlier := range []float32{1, 40} {
		b := mixed(31)
		samples := b.samples(60, false)
		for i := 5; i < len(samples); i += 20 {
			samples[i][9] = outlier
		}
		least := math.Inf(1)
		var auto float64
		seen := map[float64]bool{}
		for _, c := range []Calibration{CalibrateMinMax, CalibratePercentile, CalibrateMSE, CalibrateAuto} {
			_, r, err := Quantize(&b.Graph, samples, &QuantizeOptions{Calibrate: c, InputBits: 6, ActBits: 5})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("outlier %v: %s chose %s: divergence %.5f", outlier, c, r.Calibration, r.Divergence)
			if c == CalibrateAuto {
				auto = r.Divergence
			} else {
				least = min(least, r.Divergence)
				seen[r.Divergence] = true
			}
		}
		if auto != least {
			t.Errorf("outlier %v: auto has divergence %v, the least is %v", outlier, auto, least)
		}
		if outlier > 1 && len(seen) < 2 {
			t.Errorf("all methods gave one network: no test")
		}
	}
}

// Large networks are judged by fewer samples.
func TestJudged(t *testing.T) {
	small := newBuilder(1, Dims{1, 8, 8})
	small.dense(0, 10)
	middle := newBuilder(1, Dims{16, 64, 64})
	middle.conv(0, 64, window(3, 1, 1)) // 38 million products
	large := newBuilder(1, Dims{16, 256, 256})
	large.conv(0, 64, window(3, 1, 1))
	for _, c := range []struct {
		g    *Graph
		want int
	}{{&small.Graph, 200}, {&middle.Graph, 105}, {&large.Graph, 16}} {
		if got := c.g.judged(); got != c.want {
			t.Errorf("input %v: %d samples, want %d", c.g.Input, got, c.want)
		}
	}
}

// LayerBits reach the layers that they name and no others.
func TestLayerBits(t *testing.T) {
	b := mixed(33)
	samples := b.samples(30, false)
	plain, _, err := Quantize(&b.Graph, samples, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range plain.Layers {
		if !l.sized() {
			continue
		}
		for _, bits := range []int{3, 5, 11} {
			m, r, err := Quantize(&b.Graph, samples, &QuantizeOptions{LayerBits: map[string]int{l.Name: bits}})
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range m.Layers {
				width := r.Layers[i].WeightBits
				if n.Activate != nil {
					width = n.Activate.Bits
				}
				switch {
				case n.Name == l.Name && width > bits:
					t.Errorf("%s has %d bits, want %d", n.Name, width, bits)
				case n.Name == l.Name && width < bits && bits < 8:
					t.Errorf("%s has %d bits only, want %d", n.Name, width, bits)
				case n.Name != l.Name && n.Activate != nil && n.Activate.Bits > 8:
					t.Errorf("%s has %d bits though %s was to have %d", n.Name, n.Activate.Bits, l.Name, bits)
				}
			}
		}
	}
	for _, bits := range []int{1, 13} {
		if _, _, err := Quantize(&b.Graph, samples, &QuantizeOptions{LayerBits: map[string]int{"Conva": bits}}); err == nil {
			t.Errorf("%d bits are taken", bits)
		}
	}
	if _, _, err := Quantize(&b.Graph, samples, &QuantizeOptions{LayerBits: map[string]int{"Addd": 5}}); err == nil {
		t.Error("a sum has a width of its own")
	}
}

// The divergence is that of the definition, is 0 for equal scores, and does not
// mind a number added to all.
func TestDivergence(t *testing.T) {
	p, q := []float32{1, 2, 0.5}, []float64{0.5, 2.25, 0.5}
	soft := func(v []float64) []float64 {
		var sum float64
		out := make([]float64, len(v))
		for i := range v {
			out[i] = math.Exp(v[i])
			sum += out[i]
		}
		for i := range out {
			out[i] /= sum
		}
		return out
	}
	a, b := soft([]float64{1, 2, 0.5}), soft(q)
	want := 0.0
	for i := range a {
		want += a[i] * math.Log(a[i]/b[i])
	}
	if got := Divergence(p, q); math.Abs(got-want) > 1e-12 {
		t.Errorf("divergence %v, want %v", got, want)
	}
	if got := Divergence(p, []float64{101, 102, 100.5}); got > 1e-12 {
		t.Errorf("divergence %v of the same", got)
	}
	if got := Divergence([]float32{3e4, -3e4}, []float64{-3e4, 3e4}); math.IsNaN(got) || math.IsInf(got, 0) || got < 5e4 {
		t.Errorf("divergence %v of far scores", got)
	}
	// For one score, about that of the sigmoid near 0.
	x, y := 0.1, -0.1
	bernoulli := 0.0
	for _, s := range []float64{1, -1} {
		bernoulli += logistic(s*x) * math.Log(logistic(s*x)/logistic(s*y))
	}
	if got := Divergence([]float32{0.1}, []float64{-0.1}); math.Abs(got/bernoulli-1) > 0.01 {
		t.Errorf("divergence %v, want about %v", got, bernoulli)
	}
}
