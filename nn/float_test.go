package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// floats returns n numbers in [-1, 1).
func floats(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 2*rng.Float32() - 1
	}
	return v
}

// single is a graph of one node on an input of size in.
func single(in Dims, n Node) *Graph {
	n.In, n.Name = []int{0}, "node"
	return &Graph{Input: in, Nodes: []Node{n}, Output: 1}
}

// at returns element (c, h, w) of x, border where it is outside of the plane.
func at(x []float32, d Dims, c, h, w int, border float64) float64 {
	if h < 0 || h >= d.H || w < 0 || w >= d.W {
		return border
	}
	return float64(x[(c*d.H+h)*d.W+w])
}

// direct computes one windowed node in float64 from its definition.
func direct(n *Node, x []float32, in Dims) []float64 {
	win, groups := n.Window, max(1, n.Groups)
	dh, dw := max(1, win.DilH), max(1, win.DilW)
	ones := slices.Repeat([]float32{1}, len(x))
	var out []float64
	for oc := range n.Out.C {
		for oh := range n.Out.H {
			for ow := range n.Out.W {
				sum, top, inside := 0.0, math.Inf(-1), 0.0
				for c := range in.C {
					if n.Op != NodeConv && c != oc || n.Op == NodeConv && c*groups/in.C != oc*groups/n.Out.C {
						continue
					}
					for kh := range win.KH {
						for kw := range win.KW {
							h, w := oh*win.StrideH+kh*dh-win.Pad.Top, ow*win.StrideW+kw*dw-win.Pad.Left
							v := at(x, in, c, h, w, 0)
							if n.Op == NodeConv {
								v *= float64(n.Weights[((oc*in.C/groups+c%(in.C/groups))*win.KH+kh)*win.KW+kw])
							}
							sum += v
							top = max(top, at(x, in, c, h, w, math.Inf(-1)))
							inside += at(ones, in, c, h, w, 0)
						}
					}
				}
				switch {
				case n.Op == NodeMaxPool:
					sum = top
				case n.Op == NodeAvgPool && n.CountPad:
					sum /= float64(win.KH * win.KW)
				case n.Op == NodeAvgPool:
					sum /= inside
				case len(n.Bias) > 0:
					sum += float64(n.Bias[oc])
				}
				out = append(out, sum)
			}
		}
	}
	return out
}

func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i, g := range got {
		if d := math.Abs(float64(g) - want[i]); !(d <= 1e-5*(1+math.Abs(want[i]))) {
			t.Fatalf("%s: number %d is %v, want %v", what, i, g, want[i])
		}
	}
}

func TestRunWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, op := range []NodeOp{NodeConv, NodeMaxPool, NodeAvgPool} {
		for _, c := range []struct {
			in     Dims
			outC   int
			win    Window
			groups int
		}{
			{Dims{1, 1, 1}, 1, Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}, 0},
			{Dims{3, 5, 7}, 6, Window{KH: 3, KW: 3, StrideH: 1, StrideW: 1, Pad: Pad{1, 1, 1, 1}}, 0},
			{Dims{2, 6, 5}, 5, Window{KH: 3, KW: 2, StrideH: 2, StrideW: 3, Pad: Pad{2, 0, 1, 1}}, 0},
			{Dims{2, 2, 2}, 3, Window{KH: 5, KW: 4, StrideH: 1, StrideW: 1, Pad: Pad{3, 2, 4, 3}}, 0},
			{Dims{4, 9, 9}, 7, Window{KH: 1, KW: 1, StrideH: 2, StrideW: 2}, 0},
			{Dims{1, 1, 30}, 2, Window{KH: 1, KW: 7, StrideH: 1, StrideW: 2, Pad: Pad{0, 6, 0, 0}}, 0},
			{Dims{70, 13, 13}, 2, Window{KH: 3, KW: 3, StrideH: 1, StrideW: 1}, 0}, // several gathers
			{Dims{4, 9, 8}, 6, Window{KH: 3, KW: 2, StrideH: 2, StrideW: 1, DilH: 2, DilW: 5, Pad: Pad{4, 3, 2, 5}}, 2},
			{Dims{6, 7, 7}, 6, Window{KH: 3, KW: 3, StrideH: 2, StrideW: 2, Pad: Pad{1, 1, 1, 1}}, 6},
			{Dims{3, 5, 6}, 9, Window{KH: 2, KW: 3, StrideH: 1, StrideW: 2, DilW: 2, Pad: Pad{0, 3, 1, 2}}, 3},
			{Dims{24, 6, 6}, 8, Window{KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilH: 1, Pad: Pad{1, 1, 0, 2}}, 2},
		} {
			t.Run(fmt.Sprintf("%v/%v/%v", op, c.in, c.win), func(t *testing.T) {
				n := Node{Op: op, Window: c.win, CountPad: c.in.C == 2}
				oh, ow := c.win.Out(c.in.H, c.in.W)
				n.Out = Dims{c.in.C, oh, ow}
				if op == NodeConv {
					n.Out.C, n.Groups = c.outC, c.groups
					n.Weights = floats(rng, c.outC*c.in.C/max(1, c.groups)*c.win.KH*c.win.KW)
					n.Bias = floats(rng, c.outC*(c.in.C%2))
				}
				g := single(c.in, n)
				if err := g.Validate(); err != nil {
					t.Fatal(err)
				}
				x := floats(rng, c.in.Len())
				y, err := g.Run(x)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "output", y, direct(&n, x, c.in))
			})
		}
	}
}

