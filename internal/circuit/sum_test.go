package circuit

import (
	"math/rand/v2"
	"testing"
)

// TestBuildSum compares random sums, constants and repeated bits among their
// terms, with their definition.
func TestBuildSum(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	for range 2000 {
		b := NewBuilder(4)
		lits := []Lit{False, True, b.Input(0), b.Input(1), b.And(b.Input(2), b.Input(3)), b.Xor(b.Input(0), b.Input(2))}
		pick := func() Lit { return lits[rng.IntN(len(lits))] ^ Lit(rng.IntN(2)) }
		terms := func() []term {
			ts := make([]term, rng.IntN(5))
			for i := range ts {
				ts[i] = term{pick(), rng.Int32N(512) - 256}
			}
			return ts
		}
		n := number{gate: pick(), gated: terms(), plain: terms()}
		c := b.buildSum(n)
		if len(c.Outputs) != len(c.Sum.Weights) || c.Sum.Gated > 0 && c.Sum.Gated >= len(c.Outputs) {
			t.Fatalf("%+v: %d outputs", c.Sum, len(c.Outputs))
		}
		reference := b.Build(lits...)
		for v := range 16 {
			in := []bool{v&1 > 0, v&2 > 0, v&4 > 0, v&8 > 0}
			values := reference.Eval(in)
			value := func(x Lit) int32 {
				for i, l := range lits {
					if l.node() == x.node() {
						if values[i] != (l.negated() != x.negated()) {
							return 1
						}
						return 0
					}
				}
				panic("no such literal")
			}
			want := int32(0)
			for _, x := range n.gated {
				want += x.weight * value(x.bit) * (1 - value(n.gate))
			}
			for _, x := range n.plain {
				want += x.weight * value(x.bit)
			}
			if got := c.Sum.Of(c.Eval(in)); got != want {
				t.Fatalf("%+v of %v: got %d, want %d", n, in, got, want)
			}
		}
	}
}

func TestSumShift(t *testing.T) {
	s := Sum{Weights: []int32{1, 8, -128, 255, 0}}
	for i, want := range []int{0, 3, 7, 0, 0} {
		if got := s.Shift(i); got != want {
			t.Errorf("weight %d: shift %d, want %d", s.Weights[i], got, want)
		}
	}
}
