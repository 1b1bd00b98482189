package protocol

import (
	"math/rand/v2"

	"dorcas/nn"
)

// builder makes small networks with random weights, whose widths and norms
// are right.
type builder struct {
	m   nn.Model
	rng *rand.Rand
}

func newBuilder(seed uint64, input nn.Dims, bits int, signed bool) *builder {
	b := &builder{rng: rand.New(rand.NewPCG(seed, 1))}
	b.m.Name = "test"
	b.m.Input = nn.Input{Dims: input, Bits: bits, Signed: signed}
	return b
}

// layer appends a layer and returns its tensor.
func (b *builder) layer(l nn.Layer, w *nn.Weights) int {
	b.m.Layers = append(b.m.Layers, l)
	b.m.Weights = append(b.m.Weights, w)
	return len(b.m.Layers)
}

func (b *builder) width(t int) int { return max(2, nn.Hull(b.m.Bounds()[t]).Width()) }

func (b *builder) conv(in, outC int, win nn.Window) int { return b.grouped(in, outC, 0, win) }

func (b *builder) grouped(in, outC, groups int, win nn.Window) int {
	d := b.m.Dims(in)
	h, w := win.Out(d.H, d.W)
	weights := &nn.Weights{W: make([]int16, outC*d.C/max(groups, 1)*win.KH*win.KW), Bias: make([]int32, outC)}
	for i := range weights.W {
		weights.W[i] = int16(b.rng.IntN(255) - 127)
	}
	for i := range weights.Bias {
		weights.Bias[i] = int32(b.rng.IntN(2001) - 1000)
	}
	return b.layer(nn.Layer{
		Name: "conv", In: []int{in}, Out: nn.Dims{C: outC, H: h, W: w},
		Conv: &nn.Conv{Window: win, Groups: groups, NormBits: weights.NormBits(outC)},
	}, weights)
}

func (b *builder) dense(in, out int) int {
	d := b.m.Dims(in)
	if d.H*d.W > 1 {
		in = b.layer(nn.Layer{Name: "flatten", In: []int{in}, Out: nn.Dims{C: d.Len(), H: 1, W: 1}, Reshape: &nn.Reshape{}}, nil)
	}
	return b.conv(in, out, square(1, 1, 0))
}

func (b *builder) activate(in int, a nn.Activate) int {
	a.Width = b.width(in)
	if a.Shift < 0 {
		a.Shift = max(0, a.Width-12)
	}
	if a.Shift > 0 {
		y := nn.Hull(b.m.Bounds()[in])
		y.Hi += 1 << (a.Shift - 1)
		a.Width = max(a.Width, y.Width())
	}
	out := b.m.Dims(in)
	if a.Pool != nil {
		out.H, out.W = a.Pool.Out(out.H, out.W)
	}
	return b.layer(nn.Layer{Name: string(a.Func), In: []int{in}, Out: out, Activate: &a}, nil)
}

func (b *builder) relu(in int, pool *nn.Window) int {
	return b.activate(in, nn.Activate{Func: nn.Relu, Pool: pool, Shift: -1, Bits: 8})
}

func (b *builder) sumPool(in int, win nn.Window) int {
	out := b.m.Dims(in)
	out.H, out.W = win.Out(out.H, out.W)
	return b.layer(nn.Layer{Name: "sum", In: []int{in}, Out: out, SumPool: &nn.SumPool{Window: win}}, nil)
}

func (b *builder) add(factor []int, in ...int) int {
	return b.layer(nn.Layer{Name: "add", In: in, Out: b.m.Dims(in[0]), Add: &nn.Add{Factor: factor}}, nil)
}

func (b *builder) level(in int, win nn.Window) int {
	out := b.m.Dims(in)
	out.H, out.W = win.Out(out.H, out.W)
	return b.public(nn.Layer{In: []int{in}, Out: out, SumPool: &nn.SumPool{Window: win, Level: true}})
}

func (b *builder) public(l nn.Layer) int {
	l.Name = "public"
	return b.layer(l, nil)
}

func (b *builder) slice(in int, out nn.Dims, start, step [3]int) int {
	return b.public(nn.Layer{In: []int{in}, Out: out, Slice: &nn.Slice{Start: start, Step: step}})
}

