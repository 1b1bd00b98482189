package linear

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"dorcas/internal/ring"
)

// TestScalars: layers whose plaintexts are constants give the same answers from
// words as from polynomials, whatever the room.
func TestScalars(t *testing.T) {
	p := newParties(t)
	rnd := rand.New(rand.NewPCG(21, 22))
	for _, c := range []struct {
		name   string
		g      Geometry
		images int
	}{
		{"planes larger than the ring", square(5, 46, 6, 1, 1, 0), 1},
		{"planes of half the ring and more", square(3, 36, 4, 1, 1, 0), 1},
		{"stride and border", square(3, 90, 9, 1, 2, 3), 1},
		{"a batch", square(6, 14, 7, 1, 1, 0), 10},
		{"every tap a phase", sides(2, 128, 96, 5, 2, 3, 2, 3, 0, 0, 0, 0), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := NewLayout(c.g, Params{24, 2, 16}, c.images)
			if err != nil {
				t.Fatal(err)
			}
			constant := 0
			for constant < len(l.sets) && !l.scalar(constant) {
				constant++
			}
			if constant == len(l.sets) {
				t.Fatalf("%v: no plaintexts are constants", l)
			}
			x, w := randomTensors(rnd, c.g, c.images)
			w[0], w[len(w)-1] = -1<<15, 1<<15-1
			cts := p.upload(t, l, x)
			words, none := l.NewWeights(w), l.NewWeightsWithin(w, 0)
			if words.Bytes() == 0 || words.Bytes() > 1<<20 || none.Bytes() != 0 {
				t.Errorf("%d bytes of words, %d of nothing", words.Bytes(), none.Bytes())
			}
			together := 0
			for i := 0; i < l.Answers(); i += l.Together(i) {
				together = max(together, l.Together(i))
				var a, b []Output
				for j := range l.Together(i) {
					a, b = append(a, p.output(l, i+j)), append(b, p.output(l, i+j))
				}
				got, want := tensors(l), tensors(l)
				l.Answer(a, got, i, cts, words, p.pk)
				l.Answer(b, want, i, cts, none, p.pk)
				for j := range a {
					if !bytes.Equal(a[j].Dst, b[j].Dst) {
						t.Fatalf("%v: answer %d differs", l, i+j)
					}
				}
				for k := range got {
					for j := range got[k] {
						if got[k][j] != want[k][j] {
							t.Fatalf("%v: share %d of image %d differs", l, j, k)
						}
					}
				}
			}
			if together != min(ring.Columns, l.sets[constant].answers) {
				t.Errorf("%d answers together", together)
			}
		})
	}
}

func TestResidue(t *testing.T) {
	for _, w := range []int16{0, 1, -1, 1<<15 - 1, -1 << 15} {
		if got, want := residue(w), uint64((int64(w)+ring.Q)%ring.Q); got != want {
			t.Errorf("%d: residue %d, want %d", w, got, want)
		}
	}
}
