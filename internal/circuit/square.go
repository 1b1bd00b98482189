package circuit

// square returns ⌊v²/2^Shift2 + 1/2⌋, at most 2^Bits−1, for v clamped to Mid
// bits.
func (s Stage) square(b *Builder, v unrounded) number {
	mag, top := s.magnitude(b, v)
	z := b.squareShift(mag, top, s.Shift2)
	if len(z) <= s.Bits {
		return number{plain: unsigned(z)}
	}
	over := b.any(z[s.Bits:])
	return number{gate: over, gated: unsigned(z[:s.Bits]), plain: []term{{over, 1<<s.Bits - 1}}}
}

// magnitude returns |v| for v clamped to Mid bits, as |v| mod 2^m and the bit of
// weight 2^m, which is set for −2^m only. With w = high ⊕ sign (so that
// −high = w + 1 if high is negative), |high + half| = w + (sign ⊕ half): the
// rounding shares the increment that the absolute value needs anyway. And the
// clamp is symmetric in w: min(w, 2^(Mid−1)−1).
func (s Stage) magnitude(b *Builder, v unrounded) (mag word, top Lit) {
	sign := v.high.top()
	w := make(word, len(v.high)-1)
	for i := range w {
		w[i] = b.Xor(v.high[i], sign)
	}
	if len(w) < s.Mid-1 {
		return b.increment(w, b.Xor(sign, v.half))
	}
	over := b.any(w[s.Mid-1:])
	half := b.And(v.half, over.Not())
	mag, top = b.increment(b.muxBit(over, w[:s.Mid-1], True), b.Xor(sign, half))
	if v.half == False || s.absorbs() {
		return mag, top
	}
	// Rounding made 2^(Mid−1) of 2^(Mid−1)−1, one too many.
	back := b.And(top, sign.Not())
	return b.muxBit(back, mag, True), b.Xor(top, back)
}

// absorbs says whether 2^(Mid−1) and 2^(Mid−1)−1 give the same z, so that the
// clamp to Mid bits need not be exact there.
func (s Stage) absorbs() bool {
	v := uint64(1)<<(s.Mid-1) - 1
	sq := v * v
	if s.Shift2 > 0 {
		sq = (sq + 1<<(s.Shift2-1)) >> s.Shift2
	}
	return s.Bits < MaxWidth && sq >= 1<<s.Bits-1
}

// squareShift returns ⌊(x + top·2^m)²/2^shift + 1/2⌋ (without the half if shift
// is 0) for x of m bits that are all zero if top is set.
//
// Column i collects the bits of weight 2^i, and full and half adders thin each
// column to one bit, a conjunction each. x_i² is x_i, and the products x_i·x_j
// and x_j·x_i are one of twice the weight. x_i and x_i·x_(i−1) meet in column
// 2i; their half adder is free, for its carry is x_i·x_(i−1) itself. Nothing is
// carried out of the last column, nor into column 2m unless the rounding
// constant does it: (2^m−1)² + 2^(shift−1) < 2^2m for shift ≤ m+1.
func (b *Builder) squareShift(x word, top Lit, shift int) word {
	m := len(x)
	out := make(word, max(2*m, shift)+1)
	var carries word
	for i := range out {
		var column word
		if i == shift-1 {
			column = append(column, True) // first, so that it is added last
		}
		if i == 2*m {
			column = append(column, top)
			if shift <= m+1 {
				carries = nil
			}
		}
		column = append(column, carries...)
		out[i], carries = b.thin(append(column, b.products(x, i)...))
	}
	return out[shift:]
}

// products returns the bits that x² has in column i.
func (b *Builder) products(x word, i int) word {
	var bits word
	if i/2 < len(x) {
		mid, below := x[i/2], x.bit(i/2-1)
		if i%2 == 0 {
			below = below.Not()
		}
		if p := b.And(mid, below); p != False {
			bits = append(bits, p)
		}
	}
	for k := max(0, i-len(x)); k+2 <= i-1-k; k++ {
		bits = append(bits, b.And(x[k], x[i-1-k]))
	}
	return bits
}

// thin adds bits of one weight: one bit of that weight is left, and carries.
func (b *Builder) thin(bits word) (sum Lit, carries word) {
	for len(bits) > 1 {
		n := len(bits)
		x, y, z := bits[n-1], bits[n-2], False
		bits = bits[:n-2]
		if n > 2 {
			z = bits[n-3]
			bits = bits[:n-3]
		}
		carries = append(carries, b.Majority(x, y, z))
		bits = append(bits, b.Xor(b.Xor(x, y), z))
	}
	if len(bits) == 0 {
		return False, carries
	}
	return bits[0], carries
}