func TestRunNodes(t *testing.T) {
	vector := Dims{2, 1, 1}
	for _, c := range []struct {
		name string
		in   Dims
		node Node
		x    []float32
		want []float64
	}{
		{"dense", vector, Node{Op: NodeDense, Out: Dims{3, 1, 1}, Weights: []float32{1, 2, 3, 4, 5, 6}, Bias: []float32{10, 20, 30}},
			[]float32{1, -1}, []float64{9, 19, 29}},
		{"dense of planes", Dims{2, 1, 2}, Node{Op: NodeDense, Out: Dims{1, 1, 1}, Weights: []float32{1, 10, 100, 1000}},
			[]float32{4, 3, 2, 1}, []float64{1234}},
		{"affine", Dims{2, 1, 2}, Node{Op: NodeAffine, Out: Dims{2, 1, 2}, Scale: []float32{2, -1}, Shift: []float32{1, 0.5}},
			[]float32{1, 2, 3, 4}, []float64{3, 5, -2.5, -3.5}},
		{"relu", Dims{3, 1, 1}, Node{Op: NodeRelu, Out: Dims{3, 1, 1}}, []float32{-1, 0, 2}, []float64{0, 0, 2}},
		{"square", vector, Node{Op: NodeSquare, Out: vector}, []float32{-3, 0.5}, []float64{9, 0.25}},
		{"reshape", Dims{2, 1, 2}, Node{Op: NodeReshape, Out: Dims{4, 1, 1}}, []float32{1, 2, 3, 4}, []float64{1, 2, 3, 4}},
		{"zero pad", Dims{2, 1, 2}, Node{Op: NodeZeroPad, Out: Dims{2, 2, 4}, Pad: Pad{Bottom: 1, Left: 2}},
			[]float32{1, 2, 3, 4}, []float64{0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0}},
		{"average, border counted", Dims{1, 1, 2}, Node{Op: NodeAvgPool, CountPad: true, Out: Dims{1, 1, 2},
			Window: Window{KH: 1, KW: 2, StrideH: 1, StrideW: 1, Pad: Pad{Left: 1}}}, []float32{2, 4}, []float64{1, 3}},
		{"average, border not counted", Dims{1, 1, 2}, Node{Op: NodeAvgPool, Out: Dims{1, 1, 2},
			Window: Window{KH: 1, KW: 2, StrideH: 1, StrideW: 1, Pad: Pad{Left: 1}}}, []float32{2, 4}, []float64{2, 3}},
		{"maximum of negatives", Dims{1, 1, 2}, Node{Op: NodeMaxPool, Out: Dims{1, 1, 2},
			Window: Window{KH: 1, KW: 2, StrideH: 1, StrideW: 1, Pad: Pad{Left: 1}}}, []float32{-2, -4}, []float64{-2, -2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := single(c.in, c.node)
			if err := g.Validate(); err != nil {
				t.Fatal(err)
			}
			y, err := g.Run(c.x)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "output", y, c.want)
		})
	}
}

