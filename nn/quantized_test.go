package nn

import (
	"math"
	"math/rand/v2"
	"testing"
)

// fakeQuantize is what a quantised file does to activations: 8 bits at a scale.
func fakeQuantize(scale, zero float64) Univariate {
	return Univariate{Name: "quantize", Params: []float64{scale, zero, 0, 255}, F: func(x float64) float64 {
		return (min(max(math.RoundToEven(x/scale)+zero, 0), 255) - zero) * scale
	}}
}

// quantizedFile is a network as a quantised file holds it: integers for its
// weights, activations that are rounded.
func quantizedFile(rng *rand.Rand) (*Graph, [][]float32) {
	integers := func(n int) (*Quantized, []float32) {
		q := &Quantized{Weights: make([]int32, n), Scale: []float32{1.0 / 64}, Zero: []int32{0}}
		w := make([]float32, n)
		for i := range q.Weights {
			q.Weights[i] = int32(rng.IntN(255) - 127)
			w[i] = float32(q.Weights[i]) / 64
		}
		return q, w
	}
	q1, w1 := integers(4 * 2 * 9)
	q2, w2 := integers(3 * 4 * 16)
	in, mid := Dims{2, 6, 6}, Dims{4, 4, 4}
	g := &Graph{Input: in, Output: 5, Nodes: []Node{
		{Op: NodeTable, In: []int{0}, Out: in, Func: fakeQuantize(1.0/64, 128)},
		{Op: NodeConv, In: []int{1}, Out: mid, Weights: w1, Quantized: q1, Window: Window{KH: 3, KW: 3, StrideH: 1, StrideW: 1}},
		{Op: NodeRelu, In: []int{2}, Out: mid},
		{Op: NodeTable, In: []int{3}, Out: mid, Func: fakeQuantize(1.0/16, 0)},
		{Op: NodeDense, In: []int{4}, Out: Dims{3, 1, 1}, Weights: w2, Quantized: q2},
	}}
	var samples [][]float32
	for range 64 {
		samples = append(samples, floats(rng, in.Len()))
	}
	return g, samples
}

// A quantised file whose scales are powers of two keeps its integers, and needs
// no table.
func TestQuantizedFile(t *testing.T) {
	g, samples := quantizedFile(rand.New(rand.NewPCG(1, 9)))
	if err := g.Validate(); err != nil {
		t.Fatal(err)
	}
	m, _, err := Quantize(g, samples, nil)
	if err != nil {
		t.Fatal(err)
	}
	var given []*Quantized
	for i := range g.Nodes {
		if q := g.Nodes[i].Quantized; q != nil {
			given = append(given, q)
		}
	}
	for i, l := range m.Layers {
		if l.Activate != nil && l.Activate.Func == Table {
			t.Errorf("layer %d is a table", i)
		}
		if w := m.Weights[i]; w != nil {
			for j, k := range given[0].Weights {
				if int32(w.W[j]) != k {
					t.Fatalf("layer %d: weight %d is %d, the file has %d", i, j, w.W[j], k)
				}
			}
			given = given[1:]
		}
	}
	in := make([]int32, g.Input.Len())
	for _, x := range samples {
		want, err := g.Run(x)
		if err != nil {
			t.Fatal(err)
		}
		m.Input.Quantize(in, x)
		r, err := m.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range m.Output.Scores(r.Outputs) {
			if d := math.Abs(s - float64(want[i])); d > 0.02*(1+math.Abs(float64(want[i]))) {
				t.Errorf("score %d is %v, float mode has %v", i, s, want[i])
			}
		}
	}
}

func TestQuantizedSizes(t *testing.T) {
	for name, change := range map[string]func(q *Quantized){
		"weights": func(q *Quantized) { q.Weights = q.Weights[1:] },
		"scales":  func(q *Quantized) { q.Scale = make([]float32, 2) },
		"zeros":   func(q *Quantized) { q.Zero = nil },
		"biases":  func(q *Quantized) { q.Bias, q.BiasScale = []int32{1}, []float32{1} },
	} {
		g, _ := quantizedFile(rand.New(rand.NewPCG(1, 9)))
		change(g.Nodes[1].Quantized)
		if g.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
