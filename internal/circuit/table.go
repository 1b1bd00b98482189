package circuit

import (
	"math/bits"
	"slices"
)

// A table is a function of an index x of n bits, given by its 2^n values, and
// becomes a weighted sum of bits. Cut the index into a high part h and a low
// part l. Once all products of some bits of h are there, 2^|h| − |h| − 1
// conjunctions, every Boolean function of h costs exclusive ors only; likewise
// for l. Take the values apart into
//
//	t(h, l) = base(h) + slope·l + rest(h, l)
//
// with base(h) the least value that leaves rest positive. The bits of base are
// functions of h, slope·l is a weighted sum of bits as it is, and bit j of
// rest is a matrix over GF(2), h by l, of some rank ρ_j: a sum of ρ_j products
// of a function of h and a function of l. What depends on one of them alone
// counts for nothing, and smooth functions have small rests of small rank.
//
// Where t(x) + t(x̄) is a constant c, x̄ being the index with all bits turned
// over, half of the table is enough: x ⊕ s is the index for the top bit s, and
// c − t is t in complement but for a multiple of s. So it is where t(x) = t(x̄),
// perhaps but for a ramp, a multiple of x: the sigmoid and the hyperbolic
// tangent are of the first kind, softplus and x·sigmoid(x) of the second. A
// tableForm is one choice of all that.
type tableForm struct {
	index  int // bits of x
	mirror mirror
	ramp   int32   // is taken off the table, x times
	sum    int32   // c above
	values []int32 // of the upper half, or all
	high   int     // bits of h
	slope  int32
	plain  bool // base is left in rest
	cost   int
}

// mirror says how t(x) follows from t(x̄), where x has top bit 0.
type mirror uint8

const (
	unlike mirror = iota
	odd           // t(x) = sum − t(x̄)
	even          // t(x) = t(x̄)
)

// andCost is what a conjunction costs in terms of sums: 32 bytes of table for
// about 5.
const andCost = 6

// bestForm returns the cheapest form of a table that is tried.
func bestForm(t []int32) *tableForm {
	var best *tableForm
	try := func(f tableForm) {
		for f.high = 0; f.high <= f.bits(); f.high++ {
			for _, f.slope = range f.slopes() {
				for _, f.plain = range []bool{false, true} {
					if f.plain && f.slope != 0 {
						continue
					}
					g := f
					if g.estimate(); best == nil || g.cost < best.cost {
						best = &g
					}
				}
			}
		}
	}
	n := bits.Len(uint(len(t))) - 1
	try(tableForm{index: n, values: t})
	if n == 0 {
		return best
	}
	half := len(t) / 2
	sum, ramp := t[half]+t[half-1], t[half]-t[half-1]
	isOdd, isEven := true, true
	flat := make([]int32, half) // the upper half without the ramp
	for i := range flat {
		v, w := t[half+i], t[half-1-i]
		isOdd = isOdd && v+w == sum
		isEven = isEven && v-w == ramp*int32(2*i+1)
		flat[i] = v - ramp*int32(half+i)
	}
	if isOdd {
		try(tableForm{index: n, mirror: odd, sum: sum, values: t[half:]})
	}
	if isEven {
		try(tableForm{index: n, mirror: even, ramp: ramp, values: flat})
	}
	return best
}

// bits returns the bits of the index of values.
func (f *tableForm) bits() int { return bits.Len(uint(len(f.values))) - 1 }

// slopes returns those worth trying: the mean and the extreme ones of single
// steps, and some between.
func (f *tableForm) slopes() []int32 {
	low := 1 << (f.bits() - f.high)
	slopes := []int32{0}
	if low == 1 {
		return slopes
	}
	for i := 1; i < len(f.values) && len(slopes) < 12; i++ {
		if d := f.values[i] - f.values[i-1]; i%low != 0 && !slices.Contains(slopes, d) {
			slopes = append(slopes, d)
		}
	}
	return slopes
}

// split returns base and rest. rest is at least 0.
func (f *tableForm) split() (base, rest []int32) {
	low := len(f.values) >> f.high
	rest = make([]int32, len(f.values))
	least := slices.Min(f.values)
	for i, v := range f.values {
		rest[i] = v - int32(i%low)*f.slope - least
	}
	if f.plain {
		return []int32{least}, rest
	}
	for h := 0; h < len(rest); h += low {
		row := rest[h:][:low]
		m := slices.Min(row)
		base = append(base, m+least)
		for i := range row {
			row[i] -= m
		}
	}
	return base, rest
}

// estimate computes the cost.
func (f *tableForm) estimate() {
	base, rest := f.split()
	low := f.bits() - f.high
	usedHigh, usedLow := make([]bool, 1<<f.high), make([]bool, 1<<low)
	ands, terms := 0, 0
	if f.slope != 0 {
		terms += low
	}
	if f.ramp != 0 {
		terms += f.index
	}
	least := slices.Min(base)
	for j := range planes(base, least) { // none if f.plain
		terms++
		for m, c := range anf(plane(base, least, j)) {
			usedHigh[m] = usedHigh[m] || c
		}
	}
	for j := range planes(rest, 0) {
		terms++
		for _, p := range products(anf(plane(rest, 0, j)), low) {
			mark(usedHigh, p.high)
			mark(usedLow, p.low)
			if !p.constant() {
				ands++
			}
		}
	}
	f.cost = andCost*(ands+monomials(usedHigh)+monomials(usedLow)) + terms
}

// planes returns the number of bits of the values less least.
func planes(v []int32, least int32) int {
	return bits.Len32(uint32(slices.Max(v) - least))
}