func (b *builder) concat(axis int, factor []int, in ...int) int {
	out := b.m.Dims(in[0])
	for _, t := range in[1:] {
		d := b.m.Dims(t)
		switch axis {
		case 0:
			out.C += d.C
		case 1:
			out.H += d.H
		default:
			out.W += d.W
		}
	}
	return b.public(nn.Layer{In: in, Out: out, Concat: &nn.Concat{Axis: axis, Factor: factor}})
}

func (b *builder) finish(out int, reveal nn.Reveal) *nn.Model {
	b.m.Output = nn.Output{Tensor: out, Width: b.width(out), Frac: 7, Div: 1, Reveal: reveal}
	return &b.m
}

// input draws an input, edge values included.
func (b *builder) input() []int32 {
	lo, hi := nn.Limits(b.m.Input.Bits, b.m.Input.Signed)
	x := make([]int32, b.m.Input.Dims.Len())
	for i := range x {
		x[i] = lo + b.rng.Int32N(hi-lo+1)
		switch b.rng.IntN(8) {
		case 0:
			x[i] = lo
		case 1:
			x[i] = hi
		}
	}
	return x
}

func square(k, stride, pad int) nn.Window {
	return nn.Window{KH: k, KW: k, StrideH: stride, StrideW: stride, Pad: nn.Pad{Top: pad, Left: pad, Bottom: pad, Right: pad}}
}