// residual is conv, affine, relu, conv, add of the first affine, average and a
// dense layer with an affine.
func residual(rng *rand.Rand) *Graph {
	in, mid, out := Dims{2, 6, 6}, Dims{4, 6, 6}, Dims{3, 1, 1}
	same := Window{KH: 3, KW: 3, StrideH: 1, StrideW: 1, Pad: Pad{1, 1, 1, 1}}
	return &Graph{Input: in, Output: 10, Nodes: []Node{
		{Op: NodeConv, In: []int{0}, Out: mid, Window: same, Weights: floats(rng, 2*4*9)},
		{Op: NodeAffine, In: []int{1}, Out: mid, Scale: floats(rng, 4), Shift: floats(rng, 4)},
		{Op: NodeRelu, In: []int{2}, Out: mid},
		{Op: NodeConv, In: []int{3}, Out: mid, Window: same, Weights: floats(rng, 4*4*9), Bias: floats(rng, 4)},
		{Op: NodeAdd, In: []int{4, 2}, Out: mid},
		{Op: NodeAvgPool, In: []int{5}, Out: Dims{4, 1, 1}, Window: Window{KH: 6, KW: 6, StrideH: 1, StrideW: 1}},
		{Op: NodeDense, In: []int{6}, Out: out, Weights: floats(rng, 12), Bias: floats(rng, 3)},
		{Op: NodeAffine, In: []int{7}, Out: out, Scale: floats(rng, 3), Shift: floats(rng, 3)},
		{Op: NodeAffine, In: []int{8}, Out: out, Scale: floats(rng, 3), Shift: floats(rng, 3)},
		{Op: NodeAdd, In: []int{9, 9}, Out: out},
	}}
}

func TestFold(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	g := residual(rng)
	before := slices.Clone(g.Nodes[0].Weights)
	f := g.Fold()
	for _, g := range []*Graph{g, f} {
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.Nodes) != len(g.Nodes)-3 || slices.ContainsFunc(f.Nodes, func(n Node) bool { return n.Op == NodeAffine }) {
		t.Fatalf("folded graph has %d nodes", len(f.Nodes))
	}
	if !slices.Equal(before, g.Nodes[0].Weights) {
		t.Fatal("the weights of the graph itself changed")
	}
	for range 10 {
		x := floats(rng, g.Input.Len())
		want, _ := g.Run(x)
		got, _ := f.Run(x)
		var w []float64
		for _, v := range want {
			w = append(w, float64(v))
		}
		near(t, "scores", got, w)
	}

	// A tensor with two uses, or the output, must stay as it is.
	g.Output = 8
	if f := g.Fold(); f.Nodes[f.Output-1].Op != NodeDense || len(f.Nodes) != len(g.Nodes)-2 {
		t.Error("an Affine after the output was folded into it")
	}
	g.Nodes[4].In[1] = 1
	if f := g.Fold(); f.Nodes[1].Op != NodeAffine {
		t.Error("an Affine after a tensor with two uses was folded")
	}
}

// What memory a run gets must not show in its result.
func TestRunAllReuse(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	g := residual(rng)
	var reuse [][]float32
	for range 3 {
		x := floats(rng, g.Input.Len())
		want, err := g.RunAll(x, nil)
		if err != nil {
			t.Fatal(err)
		}
		if reuse, err = g.RunAll(x, reuse); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !slices.Equal(want[i], reuse[i]) {
				t.Fatalf("tensor %d differs", i)
			}
		}
	}
	x := floats(rng, g.Input.Len())
	if n := testing.AllocsPerRun(10, func() { reuse, _ = g.RunAll(x, reuse) }); n > 1 {
		t.Errorf("%v allocations a run", n)
	}
	if _, err := g.Run(x[1:]); err == nil {
		t.Error("an input that is too short is no error")
	}
}

