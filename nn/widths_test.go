package nn

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"
)

// checkWidths runs a model on an input and compares every integer with exact,
// and every width with the integers.
func checkWidths(m *Model, x []int32) error {
	got, err := m.RunAll(x)
	if err != nil {
		return err
	}
	want := exact(m, x)
	for t := range got {
		for i, v := range want[t] {
			if int64(got[t][i]) != v {
				return fmt.Errorf("tensor %d: element %d is %d, want %d", t, i, got[t][i], v)
			}
		}
	}
	fits := func(t, width int) error {
		for _, v := range want[t] {
			if v < -1<<(width-1) || v >= 1<<(width-1) {
				return fmt.Errorf("tensor %d: %d does not fit %d bits", t, v, width)
			}
		}
		return nil
	}
	for _, l := range m.Layers {
		if l.Activate == nil {
			continue
		}
		if err := fits(l.In[0], l.Activate.Width); err != nil {
			return err
		}
	}
	return fits(m.Output.Tensor, m.Output.Width)
}

// checkShares checks that additive shares of every accumulator fit 32 bits
// with the room that unit errors need, the widest with the noisiest.
func checkShares(m *Model) error {
	accumulator := m.Accumulators()
	epsilon := make([]int, len(accumulator))
	width := 0
	for i, l := range m.Layers {
		if l.Activate != nil && accumulator[l.In[0]] {
			width = max(width, l.Activate.Width)
		}
		if !accumulator[i+1] {
			continue
		}
		if l.Conv != nil {
			epsilon[i+1] = 1
			continue
		}
		for j, t := range l.In {
			k := 1
			if l.Add != nil {
				k = max(l.Add.Factor[j], -l.Add.Factor[j])
			}
			if l.Concat != nil {
				k = max(l.Concat.Factor[j], -l.Concat.Factor[j])
			}
			if l.SumPool != nil {
				k = l.SumPool.Divisor(m.Dims(t), l.Out)
			}
			if l.Concat != nil {
				epsilon[i+1] = max(epsilon[i+1], k*epsilon[t])
			} else {
				epsilon[i+1] += k * epsilon[t]
			}
		}
	}
	if accumulator[m.Output.Tensor] {
		width = max(width, m.Output.Width)
	}
	for _, e := range epsilon {
		if n := width + bits.Len(uint(e)) + 1; e > 0 && n > 32 {
			return fmt.Errorf("shares need %d bits", n)
		}
	}
	return nil
}

// extremes returns inputs at the ends of their range: all low, all high and at
// random.
func extremes(m *Model, rng *rand.Rand) [][]int32 {
	lo, hi := Limits(m.Input.Bits, m.Input.Signed)
	n := m.Input.Dims.Len()
	var inputs [][]int32
	for k := range 6 {
		x := make([]int32, n)
		for i := range x {
			if k == 0 || k > 1 && rng.IntN(2) == 0 {
				x[i] = lo
			} else {
				x[i] = hi
			}
		}
		inputs = append(inputs, x)
	}
	return inputs
}

// randomNet adds some random nodes that end in a dense layer.
func randomNet(b *builder) {
	at := []int{0} // tensors that may be taken
	for range 3 + b.rng.IntN(8) {
		x := at[b.rng.IntN(len(at))]
		if b.rng.IntN(3) > 0 {
			x = at[len(at)-1]
		}
		d := b.Dims(x)
		small := d.H < 3 || d.W < 3
		switch k := b.rng.IntN(20); {
		case k < 4 && !small:
			x = b.conv(x, 1+b.rng.IntN(4), window(3, 1+b.rng.IntN(2), b.rng.IntN(2)))
		case k < 4:
			x = b.conv(x, 1+b.rng.IntN(4), window(1, 1, 0))
		case k < 6:
			x = b.op(NodeRelu, x)
		case k == 6:
			x = b.op(NodeSquare, x)
		case k == 7 && !small:
			x = b.pool(NodeMaxPool, x, 2+b.rng.IntN(2), 1+b.rng.IntN(2), b.rng.IntN(2))
		case k == 8 && !small:
			x = b.pool(NodeAvgPool, x, 2+b.rng.IntN(2), 1+b.rng.IntN(2), b.rng.IntN(2))
		case k == 9:
			y := x
			for _, t := range at {
				if b.Dims(t) == d {
					y = t
				}
			}
			x = b.op(NodeAdd, x, y)
		case k == 10 && d.H < 8:
			x = b.pad(x, Pad{b.rng.IntN(2), b.rng.IntN(2), b.rng.IntN(2), b.rng.IntN(2)})
		case k == 11:
			x = b.reshape(x, Dims{1, d.C, d.H * d.W})
		case k > 11:
			x = randomOther(b, k, x, at)
		}
		at = append(at, x)
	}
	b.dense(at[len(at)-1], 3)
}