// networks are one network for every shape of thing that a plan must handle.
var networks = []struct {
	name  string
	build func() *builder
}{
	{"dense and square", func() *builder {
		b := newBuilder(1, nn.Dims{C: 1, H: 6, W: 6}, 8, false)
		t := b.activate(b.dense(0, 9), nn.Activate{Func: nn.Square, Shift: -1, Mid: 9, Shift2: 7, Bits: 10})
		b.finish(b.dense(t, 5), nn.RevealScores)
		return b
	}},
	{"convolution, relu, max-pool", func() *builder {
		b := newBuilder(2, nn.Dims{C: 2, H: 12, W: 12}, 8, true)
		pool := square(2, 2, 0)
		t := b.relu(b.conv(0, 5, square(3, 1, 1)), &pool)
		t = b.relu(b.dense(t, 11), nil)
		b.finish(b.dense(t, 10), nn.RevealScores)
		return b
	}},
	{"overlapping max-pool with a border", func() *builder {
		b := newBuilder(3, nn.Dims{C: 1, H: 9, W: 11}, 8, false)
		pool := square(3, 2, 1)
		t := b.activate(b.conv(0, 4, square(3, 1, 0)), nn.Activate{Func: nn.Identity, Pool: &pool, Shift: -1, Bits: 8, Signed: true})
		b.finish(b.dense(t, 3), nn.RevealScores)
		return b
	}},
	{"residual, two convolutions in one sum", func() *builder {
		b := newBuilder(4, nn.Dims{C: 3, H: 8, W: 8}, 8, true)
		t := b.relu(b.conv(0, 4, square(3, 1, 1)), nil)
		u := b.relu(b.conv(t, 4, square(3, 1, 1)), nil)
		v := b.relu(b.add([]int{1, 32}, b.conv(u, 4, square(3, 1, 1)), t), nil)
		w := b.add([]int{1, 2}, b.conv(v, 6, square(3, 2, 1)), b.conv(v, 6, square(1, 2, 0)))
		x := b.sumPool(b.relu(w, nil), square(4, 1, 0))
		b.finish(b.dense(x, 7), nn.RevealScores)
		return b
	}},
	{"average pool of accumulators", func() *builder {
		b := newBuilder(5, nn.Dims{C: 1, H: 10, W: 10}, 7, true)
		t := b.relu(b.sumPool(b.conv(0, 3, square(3, 1, 0)), square(2, 2, 0)), nil)
		b.finish(b.dense(t, 4), nn.RevealLabel)
		return b
	}},
	{"stage on activations, scores without weights", func() *builder {
		b := newBuilder(6, nn.Dims{C: 2, H: 6, W: 6}, 8, true)
		pool := square(2, 2, 0)
		t := b.activate(0, nn.Activate{Func: nn.Relu, Pool: &pool, Shift: 0, Bits: 7})
		u := b.relu(b.conv(t, 3, square(2, 1, 0)), nil)
		b.finish(b.sumPool(u, square(2, 2, 0)), nn.RevealScores)
		return b
	}},
	{"two branches in one round", func() *builder {
		b := newBuilder(7, nn.Dims{C: 1, H: 7, W: 7}, 8, false)
		t := b.relu(b.conv(0, 3, square(3, 1, 0)), nil)
		u := b.relu(b.conv(t, 3, square(3, 1, 1)), nil)
		v := b.activate(b.conv(t, 3, square(1, 1, 0)), nn.Activate{Func: nn.Identity, Shift: -1, Bits: 8, Signed: true})
		b.finish(b.dense(b.add([]int{2, 1}, u, v), 12), nn.RevealLabel)
		return b
	}},
	// Nothing rounds what these open: an error of one unit in a share shows.
	{"sum of two convolutions, opened", func() *builder {
		b := newBuilder(11, nn.Dims{C: 2, H: 6, W: 6}, 8, true)
		b.finish(b.add([]int{1, 2}, b.conv(0, 8, square(3, 1, 1)), b.conv(0, 8, square(1, 1, 0))), nn.RevealScores)
		return b
	}},
	{"average pool of a convolution, opened", func() *builder {
		b := newBuilder(12, nn.Dims{C: 2, H: 8, W: 8}, 8, true)
		b.finish(b.sumPool(b.conv(0, 8, square(3, 1, 1)), square(2, 2, 0)), nn.RevealScores)
		return b
	}},
	{"layouts of activations", func() *builder {
		b := newBuilder(13, nn.Dims{C: 2, H: 5, W: 6}, 8, true)
		t := b.relu(b.conv(0, 3, square(3, 1, 1)), nil)
		u := b.slice(t, nn.Dims{C: 2, H: 3, W: 6}, [3]int{2, 4, 0}, [3]int{-1, -2, 1})
		v := b.public(nn.Layer{In: []int{u}, Out: nn.Dims{C: 3, H: 2, W: 6}, Transpose: &nn.Transpose{Perm: [3]int{1, 0, 2}}})
		w := b.public(nn.Layer{In: []int{v}, Out: nn.Dims{C: 3, H: 3, W: 11}, Stuff: &nn.Factors{H: 2, W: 2}})
		x := b.public(nn.Layer{In: []int{v}, Out: nn.Dims{C: 3, H: 4, W: 6}, Upsample: &nn.Factors{H: 2, W: 1}})
		y := b.concat(0, []int{1, -4}, b.slice(w, nn.Dims{C: 3, H: 3, W: 5}, [3]int{0, 0, 2}, [3]int{1, 1, 2}),
			b.slice(x, nn.Dims{C: 2, H: 3, W: 5}, [3]int{0, 1, 0}, [3]int{2, 1, 1}))
		b.finish(b.dense(y, 6), nn.RevealScores)
		return b
	}},
	{"layouts of accumulators", func() *builder {
		b := newBuilder(14, nn.Dims{C: 2, H: 6, W: 6}, 8, true)
		t := b.conv(0, 3, square(3, 1, 1))
		u := b.concat(0, []int{1, 3, -1}, t, b.conv(0, 2, square(1, 1, 0)), 0)
		v := b.public(nn.Layer{In: []int{u}, Out: nn.Dims{C: 6, H: 7, W: 6}, Transpose: &nn.Transpose{Perm: [3]int{1, 0, 2}}})
		w := b.concat(2, []int{-2, 1}, b.slice(v, nn.Dims{C: 6, H: 7, W: 3}, [3]int{5, 0, 0}, [3]int{-1, 1, 2}), v)
		x := b.relu(b.public(nn.Layer{In: []int{w}, Out: nn.Dims{C: 6, H: 13, W: 9}, Stuff: &nn.Factors{H: 2, W: 1}}), nil)
		y := b.activate(b.public(nn.Layer{In: []int{t}, Out: nn.Dims{C: 3, H: 12, W: 12}, Upsample: &nn.Factors{H: 2, W: 2}}),
			nn.Activate{Func: nn.Identity, Shift: -1, Bits: 6, Signed: true})
		b.finish(b.add([]int{1, -1}, b.dense(x, 5), b.dense(y, 5)), nn.RevealScores)
		return b
	}},
	{"averages without the border, opened", func() *builder {
		b := newBuilder(15, nn.Dims{C: 2, H: 7, W: 6}, 8, true)
		t := b.conv(0, 8, square(3, 1, 1))
		win := square(3, 2, 1)
		win.DilH = 2
		win.Pad.Bottom = 3
		b.finish(b.level(t, win), nn.RevealScores)
		return b
	}},
	{"averages without the border of activations", func() *builder {
		b := newBuilder(16, nn.Dims{C: 2, H: 7, W: 6}, 8, true)
		t := b.level(b.relu(b.conv(0, 3, square(3, 1, 1)), nil), square(3, 2, 1))
		pool := square(2, 1, 1)
		pool.DilH, pool.DilW = 2, 3
		b.finish(b.dense(b.relu(b.conv(t, 3, square(1, 1, 0)), &pool), 4), nn.RevealLabel)
		return b
	}},
	{"groups and dilation", func() *builder {
		b := newBuilder(18, nn.Dims{C: 2, H: 12, W: 11}, 8, true)
		wide, apart := square(3, 1, 2), square(2, 2, 1)
		wide.DilH, wide.DilW = 2, 2
		apart.DilW = 3
		t := b.relu(b.conv(0, 12, wide), nil)
		u := b.relu(b.grouped(t, 24, 12, square(3, 1, 1)), nil)
		v := b.relu(b.grouped(u, 8, 4, apart), nil)
		b.finish(b.dense(b.relu(b.grouped(v, 8, 8, square(1, 1, 0)), nil), 4), nn.RevealScores)
		return b
	}},
	{"clip, leaky relu and tables", func() *builder {
		b := newBuilder(17, nn.Dims{C: 1, H: 9, W: 8}, 8, true)
		wave := make([]int32, 1<<6)
		for i := range wave {
			wave[i] = int32(i*i%61) - 20
		}
		rise := make([]int32, 1<<8)
		for i := range rise {
			rise[i] = int32(i * i / 255)
		}
		pool := square(2, 2, 0)
		t := b.activate(b.conv(0, 4, square(3, 1, 1)), nn.Activate{Func: nn.Table, Pool: &pool, Shift: -1, Mid: 8, Bits: 8, Table: rise})
		u := b.activate(b.conv(t, 4, square(3, 1, 0)), nn.Activate{Func: nn.Clip, Shift: -1, Bits: 8, Hi: 96})
		v := b.activate(b.conv(u, 4, square(1, 1, 0)), nn.Activate{Func: nn.Table, Shift: -1, Mid: 6, Bits: 7, Signed: true, Table: wave})
		w := b.activate(b.conv(v, 4, square(1, 1, 0)), nn.Activate{Func: nn.Leaky, Shift: -1, Bits: 8, Signed: true, Slope: 2})
		x := b.activate(b.conv(w, 4, square(1, 1, 0)), nn.Activate{Func: nn.Clip, Shift: -1, Bits: 8, Signed: true, Lo: -50, Hi: 100})
		b.finish(b.dense(x, 4), nn.RevealScores)
		return b
	}},
	{"the three largest", func() *builder {
		b := newBuilder(18, nn.Dims{C: 9, H: 1, W: 1}, 8, true)
		b.finish(b.dense(b.relu(b.dense(0, 8), nil), 11), nn.RevealTop3)
		return b
	}},
	{"a bias for each output", func() *builder {
		b := newBuilder(19, nn.Dims{C: 2, H: 6, W: 6}, 8, true)
		t := b.conv(0, 3, square(3, 2, 1))
		b.m.Layers[t-1].Conv.PlaneBias = true
		w := b.m.Weights[t-1]
		w.Bias = make([]int32, b.m.Dims(t).Len())
		for i := range w.Bias {
			w.Bias[i] = b.rng.Int32N(20001) - 10000
		}
		b.finish(b.dense(b.relu(t, nil), 4), nn.RevealScores)
		return b
	}},
}