// plane returns bit j of the values less least.
func plane(v []int32, least int32, j int) []bool {
	p := make([]bool, len(v))
	for i, x := range v {
		p[i] = (x-least)>>j&1 == 1
	}
	return p
}

// anf turns the values of a Boolean function into the coefficients of its
// algebraic normal form, in place: element m is that of the product of the
// bits that are set in m.
func anf(p []bool) []bool {
	for step := 1; step < len(p); step *= 2 {
		for i := range p {
			if i&step != 0 {
				p[i] = p[i] != p[i^step]
			}
		}
	}
	return p
}

// product is the product of a sum of monomials of h and one of l.
type product struct{ high, low []int }

// constant reports whether one of the factors is 1.
func (p *product) constant() bool {
	return len(p.high) == 1 && p.high[0] == 0 || len(p.low) == 1 && p.low[0] == 0
}

// products writes a function as a sum of products, as few as its matrix has
// rank, apart from those with a factor 1.
func products(coeffs []bool, low int) []product {
	cols := 1 << low
	rows := len(coeffs) / cols
	var out []product
	collect := func(index, step, n int) []int { // the set coefficients of a row or column
		var set []int
		for i := range n {
			if coeffs[index+i*step] {
				set = append(set, i)
			}
		}
		return set
	}
	if of := collect(0, 1, cols); len(of) > 0 {
		out = append(out, product{[]int{0}, of})
	}
	coeffs[0] = false // is in the row
	if of := collect(0, cols, rows); len(of) > 0 {
		out = append(out, product{of, []int{0}})
	}
	for r := 1; r < rows; r++ {
		row := coeffs[r*cols:][:cols]
		row[0] = false
		pivot := slices.Index(row, true)
		if pivot < 0 {
			continue
		}
		p := product{low: collect(r*cols, 1, cols)}
		for s := r; s < rows; s++ {
			other := coeffs[s*cols:][:cols]
			other[0] = false
			if !other[pivot] {
				continue
			}
			p.high = append(p.high, s)
			for _, c := range p.low {
				other[c] = !other[c]
			}
		}
		out = append(out, p)
	}
	return out
}

func mark(used []bool, monomials []int) {
	for _, m := range monomials {
		used[m] = true
	}
}

// monomials returns the conjunctions that the used monomials cost: each is
// made of the one without its lowest bit.
func monomials(used []bool) int {
	n := 0
	for m := len(used) - 1; m > 0; m-- {
		if rest := m & (m - 1); used[m] && rest != 0 {
			used[rest] = true
			n++
		}
	}
	return n
}

// build makes the sum of t[x], x an unsigned index.
func (f *tableForm) build(b *Builder, x word) []term {
	sign, whole := False, x
	if f.mirror != unlike {
		sign = x.top().Not() // x has to be turned around
		x = slices.Clone(x[:len(x)-1])
		for i := range x {
			x[i] = b.Xor(x[i], sign)
		}
	}
	cut := f.bits() - f.high
	low, high := monomialWord{b: b, x: x[:cut]}, monomialWord{b: b, x: x[cut:]}
	base, rest := f.split()
	least := slices.Min(base)
	sum := []term{{True, least}}
	for i, bit := range low.x {
		sum = append(sum, term{bit, f.slope << i})
	}
	for j := range planes(base, least) {
		p := anf(plane(base, least, j))
		bit := False
		for m, c := range p {
			if c && m > 0 {
				bit = b.Xor(bit, high.product(m))
			}
		}
		if p[0] {
			bit = bit.Not()
		}
		sum = append(sum, term{bit, 1 << j})
	}
	for j := range planes(rest, 0) {
		bit := False
		for _, p := range products(anf(plane(rest, 0, j)), cut) {
			bit = b.Xor(bit, b.And(high.sum(p.high), low.sum(p.low)))
		}
		sum = append(sum, term{bit, 1 << j})
	}
	if f.mirror == odd {
		sum = b.reflect(sum, sign, f.sum)
	}
	for i, bit := range whole {
		sum = append(sum, term{bit, f.ramp << i})
	}
	return positive(sum)
}

// reflect returns the sum where sign is false and c less the sum where it is
// true: w·(x ⊕ s) is w·x or w − w·x.
func (b *Builder) reflect(sum []term, sign Lit, c int32) []term {
	var out []term
	total := int32(0) // of the weights
	for _, t := range sum {
		if t.weight == 0 {
			continue
		}
		total += t.weight
		out = append(out, term{b.Xor(t.bit, sign), t.weight})
	}
	return append(out, term{sign, c - total})
}

// positive returns the sum without complemented bits, constants apart.
func positive(sum []term) []term {
	var out []term
	for _, t := range sum {
		if t.bit != True && t.bit.negated() == 1 {
			out = append(out, term{True, t.weight})
			t = term{t.bit.Not(), -t.weight}
		}
		out = append(out, t)
	}
	return out
}

// monomialWord makes products of bits of a word, each once.
type monomialWord struct {
	b *Builder
	x word
}

// product returns the product of the bits that are set in m.
func (w *monomialWord) product(m int) Lit {
	if m == 0 {
		return True
	}
	i := bits.TrailingZeros(uint(m))
	return w.b.And(w.product(m&(m-1)), w.x[i])
}

// sum returns the exclusive or of products.
func (w *monomialWord) sum(ms []int) Lit {
	bit := False
	for _, m := range ms {
		bit = w.b.Xor(bit, w.product(m))
	}
	return bit
}
