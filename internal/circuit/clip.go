package circuit

// round returns v as one word: no more bits where nothing has to be rounded.
func (b *Builder) round(v unrounded) word {
	if v.half == False {
		return v.high
	}
	w, _ := b.increment(v.high.extend(len(v.high)+1, v.high.top()), v.half)
	return w
}

// atLeast returns u ≥ c for a signed word: a conjunction for each bit above
// the lowest one that is set in c, which is one more where the word is read
// without its sign.
func (b *Builder) atLeast(u word, c int64) Lit {
	half := int64(1) << (len(u) - 1)
	switch {
	case c <= -half:
		return True
	case c >= half:
		return False
	}
	c += half // both are unsigned now, with the top bit of u complemented
	at := True
	for i, x := range u {
		if i == len(u)-1 {
			x = x.Not()
		}
		if c>>i&1 == 1 {
			at = b.And(at, x)
		} else {
			at = b.Or(at, x)
		}
	}
	return at
}

// tidier returns c or c+1, whichever costs atLeast less.
func tidier(c int64) int64 {
	if c&1 == 1 {
		return c + 1
	}
	return c
}

// clip returns min(max(v, Lo), Hi). Where v is Hi or Lo it may count as beyond
// as well.
func (s Stage) clip(b *Builder, v unrounded) number {
	u := b.round(v)
	over := b.atLeast(u, tidier(int64(s.Hi)))
	under := b.atLeast(u, tidier(int64(s.Lo))).Not()
	within := signed(u.extend(s.signedBits(), u.top()))
	if s.Lo >= 0 {
		within = within[:len(within)-1] // the top bit is 0
	}
	return number{
		gate:  b.Xor(over, under), // never both, for Lo < Hi
		gated: within,
		plain: []term{{over, s.Hi}, {under, s.Lo}},
	}
}

// signedBits returns the bits of the signed word that holds Lo to Hi.
func (s Stage) signedBits() int {
	n := 1
	for int64(s.Hi) >= 1<<(n-1) || int64(s.Lo) < -1<<(n-1) {
		n++
	}
	return n
}

// leaky returns v clamped to Bits bits where it is not negative, and else
// ⌊v/2^Slope + 1/2⌋. With s the sign, the bits of v are taken apart into those
// of a positive v, x ∧ ¬s, and of a negative one, x ∧ s, which count 2^−Slope
// of their weight; the highest bit below the point rounds up by itself.
func (s Stage) leaky(b *Builder, v unrounded) number {
	u := b.round(v)
	sign, low := u.top(), s.Bits-1
	over := b.atLeast(u, 1<<low)
	// From −2^(low+Slope) − 2^(Slope−1) on down the result is −2^low or less.
	under := b.atLeast(u, -1<<(low+s.Slope)).Not()
	n := number{
		gate:  b.Xor(over, under),
		gated: []term{{sign, -1 << low}},
		plain: []term{{over, 1<<low - 1}, {under, -1 << low}},
	}
	u = u.extend(max(len(u), low+s.Slope), sign)
	for i := range low + s.Slope {
		negative := False
		if i >= s.Slope-1 {
			negative = b.And(sign, u[i])
			n.gated = append(n.gated, term{negative, 1 << max(i-s.Slope, 0)})
		}
		switch {
		case i >= low:
		case negative != False:
			n.gated = append(n.gated, term{b.Xor(negative, u[i]), 1 << i})
		default:
			n.gated = append(n.gated, term{b.And(sign.Not(), u[i]), 1 << i})
		}
	}
	return n
}

// table returns the entry for ⌊y/2^Shift⌋ clamped to Mid bits, signed: where
// that is beyond, the first entry or the last one.
func (s Stage) table(b *Builder, v unrounded) number {
	u, last := v.high, len(s.Table)-1
	low := u.extend(s.Mid, u.top())
	low[s.Mid-1] = low[s.Mid-1].Not() // from −2^(Mid−1) on
	n := number{gate: False, gated: s.Searched().form.build(b, low)}
	if len(u) > s.Mid {
		n.gate = b.differs(u[s.Mid-1:])
		n.plain = []term{{n.gate, s.Table[last]}, {b.And(n.gate, u.top()), s.Table[0] - s.Table[last]}}
	}
	return n
}
