package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Nodes whose results are written out here.
func TestRunMoves(t *testing.T) {
	line := Dims{1, 2, 3}
	six := []float32{1, 2, 3, 4, 5, 6}
	for _, c := range []struct {
		name string
		in   Dims
		node Node
		x    []float32
		want []float64
	}{
		{"slice", line, Node{Op: NodeSlice, Out: Dims{1, 1, 2}, Start: [3]int{0, 1, 0}, Step: [3]int{1, 1, 2}}, six, []float64{4, 6}},
		{"slice backwards", line, Node{Op: NodeSlice, Out: Dims{1, 2, 3}, Start: [3]int{0, 1, 2}, Step: [3]int{-1, -1, -1}}, six, []float64{6, 5, 4, 3, 2, 1}},
		{"slice of channels", Dims{6, 1, 1}, Node{Op: NodeSlice, Out: Dims{2, 1, 1}, Start: [3]int{4, 0, 0}, Step: [3]int{-3, 7, 9}}, six, []float64{5, 2}},
		{"transpose", line, Node{Op: NodeTranspose, Out: Dims{3, 1, 2}, Perm: [3]int{2, 0, 1}}, six, []float64{1, 4, 2, 5, 3, 6}},
		{"transpose back", Dims{3, 1, 2}, Node{Op: NodeTranspose, Out: line, Perm: [3]int{1, 2, 0}}, []float32{1, 4, 2, 5, 3, 6}, []float64{1, 2, 3, 4, 5, 6}},
		{"upsample", line, Node{Op: NodeUpsample, Out: Dims{1, 4, 3}, FactorH: 2, FactorW: 1}, six, []float64{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}},
		{"upsample columns", Dims{2, 1, 2}, Node{Op: NodeUpsample, Out: Dims{2, 1, 6}, FactorH: 1, FactorW: 3}, six[:4],
			[]float64{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}},
		{"stuff", Dims{2, 2, 2}, Node{Op: NodeStuff, Out: Dims{2, 3, 2}, FactorH: 2, FactorW: 1}, []float32{1, 2, 3, 4, 5, 6, 7, 8},
			[]float64{1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 7, 8}},
		{"stuff columns", Dims{1, 1, 3}, Node{Op: NodeStuff, Out: Dims{1, 1, 5}, FactorH: 9, FactorW: 2}, six[:3], []float64{1, 0, 2, 0, 3}},
		{"table", line, Node{Op: NodeTable, Out: line, Func: Univariate{Name: "exp", F: math.Exp}}, []float32{0, 1, -1, 2, 0, 0},
			[]float64{1, math.E, 1 / math.E, math.E * math.E, 1, 1}},
		{"three times", line, Node{Op: NodeAdd, In: []int{0, 0, 0}, Out: line}, six, []float64{3, 6, 9, 12, 15, 18}},
		{"signs", line, Node{Op: NodeAdd, In: []int{0, 0, 0}, Sign: []int{-1, -1, 1}, Out: line}, six, []float64{-1, -2, -3, -4, -5, -6}},
		{"concat of channels", line, Node{Op: NodeConcat, In: []int{0, 0}, Out: Dims{2, 2, 3}}, six, []float64{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}},
		{"concat of rows", Dims{2, 1, 3}, Node{Op: NodeConcat, In: []int{0, 0}, Axis: 1, Out: Dims{2, 2, 3}}, six, []float64{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}},
		{"concat of columns", line, Node{Op: NodeConcat, In: []int{0, 0, 0}, Axis: 2, Out: Dims{1, 2, 9}}, six,
			[]float64{1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 4, 5, 6}},
		{"concat of one", line, Node{Op: NodeConcat, In: []int{0}, Axis: 2, Out: line}, six, []float64{1, 2, 3, 4, 5, 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.node.In == nil {
				c.node.In = []int{0}
			}
			g := &Graph{Input: c.in, Nodes: []Node{c.node}, Output: 1}
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

// A concatenation of unlike tensors, taken apart again.
func TestConcatSlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for axis := range 3 {
		in := Dims{2, 3, 4}
		a := in.axes()
		a[axis]++
		wide := dimsOf(a)
		var pad Pad
		first := Node{Op: NodeZeroPad, In: []int{0}, Out: wide, Pad: pad}
		switch axis {
		case 0:
			first = Node{Op: NodeConv, In: []int{0}, Out: wide, Weights: floats(rng, 6), Window: Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}}
		case 1:
			first.Pad.Top = 1
		case 2:
			first.Pad.Right = 1
		}
		a[axis] += in.axes()[axis]
		slice := Node{Op: NodeSlice, In: []int{2}, Out: in, Step: [3]int{1, 1, 1}}
		slice.Start[axis] = wide.axes()[axis]
		g := &Graph{Input: in, Output: 3, Nodes: []Node{first, {Op: NodeConcat, In: []int{1, 0}, Axis: axis, Out: dimsOf(a)}, slice}}
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		x := floats(rng, in.Len())
		y, err := g.Run(x)
		if err != nil || !slices.Equal(x, y) {
			t.Errorf("axis %d: %v, error %v", axis, y, err)
		}
	}
}

// What Validate says of nodes that are wrong.
func TestValidateNewNodes(t *testing.T) {
	in := Dims{4, 4, 4}
	win := Window{KH: 2, KW: 2, StrideH: 1, StrideW: 1}
	identity := Univariate{F: func(x float64) float64 { return x }}
	for _, c := range []struct {
		name string
		node Node
		want string
	}{
		{"groups", Node{Op: NodeConv, Out: Dims{4, 3, 3}, Window: win, Groups: 3, Weights: make([]float32, 16)}, "3 groups of 4 and 4"},
		{"groups of outputs", Node{Op: NodeConv, Out: Dims{3, 3, 3}, Window: win, Groups: 2, Weights: make([]float32, 24)}, "2 groups of 4 and 3"},
		{"negative groups", Node{Op: NodeConv, Out: Dims{4, 3, 3}, Window: win, Groups: -1, Weights: make([]float32, 64)}, "-1 groups"},
		{"weights of groups", Node{Op: NodeConv, Out: Dims{4, 3, 3}, Window: win, Groups: 2, Weights: make([]float32, 64)}, "64 weights, want 32"},
		{"stray groups", Node{Op: NodeRelu, Out: in, Groups: 1}, "groups belong"},
		{"stray signs", Node{Op: NodeRelu, Out: in, Sign: []int{1}}, "signs belong"},
		{"stray function", Node{Op: NodeRelu, Out: in, Func: identity}, "function"},
		{"no function", Node{Op: NodeTable, Out: in}, "function"},
		{"dilation", Node{Op: NodeMaxPool, Out: in, Window: Window{KH: 2, KW: 2, StrideH: 1, StrideW: 1, DilH: -1}}, "dilation"},
		{"all border", Node{Op: NodeMaxPool, Out: Dims{4, 6, 3}, Window: Window{KH: 2, KW: 2, StrideH: 1, StrideW: 1, DilH: 6, Pad: Pad{Top: 6, Bottom: 2}}}, "nothing but border"},
		{"signs", Node{Op: NodeAdd, In: []int{0, 0}, Out: in, Sign: []int{1}}, "1 signs"},
		{"sign", Node{Op: NodeAdd, In: []int{0, 0}, Out: in, Sign: []int{1, 2}}, "sign 2"},
		{"one summand", Node{Op: NodeAdd, Out: in}, "1 inputs, want 2 to 64"},
		{"no inputs", Node{Op: NodeConcat, In: []int{}, Out: in}, "0 inputs"},
		{"axis", Node{Op: NodeConcat, Out: in, Axis: 3}, "dimension 3"},
		{"concat size", Node{Op: NodeConcat, In: []int{0, 0}, Out: in}, "output is"},
		{"step", Node{Op: NodeSlice, Out: in}, "step 0"},
		{"huge step", Node{Op: NodeSlice, Out: in, Step: [3]int{math.MinInt, 1, 1}}, "step"},
		{"start", Node{Op: NodeSlice, Out: Dims{1, 1, 1}, Start: [3]int{4, 0, 0}, Step: [3]int{1, 1, 1}}, "elements 4 to 4 of 4"},
		{"end", Node{Op: NodeSlice, Out: in, Start: [3]int{0, 0, 1}, Step: [3]int{1, 1, 1}}, "elements 1 to 4 of 4"},
		{"backwards", Node{Op: NodeSlice, Out: Dims{2, 1, 1}, Step: [3]int{-1, 1, 1}}, "elements 0 to -1"},
		{"order", Node{Op: NodeTranspose, Out: in, Perm: [3]int{0, 1, 1}}, "order [0 1 1]"},
		{"order out of range", Node{Op: NodeTranspose, Out: in, Perm: [3]int{0, 1, 3}}, "order [0 1 3]"},
		{"factor", Node{Op: NodeUpsample, Out: in, FactorH: 1}, "factors 1 and 0"},
		{"huge factor", Node{Op: NodeStuff, Out: in, FactorH: math.MaxInt, FactorW: 1}, "factors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.node.In == nil {
				c.node.In = []int{0}
			}
			g := &Graph{Input: in, Nodes: []Node{c.node}, Output: 1}
			if err := g.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// An Affine goes forward into a convolution with groups.
func TestFoldIntoGroups(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	in, out := Dims{4, 3, 3}, Dims{6, 2, 2}
	g := &Graph{Input: in, Output: 3, Nodes: []Node{
		{Op: NodeRelu, In: []int{0}, Out: in},
		{Op: NodeAffine, In: []int{1}, Out: in, Scale: floats(rng, 4), Shift: floats(rng, 4)},
		{Op: NodeConv, In: []int{2}, Out: out, Groups: 2, Weights: floats(rng, 6*2*4), Window: Window{KH: 2, KW: 2, StrideH: 1, StrideW: 1}},
	}}
	f := g.prepare()
	x := floats(rng, in.Len())
	y, err := g.Run(x)
	if err != nil {
		t.Fatal(err)
	}
	z, err := f.Run(x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y {
		if math.Abs(float64(y[i]-z[i])) > 1e-5 {
			t.Fatalf("score %d is %v, %v with the Affine taken in", i, y[i], z[i])
		}
	}
}

func TestSigmoidHead(t *testing.T) {
	o := Output{Frac: 1, Div: 1, Head: HeadSigmoid}
	for i, s := range o.Scores([]int32{0, 2, -2000000}) {
		if want := []float64{0.5, 1 / (1 + math.Exp(-1)), 0}[i]; math.Abs(s-want) > 1e-12 {
			t.Errorf("score %d is %v, want %v", i, s, want)
		}
	}
}