// randomOther adds a node of the kinds from 12 on.
func randomOther(b *builder, k, x int, at []int) int {
	d := b.Dims(x)
	switch k {
	case 12:
		return b.grouped(x, d.C*(1+b.rng.IntN(2)), d.C, window(1, 1, 0))
	case 13:
		if d.H < 4 || d.W < 4 {
			return b.leaky(x, []float64{0.25, 0.01}[b.rng.IntN(2)])
		}
		return b.conv(x, 1+b.rng.IntN(3), Window{KH: 2, KW: 2, StrideH: 1, StrideW: 1, DilH: 2, DilW: 1 + b.rng.IntN(2)})
	case 14:
		return b.clip(x, -b.rng.Float64(), 0.1+b.rng.Float64())
	case 15:
		f := []func(float64) float64{logistic, math.Tanh, math.Sin, func(v float64) float64 { return v * logistic(v) }}[b.rng.IntN(4)]
		return b.table(x, "function", f)
	case 16:
		axis := b.rng.IntN(3)
		in := []int{x}
		for _, t := range at {
			e := b.Dims(t)
			e2, d2 := e.axes(), d.axes()
			if e2[axis] = d2[axis]; e2 == d2 && len(in) < 3 && b.Dims(t).Len() < 500 {
				in = append(in, t)
			}
		}
		return b.concat(axis, in...)
	case 17:
		return b.slice(x, Dims{d.C, d.H - d.H/3, (d.W + 1) / 2}, [3]int{0, d.H / 3, 0}, [3]int{1, 1, 2})
	case 18:
		if d.H > 2 && d.W > 2 {
			return b.node(Node{Op: NodeAvgPool, Window: window(3, 1+b.rng.IntN(2), 1)}, x)
		}
		return b.node(Node{Op: NodeTranspose, Perm: [3]int{1, 2, 0}}, x)
	}
	if d.H*d.W > 60 {
		return b.node(Node{Op: NodeTranspose, Perm: [3]int{2, 0, 1}}, x)
	}
	return b.node(Node{Op: []NodeOp{NodeUpsample, NodeStuff}[b.rng.IntN(2)], FactorH: 2, FactorW: 1}, x)
}

// No input of a quantised network overflows a width, whatever its layers.
func TestWidthsNeverOverflow(t *testing.T) {
	nets := 400
	if testing.Short() {
		nets = 60
	}
	for seed := range nets {
		b := newBuilder(uint64(seed), Dims{1 + seed%3, 4 + seed%4, 5})
		randomNet(b)
		b.Output = len(b.Nodes)
		signed := seed%2 == 0
		o := &QuantizeOptions{WeightBits: 4 + seed%8, ActBits: 4 + seed%5}
		m, r, err := Quantize(&b.Graph, b.samples(8, signed), o)
		if err != nil {
			t.Fatalf("net %d: %v", seed, err)
		}
		if len(r.Layers) != len(m.Layers) {
			t.Fatalf("net %d: report of %d layers for %d", seed, len(r.Layers), len(m.Layers))
		}
		if err := checkShares(m); err != nil {
			t.Errorf("net %d: %v", seed, err)
		}
		for _, x := range extremes(m, b.rng) {
			if err := checkWidths(m, x); err != nil {
				t.Errorf("net %d: %v", seed, err)
			}
		}
	}
}

