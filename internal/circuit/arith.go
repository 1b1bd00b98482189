package circuit

// word is a number in bits, bit 0 first. Whether it is signed (two's
// complement) is up to the function.
type word []Lit

// inputWord returns n input bits from bit first on.
func (b *Builder) inputWord(first, n int) word {
	w := make(word, n)
	for i := range w {
		w[i] = b.Input(first + i)
	}
	return w
}

// bit returns bit i of w, False outside of it.
func (w word) bit(i int) Lit {
	if 0 <= i && i < len(w) {
		return w[i]
	}
	return False
}

// top returns the highest bit: the sign, if w is signed.
func (w word) top() Lit { return w[len(w)-1] }

// extend returns w in n bits, cut or filled with fill.
func (w word) extend(n int, fill Lit) word {
	out := make(word, n)
	for i := range out {
		if i < len(w) {
			out[i] = w[i]
		} else {
			out[i] = fill
		}
	}
	return out
}

// add returns x + y mod 2^n, n = len(x) = len(y): n−1 conjunctions, one a bit
// (Kolesnikov, Sadeghi, Schneider, CANS 2009, section 3). Fewer are impossible:
// the top bit is a polynomial of degree n in the bits of x and y.
func (b *Builder) add(x, y word) word {
	sum := make(word, len(x))
	carry := False
	for i := range sum {
		sum[i] = b.Xor(b.Xor(x[i], carry), y[i])
		if i+1 < len(sum) {
			carry = b.Majority(x[i], y[i], carry)
		}
	}
	return sum
}

// increment returns w + carry mod 2^len(w) and the carry out: one conjunction a
// bit.
func (b *Builder) increment(w word, carry Lit) (word, Lit) {
	out := make(word, len(w))
	for i, x := range w {
		out[i] = b.Xor(x, carry)
		carry = b.And(x, carry)
	}
	return out, carry
}

// lessSigned returns x < y for signed words of the same length: one
// conjunction a bit.
func (b *Builder) lessSigned(x, y word) Lit {
	last := len(x) - 1
	less := False
	for i := range last {
		less = b.Majority(x[i].Not(), y[i], less)
	}
	return b.Majority(x[last], y[last].Not(), less)
}

// muxWord returns y where sel is true and x where it is false, bit by bit.
func (b *Builder) muxWord(sel Lit, x, y word) word {
	out := make(word, len(x))
	for i := range out {
		out[i] = b.Mux(sel, x[i], y[i])
	}
	return out
}

// muxBit returns fill in every bit where sel is true and w where it is false.
func (b *Builder) muxBit(sel Lit, w word, fill Lit) word {
	out := make(word, len(w))
	for i := range out {
		out[i] = b.Mux(sel, w[i], fill)
	}
	return out
}

// maxSigned returns the larger of two signed words: two conjunctions a bit.
func (b *Builder) maxSigned(x, y word) word {
	return b.muxWord(b.lessSigned(x, y), x, y)
}

// any returns the disjunction of the bits of w, False if there are none.
func (b *Builder) any(w word) Lit {
	out := False
	for _, x := range w {
		out = b.Or(out, x)
	}
	return out
}
