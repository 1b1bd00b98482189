package nn

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// layerCase is one layer and its inputs' dimensions.
type layerCase struct {
	name string
	in   []Dims
	l    Layer
}

// layerCases are layers of every public kind, and convolutions with groups.
func layerCases() []layerCase {
	win := Window{KH: 3, KW: 2, StrideH: 2, StrideW: 1, DilH: 2, Pad: Pad{Top: 3, Left: 1, Bottom: 2, Right: 1}}
	cube := Dims{4, 6, 5}
	return []layerCase{
		{"sum pool", []Dims{cube}, Layer{Out: Dims{4, 4, 6}, SumPool: &SumPool{Window: win}}},
		{"level pool", []Dims{cube}, Layer{Out: Dims{4, 4, 6}, SumPool: &SumPool{Window: win, Level: true}}},
		{"add", []Dims{cube, cube, cube}, Layer{Out: cube, Add: &Add{Factor: []int{3, -8, 1}}}},
		{"concat channels", []Dims{cube, {1, 6, 5}, cube}, Layer{Out: Dims{9, 6, 5}, Concat: &Concat{0, []int{1, -2, 5}}}},
		{"concat rows", []Dims{cube, {4, 1, 5}}, Layer{Out: Dims{4, 7, 5}, Concat: &Concat{1, []int{1, 4}}}},
		{"concat columns", []Dims{cube, {4, 6, 2}}, Layer{Out: Dims{4, 6, 7}, Concat: &Concat{2, []int{-1, 1}}}},
		{"zero pad", []Dims{cube}, Layer{Out: Dims{4, 9, 9}, ZeroPad: &Pad{1, 0, 2, 4}}},
		{"slice", []Dims{cube}, Layer{Out: Dims{2, 3, 5}, Slice: &Slice{[3]int{3, 0, 4}, [3]int{-2, 2, -1}}}},
		{"transpose", []Dims{cube}, Layer{Out: Dims{5, 4, 6}, Transpose: &Transpose{[3]int{2, 0, 1}}}},
		{"transpose planes", []Dims{cube}, Layer{Out: Dims{4, 5, 6}, Transpose: &Transpose{[3]int{0, 2, 1}}}},
		{"upsample", []Dims{cube}, Layer{Out: Dims{4, 12, 15}, Upsample: &Factors{2, 3}}},
		{"stuff", []Dims{cube}, Layer{Out: Dims{4, 16, 9}, Stuff: &Factors{3, 2}}},
		{"reshape", []Dims{cube}, Layer{Out: Dims{120, 1, 1}, Reshape: new(Reshape)}},
		{"depthwise", []Dims{cube}, Layer{Out: Dims{8, 4, 6}, Conv: &Conv{Window: win, Groups: 4, NormBits: 12}}},
		{"bias of planes", []Dims{cube}, Layer{Out: Dims{3, 4, 6}, Conv: &Conv{Window: win, PlaneBias: true, NormBits: 12}}},
		{"max-pool and clip", []Dims{cube}, Layer{Out: Dims{4, 4, 6}, Activate: &Activate{Pool: &win, Width: 9, Shift: 2, Func: Clip, Bits: 6, Signed: true, Lo: -20, Hi: 9}}},
		{"leaky", []Dims{cube}, Layer{Out: cube, Activate: &Activate{Width: 8, Func: Leaky, Bits: 5, Signed: true, Slope: 2}}},
		{"table", []Dims{cube}, Layer{Out: cube, Activate: &Activate{Width: 8, Shift: 5, Func: Table, Mid: 3, Bits: 4, Table: []int32{3, 0, 15, 2, 2, 7, 1, 4}}}},
		{"groups", []Dims{cube}, Layer{Out: Dims{6, 4, 6}, Conv: &Conv{Window: win, Groups: 2, NormBits: 12}}},
	}
}