// Some input reaches the ends of what a width is for: it could not be less.
func TestWidthIsLeast(t *testing.T) {
	for seed := range uint64(20) {
		b := newBuilder(seed, Dims{3, 4, 4})
		b.dense(b.op(NodeRelu, b.conv(0, 4, window(3, 1, 1))), 2)
		m, _, err := Quantize(&b.Graph, b.samples(8, seed%2 == 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		width := m.Layers[1].Activate.Width
		lo, hi := Limits(m.Input.Bits, m.Input.Signed)
		reached := false
		for oc := range 4 {
			for _, sign := range []int16{1, -1} {
				// The window of output (1, 1) covers the top left 3 × 3.
				x := make([]int32, 3*16)
				for i := range 27 {
					at := i/9*16 + i/3%3*4 + i%3
					if x[at] = lo; m.Weights[0].W[oc*27+i]*sign > 0 {
						x[at] = hi
					}
				}
				y := exact(m, x)[1][oc*16+5]
				reached = reached || y < -1<<(width-2) || y >= 1<<(width-2)
				if err := checkWidths(m, x); err != nil {
					t.Error(err)
				}
			}
		}
		if !reached {
			t.Errorf("net %d: no sum needs all of %d bits", seed, width)
		}
	}
}

// Networks whose sums are too wide for full weights get shorter ones, or a
// stage that makes the terms of the sum shorter.
func TestWideSums(t *testing.T) {
	same := func(n *Node) { // all weights alike: the widest sum, and 8 bits
		for i := range n.Weights {
			n.Weights[i] = 101.0 / 8192
		}
	}
	for _, c := range []struct {
		name  string
		in    Dims
		build func(b *builder)
		want  string
		bits  int // of the weights of the last Conv
	}{
		{"many inputs", Dims{1 << 12, 1, 1}, func(b *builder) {
			b.dense(0, 2)
			same(&b.Nodes[0])
		}, "conv", 7},
		{"sum of a large plane", Dims{8, 64, 64}, func(b *builder) {
			x := b.pool(NodeAvgPool, b.op(NodeRelu, b.conv(0, 16, window(1, 1, 0))), 64, 1, 0)
			b.dense(x, 4)
			same(&b.Nodes[3])
		}, "conv relu sum_pool identity conv", 8},
		{"sum of a large plane of sums", Dims{2, 64, 64}, func(b *builder) {
			b.pool(NodeAvgPool, b.conv(0, 4, window(3, 1, 1)), 64, 1, 0)
		}, "conv identity sum_pool", 8},
		{"noise of one sum, width of another", Dims{256, 4, 4}, func(b *builder) {
			x := b.conv(0, 2, window(1, 1, 0))
			same(&b.Nodes[0])
			clear(b.Nodes[0].Weights[8:])
			y := b.op(NodeRelu, b.pool(NodeAvgPool, x, 4, 1, 0)) // fits as long as x has its own width
			w := b.conv(0, 2, window(3, 1, 1))
			same(&b.Nodes[w-1])
			z := b.op(NodeRelu, b.op(NodeAdd, x, w))
			b.op(NodeAdd, b.dense(y, 2), b.dense(z, 2))
		}, "conv identity sum_pool relu conv conv add relu reshape conv add", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuilder(1, c.in)
			c.build(b)
			m, r, err := Quantize(&b.Graph, b.samples(4, false), nil)
			if err != nil {
				t.Fatal(err)
			}
			var ops []string
			last := 0
			for _, l := range r.Layers {
				ops = append(ops, l.Op)
				if l.Op == "conv" {
					last = l.WeightBits
				}
			}
			if got := strings.Join(ops, " "); got != c.want || c.bits > 0 && last > c.bits {
				t.Errorf("layers %s, %d bits in the last, want %s, %d", got, last, c.want, c.bits)
			}
			if err := checkShares(m); err != nil {
				t.Error(err)
			}
			for _, x := range extremes(m, b.rng) {
				if err := checkWidths(m, x); err != nil {
					t.Error(err)
				}
			}
			checkScores(t, &b.Graph, m, b.samples(4, false))
		})
	}
}
