package nn

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// mixed is a small network of residual, pooled and dense layers, which answers
// each class about equally often.
func mixed(seed uint64) *builder {
	b := newBuilder(seed, Dims{2, 8, 8})
	x := b.op(NodeRelu, b.conv(0, 6, window(3, 1, 1)))
	y := b.op(NodeRelu, b.op(NodeAdd, b.conv(x, 6, window(3, 1, 1)), x))
	b.dense(b.pool(NodeMaxPool, y, 2, 2, 0), 5)
	for i := range b.Nodes {
		b.Nodes[i].Name += string(rune('a' + i))
	}
	last := &b.Nodes[len(b.Nodes)-1]
	samples := b.samples(100, false)
	means := make([]float32, 5)
	for _, x := range samples {
		scores, err := b.Run(x)
		if err != nil {
			panic(err)
		}
		for c, v := range scores {
			means[c] += v / 100
		}
	}
	for c, m := range means {
		last.Bias[c] -= m
	}
	return b
}

// bytesOf is a cost: the bits that the stages take and give.
func bytesOf(s *Shape) (int64, error) {
	sum := int64(s.Input.Bits * s.Input.Dims.Len())
	for _, l := range s.Layers {
		if a := l.Activate; a != nil {
			sum += int64((a.Width + a.Bits) * l.Out.Len())
		}
	}
	return sum + int64(s.Output.Width), nil
}

// answersOf are what the float network answers.
func answersOf(t *testing.T, g *Graph, samples [][]float32) []int {
	t.Helper()
	answers := make([]int, len(samples))
	_, err := Evaluate(g, nil, samples, answers, &EvaluateOptions{Answer: func(i, float, _ int) { answers[i] = float }})
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

// What is found is cheaper, loses no more than allowed on both halves of the
// samples, is what Quantize makes of the widths, and is found again.
func TestSearch(t *testing.T) {
	b := mixed(21)
	samples := b.samples(200, false)
	labels := answersOf(t, &b.Graph, samples)
	for i := range labels {
		if i%10 == 3 {
			labels[i] = (labels[i] + 1) % 5 // the network is not always right
		}
	}
	for _, loss := range []float64{5, 12} {
		var files [2]bytes.Buffer
		var found *SearchReport
		for i := range files {
			var progress []SearchProgress
			opt := &SearchOptions{MaxLoss: loss, Cost: bytesOf, Progress: func(p SearchProgress) { progress = append(progress, p) }}
			m, q, r, err := Search(&b.Graph, samples, labels, opt)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.WriteTo(&files[i]); err != nil {
				t.Fatal(err)
			}
			if cost, _ := bytesOf(&m.Shape); cost != r.Cost || r.Cost >= r.First*9/10 {
				t.Errorf("loss %v: cost %d is reported as %d; %d to begin with", loss, cost, r.Cost, r.First)
			}
			if r.Loss > loss || r.HeldOutLoss > loss || r.Samples != 100 || r.HeldOut != 100 || len(q.Layers) != len(m.Layers) {
				t.Errorf("loss %v: %+v", loss, r)
			}
			if !slices.IsSortedFunc(progress, func(a, b SearchProgress) int { return int(b.Cost - a.Cost) }) || len(progress) == 0 {
				t.Errorf("loss %v: progress %v", loss, progress)
			}
			found = r
		}
		if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
			t.Error("two searches differ")
		}
		decide, _ := halves(samples)
		again, _, err := Quantize(&b.Graph, decide, &found.Options)
		if err != nil {
			t.Fatal(err)
		}
		if cost, _ := bytesOf(&again.Shape); cost != found.Cost {
			t.Errorf("the widths found give a network of cost %d, not %d", cost, found.Cost)
		}
	}
}