// model makes a model of the layer on slices of one input.
func (c *layerCase) model(rng *rand.Rand) *Model {
	total := 0
	for _, d := range c.in {
		total += d.Len()
	}
	m := &Model{Shape: Shape{Input: Input{Dims: Dims{total, 1, 1}, Bits: 8, Signed: true}}}
	add := func(l Layer, w *Weights) int {
		m.Layers, m.Weights = append(m.Layers, l), append(m.Weights, w)
		return len(m.Layers)
	}
	var ins []int
	at := 0
	for _, d := range c.in {
		t := add(Layer{In: []int{0}, Out: Dims{d.Len(), 1, 1}, Slice: &Slice{[3]int{at, 0, 0}, [3]int{1, 1, 1}}}, nil)
		ins = append(ins, add(Layer{In: []int{t}, Out: d, Reshape: new(Reshape)}, nil))
		at += d.Len()
	}
	l := c.l
	l.In = ins
	var w *Weights
	if l.Conv != nil {
		w = &Weights{W: make([]int16, l.Out.C*l.Conv.Taps(c.in[0])), Bias: make([]int32, l.biases())}
		for i := range w.W {
			w.W[i] = int16(rng.IntN(255) - 127)
		}
		for i := range w.Bias {
			w.Bias[i] = rng.Int32N(999) - 499
		}
	}
	t := add(l, w)
	m.Output = Output{Tensor: t, Width: MaxWidth, Div: 1, Reveal: RevealScores}
	m.Output.Width = max(2, Hull(m.Bounds()[t]).Width())
	return m
}

// Every layer computes what its coordinates say, keeps within its bounds,
// reaches them where nothing is shared between inputs, and survives a file.
func TestLayers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, c := range layerCases() {
		t.Run(c.name, func(t *testing.T) {
			m := c.model(rng)
			if err := m.Validate(); err != nil {
				t.Fatal(err)
			}
			bounds := m.Bounds()[m.Output.Tensor]
			for _, x := range extremes(m, rng) {
				if err := checkWidths(m, x); err != nil {
					t.Error(err)
				}
				all, err := m.RunAll(x)
				if err != nil {
					t.Fatal(err)
				}
				plane := c.l.Out.H * c.l.Out.W
				for i, v := range all[m.Output.Tensor] {
					if b := bounds[i/plane]; int64(v) < b.Lo || int64(v) > b.Hi {
						t.Errorf("element %d is %d, outside of %v", i, v, b)
					}
				}
			}
			again, err := ReadModel(bytes.NewReader(encode(t, m)))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(again, m) {
				t.Error("a model file changed it")
			}
		})
	}
}

