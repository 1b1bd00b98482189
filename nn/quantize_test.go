package nn

import (
	"bytes"
	"encoding/json"
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

// patterns are small graphs, with the layers that each should become.
var patterns = []struct {
	name   string
	in     Dims
	signed bool
	build  func(b *builder)
	want   string
}{
	{"conv relu pool dense", Dims{2, 8, 8}, false, func(b *builder) {
		b.dense(b.pool(NodeMaxPool, b.op(NodeRelu, b.conv(0, 4, window(3, 1, 1))), 2, 2, 0), 5)
	}, "conv max_pool+relu reshape conv"},
	{"conv pool relu dense", Dims{2, 8, 8}, true, func(b *builder) {
		b.dense(b.op(NodeRelu, b.pool(NodeMaxPool, b.conv(0, 4, window(3, 1, 1)), 2, 2, 0)), 5)
	}, "conv max_pool+relu reshape conv"},
	{"conv pool conv", Dims{2, 8, 8}, true, func(b *builder) {
		b.conv(b.pool(NodeMaxPool, b.conv(0, 4, window(3, 1, 1)), 3, 2, 1), 3, window(3, 1, 0))
	}, "conv max_pool+identity conv"},
	{"relu shared with a pool", Dims{2, 8, 8}, true, func(b *builder) {
		r := b.op(NodeRelu, b.conv(0, 3, window(3, 1, 1)))
		p := b.pool(NodeMaxPool, r, 3, 1, 1)
		b.conv(b.op(NodeAdd, r, p), 2, window(1, 1, 0))
	}, "conv relu max_pool+identity add conv"},
	{"maps in a row", Dims{6, 1, 1}, true, func(b *builder) {
		b.dense(b.dense(b.dense(0, 8), 7), 4)
	}, "conv"},
	{"a narrow map in a row", Dims{40, 1, 1}, true, func(b *builder) {
		b.dense(b.dense(0, 4), 40)
	}, "conv identity conv"},
	{"planes in a row", Dims{3, 6, 6}, true, func(b *builder) {
		x := b.op(NodeRelu, b.conv(b.conv(0, 4, window(1, 1, 0)), 5, window(3, 2, 1)))
		b.dense(b.conv(b.conv(x, 6, window(1, 1, 0)), 4, window(1, 1, 0)), 3)
	}, "conv relu reshape conv"},
	{"output is an activation", Dims{6, 1, 1}, true, func(b *builder) {
		b.op(NodeRelu, b.dense(0, 8))
	}, "conv relu"},
	{"output waits for nothing", Dims{2, 4, 4}, true, func(b *builder) {
		b.pool(NodeMaxPool, b.op(NodeRelu, b.conv(0, 3, window(3, 1, 1))), 4, 4, 0)
	}, "conv max_pool+relu"},
	{"pool of the input", Dims{2, 6, 6}, true, func(b *builder) {
		b.conv(b.pool(NodeMaxPool, 0, 2, 2, 0), 3, window(3, 1, 0))
	}, "max_pool+identity conv"},
	{"square", Dims{6, 1, 1}, false, func(b *builder) {
		b.dense(b.op(NodeSquare, b.dense(b.op(NodeSquare, b.dense(0, 12)), 8)), 4)
	}, "conv square conv square conv"},
	{"pool square", Dims{2, 6, 6}, false, func(b *builder) {
		b.dense(b.op(NodeSquare, b.pool(NodeMaxPool, b.conv(0, 3, window(3, 1, 0)), 2, 2, 0)), 4)
	}, "conv max_pool+identity square reshape conv"},
	{"average pools", Dims{2, 12, 12}, true, func(b *builder) {
		x := b.pool(NodeAvgPool, b.op(NodeRelu, b.conv(0, 4, window(3, 1, 1))), 3, 3, 0)
		x = b.op(NodeRelu, b.pool(NodeAvgPool, b.conv(x, 4, window(3, 1, 1)), 2, 2, 0))
		b.pool(NodeAvgPool, b.conv(x, 3, window(1, 1, 0)), 2, 2, 0)
	}, "conv relu sum_pool conv sum_pool relu conv sum_pool"},
	{"residual", Dims{3, 8, 8}, true, func(b *builder) {
		x := b.op(NodeRelu, b.conv(0, 4, window(3, 1, 1)))
		y := b.conv(b.op(NodeRelu, b.conv(x, 4, window(3, 1, 1))), 4, window(3, 1, 1))
		x = b.op(NodeRelu, b.op(NodeAdd, x, y))
		y = b.conv(b.op(NodeRelu, b.conv(x, 6, window(3, 2, 1))), 6, window(3, 1, 1))
		x = b.op(NodeRelu, b.op(NodeAdd, b.conv(x, 6, window(1, 2, 0)), y))
		b.dense(b.pool(NodeAvgPool, x, 4, 4, 0), 3)
	}, "conv relu conv relu conv add relu conv conv relu conv add relu sum_pool conv"},
	{"residual without activations", Dims{3, 6, 6}, true, func(b *builder) {
		x := b.conv(0, 3, window(3, 1, 1))
		x = b.op(NodeAdd, x, b.conv(b.op(NodeRelu, x), 3, window(3, 1, 1)))
		x = b.op(NodeAdd, x, b.conv(b.op(NodeRelu, x), 3, window(3, 1, 1)))
		b.dense(x, 4)
	}, "conv relu conv add relu conv add identity reshape conv"},
	{"divisors that differ", Dims{2, 6, 6}, false, func(b *builder) {
		r := b.op(NodeRelu, b.conv(0, 3, window(3, 1, 1)))
		b.dense(b.op(NodeAdd, b.pool(NodeAvgPool, r, 3, 1, 1), r), 3)
	}, "conv relu sum_pool add reshape conv"},
	{"divisor and convolution", Dims{2, 6, 6}, false, func(b *builder) {
		r := b.op(NodeRelu, b.conv(0, 3, window(3, 1, 1)))
		b.op(NodeRelu, b.op(NodeAdd, b.pool(NodeAvgPool, r, 3, 1, 1), b.conv(r, 3, window(3, 1, 1))))
	}, "conv relu sum_pool conv add relu"},
	{"borders merged", Dims{2, 6, 6}, true, func(b *builder) {
		x := b.op(NodeRelu, b.conv(b.pad(0, Pad{1, 0, 2, 1}), 3, window(3, 2, 0)))
		b.dense(b.pool(NodeAvgPool, b.pad(x, Pad{1, 1, 0, 0}), 2, 1, 0), 3)
	}, "conv relu sum_pool reshape conv"},
	{"borders that stay", Dims{2, 5, 5}, true, func(b *builder) {
		x := b.conv(b.pad(0, Pad{1, 1, 1, 1}), 3, window(1, 1, 0))
		b.dense(b.op(NodeRelu, b.pad(x, Pad{0, 1, 0, 1})), 3)
	}, "zero_pad conv zero_pad relu reshape conv"},
	{"border shared", Dims{2, 5, 5}, true, func(b *builder) {
		x := b.pad(0, Pad{1, 1, 1, 1})
		b.dense(b.op(NodeAdd, b.conv(x, 2, window(3, 1, 1)), x), 3)
	}, "conv zero_pad add identity reshape conv"},
	{"affine after", Dims{2, 5, 5}, true, func(b *builder) {
		x := b.op(NodeRelu, b.affine(b.conv(0, 4, window(3, 1, 1))))
		x = b.reshape(b.dense(x, 8), Dims{2, 2, 2})
		b.dense(b.op(NodeRelu, b.affine(b.affine(x))), 3)
	}, "conv relu reshape conv reshape relu reshape conv"},
	{"affine before", Dims{2, 5, 5}, true, func(b *builder) {
		x := b.op(NodeRelu, b.conv(b.affine(0), 4, window(3, 1, 0)))
		b.dense(b.affine(x), 3)
	}, "conv relu reshape conv"},
	{"relus that do nothing", Dims{2, 5, 5}, false, func(b *builder) {
		x := b.op(NodeRelu, b.op(NodeRelu, b.conv(b.op(NodeRelu, 0), 4, window(3, 1, 0))))
		b.dense(b.op(NodeRelu, b.pool(NodeMaxPool, x, 3, 3, 0)), 3)
	}, "conv relu max_pool+identity conv"},
	{"relu of the input", Dims{5, 1, 1}, true, func(b *builder) {
		b.dense(b.op(NodeRelu, 0), 3)
	}, "relu conv"},
	{"nothing dead", Dims{5, 1, 1}, true, func(b *builder) {
		x := b.op(NodeRelu, b.dense(0, 3))
		b.dense(x, 7)
		b.Output = x
	}, "conv relu"},
	{"depthwise and relu6", Dims{2, 8, 8}, true, func(b *builder) {
		x := b.clip(b.conv(0, 6, window(3, 1, 1)), 0, 0.6)
		x = b.clip(b.grouped(x, 6, 6, window(3, 2, 1)), 0, 0.75)
		b.dense(b.conv(x, 4, window(1, 1, 0)), 3)
	}, "conv clip conv clip reshape conv"},
	{"groups, dilation, pool of a clip", Dims{4, 9, 9}, true, func(b *builder) {
		x := b.pool(NodeMaxPool, b.clip(b.grouped(0, 6, 2, Window{KH: 3, KW: 2, StrideH: 1, StrideW: 1, DilH: 2}), -0.5, 0.5), 2, 2, 0)
		b.dense(x, 3)
	}, "conv max_pool+clip reshape conv"},
	{"clips that a width does", Dims{2, 5, 5}, true, func(b *builder) {
		x := b.clip(b.conv(0, 4, window(3, 1, 1)), 0, 100)
		b.dense(b.clip(b.conv(x, 4, window(1, 1, 0)), math.Inf(-1), 100), 3)
	}, "conv relu conv identity reshape conv"},
	{"leaky relus", Dims{2, 8, 8}, true, func(b *builder) {
		x := b.leaky(b.conv(0, 4, window(3, 1, 1)), 0.125)
		x = b.leaky(b.conv(x, 4, window(3, 1, 1)), 0.1)
		b.dense(b.pool(NodeMaxPool, b.leaky(b.conv(x, 4, window(3, 1, 1)), 0.5), 2, 2, 0), 3)
	}, "conv leaky conv table conv max_pool+leaky reshape conv"},
	{"tables", Dims{2, 8, 8}, true, func(b *builder) {
		x := b.pool(NodeMaxPool, b.table(b.conv(0, 4, window(3, 1, 1)), "sigmoid", logistic), 2, 2, 0)
		x = b.table(b.conv(x, 4, window(3, 1, 1)), "tanh", math.Tanh)
		x = b.pool(NodeMaxPool, b.table(b.conv(x, 4, window(3, 1, 1)), "swish", func(v float64) float64 { return v * logistic(v) }), 2, 2, 0)
		b.dense(b.table(b.pool(NodeMaxPool, b.conv(x, 8, window(1, 1, 0)), 2, 2, 0), "sine", math.Sin), 4)
	}, "conv max_pool+table conv table conv table max_pool+identity conv max_pool+table conv"},
	{"pool of a whole plane", Dims{1, 40, 36}, true, func(b *builder) {
		x := b.conv(0, 3, window(3, 1, 1))
		b.dense(b.node(Node{Op: NodeMaxPool, Window: Window{KH: 40, KW: 36, StrideH: 1, StrideW: 1}}, b.op(NodeRelu, x)), 4)
	}, "conv max_pool+relu max_pool+identity conv"},
	{"table of the input", Dims{6, 1, 1}, true, func(b *builder) {
		b.dense(b.table(0, "sigmoid", logistic), 4)
	}, "table conv"},
	{"concatenation of activations", Dims{2, 6, 6}, true, func(b *builder) {
		x := b.op(NodeRelu, b.conv(0, 3, window(3, 1, 1)))
		y := b.table(b.conv(0, 2, window(1, 1, 0)), "sigmoid", logistic)
		b.dense(b.concat(0, x, y, 0), 3)
	}, "conv relu conv table concat reshape conv"},
	{"concatenation of all kinds", Dims{2, 6, 6}, true, func(b *builder) {
		x := b.conv(0, 3, window(3, 1, 1))
		y := b.op(NodeRelu, b.conv(0, 3, window(1, 1, 0)))
		z := b.pool(NodeAvgPool, y, 3, 1, 1)
		b.dense(b.op(NodeRelu, b.concat(1, x, y, z)), 3)
	}, "conv conv relu sum_pool concat relu reshape conv"},
	{"dense block", Dims{2, 6, 6}, true, func(b *builder) {
		x := b.conv(0, 4, window(3, 1, 1))
		y := b.conv(b.op(NodeRelu, b.affine(x)), 3, window(3, 1, 1))
		x = b.concat(0, x, y)
		y = b.conv(b.op(NodeRelu, b.affine(x)), 3, window(3, 1, 1))
		x = b.concat(0, x, y)
		b.dense(b.op(NodeRelu, b.affine(x)), 4)
	}, "conv identity conv relu conv identity concat conv relu conv identity concat conv relu reshape conv"},
	{"sums with signs", Dims{2, 6, 6}, true, func(b *builder) {
		x, y := b.conv(0, 3, window(3, 1, 1)), b.op(NodeRelu, b.conv(0, 3, window(1, 1, 0)))
		x = b.node(Node{Op: NodeAdd, Sign: []int{-1, 1, 1}}, x, y, b.conv(y, 3, window(3, 1, 1)))
		b.dense(b.op(NodeRelu, x), 3)
	}, "conv conv relu conv add relu reshape conv"},
	{"moved about", Dims{2, 5, 6}, true, func(b *builder) {
		x := b.node(Node{Op: NodeStuff, FactorH: 2, FactorW: 3}, 0)
		x = b.op(NodeRelu, b.conv(x, 4, window(3, 1, 1)))
		x = b.slice(x, Dims{3, 4, 8}, [3]int{0, 8, 1}, [3]int{1, -2, 2})
		x = b.node(Node{Op: NodeTranspose, Perm: [3]int{2, 0, 1}}, x)
		x = b.node(Node{Op: NodeUpsample, FactorH: 2, FactorW: 1}, b.conv(x, 3, window(1, 1, 0)))
		b.dense(b.op(NodeRelu, b.slice(x, Dims{3, 3, 4}, [3]int{0, 1, 0}, [3]int{1, 2, 1})), 3)
	}, "stuff conv relu slice transpose conv upsample slice relu reshape conv"},
	{"averages without the border", Dims{2, 7, 7}, true, func(b *builder) {
		x := b.op(NodeRelu, b.conv(0, 3, window(3, 1, 1)))
		x = b.node(Node{Op: NodeAvgPool, Window: window(3, 2, 1)}, x)
		b.dense(b.op(NodeRelu, b.node(Node{Op: NodeAvgPool, Window: window(2, 1, 1)}, b.conv(x, 3, window(1, 1, 0)))), 3)
	}, "conv relu sum_pool conv sum_pool relu reshape conv"},
	{"affines before borders", Dims{2, 6, 6}, true, func(b *builder) {
		x := b.conv(b.pad(b.affine(0), Pad{1, 0, 0, 0}), 4, window(3, 1, 1))
		x = b.op(NodeRelu, b.affine(b.reshape(x, Dims{4, 7, 6})))
		b.dense(b.op(NodeRelu, b.grouped(b.affine(x), 4, 2, window(3, 2, 1))), 3)
	}, "conv relu conv relu reshape conv"},
	{"affines around pools", Dims{2, 8, 8}, true, func(b *builder) {
		x := b.op(NodeRelu, b.affine(b.pool(NodeAvgPool, b.conv(0, 4, window(3, 1, 1)), 2, 1, 0)))
		y := b.affine(b.pool(NodeMaxPool, b.conv(x, 4, window(3, 1, 1)), 2, 1, 0))
		for i := range b.Nodes[y-1].Scale {
			b.Nodes[y-1].Scale[i] = 0.5 + b.rng.Float32()
		}
		y = b.affine(b.op(NodeRelu, y))
		b.Nodes[y-1].Scale = b.Nodes[y-2-1].Scale
		b.conv(b.pool(NodeMaxPool, b.pool(NodeAvgPool, y, 2, 1, 0), 2, 1, 1), 2, window(3, 1, 1))
	}, "conv sum_pool relu conv max_pool+relu sum_pool max_pool+identity conv"},
	{"affine of a pool that falls", Dims{2, 6, 6}, true, func(b *builder) {
		y := b.affine(b.pool(NodeMaxPool, b.conv(0, 4, window(3, 1, 1)), 2, 1, 0))
		b.Nodes[y-1].Scale[2] = -0.5
		b.dense(b.op(NodeRelu, y), 3)
	}, "conv max_pool+identity conv relu reshape conv"},
	{"affines that stay", Dims{2, 6, 6}, true, func(b *builder) {
		x := b.conv(0, 4, window(3, 1, 1))
		x = b.op(NodeAdd, x, b.op(NodeRelu, b.affine(x)))
		b.conv(b.affine(b.op(NodeRelu, x)), 3, window(3, 1, 1))
	}, "conv identity conv relu add relu conv"},
	{"reshaped accumulator", Dims{8, 1, 1}, true, func(b *builder) {
		x := b.reshape(b.dense(0, 18), Dims{2, 3, 3})
		b.conv(b.op(NodeRelu, x), 3, window(3, 1, 1))
	}, "conv reshape relu conv"},
}

func TestQuantizePatterns(t *testing.T) {
	for _, p := range patterns {
		t.Run(p.name, func(t *testing.T) {
			b := newBuilder(7, p.in)
			p.build(b)
			m, r, err := Quantize(&b.Graph, b.samples(40, p.signed), nil)
			if err != nil {
				t.Fatal(err)
			}
			var ops []string
			for i, l := range r.Layers {
				ops = append(ops, l.Op)
				if l.Error > 0.04 {
					t.Errorf("layer %d, %s: error %.3f of the float network", i, l.Op, l.Error)
				}
			}
			if got := strings.Join(ops, " "); got != p.want {
				t.Errorf("layers\n %s, want\n %s", got, p.want)
			}
			checkScores(t, &b.Graph, m, b.samples(20, p.signed))
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		})
	}
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
