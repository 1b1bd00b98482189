package circuit

import (
	"fmt"
	"slices"
)

// Share says how a number is shared: as two words of Width bits that add up,
// mod 2^Width, to the number in two's complement, shifted left by Guard bits.
// The Guard low bits of the sum are noise and are dropped; the number itself
// has Width−Guard bits.
type Share struct {
	Width int // bits of each share
	Guard int // low bits dropped after the addition
}

// Func is an activation.
type Func uint8

// The activations.
const (
	Identity Func = iota // requantise only
	Relu                 // negative values become 0
	Square               // v², shifted once more
	Clip                 // between two bounds
	Leaky                // negative values are shifted once more
	Table                // any function of a few bits
)

// Stage is one fused non-linear stage: add the shares, pool, shift with
// rounding, activate and clamp. With y the signed number that the shares c and
// s hold (the largest of several, if the stage pools),
//
//	u = ⌊y/2^Shift + 1/2⌋                                  (u = y if Shift is 0)
//	Identity  z = u clamped to Bits bits, signed or not by Signed
//	Relu      z = u clamped to 0 … 2^Bits−1
//	Square    z = ⌊v²/2^Shift2 + 1/2⌋, at most 2^Bits−1, where v is u clamped
//	          to Mid bits, signed                         (z = v² if Shift2 is 0)
//	Clip      z = min(max(u, Lo), Hi)
//	Leaky     z = u, or ⌊u/2^Slope + 1/2⌋ where u < 0, clamped to Bits bits, signed
//	Table     z = Table[v + 2^(Mid−1)], where v is ⌊y/2^Shift⌋ clamped to Mid
//	          bits, signed
//
// and z is the Sum of the circuit's outputs. No u overflows: the rounding is
// exact for the largest y too.
//
// The rounding constant costs an AND gate for every bit of z, because an adder
// has one place for a carry and it is taken. A caller who knows that
// y + 2^(Shift−1) fits in Width−Guard bits adds the constant to s in the clear
// and sets Rounded; u is then ⌊y/2^Shift⌋ in the circuit. Bias is what such a
// caller adds to s.
type Stage struct {
	Share
	Shift   int  // 0 ≤ Shift < Width−Guard
	Func    Func // activation
	Mid     int  // Square, Table: bits of v
	Shift2  int  // Square: shift of v², 0 ≤ Shift2 < 2·Mid
	Slope   int  // Leaky: at least 1
	Lo, Hi  int32
	Table   []int32 // 2^Mid values
	Bits    int     // bits of z; Clip and Table need none
	Signed  bool    // Identity: z is signed; Relu and Square never are
	Rounded bool    // the rounding constant of Shift is in the shares already

	form *tableForm // of Table, if it was searched for already
}

// MaxWidth is the largest width of a share, MaxBits that of a result.
const (
	MaxWidth     = 48
	MaxBits      = 30
	maxClip      = 1 << 24 // in size, of bounds and values
	maxTableBits = 10
)

// Check returns an error if no circuit has these parameters.
func (sh Share) Check() error {
	if sh.Width < 1 || sh.Width > MaxWidth || sh.Guard < 0 || sh.Guard >= sh.Width {
		return fmt.Errorf("circuit: share: %d bits with %d guard bits", sh.Width, sh.Guard)
	}
	return nil
}

// Check returns an error if no circuit has these parameters.
func (s Stage) Check() error {
	if err := s.Share.Check(); err != nil {
		return err
	}
	switch {
	case s.Shift < 0 || s.Shift >= s.Width-s.Guard:
		return fmt.Errorf("circuit: stage: shift of %d in %d bits", s.Shift, s.Width-s.Guard)
	case s.Func > Table:
		return fmt.Errorf("circuit: stage: unknown activation %d", s.Func)
	case (s.Bits < 1 || s.Bits > MaxBits) && s.Func != Clip && s.Func != Table:
		return fmt.Errorf("circuit: stage: result of %d bits", s.Bits)
	case s.Func == Clip && (s.Lo >= s.Hi || s.Lo < -maxClip || s.Hi > maxClip):
		return fmt.Errorf("circuit: stage: clip to %d to %d", s.Lo, s.Hi)
	case s.Func == Leaky && (s.Slope < 1 || s.Slope > MaxWidth):
		return fmt.Errorf("circuit: stage: leaky relu of slope 2^-%d", s.Slope)
	case s.Func == Table && (s.Mid < 1 || s.Mid > maxTableBits || len(s.Table) != 1<<s.Mid):
		return fmt.Errorf("circuit: stage: table of %d values for %d bits", len(s.Table), s.Mid)
	case s.Func == Table && (slices.Min(s.Table) < -maxClip || slices.Max(s.Table) > maxClip):
		return fmt.Errorf("circuit: stage: table of values beyond ±%d", maxClip)
	case s.Func == Square && (s.Mid < 1 || s.Mid > MaxWidth/2):
		return fmt.Errorf("circuit: stage: square of %d bits", s.Mid)
	case s.Func == Square && (s.Shift2 < 0 || s.Shift2 >= 2*s.Mid):
		return fmt.Errorf("circuit: stage: shift of %d after a square of %d bits", s.Shift2, s.Mid)
	}
	return nil
}

