package circuit

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sampled returns the table of f at the middles of 2^n steps around 0, in
// units of 2^-frac.
func sampled(n, frac int, step float64, f func(float64) float64) []int32 {
	t := make([]int32, 1<<n)
	for i := range t {
		x := (float64(i-len(t)/2) + 0.5) * step
		t[i] = int32(math.Floor(f(x)*math.Ldexp(1, frac) + 0.5))
	}
	return t
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func hardSigmoid(x float64) float64 { return min(max(x+3, 0), 6) / 6 }

// checkTable looks up every entry.
func checkTable(t *testing.T, name string, table []int32) *Circuit {
	t.Helper()
	n := len(planeIndex(table))
	b := NewBuilder(max(n, 1))
	c := b.buildSum(number{plain: bestForm(table).build(b, b.inputWord(0, n))})
	in := make([]bool, max(n, 1))
	for i, want := range table {
		for k := range n {
			in[k] = i>>k&1 == 1
		}
		if got := c.Sum.Of(c.Eval(in)); got != want {
			t.Fatalf("%s: entry %d is %d, want %d", name, i, got, want)
		}
	}
	return c
}

// planeIndex returns as many elements as the index of a table has bits.
func planeIndex(table []int32) []struct{} {
	n := 0
	for 1<<n < len(table) {
		n++
	}
	return make([]struct{}, n)
}

// TestTables pins what tables cost. The bits of the index are there, and what
// is beyond them costs what a clamp costs.
func TestTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	noise := make([]int32, 256)
	for i := range noise {
		noise[i] = rng.Int32N(256)
	}
	for _, c := range []struct {
		name       string
		table      []int32
		ands, outs int
	}{
		{"sigmoid to ±4", sampled(8, 8, 1.0/32, sigmoid), 33, 12},
		{"sigmoid to ±8", sampled(8, 8, 1.0/16, sigmoid), 36, 13},
		{"sigmoid of 10 bits", sampled(10, 8, 1.0/64, sigmoid), 73, 14},
		{"tanh", sampled(8, 7, 1.0/64, math.Tanh), 33, 12},
		{"swish", sampled(8, 5, 1.0/16, func(x float64) float64 { return x * sigmoid(x) }), 25, 21},
		{"hard swish", sampled(8, 5, 1.0/16, func(x float64) float64 { return x * hardSigmoid(x) }), 24, 21},
		{"hard sigmoid", sampled(8, 8, 1.0/32, hardSigmoid), 20, 9},
		{"gelu", sampled(8, 5, 1.0/32, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }), 42, 15},
		{"elu", sampled(8, 5, 1.0/32, func(x float64) float64 { return max(x, math.Exp(min(x, 0))-1) }), 40, 12},
		{"softplus", sampled(8, 5, 1.0/32, func(x float64) float64 { return math.Log1p(math.Exp(x)) }), 46, 10},
		{"leaky 0.01", sampled(8, 5, 1.0/32, func(x float64) float64 { return max(x, 0.01*x) }), 15, 9},
		{"leaky 0.1", sampled(8, 5, 1.0/32, func(x float64) float64 { return max(x, 0.1*x) }), 32, 11},
		{"absolute value", sampled(8, 5, 1.0/32, math.Abs), 0, 7},
		{"square", sampled(8, 4, 1.0/32, func(x float64) float64 { return x * x }), 36, 13},
		{"line", sampled(8, 6, 1.0/32, func(x float64) float64 { return x - 1 }), 0, 8},
		{"step", sampled(8, 0, 1.0/32, func(x float64) float64 { return math.Floor(min(max(x, -1), 0)) }), 0, 1},
		{"constant", make([]int32, 256), 0, 0},
		{"noise", noise, 82, 8},
	} {
		circuit := checkTable(t, c.name, c.table)
		if circuit.Ands != c.ands || len(circuit.Outputs) != c.outs {
			t.Errorf("%s: %d AND gates and %d outputs, want %d and %d", c.name, circuit.Ands, len(circuit.Outputs), c.ands, c.outs)
		}
	}
}

// TestTablesRandom looks up tables of every size: noise, steps, and those that
// mirror themselves.
func TestTablesRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for n := range 7 {
		for range 60 {
			table := make([]int32, 1<<n)
			for i := range table {
				table[i] = rng.Int32N(1<<rng.IntN(20)) - 1<<rng.IntN(19)
			}
			switch kind := rng.IntN(5); {
			case n == 0 || kind == 0:
			case kind == 1: // steps
				for i := range table {
					table[i] = table[i/(1+len(table)/3)]
				}
			default:
				ramp, c := rng.Int32N(9)-4, rng.Int32N(99)-50
				for i := range len(table) / 2 {
					j := len(table) - 1 - i
					if table[j] = table[i] + ramp*int32(j-i); kind == 2 {
						table[j] = c - table[i]
					}
				}
			}
			checkTable(t, "random", table)
		}
	}
}