// A layer whose output has another size, or whose parameters are out of range,
// is refused.
func TestLayersHostile(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, c := range layerCases() {
		for axis := range 3 {
			for _, by := range []int{-1, 1} {
				bad := c
				*[]*int{&bad.l.Out.C, &bad.l.Out.H, &bad.l.Out.W}[axis] += by
				m := c.model(rng)
				m.Layers[len(m.Layers)-1].Out = bad.l.Out
				// A shorter slice is one too, and so is a convolution of other channels.
				valid := c.l.Slice != nil && by < 0 || c.l.Conv != nil && c.l.Conv.groups() == 1 && axis == 0
				if err := m.Shape.Validate(); (err == nil) != (valid && bad.l.Out.W*bad.l.Out.H*bad.l.Out.C > 0) {
					t.Errorf("%s: output %s: error is %v", c.name, bad.l.Out, err)
				}
			}
		}
	}
	cube := Dims{4, 6, 5}
	relu := func(a Activate) Layer {
		a.Width, a.Bits = 12, max(a.Bits, 4)
		return Layer{Out: cube, Activate: &a}
	}
	wide := Window{KH: 3, KW: 1, StrideH: 1, StrideW: 1, DilH: 4, Pad: Pad{Top: 7, Bottom: 7}}
	many := Window{KH: 29, KW: 1, StrideH: 1, StrideW: 1, Pad: Pad{Top: 28, Bottom: 28}}
	for _, c := range []struct {
		name, want string
		in         []Dims
		l          Layer
	}{
		{"no factors", "factors", []Dims{cube, cube}, Layer{Out: cube, Add: &Add{}}},
		{"factor 0", "factor 0", []Dims{cube}, Layer{Out: cube, Add: &Add{[]int{0}}}},
		{"huge factor", "factor -134217728", []Dims{cube}, Layer{Out: cube, Add: &Add{[]int{-1 << 27}}}},
		{"two inputs", "want 1", []Dims{cube, cube}, Layer{Out: cube, Slice: &Slice{Step: [3]int{1, 1, 1}}}},
		{"axis", "axis 3", []Dims{cube}, Layer{Out: cube, Concat: &Concat{3, []int{1}}}},
		{"negative axis", "axis -1", []Dims{cube}, Layer{Out: cube, Concat: &Concat{-1, []int{1}}}},
		{"concat of other planes", "concatenates", []Dims{cube, {4, 5, 5}}, Layer{Out: Dims{8, 6, 5}, Concat: &Concat{0, []int{1, 1}}}},
		{"no step", "step 0", []Dims{cube}, Layer{Out: cube, Slice: &Slice{}}},
		{"huge step", "step", []Dims{cube}, Layer{Out: cube, Slice: &Slice{Step: [3]int{1 << 62, 1, 1}}}},
		{"start", "takes", []Dims{cube}, Layer{Out: cube, Slice: &Slice{[3]int{1 << 62, 0, 0}, [3]int{1, 1, 1}}}},
		{"before the start", "takes", []Dims{cube}, Layer{Out: cube, Slice: &Slice{[3]int{2, 0, 0}, [3]int{-1, 1, 1}}}},
		{"order", "no order", []Dims{cube}, Layer{Out: cube, Transpose: &Transpose{[3]int{0, 1, 1}}}},
		{"order of 3", "no order", []Dims{cube}, Layer{Out: cube, Transpose: &Transpose{[3]int{0, 1, 3}}}},
		{"factors", "factors", []Dims{cube}, Layer{Out: cube, Upsample: &Factors{0, 1}}},
		{"huge factors", "factors", []Dims{cube}, Layer{Out: cube, Stuff: &Factors{1 << 40, 1}}},
		{"groups", "groups", []Dims{cube}, Layer{Out: cube, Conv: &Conv{Window: window(1, 1, 0), Groups: 3}}},
		{"negative groups", "groups", []Dims{cube}, Layer{Out: cube, Conv: &Conv{Window: window(1, 1, 0), Groups: -1}}},
		{"dilation", "dilation", []Dims{cube}, Layer{Out: cube, Conv: &Conv{Window: Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1, DilW: -1}}}},
		{"huge dilation", "dilation", []Dims{cube}, Layer{Out: cube, Conv: &Conv{Window: Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1, DilW: 1 << 40}}}},
		{"empty windows", "outside", []Dims{{4, 3, 5}}, Layer{Out: Dims{4, 9, 5}, SumPool: &SumPool{wide, true}}},
		{"empty max-pool", "outside", []Dims{{4, 3, 5}}, Layer{Out: Dims{4, 9, 5}, Activate: &Activate{Width: 12, Bits: 4, Func: Relu, Pool: &wide}}},
		{"level", "common multiple", []Dims{{1, 29, 5}}, Layer{Out: Dims{1, 57, 5}, SumPool: &SumPool{many, true}}},
		{"clip", "clip", []Dims{cube}, relu(Activate{Func: Clip, Lo: 3, Hi: 3})},
		{"clip beyond", "clip", []Dims{cube}, relu(Activate{Func: Clip, Hi: 16})},
		{"slope", "slope", []Dims{cube}, relu(Activate{Func: Leaky, Signed: true})},
		{"steep slope", "slope", []Dims{cube}, relu(Activate{Func: Leaky, Signed: true, Slope: 64})},
		{"unsigned leaky", "slope", []Dims{cube}, relu(Activate{Func: Leaky, Slope: 2})},
		{"short table", "table", []Dims{cube}, relu(Activate{Func: Table, Mid: 2, Table: make([]int32, 3)})},
		{"huge table", "table", []Dims{cube}, relu(Activate{Func: Table, Mid: 11, Table: make([]int32, 1<<11)})},
		{"large entry", "entry 1", []Dims{cube}, relu(Activate{Func: Table, Mid: 1, Table: []int32{0, 16}})},
		{"table without bits", "table", []Dims{cube}, relu(Activate{Func: Table, Table: []int32{0}})},
		{"table of a relu", "belongs", []Dims{cube}, relu(Activate{Func: Relu, Table: []int32{0}})},
		{"slope of a relu", "belongs", []Dims{cube}, relu(Activate{Func: Relu, Slope: 1})},
		{"clip of a relu", "belong", []Dims{cube}, relu(Activate{Func: Relu, Hi: 1})},
	} {
		m := (&layerCase{in: c.in, l: Layer{Out: c.in[0], Reshape: new(Reshape)}}).model(rng)
		last := &m.Layers[len(m.Layers)-1]
		in := last.In
		*last = c.l
		last.In = in
		if err := m.Shape.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", c.name, err, c.want)
		}
	}
}
