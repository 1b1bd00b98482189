package nn

import (
	"bytes"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// builder adds nodes with random weights to a graph.
type builder struct {
	Graph
	rng *rand.Rand
}

func newBuilder(seed uint64, in Dims) *builder {
	return &builder{Graph: Graph{Name: "net", Input: in}, rng: rand.New(rand.NewPCG(seed, 1))}
}

// node adds a node on the tensors in and returns its tensor, which it makes
// the output.
func (b *builder) node(n Node, in ...int) int {
	n.In = in
	if n.Out == (Dims{}) {
		var err error
		var dims []Dims
		for _, t := range in {
			dims = append(dims, b.Dims(t))
		}
		if n.Out, err = n.outDims(dims); err != nil {
			panic(err)
		}
	}
	n.Name = n.Op.String()
	b.Nodes = append(b.Nodes, n)
	b.Output = len(b.Nodes)
	return b.Output
}

// square returns a window of k × k.
func window(k, stride, pad int) Window {
	return Window{KH: k, KW: k, StrideH: stride, StrideW: stride, Pad: Pad{pad, pad, pad, pad}}
}

func (b *builder) conv(x, channels int, win Window) int {
	in := b.Dims(x)
	n := in.C * win.KH * win.KW
	w := floats(b.rng, channels*n)
	for i := range w {
		w[i] *= float32(math.Sqrt(3 / float64(n))) // variance 1/n
	}
	return b.node(Node{Op: NodeConv, Window: win, Weights: w, Bias: floats(b.rng, channels), Out: func() Dims {
		h, w := win.Out(in.H, in.W)
		return Dims{channels, h, w}
	}()}, x)
}

// grouped is conv with groups.
func (b *builder) grouped(x, channels, groups int, win Window) int {
	in := b.Dims(x)
	n := in.C / groups * win.KH * win.KW
	w := floats(b.rng, channels*n)
	for i := range w {
		w[i] *= float32(math.Sqrt(3 / float64(n)))
	}
	h, wd := win.Out(in.H, in.W)
	return b.node(Node{Op: NodeConv, Window: win, Groups: groups, Weights: w, Bias: floats(b.rng, channels), Out: Dims{channels, h, wd}}, x)
}

func (b *builder) concat(axis int, in ...int) int {
	return b.node(Node{Op: NodeConcat, Axis: axis}, in...)
}

func (b *builder) slice(x int, out Dims, start, step [3]int) int {
	return b.node(Node{Op: NodeSlice, Out: out, Start: start, Step: step}, x)
}

// table applies a function; params are those of a clip or leaky_relu.
func (b *builder) table(x int, name string, f func(float64) float64, params ...float64) int {
	return b.node(Node{Op: NodeTable, Func: Univariate{Name: name, Params: params, F: f}}, x)
}

func (b *builder) clip(x int, lo, hi float64) int {
	return b.table(x, "clip", func(v float64) float64 { return min(max(v, lo), hi) }, lo, hi)
}

func (b *builder) leaky(x int, alpha float64) int {
	return b.table(x, "leaky_relu", func(v float64) float64 { return max(v, alpha*v) }, alpha)
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func (b *builder) dense(x, channels int) int {
	n := b.Dims(x).Len()
	w := floats(b.rng, channels*n)
	for i := range w {
		w[i] *= float32(math.Sqrt(3 / float64(n)))
	}
	return b.node(Node{Op: NodeDense, Weights: w, Bias: floats(b.rng, channels), Out: Dims{channels, 1, 1}}, x)
}

func (b *builder) op(op NodeOp, in ...int) int { return b.node(Node{Op: op}, in...) }

func (b *builder) pool(op NodeOp, x, k, stride, pad int) int {
	return b.node(Node{Op: op, Window: window(k, stride, pad), CountPad: true}, x)
}

func (b *builder) pad(x int, p Pad) int { return b.node(Node{Op: NodeZeroPad, Pad: p}, x) }

func (b *builder) reshape(x int, d Dims) int { return b.node(Node{Op: NodeReshape, Out: d}, x) }

func (b *builder) affine(x int) int {
	c := b.Dims(x).C
	return b.node(Node{Op: NodeAffine, Scale: floats(b.rng, c), Shift: floats(b.rng, c)}, x)
}

func (b *builder) samples(n int, signed bool) [][]float32 {
	s := make([][]float32, n)
	for i := range s {
		s[i] = floats(b.rng, b.Input.Len())
		for j, v := range s[i] {
			if !signed {
				s[i][j] = (v + 1) / 2
			}
		}
	}
	return s
}

// checkScores compares the real scores of a model with those of the float
// network on samples that it was not calibrated with.
func checkScores(t *testing.T, g *Graph, m *Model, samples [][]float32) {
	t.Helper()
	var power, sum float64
	for _, x := range samples {
		want, err := g.Run(x)
		if err != nil {
			t.Fatal(err)
		}
		in := make([]int32, len(x))
		m.Input.Quantize(in, x)
		r, err := m.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range m.Output.Scores(r.Outputs) {
			d := v - float64(want[i])
			sum += d * d
			power += float64(want[i]) * float64(want[i])
		}
	}
	if e := math.Sqrt(sum / power); e > 0.05 {
		t.Errorf("scores differ by %.3f", e)
	}
}

// Options show in the shape, and finer ones in the error.
func TestQuantizeOptions(t *testing.T) {
	b := newBuilder(3, Dims{2, 8, 8})
	x := b.op(NodeRelu, b.conv(0, 6, window(3, 1, 1)))
	b.dense(b.op(NodeSquare, b.dense(x, 10)), 4)
	b.Head = HeadSoftmax
	samples := b.samples(50, false)
	last := math.Inf(1)
	for _, bits := range []int{5, 8, 11} {
		o := &QuantizeOptions{ActBits: bits, WeightBits: bits, SquareBits: bits + 1, InputBits: bits, Reveal: RevealLabel}
		m, r, err := Quantize(&b.Graph, samples, o)
		if err != nil {
			t.Fatal(err)
		}
		if m.Output.Reveal != RevealLabel || m.Output.Head != HeadSoftmax || m.Name != "net" || m.Input.Bits != bits {
			t.Errorf("output %+v, input %+v", m.Output, m.Input)
		}
		relu, square := m.Layers[1].Activate, m.Layers[4].Activate
		if relu.Bits > bits || square.Mid != bits+1 || square.Bits > bits+1 {
			t.Errorf("%d bits give %+v and %+v", bits, relu, square)
		}
		e := r.Layers[len(r.Layers)-1].Error
		if e > last/4 {
			t.Errorf("%d bits: error %.5f, %.5f before", bits, e, last)
		}
		last = e
	}
}

func TestQuantizeErrors(t *testing.T) {
	plain := func(b *builder) { b.dense(b.op(NodeRelu, b.conv(0, 3, window(3, 1, 1))), 2) }
	for _, c := range []struct {
		name  string
		build func(b *builder)
		opt   *QuantizeOptions
		spoil func(samples [][]float32) [][]float32
		want  string
	}{
		{"no samples", plain, nil, func([][]float32) [][]float32 { return nil }, "no samples"},
		{"short sample", plain, nil, func(s [][]float32) [][]float32 { s[2] = s[2][1:]; return s }, "sample 2"},
		{"nan", plain, nil, func(s [][]float32) [][]float32 { s[1][7] = float32(math.NaN()); return s }, "sample 1: value 7"},
		{"overflow", plain, nil, func(s [][]float32) [][]float32 {
			for i := range s[1] {
				s[1][i] = 3e38
			}
			return s
		}, "Inf"},
		{"act bits", plain, &QuantizeOptions{ActBits: 20}, nil, "ActBits is 20"},
		{"weight bits", plain, &QuantizeOptions{WeightBits: 1}, nil, "WeightBits is 1"},
		{"reveal", plain, &QuantizeOptions{Reveal: "all"}, nil, `reveal "all"`},
		{"too many different divisors", func(b *builder) {
			b.Input = Dims{1, 1, 64}
			b.node(Node{Op: NodeAvgPool, Window: Window{KH: 1, KW: 31, StrideH: 1, StrideW: 1, Pad: Pad{Left: 30, Right: 30}}}, 0)
		}, nil, nil, "common multiple"},
		{"too large a sum", func(b *builder) {
			b.Input = Dims{1, 1024, 2048}
			b.node(Node{Op: NodeAvgPool, Window: Window{KH: 1024, KW: 2048, StrideH: 1, StrideW: 1}}, 0)
		}, nil, func(s [][]float32) [][]float32 { return s[:1] }, "more than 28 bits"},
		{"no layers", func(b *builder) {}, nil, nil, "output is the input"},
		{"invalid graph", func(b *builder) { plain(b); b.Output = 9 }, nil, nil, "no tensor 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuilder(5, Dims{2, 5, 5})
			c.build(b)
			s := b.samples(4, true)
			if c.spoil != nil {
				s = c.spoil(s)
			}
			if _, _, err := Quantize(&b.Graph, s, c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %s", err, c.want)
			}
		})
	}
}

// Weights that are short integers times a power of two are kept as they are.
func TestQuantizeKeepsShortWeights(t *testing.T) {
	b := newBuilder(11, Dims{30, 1, 1})
	b.dense(0, 10)
	n := &b.Nodes[0]
	clear(n.Bias)
	for i := range n.Weights {
		n.Weights[i] = float32(b.rng.IntN(32)-16) / 64
	}
	m, _, err := Quantize(&b.Graph, b.samples(10, false), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range m.Weights[0].W {
		if float32(k)/64 != n.Weights[i] {
			t.Fatalf("weight %d is %d, was %v", i, k, n.Weights[i])
		}
	}
}

// The same samples give the same model, and the graph stays as it was.
func TestQuantizeRepeats(t *testing.T) {
	b := newBuilder(13, Dims{2, 8, 8})
	x := b.op(NodeRelu, b.affine(b.conv(0, 6, window(3, 1, 1))))
	b.dense(b.affine(x), 10)
	samples := b.samples(33, true)
	weights := slices.Clone(b.Nodes[0].Weights)
	var files [2]bytes.Buffer
	for i := range files {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1 + i))
		m, _, err := Quantize(&b.Graph, samples, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.WriteTo(&files[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("two models differ")
	}
	if !slices.Equal(weights, b.Nodes[0].Weights) || b.Nodes[1].Op != NodeAffine || b.Nodes[3].Op != NodeAffine {
		t.Error("the graph changed")
	}
}
