package circuit

import (
	"math"
	"math/rand/v2"
	"testing"
)

// smallStages returns every kind of stage with a share of the given width.
func smallStages(width int) []Stage {
	var stages []Stage
	for guard := range min(3, width) {
		for shift := range width - guard {
			for bits := 1; bits <= width; bits++ {
				s := Stage{Share: Share{width, guard}, Shift: shift, Bits: bits}
				stages = append(stages, s)
				s.Signed = true
				stages = append(stages, s)
				leaky := s
				leaky.Func, leaky.Slope = Leaky, 1+(bits+shift)%4
				stages = append(stages, leaky)
				stages = append(stages, smallRanges(s)...)
				s.Func, s.Signed = Relu, false
				stages = append(stages, s)
				s.Func = Square
				for mid := 1; mid <= width; mid++ {
					s.Mid = mid
					s.Shift2 = (bits + 2*mid) % (2 * mid)
					stages = append(stages, s)
					s.Shift2 = 2*mid - 1
					stages = append(stages, s)
				}
			}
		}
	}
	for _, s := range stages {
		if s.Shift > 0 {
			s.Rounded = true
			stages = append(stages, s)
		}
	}
	return stages
}

// smallRanges returns s with some bounds and tables of its number of bits.
func smallRanges(s Stage) []Stage {
	var stages []Stage
	half := int32(1) << (s.Bits - 1)
	rng := rand.New(rand.NewPCG(uint64(s.Bits), uint64(s.Shift)))
	for range 3 {
		s.Func, s.Lo = Clip, rng.Int32N(2*half)-half
		s.Hi = s.Lo + 1 + rng.Int32N(2*half)
		stages = append(stages, s)
	}
	s.Lo = 0
	s.Hi = half + 1
	stages = append(stages, s)
	s.Func, s.Lo, s.Hi, s.Mid, s.Table = Table, 0, 0, s.Bits, make([]int32, 2*half)
	for i := range s.Table {
		s.Table[i] = rng.Int32N(64) - 40
	}
	return append(stages, s)
}

// TestFusedExhaustive runs every stage of small widths on every input.
func TestFusedExhaustive(t *testing.T) {
	widths := []int{1, 2, 3, 4, 5}
	if testing.Short() {
		widths = widths[:4]
	}
	for _, width := range widths {
		for _, s := range smallStages(width) {
			fusedExhaustive(t, s)
		}
	}
}

func fusedExhaustive(t *testing.T, s Stage) {
	t.Helper()
	circuit := s.Fused()
	in := make(lanes, circuit.Inputs)
	for first := 0; first < 1<<circuit.Inputs; first += 64 {
		for i := range in {
			in[i] = 0
		}
		for lane := range 64 {
			in.put(lane, 0, circuit.Inputs, uint64(first+lane))
		}
		out := lanes(circuit.eval64(in))
		for lane := range 64 {
			v := uint64(first + lane)
			c, sh := v&(1<<s.Width-1), v>>s.Width&(1<<s.Width-1)
			want := s.value(s.number(c, sh))
			if got := out.sum(circuit.Sum, lane); got != want {
				t.Fatalf("%+v: c=%d s=%d: got %d, want %d", s, c, sh, got, want)
			}
		}
	}
}

// realStages are stages of the sizes that networks have.
func realStages() []Stage {
	var stages []Stage
	for _, rounded := range []bool{false, true} {
		stages = append(stages,
			Stage{Share: Share{22, 2}, Shift: 7, Func: Relu, Bits: 8, Rounded: rounded},
			Stage{Share: Share{30, 2}, Shift: 12, Func: Relu, Bits: 8, Rounded: rounded},
			Stage{Share: Share{15, 2}, Shift: 3, Func: Relu, Bits: 12, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 0, Func: Relu, Bits: 8, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 19, Func: Relu, Bits: 8, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 9, Bits: 8, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 9, Bits: 8, Signed: true, Rounded: rounded},
			Stage{Share: Share{20, 0}, Shift: 12, Bits: 8, Signed: true, Rounded: rounded},
			Stage{Share: Share{20, 2}, Shift: 12, Bits: 9, Signed: true, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 8, Func: Square, Mid: 8, Shift2: 8, Bits: 8, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 8, Func: Square, Mid: 8, Shift2: 4, Bits: 8, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 5, Func: Square, Mid: 10, Shift2: 0, Bits: 20, Rounded: rounded},
			Stage{Share: Share{48, 2}, Shift: 11, Func: Square, Mid: 24, Shift2: 30, Bits: 20, Rounded: rounded},
			Stage{Share: Share{12, 1}, Shift: 8, Func: Square, Mid: 8, Shift2: 12, Bits: 8, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 7, Func: Clip, Hi: 192, Rounded: rounded},
			Stage{Share: Share{12, 1}, Shift: 5, Func: Clip, Lo: -7, Hi: 77, Rounded: rounded},
			Stage{Share: Share{30, 2}, Shift: 17, Func: Clip, Lo: 3, Hi: 12, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 7, Func: Leaky, Slope: 3, Bits: 8, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 0, Func: Leaky, Slope: 9, Bits: 16, Rounded: rounded},
			Stage{Share: Share{22, 2}, Shift: 9, Func: Table, Mid: 8, Table: sampled(8, 8, 1.0/32, sigmoid), Rounded: rounded},
			Stage{Share: Share{18, 2}, Shift: 9, Func: Table, Mid: 10, Table: sampled(10, 5, 1.0/32, math.Sin), Rounded: rounded},
		)
	}
	return stages
}

func TestFusedRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range realStages() {
		circuit := s.Fused()
		for range 60 {
			in := make(lanes, circuit.Inputs)
			for lane := range 64 {
				v, sh := near(rng, s.Width, s.Guard+s.Shift), edgy(rng, s.Width)
				in.put(lane, 0, s.Width, v-sh)
				in.put(lane, s.Width, s.Width, sh)
			}
			out := lanes(circuit.eval64(in))
			for lane := range 64 {
				c, sh := in.get(lane, 0, s.Width), in.get(lane, s.Width, s.Width)
				want := s.value(s.number(c, sh))
				if got := out.sum(circuit.Sum, lane); got != want {
					t.Fatalf("%+v: c=%d s=%d: got %d, want %d", s, c, sh, got, want)
				}
			}
		}
	}
}

// TestRoundedBias: a caller who adds the bias himself gets what the circuit
// would have computed, for every number the bias does not push over the top.
func TestRoundedBias(t *testing.T) {
	in := Stage{Share: Share{9, 2}, Shift: 3, Func: Relu, Bits: 3}
	out := in
	out.Rounded = true
	step := out.Bias() - in.Bias()
	if in.Bias() != 2 || out.Bias() != 2+16 {
		t.Fatalf("bias: got %d and %d", in.Bias(), out.Bias())
	}
	for y := int64(-64); y+1<<(in.Shift-1) < 64; y++ {
		for noise := int64(-1); noise <= 1; noise++ {
			c := uint64(4*y + noise + int64(in.Bias()))
			if got, want := out.value(out.number(c, step)), in.value(y); got != want {
				t.Errorf("y=%d: got %d, want %d", y, got, want)
			}
			if got, want := in.value(in.number(c, 0)), in.value(y); got != want {
				t.Errorf("y=%d: got %d, want %d", y, got, want)
			}
		}
	}
}

// pooled runs Reconstruct, then Max over groups if group > 1, then Pool, on 64
// windows of n numbers.
func pooled(s Stage, n, group int, c, sh [][]uint64) (lanes, *Sum) {
	rec, w := s.Reconstruct(), s.Word()
	var words lanes
	for i := range n {
		in := make(lanes, rec.Inputs)
		for lane := range 64 {
			in.put(lane, 0, s.Width, c[i][lane])
			in.put(lane, s.Width, s.Width, sh[i][lane])
		}
		words = append(words, rec.eval64(in)...)
	}
	if group > 1 {
		var short lanes
		for first := 0; first < n; first += group {
			short = append(short, s.Max(group).eval64(words[first*w:(first+group)*w])...)
		}
		words, n = short, n/group
	}
	pool := s.Pool(n)
	return pool.eval64(words), pool.Sum
}

// checkPool compares pooled with the oracle. next returns the numbers of one
// window, unsigned, with their guard bits.
func checkPool(t *testing.T, rng *rand.Rand, s Stage, n, group int, next func() []uint64) {
	t.Helper()
	c, sh := make([][]uint64, n), make([][]uint64, n)
	for i := range n {
		c[i], sh[i] = make([]uint64, 64), make([]uint64, 64)
	}
	for lane := range 64 {
		for i, v := range next() {
			sh[i][lane] = rng.Uint64() & (1<<s.Width - 1)
			c[i][lane] = (v - sh[i][lane]) & (1<<s.Width - 1)
		}
	}
	out, sum := pooled(s, n, group, c, sh)
	for lane := range 64 {
		ys := make([]int64, n)
		for i := range ys {
			ys[i] = s.number(c[i][lane], sh[i][lane])
		}
		want := s.valueOfLargest(ys...)
		if got := out.sum(sum, lane); got != want {
			t.Fatalf("%+v: window %v: got %d, want %d", s, ys, got, want)
		}
	}
}

// TestPoolExhaustive runs windows of two over every pair of small numbers.
func TestPoolExhaustive(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	width := 5
	if testing.Short() {
		width = 4
	}
	for _, s := range smallStages(width) {
		pair := uint64(0)
		for range max(1, 1<<(2*width)/64) {
			checkPool(t, rng, s, 2, 1, func() []uint64 {
				pair++
				return []uint64{pair & (1<<width - 1), pair >> width & (1<<width - 1)}
			})
		}
	}
}

func TestPoolRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, s := range realStages() {
		for _, size := range []struct{ n, group int }{{1, 1}, {2, 1}, {4, 1}, {9, 1}, {9, 3}, {4, 2}} {
			for range 10 {
				checkPool(t, rng, s, size.n, size.group, func() []uint64 {
					vs := make([]uint64, size.n)
					for i := range vs {
						vs[i] = near(rng, s.Width, s.Guard+s.Shift)
						if i > 0 && rng.IntN(3) == 0 {
							vs[i] = vs[i-1] + uint64(rng.IntN(3)) - 1
						}
					}
					return vs
				})
			}
		}
	}
}

// TestAndCounts pins the cost of the stages, in AND gates. A change that raises
// a count is a loss of bytes and time in every session.
func TestAndCounts(t *testing.T) {
	relu := Stage{Share: Share{22, 2}, Shift: 7, Func: Relu, Bits: 8}
	with := func(s Stage, change func(*Stage)) Stage { change(&s); return s }
	signed := with(relu, func(s *Stage) { s.Func, s.Signed = Identity, true })
	square := with(relu, func(s *Stage) { s.Func, s.Mid, s.Shift2 = Square, 8, 8 })
	wide := with(relu, func(s *Stage) { s.Share, s.Shift = Share{30, 2}, 12 })
	narrow := with(relu, func(s *Stage) { s.Share, s.Shift = Share{18, 2}, 5 })
	clip := with(relu, func(s *Stage) { s.Func, s.Hi = Clip, 192 })
	hardTanh := with(relu, func(s *Stage) { s.Func, s.Lo, s.Hi = Clip, -100, 100 })
	leaky := with(relu, func(s *Stage) { s.Func, s.Slope = Leaky, 3 })
	table := with(relu, func(s *Stage) { s.Func, s.Mid, s.Table = Table, 8, sampled(8, 8, 1.0/32, sigmoid) })
	bare := with(relu, func(s *Stage) { s.Share = Share{20, 0} })
	for _, c := range []struct {
		name           string
		stage          Stage
		fused, rounded int // AND gates of one element without and with Rounded
		pool, rpool    int // the same of a 2×2 max-pool, per window
	}{
		{"relu 22→8", relu, 34, 25, 172, 157},
		{"relu 30→8", wide, 45, 36, 216, 201},
		{"relu 18→8", narrow, 28, 19, 148, 133},
		{"relu 20→8, no guard", bare, 32, 23, 164, 149},
		{"identity 22→8 signed", signed, 35, 26, 170, 155},
		{"square 22→8", square, 89, 80, 224, 209},
		{"clip 22→192", clip, 41, 27, 176, 159},
		{"clip 22→±100", hardTanh, 55, 40, 182, 165},
		{"leaky 22→8", leaky, 53, 38, 195, 175},
		{"sigmoid 22→8", table, 59, 59, 188, 188},
	} {
		rounded := c.stage
		rounded.Rounded = true
		window := func(s Stage) int { return 4*s.Reconstruct().Ands + s.Pool(4).Ands }
		got := []int{c.stage.Fused().Ands, rounded.Fused().Ands, window(c.stage), window(rounded)}
		want := []int{c.fused, c.rounded, c.pool, c.rpool}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: got %d, want %d AND gates", c.name, got, want)
				break
			}
		}
	}
}

func TestCheck(t *testing.T) {
	good := Stage{Share: Share{22, 2}, Shift: 7, Func: Square, Mid: 8, Shift2: 8, Bits: 8}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Stage){
		"no width":       func(s *Stage) { s.Width = 0 },
		"wide":           func(s *Stage) { s.Width = MaxWidth + 1 },
		"all guard":      func(s *Stage) { s.Guard = s.Width },
		"negative guard": func(s *Stage) { s.Guard = -1 },
		"shift":          func(s *Stage) { s.Shift = 20 },
		"negative shift": func(s *Stage) { s.Shift = -1 },
		"no bits":        func(s *Stage) { s.Bits = 0 },
		"many bits":      func(s *Stage) { s.Bits = MaxBits + 1 },
		"no mid":         func(s *Stage) { s.Mid = 0 },
		"wide mid":       func(s *Stage) { s.Mid = MaxWidth/2 + 1 },
		"shift2":         func(s *Stage) { s.Shift2 = 16 },
		"clip":           func(s *Stage) { s.Func = Clip },
		"wide clip":      func(s *Stage) { s.Func, s.Hi = Clip, 1<<30 },
		"no slope":       func(s *Stage) { s.Func = Leaky },
		"no table":       func(s *Stage) { s.Func = Table },
		"short table":    func(s *Stage) { s.Func, s.Mid, s.Table = Table, 2, make([]int32, 3) },
		"huge table":     func(s *Stage) { s.Func, s.Mid, s.Table = Table, 11, make([]int32, 1<<11) },
		"huge values":    func(s *Stage) { s.Func, s.Mid, s.Table = Table, 1, []int32{0, 1 << 30} },
		"func":           func(s *Stage) { s.Func = Table + 1 },
	} {
		s := good
		change(&s)
		if s.Check() == nil {
			t.Errorf("%s: no error for %+v", name, s)
		}
	}
}
