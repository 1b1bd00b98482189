package linear

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"dorcas/internal/ring"
)

// TestWeightsWithin: whatever is held, the answers are the same bytes.
func TestWeightsWithin(t *testing.T) {
	p := newParties(t)
	rnd := rand.New(rand.NewPCG(11, 12))
	cases := []Geometry{
		square(2, 50, 2, 3, 1, 1),      // several tiles, more than one set
		square(3, 60, 2, 1, 1, 0),      // flat
		square(40, 1, 70, 1, 1, 0),     // a matrix
		square(3, 9, 4, 3, 2, 1),       // phases
		square(2, 47, 3, 2, 1, 0),      // two sets
		square(1, 1<<6, 3, 1, 2, 0),    // one weight, stride 2
		square(600, 1, 5, 1, 1, 0),     // more channels than an upload takes
		square(2, 1<<6, 2, 1<<4, 4, 5), // many taps
		grouped(square(12, 9, 24, 3, 1, 1), 12, 1),
		grouped(square(20, 11, 30, 2, 1, 0), 5, 3),
	}
	if testing.Short() {
		cases = cases[:4]
	}
	twoSets := 0
	for _, g := range cases {
		l, err := NewLayout(g, Params{22, 2, 14}, 1)
		if err != nil {
			t.Fatal(err)
		}
		x, w := randomTensors(rnd, g, 1)
		cts := p.upload(t, l, x)
		all := l.NewWeights(w)
		want, rho := p.answer(l, cts, all)
		distinct := 0
		for k := range l.sets {
			if !l.scalar(k) {
				distinct += l.plaintexts(k)
			}
		}
		if len(l.sets) > 1 {
			twoSets++
		}
		if all.Bytes() != distinct*plaintextSize {
			t.Errorf("%v: %d bytes held, %d plaintexts", l, all.Bytes(), distinct)
		}
		for _, room := range []int{0, plaintextSize - 1, plaintextSize, all.Bytes() / 2, all.Bytes() - 1, -5} {
			some := l.NewWeightsWithin(w, room)
			if some.Bytes() > max(room, 0) || some.Bytes() <= room-plaintextSize && some.Bytes() < all.Bytes() {
				t.Errorf("%v: %d bytes held of %d within %d", l, some.Bytes(), all.Bytes(), room)
			}
			got, share := p.answer(l, cts, some)
			if !slices.EqualFunc(got, want, bytes.Equal) || !slices.EqualFunc(share, rho, slices.Equal) {
				t.Fatalf("%v: other answers with room for %d bytes", l, room)
			}
		}
	}
	if twoSets == 0 {
		t.Error("no layout of several sets of plaintexts")
	}
}

// TestHoldMostUsed: with too little room, tiles that share plaintexts go first.
func TestHoldMostUsed(t *testing.T) {
	for _, g := range []Geometry{square(16, 112, 16, 3, 1, 1), square(2, 50, 2, 3, 1, 1), square(64, 56, 64, 3, 1, 1)} {
		l, err := NewLayout(g, sizeParams(g), 1)
		if err != nil {
			t.Fatal(err)
		}
		uses := make([]int, len(l.sets))
		for i := range l.tiles {
			uses[l.tiles[i].set]++
		}
		total := 0
		for k := range l.sets {
			total += l.plaintexts(k)
		}
		for n := range min(40, total+1) {
			sets, plain := l.hold(n, make([][][ring.Columns]uint64, len(l.sets)))
			sum := 0
			for k, h := range sets {
				sum += h.n
				for j, other := range sets {
					if uses[j] > uses[k] && h.n > 0 && other.n < l.plaintexts(j) {
						t.Fatalf("%v: holds %d of set %d and not all of set %d", l, h.n, k, j)
					}
				}
			}
			if sum != n || len(plain) != n {
				t.Fatalf("%v: holds %d and %d plaintexts, want %d", l, sum, len(plain), n)
			}
		}
	}
}

func TestAnswerAllocates(t *testing.T) {
	p := newParties(t)
	g := square(6, 20, 3, 3, 1, 1)
	l, err := NewLayout(g, sizeParams(g), 1)
	if err != nil {
		t.Fatal(err)
	}
	x, w := randomTensors(rand.New(rand.NewPCG(13, 14)), g, 1)
	cts, shares := p.upload(t, l, x), tensors(l)
	m := make([]uint32, l.n)
	outputs := []Output{p.output(l, 0)}
	masks := outputs[0].Masks
	for _, room := range []int{0, WeightBytes} {
		weights := l.NewWeightsWithin(w, room)
		l.Answer(outputs, shares, 0, cts, weights, p.pk)
		for name, f := range map[string]func(){
			"Answer":    func() { l.Answer(outputs, shares, 0, cts, weights, p.pk) },
			"RedoShare": func() { l.RedoShare(shares[0], 0, 0, masks[0]) },
			"Pack":      func() { l.Pack(m, 0, x) },
		} {
			least := 99.0 // of several, since the race detector empties pools
			for range 10 {
				least = min(least, testing.AllocsPerRun(1, f))
			}
			if least > 0 {
				t.Errorf("%s with room for %d bytes allocates %v times", name, room, least)
			}
		}
	}
}
