package protocol

import (
	"strings"
	"testing"

	"dorcas/internal/circuit"
	"dorcas/nn"
)

// TestHostileShapes plans shapes that are valid one layer at a time and
// would take all memory together.
func TestHostileShapes(t *testing.T) {
	wide := nn.Dims{C: 1 << 12, H: 1 << 6, W: 1 << 6} // 2^24 elements
	activate := func(pool *nn.Window) nn.Layer {
		return nn.Layer{In: []int{0}, Out: wide, Activate: &nn.Activate{Pool: pool, Width: 8, Func: nn.Identity, Bits: 8, Signed: true}}
	}
	border := square(31, 1, 15)
	for name, s := range map[string]nn.Shape{
		"stages": {Layers: []nn.Layer{activate(nil), activate(nil), activate(nil)}},
		"window": {Layers: []nn.Layer{activate(&border)}},
		"label":  {Layers: []nn.Layer{activate(nil)}, Output: nn.Output{Reveal: nn.RevealLabel}},
		"tables": {Layers: tables(maxEntries/1024 + 1)},
	} {
		s.Input = nn.Input{Dims: s.Layers[0].Out, Bits: 8, Signed: true}
		s.Output.Tensor, s.Output.Width, s.Output.Div = 1, 8, 1
		if s.Output.Reveal == "" {
			s.Output.Reveal = nn.RevealScores
		}
		if err := s.Validate(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := NewPlan(&s); err == nil || !strings.Contains(err.Error(), "at most") && !strings.Contains(err.Error(), "more than") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tables returns stages with the longest tables that there are.
func tables(n int) []nn.Layer {
	layers := make([]nn.Layer, n)
	for i := range layers {
		layers[i] = nn.Layer{In: []int{i}, Out: nn.Dims{C: 1, H: 1, W: 1}, Activate: &nn.Activate{
			Width: 12, Func: nn.Table, Mid: 10, Bits: 8, Signed: true, Table: make([]int32, 1024),
		}}
	}
	return layers
}

// TestPlanIsDetermined derives the same hash twice, and another one for
// another width.
func TestPlanIsDetermined(t *testing.T) {
	for _, n := range networks {
		b := n.build()
		first, err := NewPlan(&b.m.Shape)
		if err != nil {
			t.Fatal(err)
		}
		again, err := NewPlan(&n.build().m.Shape)
		if err != nil {
			t.Fatal(err)
		}
		if first.Hash() != again.Hash() {
			t.Errorf("%s: two plans of one shape differ", n.name)
		}
		b.m.Output.Width++
		other, err := NewPlan(&b.m.Shape)
		if err != nil {
			t.Fatal(err)
		}
		if first.Hash() == other.Hash() {
			t.Errorf("%s: another width, the same hash", n.name)
		}
	}
}

// TestKeysRunOut stops a session before a garbling key repeats.
func TestKeysRunOut(t *testing.T) {
	p := &Plan{keys: 1 << 40}
	for number, want := range map[uint32]bool{0: true, 1<<24 - 2: true, 1<<24 - 1: false, 1<<32 - 1: false} {
		if got := p.hasKeys(number, 1); got != want {
			t.Errorf("material %d: %v, want %v", number, got, want)
		}
	}
	p.keys = 1
	if p.hasKeys(1<<32-1, 1) || p.hasKeys(1<<32-3, 3) {
		t.Error("the number would run over")
	}
}

// TestGuardBits drops the guard bits under every error that they must hold.
// ε is at most 0 where a single guard bit is asked for.
func TestGuardBits(t *testing.T) {
	for e := int64(1); e < 100; e++ {
		g, top := guardBits(e), e
		if g == 1 {
			top = 0
		}
		for epsilon := -e; epsilon <= top; epsilon++ {
			for y := int64(-3); y <= 3; y++ {
				if got := (y<<g + epsilon + 1<<(g-1)) >> g; got != y {
					t.Fatalf("ε = %d under %d guard bits turns %d into %d", epsilon, g, y, got)
				}
			}
		}
	}
	if guardBits(1) != 1 {
		t.Error("one convolution takes more than one guard bit")
	}
}

// TestSharedRows: overlapping windows share what they have of rows, and windows
// that have nothing in common, or too little, do not.
func TestSharedRows(t *testing.T) {
	in := nn.Dims{C: 3, H: 13, W: 12}
	for _, c := range []struct {
		win    nn.Window
		shares bool
		words  int // a channel
	}{
		{square(3, 1, 1), true, 13 * 12},
		{square(3, 2, 0), true, 13 * 5},
		{square(2, 1, 0), true, 13 * 11},
		{square(2, 2, 0), false, 0},
		{square(3, 3, 0), false, 0},
		{nn.Window{KH: 1, KW: 5, StrideH: 1, StrideW: 1}, false, 0},
		{nn.Window{KH: 5, KW: 1, StrideH: 1, StrideW: 1}, false, 0},
		{nn.Window{KH: 2, KW: 3, StrideH: 1, StrideW: 2, DilH: 4, DilW: 2}, true, 13 * 4},
	} {
		out := in
		out.H, out.W = c.win.Out(in.H, in.W)
		ch := chunk{elements: in.Len()}
		stage := circuit.Stage{Share: circuit.Share{Width: 12}, Func: circuit.Relu, Bits: 8}
		windowGroups(&ch, &stageCircuits{stage, map[int]*circuit.Circuit{}, map[int]*circuit.Circuit{}}, &c.win, in, out, 0)
		if got := ch.rows != nil; got != c.shares || ch.rowWords != in.C*c.words {
			t.Errorf("%+v: shares rows: %v, %d words, want %v, %d", c.win, got, ch.rowWords, c.shares, in.C*c.words)
		}
		ands, alone := 0, 0
		for _, b := range ch.batches()[1:] { // without reconstruction
			ands += b.circuit.Ands * b.n
		}
		for o := range out.Len() {
			alone += stage.Pool(len(c.win.Elements(in, o/(out.H*out.W), o/out.W%out.H, o%out.W, nil))).Ands
		}
		if ands > alone || c.shares && ands == alone {
			t.Errorf("%+v: %d And gates, %d without sharing", c.win, ands, alone)
		}
	}
}