func TestValidateGraph(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(g *Graph)
		want   string
	}{
		{"input", func(g *Graph) { g.Input.H = 0 }, "input"},
		{"huge input", func(g *Graph) { g.Input = Dims{1 << 20, 1 << 20, 1 << 30} }, "input"},
		{"output", func(g *Graph) { g.Output = 11 }, "no tensor 11"},
		{"negative output", func(g *Graph) { g.Output = -1 }, "no tensor -1"},
		{"head", func(g *Graph) { g.Head = 9 }, "unknown function"},
		{"operator", func(g *Graph) { g.Nodes[2].Op = 99 }, "unknown operator"},
		{"later tensor", func(g *Graph) { g.Nodes[2].In = []int{3} }, "node 2"},
		{"negative tensor", func(g *Graph) { g.Nodes[2].In = []int{-1} }, "does not come before"},
		{"inputs", func(g *Graph) { g.Nodes[4].In = []int{1} }, "1 inputs, want 2 to 64"},
		{"sum of two sizes", func(g *Graph) { g.Nodes[4].In[1] = 0 }, "sum of"},
		{"size", func(g *Graph) { g.Nodes[2].Out.W = 5 }, "output is"},
		{"weights", func(g *Graph) { g.Nodes[0].Weights = g.Nodes[0].Weights[1:] }, "71 weights, want 72"},
		{"biases", func(g *Graph) { g.Nodes[3].Bias = g.Nodes[3].Bias[1:] }, "3 biases, want 4"},
		{"scales", func(g *Graph) { g.Nodes[1].Scale = nil }, "0 scales"},
		{"stray weights", func(g *Graph) { g.Nodes[2].Weights = []float32{1} }, "1 weights, want 0"},
		{"stride", func(g *Graph) { g.Nodes[0].Window.StrideH = 0 }, "window"},
		{"window", func(g *Graph) { g.Nodes[5].Window.KH = 7 }, "window of 7×6"},
		{"infinity", func(g *Graph) { g.Nodes[1].Shift[2] = float32(math.Inf(1)) }, "parameter 2 is +Inf"},
		{"nan", func(g *Graph) { g.Nodes[0].Weights[3] = float32(math.NaN()) }, "parameter 3 is NaN"},
		{"reshape", func(g *Graph) { g.Nodes[9] = Node{Op: NodeReshape, In: []int{9}, Out: Dims{4, 1, 1}} }, "reshape from"},
		{"pad", func(g *Graph) {
			g.Nodes[9] = Node{Op: NodeZeroPad, In: []int{9}, Out: Dims{3, 0, 1}, Pad: Pad{Top: -1}}
		}, "out of range"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := residual(rand.New(rand.NewPCG(7, 8)))
			if err := g.Validate(); err != nil {
				t.Fatal(err)
			}
			c.change(g)
			if err := g.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// BenchmarkGraphRun is MNIST network D of GAZELLE: two convolutions and two
// dense layers.
func BenchmarkGraphRun(b *testing.B) {
	rng := rand.New(rand.NewPCG(9, 10))
	conv := Window{KH: 5, KW: 5, StrideH: 1, StrideW: 1}
	pool := Window{KH: 2, KW: 2, StrideH: 2, StrideW: 2}
	g := &Graph{Input: Dims{1, 28, 28}, Output: 9, Nodes: []Node{
		{Op: NodeConv, In: []int{0}, Out: Dims{16, 24, 24}, Window: conv, Weights: floats(rng, 16*25), Bias: floats(rng, 16)},
		{Op: NodeRelu, In: []int{1}, Out: Dims{16, 24, 24}},
		{Op: NodeMaxPool, In: []int{2}, Out: Dims{16, 12, 12}, Window: pool},
		{Op: NodeConv, In: []int{3}, Out: Dims{16, 8, 8}, Window: conv, Weights: floats(rng, 16*16*25), Bias: floats(rng, 16)},
		{Op: NodeRelu, In: []int{4}, Out: Dims{16, 8, 8}},
		{Op: NodeMaxPool, In: []int{5}, Out: Dims{16, 4, 4}, Window: pool},
		{Op: NodeDense, In: []int{6}, Out: Dims{100, 1, 1}, Weights: floats(rng, 256*100), Bias: floats(rng, 100)},
		{Op: NodeRelu, In: []int{7}, Out: Dims{100, 1, 1}},
		{Op: NodeDense, In: []int{8}, Out: Dims{10, 1, 1}, Weights: floats(rng, 1000), Bias: floats(rng, 10)},
	}}
	x := floats(rng, 784)
	var reuse [][]float32
	for b.Loop() {
		var err error
		if reuse, err = g.RunAll(x, reuse); err != nil {
			b.Fatal(err)
		}
	}
}
