package nn

import "fmt"

// shareBits is the width that an accumulator's shares can have: its own bits
// and those that keep unit errors below them.
const shareBits = 32

// fewWeightBits is the width of weights below which a wide input is rather
// made narrow by one more stage.
const fewWeightBits = 6

// settle settles a term, at least as fine as frac if the width of weights and
// accumulators allows it.
func (q *quantizer) settle(t *term, frac int) error {
	if t.settled {
		return nil
	}
	for {
		div := t.divisor()
		hard, soft := t.fracs(div, q.opt.WeightBits)
		f := max(hard, soft, frac)
		if f <= noFrac {
			f = 0 // all weights are zero
		}
		narrowed, err := false, error(nil)
		for ; f >= max(hard, -fracRange) && !narrowed; f-- {
			trail := t.settle(scale{f, div}, q.opt.WeightBits, nil)
			over := t.excess(q.strict)
			if over <= 0 {
				return nil
			}
			few := f-over < hard || fewest(trail)-over < fewWeightBits
			unsettle(trail)
			if few {
				if narrowed, err = q.narrow(t); err != nil {
					return err
				}
			}
		}
		if !narrowed {
			return fmt.Errorf("layer %q: its sums need more than %d bits", t.name, MaxWidth)
		}
	}
}

// excess returns by how many bits a settled accumulator is too wide. A strict
// one leaves others that may be tied to it by later layers all their width.
func (t *term) excess(strict bool) int {
	h := Hull(t.bounds)
	if t.staged {
		h.Hi += h.Hi >> 3 // more than the rounding constant of the stage
	}
	over := h.Width() - MaxWidth
	if !t.accumulator {
		return over
	}
	if strict {
		return max(over, t.guard()-(shareBits-MaxWidth))
	}
	return max(over, t.width()+t.guard()-shareBits)
}

// fewest returns the width of the weights of the layer that has least of it.
func fewest(trail []*term) int {
	n := maxWeightBits
	for _, t := range trail {
		if t.weights != nil {
			n = min(n, t.weights.bits())
		}
	}
	return n
}

// narrow puts stages that requantise before what makes a term wide, and
// reports whether there was anything.
func (q *quantizer) narrow(t *term) (bool, error) {
	changed := false
	for i, in := range t.in {
		if in.plain() || t.conv != nil && in.width() <= q.opt.ActBits+1 {
			continue
		}
		z, err := q.requantise(in, q.opt.ActBits)
		if err != nil {
			return false, err
		}
		t.in[i], changed = z, true
	}
	if changed && t.conv == nil {
		t.accumulator = false
	}
	return changed, nil
}

// plain reports whether the term is the input or what an Activate gives.
func (t *term) plain() bool { return t.layer == nil || t.layer.Activate != nil }

// requantise returns an activation with the values of t.
func (q *quantizer) requantise(t *term, bits int) (*term, error) {
	key := requantised{t, bits}
	if z := q.requantised[key]; z != nil {
		return z, nil
	}
	z, err := q.activate(t.name+"/requantise", t, Activate{Func: Identity, Bits: bits}, t.out, t.ref)
	if err != nil {
		return nil, err
	}
	q.requantised[key] = z
	return z, nil
}

// requantised is the key of a cache, so that several layers share a stage.
type requantised struct {
	t    *term
	bits int
}

// activate adds a stage. a has Func, Pool and Bits; ref is the tensor of the
// float graph that the result stands for.
func (q *quantizer) activate(name string, x *term, a Activate, out Dims, ref int) (*term, error) {
	stats := &q.stats[ref]
	before := &q.stats[x.ref]
	x.staged = true
	var err error
	switch {
	case a.Func == Square:
		err = q.settle(x, before.bestFrac(a.Mid, true, x.divisor()))
	default:
		err = q.settle(x, stats.bestFrac(a.Bits, a.Func == Identity && before.lo < 0, x.divisor()))
	}
	if err != nil {
		return nil, err
	}
	t := &term{name: name, layer: &Layer{Activate: &a}, in: []*term{x}, out: out, ref: ref,
		settled: true, scale: x.scale, operands: []*term{x}}
	a.Width = max(x.width(), 2)
	switch {
	case a.Func == Square:
		a.chooseSquare(x.scale, before)
		t.scale = a.squared(x.scale)
	default:
		a.Signed = a.Func == Identity && Hull(x.bounds).Lo < 0
		if a.Func == Identity && !x.accumulator && x.width() <= a.Bits+1 {
			a.Bits = 16 // what it takes is short: kept as it is
		} else {
			want := stats.bestFrac(a.Bits, a.Signed, x.scale.div)
			a.Shift = min(max(0, x.scale.frac-want), MaxWidth-1)
			t.scale.frac -= a.Shift
		}
	}
	a.Width = a.widthFor(Hull(x.bounds))
	t.bounds = a.bounds(x.bounds, out.C)
	a.trim(Hull(t.bounds))
	return t, nil
}

// trim takes off bits that the results never need.
func (a *Activate) trim(z Interval) {
	n := z.Width()
	if !a.Signed {
		n--
	}
	least := 1
	if a.Signed {
		least = 2
	}
	a.Bits = max(least, min(a.Bits, n))
}
