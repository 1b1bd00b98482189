package protocol

import (
	"slices"
	"strings"
	"testing"

	"dorcas/nn"
)

// randomLayer adds a layer of any kind to tensor t and returns its tensor.
func randomLayer(b *builder, t int) int {
	d := b.m.Dims(t)
	accumulator := b.m.Accumulators()[t]
	switch k := b.rng.IntN(14); {
	case k < 3 && !accumulator:
		win := square(1+2*b.rng.IntN(2), 1+b.rng.IntN(2), 1)
		if win.KH == 1 || win.KH > d.H+1 || win.KW > d.W+1 {
			win = square(1, 1, 0)
		}
		return b.conv(t, 1+b.rng.IntN(4), win)
	case k == 3 && !accumulator:
		return b.grouped(t, d.C*(1+b.rng.IntN(2)), d.C, square(1, 1, 0))
	case k < 6:
		return b.randomStage(t)
	case k == 6:
		return b.slice(t, nn.Dims{C: d.C, H: (d.H + 1) / 2, W: d.W}, [3]int{d.C - 1, 0, 0}, [3]int{-1, 2, 1})
	case k == 7:
		return b.public(nn.Layer{In: []int{t}, Out: nn.Dims{C: d.W, H: d.C, W: d.H}, Transpose: &nn.Transpose{Perm: [3]int{2, 0, 1}}})
	case k == 8 && d.Len() < 200:
		return b.public(nn.Layer{In: []int{t}, Out: nn.Dims{C: d.C, H: 2*d.H - 1, W: d.W}, Stuff: &nn.Factors{H: 2, W: 1}})
	case k == 9 && d.Len() < 200:
		return b.public(nn.Layer{In: []int{t}, Out: nn.Dims{C: d.C, H: d.H, W: 2 * d.W}, Upsample: &nn.Factors{H: 1, W: 2}})
	case k == 10 && d.H > 1 && d.W > 1:
		return b.level(t, square(2, 1+b.rng.IntN(2), 1))
	case k == 11:
		factor := []int{1 + b.rng.IntN(3), -1 - b.rng.IntN(4)}
		other := b.rng.IntN(t + 1)
		if b.m.Dims(other) == d {
			return b.add(factor, t, other)
		}
		if e := b.m.Dims(other); e.H == d.H && e.W == d.W {
			return b.concat(0, factor, other, t)
		}
	}
	return t
}

// randomStage adds a stage of any kind.
func (b *builder) randomStage(t int) int {
	d := b.m.Dims(t)
	a := nn.Activate{Func: nn.Identity, Shift: -1, Bits: 6, Signed: true}
	switch b.rng.IntN(5) {
	case 0:
		a.Func, a.Signed = nn.Relu, false
	case 1:
		a.Func, a.Lo, a.Hi = nn.Clip, -int32(b.rng.IntN(9)), int32(1+b.rng.IntN(20))
	case 2:
		a.Func, a.Slope = nn.Leaky, 1+b.rng.IntN(4)
	case 3:
		a.Func, a.Mid, a.Table = nn.Table, 4, make([]int32, 16)
		for i := range a.Table {
			a.Table[i] = b.rng.Int32N(64) - 32
		}
	}
	if d.H > 1 && d.W > 1 && b.rng.IntN(3) == 0 {
		pool := square(2, 1+b.rng.IntN(2), b.rng.IntN(2))
		a.Pool = &pool
	}
	return b.activate(t, a)
}

// TestRandomNetworks compares private inferences of networks of any layers, in
// any order, with the network in the clear.
func TestRandomNetworks(t *testing.T) {
	nets := 150
	if testing.Short() {
		nets = 25
	}
	ran := 0
	for seed := range uint64(nets) {
		b := newBuilder(seed+1000, nn.Dims{C: 1 + int(seed%3), H: 5, W: 4}, 6, seed%2 == 0)
		at := 0
		for range 4 + b.rng.IntN(9) {
			at = randomLayer(b, at)
			if b.width(at) > 22 {
				at = b.randomStage(at)
			}
		}
		if !b.m.Accumulators()[at] {
			at = b.dense(at, 3)
		}
		b.finish(at, nn.RevealScores)
		// Long sums leave some networks no room for their shares.
		if _, err := NewPlan(&b.m.Shape); err != nil {
			if !strings.Contains(err.Error(), "at most 32") && !strings.Contains(err.Error(), "width") {
				t.Fatalf("net %d: %v", seed, err)
			}
			continue
		}
		ran++
		c, _ := meet(t, &b.m)
		x := b.input()
		want, err := b.m.Run(x)
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.Prepare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := c.Infer(t.Context(), m, x)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Outputs, want.Outputs) {
			t.Errorf("net %d: private result %v, in the clear %v", seed, got.Outputs, want.Outputs)
		}
	}
	if ran < nets*2/3 {
		t.Errorf("only %d of %d networks fit", ran, nets)
	}
}
