package circuit

import "math/rand/v2"

// This file is the oracle of the circuits: the same functions on integers.

// number returns the number that two shares hold.
func (sh Share) number(c, s uint64) int64 {
	sum := (c + s) << (64 - sh.Width)
	return int64(sum) >> (64 - sh.Width) >> sh.Guard
}

// value returns z for the number y.
func (s Stage) value(y int64) int64 {
	u := y >> s.Shift
	if s.Shift > 0 && !s.Rounded {
		u = (y + 1<<(s.Shift-1)) >> s.Shift
	}
	top := int64(1)<<s.Bits - 1
	switch {
	case s.Func == Square:
		half := int64(1) << (s.Mid - 1)
		v := min(max(u, -half), half-1)
		z := v * v
		if s.Shift2 > 0 {
			z = (z + 1<<(s.Shift2-1)) >> s.Shift2
		}
		return min(z, top)
	case s.Func == Clip:
		return min(max(u, int64(s.Lo)), int64(s.Hi))
	case s.Func == Leaky:
		if u < 0 {
			u = (u + 1<<(s.Slope-1)) >> s.Slope
		}
		half := int64(1) << (s.Bits - 1)
		return min(max(u, -half), half-1)
	case s.Func == Table:
		half := int64(1) << (s.Mid - 1)
		return int64(s.Table[min(max(y>>s.Shift, -half), half-1)+half])
	case s.Func == Identity && s.Signed:
		half := int64(1) << (s.Bits - 1)
		return min(max(u, -half), half-1)
	default:
		return min(max(u, 0), top)
	}
}

// valueOfLargest returns z for the largest of the numbers.
func (s Stage) valueOfLargest(ys ...int64) int64 {
	y := ys[0]
	for _, other := range ys[1:] {
		y = max(y, other)
	}
	return s.value(y)
}

// sum returns the Sum of one lane of the outputs.
func (l lanes) sum(s *Sum, lane int) int64 {
	bits := make([]bool, len(l))
	for i := range bits {
		bits[i] = l.get(lane, i, 1) == 1
	}
	return int64(s.Of(bits))
}

// lanes holds up to 64 inputs of one circuit, bit by bit: what eval64 takes.
type lanes []uint64

// put writes n bits of v from bit first on into one lane.
func (l lanes) put(lane, first, n int, v uint64) {
	for i := range n {
		l[first+i] = l[first+i]&^(1<<lane) | v>>i&1<<lane
	}
}

// get reads n bits from bit first on of one lane.
func (l lanes) get(lane, first, n int) uint64 {
	var v uint64
	for i := range n {
		v |= l[first+i] >> lane & 1 << i
	}
	return v
}

// edgy returns n random bits, near a power of two or an end of the range half
// of the time.
func edgy(rng *rand.Rand, n int) uint64 {
	mask := uint64(1)<<n - 1
	switch rng.IntN(4) {
	case 0:
		return (1<<rng.IntN(n+1) + uint64(rng.IntN(7)) - 3) & mask
	case 1:
		return (uint64(rng.IntN(9)) - 4) & mask
	default:
		return rng.Uint64() & mask
	}
}

// near returns a number of n bits, signed, near a multiple of 2^shift, or a
// half of it, or an end of the range.
func near(rng *rand.Rand, n, shift int) uint64 {
	mask := uint64(1)<<n - 1
	v := edgy(rng, n)
	if rng.IntN(2) == 0 {
		v = (edgy(rng, n)<<shift + uint64(rng.IntN(2))<<shift>>1 + uint64(rng.IntN(5)) - 2)
	}
	return v & mask
}
