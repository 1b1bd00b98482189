package circuit

// unrounded is the signed number high + half: a quotient rounded down, and the
// highest bit of the remainder, which is what rounding half up adds. Kept apart
// for as long as possible: the increment is cheapest in the few bits of the
// result.
type unrounded struct {
	high word
	half Lit
}

// roundsHere says whether the circuit does the rounding of Shift.
func (s Stage) roundsHere() bool { return s.Shift > 0 && !s.Rounded && s.Func != Table }

// split takes the sum of the shares apart. The bits below are dead: of them,
// only the carry chain is built.
func (s Stage) split(sum word) unrounded {
	cut := s.Guard + s.Shift
	v := unrounded{sum[cut:], False}
	if s.roundsHere() {
		v.half = sum[cut-1]
	}
	return v
}

// join makes one word of v, for comparisons: 2·high + half has the order of
// high + half, apart from pairs that round to the same number.
func (s Stage) join(v unrounded) word {
	if !s.roundsHere() {
		return v.high
	}
	return append(word{v.half}, v.high...)
}

// unjoin undoes join.
func (s Stage) unjoin(w word) unrounded {
	if !s.roundsHere() {
		return unrounded{w, False}
	}
	return unrounded{w[1:], w[0]}
}

// keep is the number of bits of high that the words of a pooling stage keep:
// enough to tell the numbers that the clamp leaves alone, the smaller and the
// larger ones apart.
func (s Stage) keep() int {
	switch {
	case s.Func == Square || s.Func == Table:
		return s.Mid + 1
	case s.Func == Clip:
		return s.signedBits() + 1
	case s.Func == Leaky:
		return s.Bits + s.Slope + 1
	case s.Func == Identity && s.Signed:
		return s.Bits + 1
	default:
		return s.Bits + 2
	}
}

// narrow returns a signed word of at most keep bits, keep ≥ 2, whose clamp to
// keep−1 bits is that of w: the numbers that fit in keep−1 bits stay what they
// are, larger ones become some number ≥ 2^(keep−2), smaller ones some number
// < −2^(keep−2). One conjunction for each bit that goes.
func (b *Builder) narrow(w word, keep int) word {
	if len(w) <= keep {
		return w
	}
	out := append(word(nil), w[:keep-2]...)
	return append(out, b.Xor(w.top(), b.differs(w[keep-2:])), w.top())
}

// differs says whether some bit of w differs from its top bit.
func (b *Builder) differs(w word) Lit {
	out := False
	for _, x := range w[:len(w)-1] {
		out = b.Or(out, b.Xor(x, w.top()))
	}
	return out
}

// finish rounds, activates and clamps: it returns z.
func (s Stage) finish(b *Builder, v unrounded) number {
	switch {
	case s.Func == Square:
		return s.square(b, v)
	case s.Func == Clip:
		return s.clip(b, v)
	case s.Func == Leaky:
		return s.leaky(b, v)
	case s.Func == Table:
		return s.table(b, v)
	case s.Func == Identity && s.Signed:
		return b.clampSigned(v, s.Bits)
	default:
		return b.clampUnsigned(v, s.Bits)
	}
}

// clampUnsigned returns v clamped to 0 … 2^bits−1. A negative high stays
// negative or becomes 0 by rounding, and is 0 either way; a high above
// 2^bits−1 is too large whatever half is.
func (b *Builder) clampUnsigned(v unrounded, bits int) number {
	sign, mag := v.high.top(), v.high[:len(v.high)-1]
	low, carry := b.increment(mag[:min(bits, len(mag))], v.half)
	if len(mag) < bits {
		return number{gate: sign, gated: unsigned(append(low, carry))}
	}
	over := b.And(b.Or(b.any(mag[bits:]), carry), sign.Not())
	return number{
		gate:  b.Xor(sign, over),
		gated: unsigned(low),
		plain: []term{{over, 1<<bits - 1}},
	}
}

// clampSigned returns v clamped to bits bits, signed.
func (b *Builder) clampSigned(v unrounded, bits int) number {
	sign, mag := v.high.top(), v.high[:len(v.high)-1]
	low, carry := b.increment(mag[:min(bits-1, len(mag))], v.half)
	if len(v.high) < bits {
		// A carry out of the magnitude makes −1 zero, and 2^k−1 2^k.
		return number{plain: signed(append(low, b.Xor(sign, carry), b.And(sign, carry.Not())))}
	}
	out := b.differs(v.high[len(low):])
	carry = b.And(carry, out.Not())
	over := b.And(carry, sign.Not())
	gate := b.Xor(out, over)
	// carry without over is the step from −1 to 0.
	top := b.Xor(sign, b.Xor(carry, over))
	return number{
		gate:  gate,
		gated: unsigned(low),
		plain: []term{{b.And(gate, sign.Not()), 1<<(bits-1) - 1}, {top, -1 << (bits - 1)}},
	}
}