// Searched returns the stage with the circuit of its table searched for, so
// that all circuits of the stage need only one search.
func (s Stage) Searched() Stage {
	s.mustCheck()
	if s.Func == Table && s.form == nil {
		s.form = bestForm(s.Table)
	}
	return s
}

// Bias returns the constant that the owner of s adds to it in the clear, mod
// 2^Width: half a unit of the guard bits, so that dropping them rounds.
func (sh Share) Bias() uint64 {
	if sh.Guard == 0 {
		return 0
	}
	return 1 << (sh.Guard - 1)
}

// Bias is Share.Bias and, if the stage is Rounded, half a unit of the shift.
func (s Stage) Bias() uint64 {
	bias := s.Share.Bias()
	if s.Rounded && s.Shift > 0 && s.Func != Table {
		bias += 1 << (s.Guard + s.Shift - 1)
	}
	return bias
}

// Fused returns the stage without pooling. Inputs: c (Width bits), s (Width
// bits). The Sum of the outputs is z.
func (s Stage) Fused() *Circuit {
	s.mustCheck()
	b := NewBuilder(2 * s.Width)
	sum := b.add(b.inputWord(0, s.Width), b.inputWord(s.Width, s.Width))
	return b.buildSum(s.finish(b, s.split(sum)))
}

// Reconstruct returns the first part of a pooling stage: what is done once for
// each element, whichever windows it is in. Inputs: c (Width bits), s (Width
// bits). Outputs: a word of Word() bits, which only Max and Pool understand.
func (s Stage) Reconstruct() *Circuit {
	s.mustCheck()
	b := NewBuilder(2 * s.Width)
	v := s.split(b.add(b.inputWord(0, s.Width), b.inputWord(s.Width, s.Width)))
	v.high = b.narrow(v.high, s.keep())
	return b.Build(s.join(v)...)
}

// Word returns the bits of the words that Reconstruct makes.
func (s Stage) Word() int {
	n := min(s.Width-s.Guard-s.Shift, s.keep())
	if s.roundsHere() {
		n++
	}
	return n
}

// Max returns the largest of n words, 1 ≤ n: an optional step between
// Reconstruct and Pool, for windows that overlap (the maximum of a row serves
// every window that the row is in). Inputs: n words of Word() bits. Outputs:
// one such word.
func (s Stage) Max(n int) *Circuit {
	s.mustCheck()
	mustPositive(n)
	b := NewBuilder(n * s.Word())
	return b.Build(s.largest(b, n)...)
}

// Pool returns the second part of a pooling stage, which takes the largest of n
// words, 1 ≤ n, and does the rest. Inputs: n words of Word() bits. The Sum of
// the outputs is z.
func (s Stage) Pool(n int) *Circuit {
	s.mustCheck()
	mustPositive(n)
	b := NewBuilder(n * s.Word())
	return b.buildSum(s.finish(b, s.unjoin(s.largest(b, n))))
}

// largest returns the largest of the first n words of the inputs.
func (s Stage) largest(b *Builder, n int) word {
	w := s.Word()
	best := b.inputWord(0, w)
	for i := 1; i < n; i++ {
		best = b.maxSigned(best, b.inputWord(i*w, w))
	}
	return best
}

func (s Stage) mustCheck() {
	if err := s.Check(); err != nil {
		panic(err)
	}
}

func mustPositive(n int) {
	if n < 1 {
		panic(fmt.Sprintf("circuit: window of %d elements", n))
	}
}
