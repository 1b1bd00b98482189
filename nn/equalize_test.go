package nn

import (
	"math"
	"slices"
	"testing"
)

// separable builds a network of depthwise and pointwise convolutions with relus
// that answers each of its 6 classes about equally often, then scales the
// channels of its depthwise layer by factors that the layers around undo: the
// same function, badly scaled for integers.
func separable(seed uint64, spread float64) *builder {
	b := newBuilder(seed, Dims{3, 10, 10})
	x := b.op(NodeRelu, b.conv(0, 16, window(3, 1, 1)))
	x = b.op(NodeRelu, b.grouped(x, 16, 16, window(3, 1, 1)))
	x = b.op(NodeRelu, b.conv(x, 12, window(1, 1, 0)))
	x = b.op(NodeRelu, b.grouped(b.pad(x, Pad{1, 1, 1, 1}), 12, 12, window(3, 2, 0)))
	b.dense(b.pool(NodeAvgPool, x, 5, 5, 0), 6)
	for i := range b.Nodes {
		b.Nodes[i].Name += string(rune('a' + i))
	}
	for _, l := range b.prepare().links() {
		channels := b.Nodes[l.first].Out.C
		down, up := make([]float32, channels), make([]float32, channels)
		for c := range down {
			f := math.Exp(spread * (2*b.rng.Float64() - 1))
			down[c], up[c] = float32(1/f), float32(f)
		}
		b.Nodes[l.first].affine(down, nil)
		second := &b.Nodes[l.second]
		second.affineInput(up, make([]float32, channels), b.Dims(second.In[0]))
	}
	return b
}

// differences returns how far the scores of two networks are apart at most, in
// units of the largest score.
func differences(t *testing.T, a, b *Graph, samples [][]float32) float64 {
	t.Helper()
	var far, top float64
	for _, x := range samples {
		p, err := a.Run(x)
		if err != nil {
			t.Fatal(err)
		}
		q, err := b.Run(x)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p {
			far, top = max(far, math.Abs(float64(p[i])-float64(q[i]))), max(top, math.Abs(float64(p[i])))
		}
	}
	return far / top
}

// Equalising leaves the float function as it was, and the given weights.
func TestEqualizeKeepsFunction(t *testing.T) {
	for seed := range uint64(6) {
		b := separable(seed, 4)
		f := b.prepare()
		weights := slices.Clone(f.Nodes[0].Weights)
		even, n := f.equalized(EqualizeAuto)
		if n != 4 {
			t.Fatalf("%d links, want 4", n)
		}
		if d := differences(t, f, even, b.samples(10, true)); d > 1e-5 {
			t.Errorf("seed %d: scores change by %g", seed, d)
		}
		for _, l := range even.links() {
			made, taken := even.ranges(l)
			for c := range made {
				if r := made[c] / taken[c]; r < 0.98 || r > 1.02 {
					t.Errorf("seed %d: channel %d between nodes %d and %d has ranges %v and %v", seed, c, l.first, l.second, made[c], taken[c])
				}
			}
		}
		if !slices.Equal(weights, f.Nodes[0].Weights) {
			t.Error("the graph changed")
		}
	}
}

// A badly scaled depthwise network is rescued, and auto finds that out.
func TestEqualizeRescuesDepthwise(t *testing.T) {
	b := separable(3, 3.5)
	samples := b.samples(80, true)
	errors := map[Equalization]float64{}
	for _, how := range []Equalization{EqualizeNever, EqualizeAlways, EqualizeAuto} {
		_, r, err := Quantize(&b.Graph, samples, &QuantizeOptions{Equalize: how})
		if err != nil {
			t.Fatal(err)
		}
		if (r.Equalized > 0) != (how != EqualizeNever) {
			t.Errorf("%s: %d tensors equalised", how, r.Equalized)
		}
		errors[how] = r.Layers[len(r.Layers)-1].Error
	}
	t.Logf("error of the scores: %v", errors)
	if errors[EqualizeAlways] > errors[EqualizeNever]/4 || errors[EqualizeAuto] != errors[EqualizeAlways] {
		t.Errorf("error of the scores: %v", errors)
	}
}

