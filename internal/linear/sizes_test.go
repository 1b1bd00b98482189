package linear

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dorcas/internal/ring"
)

// sizes are layers of known networks, for 8-bit inputs and 9-bit weights.
var sizes = []struct {
	name string
	g    Geometry
	// cheetah is what the code of that paper sends for the layer; 0 if unknown.
	cheetah int
}{
	{"28×28 1→16 k5", square(1, 28, 16, 5, 1, 0), 610e3},
	{"12×12 16→16 k5", square(16, 12, 16, 5, 1, 0), 555e3},
	{"32×32 3→64 k3 p1", square(3, 32, 64, 3, 1, 1), 0},
	{"32×32 64→64 k3 p1", square(64, 32, 64, 3, 1, 1), 3750e3},
	{"16×16 64→64 k3 p1", square(64, 16, 64, 3, 1, 1), 0},
	{"8×8 64→64 k3", square(64, 8, 64, 3, 1, 0), 0},
	{"8×8 64→64 k1", square(64, 8, 64, 1, 1, 0), 0},
	{"784→128", square(784, 1, 128, 1, 1, 0), 0},
	{"980→100", square(980, 1, 100, 1, 1, 0), 0},
	{"2048→1001", square(2048, 1, 1001, 1, 1, 0), 2050e3},
	{"28×28 1→5 k5 s2 p1", square(1, 28, 5, 5, 2, 1), 0},
	{"28×28 1→5 k5 s2 p2", square(1, 28, 5, 5, 2, 2), 0},
	{"56×56 256→64 k1", square(256, 56, 64, 1, 1, 0), 19200e3},
	{"56×56 64→64 k3 p1", square(64, 56, 64, 3, 1, 1), 7250e3},
	{"224×224 3→64 k7 s2 p3", square(3, 224, 64, 7, 2, 3), 0},
	{"227×227 3→96 k11 s4", square(3, 227, 96, 11, 4, 0), 0},
	{"224×224 64→64 k3 p1", square(64, 224, 64, 3, 1, 1), 0},
	{"14×14 512→512 k3 p1", square(512, 14, 512, 3, 1, 1), 0},
	{"7×7 512→512 k3 p1", square(512, 7, 512, 3, 1, 1), 0},
	{"2×2 512→512 k3 p1", square(512, 2, 512, 3, 1, 1), 0},
	{"28×28 256→512 k1 s2", square(256, 28, 512, 1, 2, 0), 0},
	{"25088→4096", square(25088, 1, 4096, 1, 1, 0), 0},
}

// normBits is the norm of 9-bit weights of random size.
func normBits(g Geometry) int {
	return 7 + (bits.Len(uint(g.InC*g.KH*g.KW))+1)/2
}

func sizeParams(g Geometry) Params {
	return Params{T: min(28, 8+9+(bits.Len(uint(g.InC*g.KH*g.KW))+1)/2), Guard: 2, NormBits: normBits(g)}
}

func TestSizes(t *testing.T) {
	t.Logf("%-24s %5s %8s %8s %8s %10s %10s %10s %9s", "layer", "l+g", "uploads", "answers", "products",
		"up bytes", "down bytes", "bytes", "search")
	for _, c := range sizes {
		start := time.Now()
		p := sizeParams(c.g)
		l, err := NewLayout(c.g, p, 1)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		took := time.Since(start)
		total := l.UploadBytes() + l.AnswerBytes()
		t.Logf("%-24s %2d+%-2d %8d %8d %8d %10d %10d %10d %9v", c.name, p.T, p.Guard, l.Uploads(), l.Answers(),
			l.Products(), l.UploadBytes(), l.AnswerBytes(), total, took.Round(10*time.Microsecond))
		if c.cheetah > 0 && total >= c.cheetah {
			t.Errorf("%s: %d bytes, Cheetah sends %d", c.name, total, c.cheetah)
		}
		s := l.String()
		if len(s) > 500 {
			s = s[:500] + " ..."
		}
		t.Log("    " + s)
	}
}

