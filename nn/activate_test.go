package nn

import (
	"math"
	"testing"
)

// TestActivateRun compares whole tensors with the definitions of one window
// and one integer.
func TestActivateRun(t *testing.T) {
	rnd := newRand(30)
	in := Dims{3, 9, 11}
	x := make([]int32, in.Len())
	for _, a := range []Activate{
		{Func: Identity, Bits: 8, Signed: true, Shift: 5},
		{Func: Identity, Bits: 8, Shift: 0},
		{Func: Relu, Bits: 8, Shift: 7},
		{Func: Relu, Bits: 16, Shift: 27},
		{Func: Square, Bits: 8, Shift: 3, Mid: 12, Shift2: 9},
		{Func: Relu, Bits: 8, Shift: 7, Pool: &Window{KH: 2, KW: 2, StrideH: 2, StrideW: 2}},
		{Func: Relu, Bits: 8, Shift: 4, Pool: &Window{KH: 3, KW: 3, StrideH: 2, StrideW: 2, Pad: Pad{1, 1, 1, 1}}},
		{Func: Identity, Bits: 16, Signed: true, Shift: 12, Pool: &Window{KH: 2, KW: 5, StrideH: 1, StrideW: 3, Pad: Pad{Top: 1, Right: 4}}},
		{Func: Identity, Bits: 12, Signed: true, Pool: &Window{KH: 9, KW: 1, StrideH: 1, StrideW: 4}},
		{Func: Clip, Bits: 8, Shift: 7, Hi: 192},
		{Func: Clip, Bits: 8, Signed: true, Shift: 3, Lo: -100, Hi: -7, Pool: &Window{KH: 2, KW: 2, StrideH: 1, StrideW: 1, DilH: 3, DilW: 2}},
		{Func: Leaky, Bits: 8, Signed: true, Shift: 6, Slope: 3},
		{Func: Leaky, Bits: 16, Signed: true, Slope: 27},
		{Func: Table, Bits: 8, Shift: 5, Mid: 3, Table: []int32{1, 4, 9, 255, 0, 17, 3, 2}},
		{Func: Table, Bits: 4, Signed: true, Mid: 1, Table: []int32{-8, 7}, Pool: &Window{KH: 2, KW: 2, StrideH: 2, StrideW: 2}},
	} {
		out := in
		if a.Pool != nil {
			out.H, out.W = a.Pool.Out(in.H, in.W)
		}
		for range 40 {
			for i := range x {
				x[i] = int32(rnd.Uint32()) >> rnd.IntN(32)
				if rnd.IntN(9) == 0 {
					x[i] = []int32{math.MinInt32, math.MaxInt32, 0, -1, 1 << 26, 1<<27 - 1, -1 << 27}[rnd.IntN(7)]
				}
			}
			got := make([]int32, out.Len())
			a.run(got, x, in, out)
			for i, g := range got {
				y := x[min(i, len(x)-1)]
				if a.Pool != nil {
					y = math.MinInt32
					for _, j := range a.Pool.Elements(in, i/(out.H*out.W), i/out.W%out.H, i%out.W, nil) {
						y = max(y, x[j])
					}
				}
				if want := exactStage(&a, int64(y)); int64(g) != want || a.Of(y) != g {
					t.Fatalf("%+v: element %d is %d, want %d = %d of %d", a, i, g, want, a.Of(y), y)
				}
			}
		}
	}
}

func BenchmarkActivate(b *testing.B) {
	in := Dims{64, 32, 32}
	x := make([]int32, in.Len())
	for i := range x {
		x[i] = int32(newRand(uint64(i)).Uint32()) >> 12
	}
	dst := make([]int32, len(x))
	for name, a := range map[string]Activate{
		"relu": {Func: Relu, Bits: 8, Shift: 7},
		"pool": {Func: Relu, Bits: 8, Shift: 7, Pool: &Window{KH: 2, KW: 2, StrideH: 2, StrideW: 2}},
	} {
		out := in
		if a.Pool != nil {
			out = Dims{64, 16, 16}
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				a.run(dst[:out.Len()], x, in, out)
			}
		})
	}
}
