package circuit

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFold: identities that must cost no AND gate, or no more than one.
func TestFold(t *testing.T) {
	for _, c := range []struct {
		name string
		ands int
		f    func(b *Builder, x, y, z Lit) []Lit
	}{
		{"x∧0", 0, func(b *Builder, x, y, z Lit) []Lit { return []Lit{b.And(x, False)} }},
		{"1∧x", 0, func(b *Builder, x, y, z Lit) []Lit { return []Lit{b.And(True, x)} }},
		{"x∧x", 0, func(b *Builder, x, y, z Lit) []Lit { return []Lit{b.And(x, x)} }},
		{"x∧¬x", 0, func(b *Builder, x, y, z Lit) []Lit { return []Lit{b.And(x.Not(), x)} }},
		{"x⊕x", 0, func(b *Builder, x, y, z Lit) []Lit { return []Lit{b.Xor(x, x), b.Xor(x.Not(), x)} }},
		{"constants", 0, func(b *Builder, x, y, z Lit) []Lit { return []Lit{True, False, True, x, x.Not()} }},
		{"four polarities", 1, func(b *Builder, x, y, z Lit) []Lit {
			return []Lit{b.And(x, y), b.And(x.Not(), y), b.And(x, y.Not()), b.And(x.Not(), y.Not()), b.Or(y, x)}
		}},
		{"polarities, other order", 1, func(b *Builder, x, y, z Lit) []Lit {
			return []Lit{b.And(y.Not(), x.Not()), b.And(x, y), b.And(x.Not(), y), b.And(y.Not(), x)}
		}},
		{"x∧(x⊕y)", 1, func(b *Builder, x, y, z Lit) []Lit {
			return []Lit{b.And(x, b.Xor(x, y)), b.And(x, y), b.And(b.Xor(y, x.Not()), x.Not()), b.And(x.Not(), b.Xor(y, x))}
		}},
		{"(x⊕y)⊕y", 0, func(b *Builder, x, y, z Lit) []Lit {
			return []Lit{b.Xor(b.Xor(x, y), y), b.Xor(x, b.Xor(x, y)), b.Xor(b.Xor(z, y).Not(), y), b.Xor(y, b.Xor(z, y))}
		}},
		{"mux", 1, func(b *Builder, x, y, z Lit) []Lit { return []Lit{b.Mux(x, y, z), b.Mux(x, z, y)} }},
		{"mux of one value", 0, func(b *Builder, x, y, z Lit) []Lit { return []Lit{b.Mux(x, y, y), b.Mux(x, False, True)} }},
		{"majority", 1, func(b *Builder, x, y, z Lit) []Lit { return []Lit{b.Majority(x, y, z), b.Majority(x, y, z)} }},
		{"majority with a constant", 1, func(b *Builder, x, y, z Lit) []Lit { return []Lit{b.Majority(x, y, False), b.Majority(x, True, y)} }},
		{"unused", 0, func(b *Builder, x, y, z Lit) []Lit { b.And(b.And(x, y), z); return []Lit{x, x} }},
	} {
		plain := NewBuilder(3)
		circuit := plain.Build(c.f(plain, plain.Input(0), plain.Input(1), plain.Input(2))...)
		if circuit.Ands != c.ands {
			t.Errorf("%s: %d AND gates, want %d", c.name, circuit.Ands, c.ands)
		}
		// The same expression on constants must fold to what the circuit computes.
		for v := range 8 {
			bits := []bool{v&1 == 1, v&2 == 2, v&4 == 4}
			folded := NewBuilder(3)
			lits := make([]Lit, 3)
			for i, bit := range bits {
				if bit {
					lits[i] = True
				}
			}
			for i, got := range circuit.Eval(bits) {
				want := c.f(folded, lits[0], lits[1], lits[2])[i]
				if want != False && want != True || got != (want == True) {
					t.Errorf("%s: input %03b: output %d is %v, folds to %d", c.name, v, i, got, want)
				}
			}
		}
	}
}

// TestRandomExpressions builds random circuits and computes every node beside
// the builder, in the clear.
func TestRandomExpressions(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 300 {
		inputs := 1 + rng.IntN(8)
		b := NewBuilder(inputs)
		lits, values := []Lit{False, True}, []uint64{0, ^uint64(0)}
		in := make([]uint64, inputs)
		for i := range in {
			in[i] = rng.Uint64()
			lits, values = append(lits, b.Input(i)), append(values, in[i])
		}
		for range rng.IntN(200) {
			pick := func() (Lit, uint64) {
				i := rng.IntN(len(lits))
				if rng.IntN(3) == 0 {
					return lits[i].Not(), ^values[i]
				}
				return lits[i], values[i]
			}
			x, vx := pick()
			y, vy := pick()
			z, vz := pick()
			switch rng.IntN(5) {
			case 0:
				lits, values = append(lits, b.Xor(x, y)), append(values, vx^vy)
			case 1:
				lits, values = append(lits, b.And(x, y)), append(values, vx&vy)
			case 2:
				lits, values = append(lits, b.Or(x, y)), append(values, vx|vy)
			case 3:
				lits, values = append(lits, b.Mux(x, y, z)), append(values, vx&vz|^vx&vy)
			case 4:
				lits, values = append(lits, b.Majority(x, y, z)), append(values, vx&vy|vx&vz|vy&vz)
			}
		}
		var outs []Lit
		var want []uint64
		for range rng.IntN(20) {
			i := rng.IntN(len(lits))
			outs, want = append(outs, lits[i], lits[i].Not()), append(want, values[i], ^values[i])
		}
		circuit := b.Build(outs...)
		checkShape(t, circuit)
		if got := circuit.eval64(in); !slices.Equal(got, want) {
			t.Fatalf("got %x, want %x", got, want)
		}
	}
}

// checkShape checks what Circuit promises of its slots.
func checkShape(t *testing.T, c *Circuit) {
	t.Helper()
	ands := 0
	written := make([]bool, c.Slots)
	for i := range c.Inputs {
		written[i] = true
	}
	for _, g := range c.Gates {
		if g.Op == And {
			ands++
		}
		if !written[g.A] || !written[g.B] {
			t.Fatalf("gate %+v reads a slot that nothing wrote", g)
		}
		if int(g.Out) < c.Inputs {
			t.Fatalf("gate %+v writes an input", g)
		}
		written[g.Out] = true
	}
	if slices.Contains(written, false) || ands != c.Ands {
		t.Fatalf("%d AND gates counted, %d said; slots written: %v", ands, c.Ands, written)
	}
	for _, out := range c.Outputs {
		if !written[out] {
			t.Fatalf("output slot %d: nothing wrote it", out)
		}
	}
}

// TestShape: the stages reuse slots, and complements ride on exclusive ors.
func TestShape(t *testing.T) {
	for _, s := range realStages() {
		limit := s.Width + s.Bits + 20
		if s.Func == Table { // keeps the products of some bits of the index
			limit += 1 << (s.Mid/2 + 1)
		}
		for _, c := range []*Circuit{s.Fused(), s.Reconstruct(), s.Pool(4), s.Max(3)} {
			checkShape(t, c)
			nots := 0
			for _, g := range c.Gates {
				if g.Op == Not {
					nots++
				}
			}
			if temps := c.Slots - c.Inputs; temps > limit || nots > s.Width/2 {
				t.Errorf("%+v: %d slots beside the inputs, %d Not gates", s, temps, nots)
			}
		}
	}
}
