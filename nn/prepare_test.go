package nn

import (
	"fmt"
	"math"
	"testing"
)

// TestPrepare: a prepared graph has no Affine, and the same scores.
func TestPrepare(t *testing.T) {
	check := func(name string, b *builder) {
		f := b.prepare()
		for i := range f.Nodes {
			if f.Nodes[i].Op == NodeAffine {
				t.Fatalf("%s: node %d is an Affine still", name, i)
			}
		}
		for _, x := range b.samples(3, true) {
			want, err := b.Run(x)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := f.Run(x)
			if err != nil {
				t.Fatalf("%s: prepared: %v", name, err)
			}
			for i := range want {
				if math.Abs(float64(got[i]-want[i])) > 1e-4*max(1, math.Abs(float64(want[i]))) {
					t.Fatalf("%s: score %d is %v, %v before", name, i, got[i], want[i])
				}
			}
		}
	}
	for _, p := range patterns {
		b := newBuilder(7, p.in)
		p.build(b)
		check(p.name, b)
	}
	for seed := range uint64(200) {
		b := newBuilder(seed, Dims{2, 7, 6})
		x := 0
		for range 6 {
			switch b.rng.IntN(10) {
			case 0, 1:
				x = b.affine(x)
			case 2:
				x = b.pad(x, Pad{b.rng.IntN(2), b.rng.IntN(2), b.rng.IntN(2), b.rng.IntN(2)})
			case 3:
				x = b.op(NodeAdd, x, b.affine(x))
			case 4:
				d := b.Dims(x)
				x = b.reshape(x, Dims{d.C * d.H, 1, d.W})
			case 5:
				x = b.grouped(x, 2*b.Dims(x).C, b.Dims(x).C, Window{KH: 1, KW: 2, StrideH: 1, StrideW: 1, Pad: Pad{Left: 1}})
			case 6:
				x = b.node(Node{Op: NodeMaxPool, Window: Window{KH: 1, KW: 2, StrideH: 1, StrideW: 1, Pad: Pad{Left: 1}}}, x)
			case 7:
				x = b.node(Node{Op: NodeAvgPool, CountPad: b.rng.IntN(2) == 0, Window: Window{KH: 1, KW: 2, StrideH: 1, StrideW: 1, Pad: Pad{Left: b.rng.IntN(2)}}}, x)
				if b.rng.IntN(2) == 0 {
					x = b.affine(x)
					for i, s := range b.Nodes[x-1].Scale {
						b.Nodes[x-1].Scale[i] = max(s, -s)
					}
				}
			default:
				x = b.conv(x, 1+b.rng.IntN(4), Window{KH: 1, KW: 3, StrideH: 1, StrideW: 1, Pad: Pad{Left: 1, Right: 1}})
			}
		}
		b.dense(b.affine(x), 3)
		check(fmt.Sprintf("net %d", seed), b)
	}
}
