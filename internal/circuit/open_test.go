package circuit

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestOpen(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, c := range []struct{ sh, ands int }{{1, 0}, {2, 1}, {22, 21}, {48, 47}} {
		for guard := range min(4, c.sh) {
			sh := Share{c.sh, guard}
			circuit := Open(sh)
			if circuit.Ands != c.ands {
				t.Errorf("%+v: %d AND gates, want %d", sh, circuit.Ands, c.ands)
			}
			in := make(lanes, circuit.Inputs)
			for lane := range 64 {
				in.put(lane, 0, sh.Width, edgy(rng, sh.Width))
				in.put(lane, sh.Width, sh.Width, edgy(rng, sh.Width))
			}
			out := lanes(circuit.eval64(in))
			for lane := range 64 {
				want := uint64(sh.number(in.get(lane, 0, sh.Width), in.get(lane, sh.Width, sh.Width)))
				want &= 1<<(sh.Width-guard) - 1
				if got := out.get(lane, 0, sh.Width-guard); got != want {
					t.Fatalf("%+v: got %d, want %d", sh, got, want)
				}
			}
		}
	}
}

func TestArgMax(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, sh := range []Share{{1, 0}, {4, 1}, {22, 2}} {
		for _, c := range []struct{ n, bits int }{{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {10, 4}, {17, 5}} {
			circuit := ArgMax(sh, c.n)
			if len(circuit.Outputs) != c.bits {
				t.Fatalf("%d numbers: %d index bits, want %d", c.n, len(circuit.Outputs), c.bits)
			}
			for range 20 {
				in := make(lanes, circuit.Inputs)
				want := make([]uint64, 64)
				for lane := range 64 {
					want[lane] = argMaxInputs(rng, in, lane, sh, c.n)
				}
				out := lanes(circuit.eval64(in))
				for lane := range 64 {
					if got := out.get(lane, 0, c.bits); got != want[lane] {
						t.Fatalf("%+v: %d numbers: got %d, want %d", sh, c.n, got, want[lane])
					}
				}
			}
		}
	}
	if got := ArgMax(Share{22, 2}, 10).Ands; got > 557 {
		t.Errorf("ten numbers of 22 bits: %d AND gates, want 557", got)
	}
}

// argMaxInputs shares n random numbers, many of them equal, and returns the
// index of the first largest.
func argMaxInputs(rng *rand.Rand, in lanes, lane int, sh Share, n int) (best uint64) {
	var largest int64
	prev := rng.Uint64()
	for i := range n {
		v := edgy(rng, sh.Width)
		if rng.IntN(2) == 0 {
			v = prev + uint64(rng.IntN(3))<<sh.Guard - 1
		}
		prev = v
		s := rng.Uint64()
		in.put(lane, i*sh.Width, sh.Width, v-s)
		in.put(lane, (n+i)*sh.Width, sh.Width, s)
		if y := sh.number(v, 0); i == 0 || y > largest {
			largest, best = y, uint64(i)
		}
	}
	return best
}

// TestArgMaxExhaustive runs two and three numbers of two bits on every input.
func TestArgMaxExhaustive(t *testing.T) {
	for _, sh := range []Share{{2, 0}, {2, 1}} {
		for n := 2; n <= 3; n++ {
			circuit := ArgMax(sh, n)
			in := make(lanes, circuit.Inputs)
			for v := range uint64(1) << circuit.Inputs {
				in.put(0, 0, circuit.Inputs, v)
				var best uint64
				var largest int64
				for i := range n {
					y := sh.number(v>>(2*i)&3, v>>(2*(n+i))&3)
					if i == 0 || y > largest {
						largest, best = y, uint64(i)
					}
				}
				if got := lanes(circuit.eval64(in)).get(0, 0, len(circuit.Outputs)); got != best {
					t.Fatalf("%+v: %d numbers: input %x: got %d, want %d", sh, n, v, got, best)
				}
			}
		}
	}
}

// TestLargest compares with sorting: many equal numbers, every k.
func TestLargest(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for _, sh := range []Share{{3, 0}, {6, 2}, {20, 3}} {
		for _, n := range []int{1, 2, 3, 4, 5, 7, 10, 33} {
			for _, k := range []int{1, 2, 3, n} {
				if k <= n {
					checkLargest(t, rng, sh, n, k)
				}
			}
		}
	}
}

func checkLargest(t *testing.T, rng *rand.Rand, sh Share, n, k int) {
	t.Helper()
	circuit := Largest(sh, n, k)
	size := bits.Len(uint(n - 1))
	in := make(lanes, circuit.Inputs)
	for lane := range 64 {
		argMaxInputs(rng, in, lane, sh, n)
	}
	out := lanes(circuit.eval64(in))
	for lane := range 64 {
		number := func(i int) int64 {
			return sh.number(in.get(lane, i*sh.Width, sh.Width), in.get(lane, (n+i)*sh.Width, sh.Width))
		}
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(number(j), number(i)) })
		for i, want := range order[:k] {
			if got := out.get(lane, i*size, size); got != uint64(want) {
				t.Fatalf("%+v: place %d of %d: got %d, want %d", sh, i, n, got, want)
			}
		}
	}
}

func TestBadParametersPanic(t *testing.T) {
	good := Stage{Share: Share{8, 2}, Bits: 4}
	for name, f := range map[string]func(){
		"open":        func() { Open(Share{0, 0}) },
		"argmax":      func() { ArgMax(Share{8, 2}, 0) },
		"largest":     func() { Largest(Share{8, 2}, 2, 3) },
		"share":       func() { ArgMax(Share{8, 8}, 2) },
		"fused":       func() { Stage{}.Fused() },
		"reconstruct": func() { Stage{}.Reconstruct() },
		"pool":        func() { good.Pool(0) },
		"max":         func() { good.Max(0) },
		"eval":        func() { good.Fused().Eval(make([]bool, 3)) },
		"input":       func() { NewBuilder(2).Input(2) },
		"constant":    func() { NewBuilder(0).Build(True) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
