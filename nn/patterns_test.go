package nn

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

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