// A larger loss allowed never costs more, and agreement stands in for labels.
func TestSearchWithoutLabels(t *testing.T) {
	b := mixed(22)
	samples := b.samples(120, false)
	last := int64(1 << 60)
	for _, loss := range []float64{6, 20, 100} {
		_, _, r, err := Search(&b.Graph, samples, nil, &SearchOptions{MaxLoss: loss, Cost: bytesOf})
		if err != nil {
			t.Fatal(err)
		}
		if r.Loss > loss || r.HeldOutLoss > loss || r.Cost > last {
			t.Errorf("loss %v: %+v; cost %d before", loss, r, last)
		}
		last = r.Cost
		for name, bits := range r.Options.LayerBits {
			if loss == 100 && bits > 4 {
				t.Errorf("layer %s keeps %d bits though any loss is allowed", name, bits)
			}
		}
	}
}

// Layers that the options name keep their widths, and the number of networks
// tried keeps its bound.
func TestSearchKeeps(t *testing.T) {
	b := mixed(23)
	fixed := map[string]int{"Conva": 7, "Relub": 6}
	opt := &SearchOptions{MaxLoss: 20, Cost: bytesOf, MaxTrials: 25, Quantize: QuantizeOptions{LayerBits: maps.Clone(fixed), InputBits: 7}}
	_, q, r, err := Search(&b.Graph, b.samples(60, false), nil, opt)
	if err != nil {
		t.Fatal(err)
	}
	if r.Options.LayerBits["Conva"] != 7 || r.Options.LayerBits["Relub"] != 6 || !maps.Equal(opt.Quantize.LayerBits, fixed) {
		t.Errorf("%v, options %v", r.Options.LayerBits, opt.Quantize.LayerBits)
	}
	if q.Layers[0].WeightBits > 7 || q.Layers[1].Bits != 6 || r.Options.InputBits > 7 {
		t.Errorf("%+v, input %d bits", q.Layers[:2], r.Options.InputBits)
	}
	if r.Trials > 25+1 {
		t.Errorf("%d networks tried", r.Trials)
	}
}

// Where 8 bits lose too much, the search begins with more.
func TestSearchWidens(t *testing.T) {
	b := mixed(24)
	samples := b.samples(300, false)
	small := QuantizeOptions{ActBits: 3, WeightBits: 3, InputBits: 3}
	m, _, err := Quantize(&b.Graph, samples, &small)
	if err != nil {
		t.Fatal(err)
	}
	answers := answersOf(t, &b.Graph, samples)
	e, err := Evaluate(nil, m, samples, answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Integer > 0.87 {
		t.Fatalf("3 bits are right to %.3f: no test", e.Integer)
	}
	_, _, r, err := Search(&b.Graph, samples, answers, &SearchOptions{MaxLoss: 10, Cost: bytesOf, Quantize: small})
	if err != nil {
		t.Fatal(err)
	}
	if r.Loss > 10 || r.HeldOutLoss > 10 {
		t.Errorf("%+v", r)
	}
}

func TestSearchErrors(t *testing.T) {
	b := mixed(25)
	samples := b.samples(50, false)
	for _, c := range []struct {
		name   string
		labels []int
		opt    *SearchOptions
		want   string
	}{
		{"no options", nil, nil, "no cost"},
		{"no cost", nil, &SearchOptions{}, "no cost"},
		{"negative loss", nil, &SearchOptions{MaxLoss: -1, Cost: bytesOf}, "at most -1 points"},
		{"few labels", []int{1}, &SearchOptions{Cost: bytesOf}, "50 samples with 1 labels"},
		{"bad bits", nil, &SearchOptions{Cost: bytesOf, Quantize: QuantizeOptions{ActBits: 99}}, "ActBits is 99"},
		{"no such layer", nil, &SearchOptions{Cost: bytesOf, Quantize: QuantizeOptions{LayerBits: map[string]int{"x": 4}}}, `no layer "x"`},
		{"cost fails", nil, &SearchOptions{Cost: func(*Shape) (int64, error) { return 0, errors.New("too dear") }}, "too dear"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, _, err := Search(&b.Graph, samples, c.labels, c.opt)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %s", err, c.want)
			}
		})
	}
}
