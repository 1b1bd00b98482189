package nn

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// compared is a network with branches, pools and a flattening.
func compared(seed uint64) *builder {
	b := newBuilder(seed, Dims{2, 9, 9})
	win := Window{KH: 3, KW: 3, StrideH: 1, StrideW: 1, Pad: Pad{Top: 1, Left: 1, Bottom: 1, Right: 1}}
	x := b.op(NodeRelu, b.affine(b.conv(0, 6, win)))
	y := b.op(NodeRelu, b.conv(x, 6, win))
	y = b.conv(y, 6, win)
	x = b.op(NodeRelu, b.op(NodeAdd, x, y))
	x = b.pool(NodeMaxPool, x, 3, 3, 0)
	x = b.pool(NodeAvgPool, x, 3, 3, 0)
	b.dense(x, 4)
	for i := range b.Nodes {
		b.Nodes[i].Name += fmt.Sprint(i)
	}
	return b
}

// TestCompare has Compare find by itself what Quantize knew, and then a layer
// that was tampered with.
func TestCompare(t *testing.T) {
	for seed := range uint64(6) {
		b := compared(seed)
		samples := b.samples(30, false)
		how := []Equalization{EqualizeNever, EqualizeAlways}[seed%2]
		m, report, err := Quantize(&b.Graph, samples, &QuantizeOptions{ActBits: 6, Equalize: how})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Compare(&b.Graph, m, samples)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]LayerReport{report.Input}, report.Layers...)
		if len(got) != len(want) {
			t.Fatalf("%d tensors, want %d", len(got), len(want))
		}
		for i, w := range want {
			d := got[i]
			unit := math.Ldexp(1, -w.Frac) / float64(w.Div)
			if d.Name != w.Name || d.Op != w.Op || d.Twin == "" || d.Saturation != w.Saturation {
				t.Errorf("tensor %d: %+v, want %+v", i, d, w)
			}
			if math.Abs(d.Unit/unit-1) > 1e-9 || math.Abs(d.Error-w.Error) > 1e-6 {
				t.Errorf("%s: error %v in units of %v, want %v in %v", d.Name, d.Error, d.Unit, w.Error, unit)
			}
		}
		// A wrong weight in the second convolution: what comes before is as
		// it was.
		second := 0
		for i, n := 0, 0; i < len(m.Layers); i++ {
			if m.Layers[i].Conv != nil {
				if n++; n == 2 {
					second = i
				}
			}
		}
		w := m.Weights[second].W
		for i := range w {
			w[i] = -w[i]
		}
		bad, err := Compare(&b.Graph, m, samples)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range bad {
			if i <= second && d != got[i] {
				t.Errorf("%s differs before the damage: %+v, %+v", d.Name, d, got[i])
			}
			if i == second+1 && d.Error < 5*got[i].Error {
				t.Errorf("%s: error %v with every weight wrong, %v before", d.Name, d.Error, got[i].Error)
			}
		}
	}
}

func TestCompareErrors(t *testing.T) {
	b, other := compared(1), newBuilder(1, Dims{2, 9, 8})
	other.dense(0, 4)
	samples := b.samples(9, false)
	m, _, err := Quantize(&b.Graph, samples, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compare(&other.Graph, m, samples); err == nil || !strings.Contains(err.Error(), "not the same") {
		t.Errorf("another network: %v", err)
	}
	if _, err := Compare(&b.Graph, m, nil); err == nil {
		t.Error("no samples are no error")
	}
	if _, err := Compare(&b.Graph, m, [][]float32{{1}}); err == nil {
		t.Error("a short sample is no error")
	}
}
