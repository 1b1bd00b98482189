package linear

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
)

var cifar = []Geometry{
	square(3, 32, 64, 3, 1, 1), square(64, 32, 64, 3, 1, 1), square(64, 16, 64, 3, 1, 1), square(64, 16, 64, 3, 1, 1),
	square(64, 8, 64, 3, 1, 1), square(64, 8, 64, 1, 1, 0), square(64, 8, 16, 1, 1, 0), square(1024, 1, 10, 1, 1, 0),
}

func TestProfile(t *testing.T) {
	p := newParties(t)
	rnd := rand.New(rand.NewPCG(9, 10))
	least := func(f func()) time.Duration {
		d := time.Hour
		for range 7 {
			s := time.Now()
			f()
			d = min(d, time.Since(s))
		}
		return d.Round(time.Microsecond)
	}
	for _, g := range cifar {
		l, err := NewLayout(g, sizeParams(g))
		if err != nil {
			t.Fatal(err)
		}
		x, w := randomTensors(rnd, g)
		m := make([]uint32, l.n)
		cts := p.upload(t, l, x)
		var weights *Weights
		weights = l.NewWeights(w)
		answers, share := p.answer(l, cts, weights)
		var plain ring.NTT
		coeffs := make([]int32, ring.N)
		fmt.Printf("%v: %d up %d ans %d prod %d plain | weights %v encode %v | pack %v | answer %v sum %v | redo %v rlwe %v | open %v\n", g, l.Uploads(), l.Answers(), l.Products(), weights.Bytes()/16384,
			least(func() { l.NewWeights(w) }),
			least(func() {
				for range weights.Bytes() / 16384 {
					rlwe.EncodePlain(&plain, coeffs)
				}
			}),
			least(func() {
				for i := range l.Uploads() {
					l.Pack(m, i, x)
				}
			}),
			least(func() {
				for i := range answers {
					l.Answer(answers[i], share, i, cts, weights, p.pk, p.fresh(i), p.mask(i))
				}
			}),
			least(func() {
				var s rlwe.Sum
				for i := range l.Products() {
					s.MulAdd(&cts[i%len(cts)], &plain)
				}
			}),
			least(func() {
				for i := range answers {
					l.RedoShare(share, i, p.mask(i))
				}
			}),
			least(func() {
				v := make([]uint32, ring.N)
				for i := range answers {
					t, gr := l.answerTile(i)
					t.answer.RedoShare(v[:len(l.wanted(t, gr))], p.mask(i))
				}
			}),
			least(func() {
				for i := range answers {
					if err := l.Open(share, i, answers[i], p.sk); err != nil {
						t.Fatal(err)
					}
				}
			}))
	}
}
