package nn

import (
	"math"
	"strings"
	"testing"
)

// quantized rounds as a file does that is quantised already: unsigned bytes.
func (b *builder) quantized(x int, scale, zero float64) int {
	return b.table(x, "quantize", func(v float64) float64 {
		return (min(max(math.RoundToEven(v/scale)+zero, 0), 255) - zero) * scale
	}, scale, zero, 0, 255)
}

// Networks that are quantised already need no tables and no stage more than
// others, and keep the file's weights where their scales are powers of two.
func TestQuantizeQuantized(t *testing.T) {
	b := newBuilder(17, Dims{2, 8, 8})
	x := b.quantized(0, 0.01, 128)
	x = b.quantized(b.op(NodeRelu, b.conv(x, 6, window(3, 1, 1))), 0.0171, 0)
	x = b.quantized(b.conv(x, 6, window(3, 1, 1)), 0.0123, 0) // the clamp is the relu
	x = b.quantized(b.pool(NodeMaxPool, x, 2, 2, 0), 0.0123, 0)
	b.dense(x, 5)
	for i := range b.Nodes {
		n := &b.Nodes[i]
		if n.Weights == nil {
			continue
		}
		q := &Quantized{Scale: []float32{1. / 256}, Zero: []int32{0}}
		for j, w := range n.Weights {
			k := int32(math.Round(min(max(float64(w)*256, -127), 127)))
			q.Weights = append(q.Weights, k)
			n.Weights[j] = float32(k) / 256
		}
		n.Quantized = q
	}
	m, r, err := Quantize(&b.Graph, b.samples(60, true), nil)
	if err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, l := range r.Layers {
		ops = append(ops, l.Op)
	}
	if got, want := strings.Join(ops, " "), "conv relu conv max_pool+clip reshape conv"; got != want {
		t.Errorf("layers %s, want %s", got, want)
	}
	for i, w := range m.Weights {
		if w == nil {
			continue
		}
		var given *Quantized
		for j := range b.Nodes {
			if n := &b.Nodes[j]; n.Quantized != nil && len(n.Weights) == len(w.W) {
				given = n.Quantized
			}
		}
		for j, k := range w.W {
			if int32(k) != given.Weights[j] {
				t.Fatalf("layer %d, weight %d is %d, the file has %d", i, j, k, given.Weights[j])
			}
		}
	}
	checkScores(t, &b.Graph, m, b.samples(20, true))
}