func BenchmarkNewLayout(b *testing.B) {
	for _, c := range sizes {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := NewLayout(c.g, sizeParams(c.g), 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLayer(b *testing.B) {
	p := newParties(b)
	rnd := rand.New(rand.NewPCG(9, 10))
	for _, c := range sizes {
		l, err := NewLayout(c.g, sizeParams(c.g), 1)
		if err != nil {
			b.Fatal(err)
		}
		if l.Products() > 1000 {
			continue
		}
		x, w := randomTensors(rnd, c.g, 1)
		cts := p.upload(b, l, x)
		weights := l.NewWeights(w)
		shares := tensors(l)
		answers, _ := p.answer(l, cts, weights)
		m := make([]uint32, l.n)
		run := func(name string, f func()) {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
		run("weights", func() { l.NewWeights(w) })
		run("pack", func() {
			for i := range l.Uploads() {
				l.Pack(m, i, x)
			}
		})
		run("answer", func() {
			for i := 0; i < len(answers); i += l.Together(i) {
				var outputs []Output
				for j := range l.Together(i) {
					outputs = append(outputs, Output{answers[i+j], p.fresh(i + j), p.imageMasks(l, i+j)})
				}
				l.Answer(outputs, shares, i, cts, weights, p.pk)
			}
		})
		run("redo", func() {
			for i := range answers {
				l.RedoShare(shares[0], i, 0, p.mask(i, 0))
			}
		})
		run("open", func() {
			for i := range answers {
				if err := l.Open(shares, i, answers[i], p.sk); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestBatchSizes: images that share ciphertexts never cost more than apart, and
// small layers far less.
func TestBatchSizes(t *testing.T) {
	more := append(sizes[:12:12], []struct {
		name    string
		g       Geometry
		cheetah int
	}{
		{"128→10", square(128, 1, 10, 1, 1, 0), 0},
		{"32×32 32 depthwise k3 p1", grouped(square(32, 32, 32, 3, 1, 1), 32, 1), 0},
		{"14×14 512 depthwise k3 p1", grouped(square(512, 14, 512, 3, 1, 1), 512, 1), 0},
		{"7×7 960 depthwise k3 p1", grouped(square(960, 7, 960, 3, 1, 1), 960, 1), 0},
		{"14×14 512→512 k1", square(512, 14, 512, 1, 1, 0), 0},
		{"33×33 64→64 k3 p12 d12", grouped(square(64, 33, 64, 3, 1, 12), 1, 12), 0},
	}...)
	for _, c := range more {
		p := sizeParams(c.g)
		line := ""
		single := 0
		for _, images := range []int{1, 2, 8, 32, 64} {
			start := time.Now()
			l, err := NewLayout(c.g, p, images)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			bytes := (l.UploadBytes() + l.AnswerBytes()) / images
			if images == 1 {
				single = bytes
			}
			if bytes > single {
				t.Errorf("%s: %d images take %d bytes each, one %d", c.name, images, bytes, single)
			}
			line += fmt.Sprintf(" %9d/%-6v", bytes, time.Since(start).Round(100*time.Microsecond))
		}
		t.Logf("%-26s%s", c.name, line)
	}
}

// BenchmarkScalar compares the answers of layers whose plaintexts are constants,
// from words and from polynomials, as far as those find room, interleaved.
func BenchmarkScalar(b *testing.B) {
	p := newParties(b)
	for _, c := range []struct {
		g      Geometry
		images int
	}{
		{square(64, 56, 64, 1, 1, 0), 1},
		{square(256, 56, 64, 1, 1, 0), 1},
		{square(128, 14, 128, 1, 1, 0), 10},
		{square(512, 14, 512, 1, 1, 0), 10},
	} {
		b.Run(fmt.Sprintf("%v × %d", c.g, c.images), func(b *testing.B) {
			l, err := NewLayout(c.g, sizeParams(c.g), c.images)
			if err != nil {
				b.Fatal(err)
			}
			x, w := randomTensors(rand.New(rand.NewPCG(9, 10)), c.g, c.images)
			cts := p.upload(b, l, x)
			words := l.NewWeights(w)
			polynomials := &Weights{w: w}
			polynomials.sets, polynomials.plain = l.hold(WeightBytes/plaintextSize, make([][][ring.Columns]uint64, len(l.sets)))
			l.encodeAll(polynomials)
			shares := tensors(l)
			var times [2][]time.Duration
			for b.Loop() {
				for k, weights := range []*Weights{words, polynomials} {
					var took time.Duration
					for i := 0; i < l.Answers(); i += l.Together(i) {
						var outputs []Output
						for j := range l.Together(i) {
							outputs = append(outputs, p.output(l, i+j))
						}
						start := time.Now()
						l.Answer(outputs, shares, i, cts, weights, p.pk)
						took += time.Since(start)
					}
					times[k] = append(times[k], took)
				}
			}
			for k, name := range []string{"words", "polynomials"} {
				slices.Sort(times[k])
				b.ReportMetric(float64(times[k][len(times[k])/2].Microseconds())/1000, name+"-ms")
			}
			b.ReportMetric(float64(words.Bytes())/1e6, "words-MB")
			b.ReportMetric(float64(polynomials.Bytes())/1e6, "polynomials-MB")
			b.ReportMetric(float64(l.Products()), "products")
			b.ReportMetric(0, "ns/op")
		})
	}
}