// Links end where a factor cannot pass: at clips, tables, sums, a second user,
// and at weights that a file gives as integers.
func TestEqualizeLinks(t *testing.T) {
	conv := func(b *builder, x int) int { return b.conv(x, 4, window(3, 1, 1)) }
	for _, c := range []struct {
		name  string
		build func(b *builder)
		want  int
	}{
		{"relu", func(b *builder) { conv(b, b.op(NodeRelu, conv(b, 0))) }, 1},
		{"nothing between", func(b *builder) { conv(b, conv(b, 0)) }, 1},
		{"leaky relu", func(b *builder) { conv(b, b.leaky(conv(b, 0), 0.1)) }, 1},
		{"pools, border, larger", func(b *builder) {
			x := b.pool(NodeMaxPool, b.op(NodeRelu, conv(b, 0)), 2, 2, 0)
			x = b.pad(b.pool(NodeAvgPool, x, 2, 1, 0), Pad{3, 0, 3, 0})
			conv(b, b.node(Node{Op: NodeUpsample, FactorH: 2, FactorW: 2, Out: Dims{4, 16, 4}}, x))
		}, 1},
		{"dense", func(b *builder) { b.dense(b.op(NodeRelu, conv(b, 0)), 5) }, 1},
		{"flattened", func(b *builder) { b.dense(b.reshape(conv(b, 0), Dims{144, 1, 1}), 5) }, 1},
		{"channels from rows", func(b *builder) { conv(b, b.reshape(conv(b, 0), Dims{12, 4, 3})) }, 0},
		{"clip", func(b *builder) { conv(b, b.clip(conv(b, 0), 0, 6)) }, 0},
		{"table", func(b *builder) { conv(b, b.table(conv(b, 0), "logistic", logistic)) }, 0},
		{"square", func(b *builder) { conv(b, b.op(NodeSquare, conv(b, 0))) }, 0},
		{"sum", func(b *builder) { conv(b, b.op(NodeAdd, conv(b, 0), conv(b, 0))) }, 0},
		{"two users", func(b *builder) { x := conv(b, 0); b.op(NodeAdd, conv(b, x), conv(b, x)) }, 0},
		{"also the output", func(b *builder) { x := conv(b, 0); conv(b, x); b.Output = x }, 0},
		{"integers", func(b *builder) {
			conv(b, conv(b, 0))
			b.Nodes[1].Quantized = &Quantized{Weights: make([]int32, len(b.Nodes[1].Weights)), Scale: []float32{1}, Zero: []int32{0}}
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuilder(9, Dims{2, 6, 6})
			c.build(b)
			if err := b.Validate(); err != nil {
				t.Fatal(err)
			}
			f := b.prepare()
			if links := f.links(); len(links) != c.want {
				t.Errorf("links %v, want %d", links, c.want)
			}
			even, n := f.equalized(EqualizeAlways)
			if n != c.want {
				t.Errorf("%d equalised, want %d", n, c.want)
			}
			if d := differences(t, f, even, b.samples(5, true)); d > 1e-5 {
				t.Errorf("scores change by %g", d)
			}
		})
	}
}

// Channels that are all zero on one side stay as they are.
func TestEqualizeDeadChannels(t *testing.T) {
	b := separable(5, 1)
	clear(b.Nodes[0].Weights[:27])
	clear(b.Nodes[2].Weights[9:18])
	f := b.prepare()
	even, n := f.equalized(EqualizeAlways)
	if n == 0 {
		t.Fatal("nothing equalised")
	}
	if d := differences(t, f, even, b.samples(5, true)); d > 1e-5 {
		t.Errorf("scores change by %g", d)
	}
	if err := even.Validate(); err != nil {
		t.Error(err)
	}
}
