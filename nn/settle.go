package nn

import (
	"fmt"
	"slices"
)

// fewWeightBits is the width of weights below which a wide input is rather
// made narrow by one more stage.
const fewWeightBits = 6

// settle settles a term, at least as fine as frac if the width of weights and
// accumulators allows it.
func (q *quantizer) settle(t *term, frac int) error {
	for !t.settled {
		div := t.divisor()
		hard, soft := t.fracs(div)
		hard = max(hard, -fracRange)
		for f := max(hard, soft, frac, -fracRange); ; {
			trail := t.settle(scale{f, div}, nil)
			over := t.excess(q.strict)
			if over <= 0 {
				return nil
			}
			few := f-over < hard || fewest(trail)-over < fewWeightBits
			unsettle(trail)
			if few {
				narrowed, err := q.narrow(t)
				if err != nil {
					return err
				}
				if narrowed {
					break // and start again
				}
			}
			if f == hard {
				return fmt.Errorf("layer %q: its sums need more than %d bits", t.name, MaxWidth)
			}
			f = max(f-over, hard)
		}
	}
	return nil
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
			continue // is short
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

// plain reports whether the term is, but for its layout, the input or what an
// Activate gives.
func (t *term) plain() bool {
	for t.layer != nil && t.layer.moves() {
		t = t.in[0]
	}
	return t.layer == nil || t.layer.Activate != nil
}

// requantise returns an activation with the values of t.
func (q *quantizer) requantise(t *term, bits int) (*term, error) {
	key := requantised{t, bits}
	if z := q.requantised[key]; z != nil {
		return z, nil
	}
	if t.accumulator && t.layer.Concat != nil {
		return q.requantiseParts(key)
	}
	z, err := q.activate(t.name+"/requantise", t, function{Activate: Activate{Func: Identity, Bits: bits}}, t.out, t.ref)
	if err != nil {
		return nil, err
	}
	q.requantised[key] = z
	return z, nil
}

// requantiseParts requantises what an accumulator is concatenated of, each part
// at the scale that is best for it, and once whatever it is concatenated to.
func (q *quantizer) requantiseParts(key requantised) (*term, error) {
	t := key.t
	z := &term{name: t.name + "/requantise", layer: &Layer{Concat: &Concat{Axis: t.layer.Concat.Axis}}, signs: t.signs, out: t.out, ref: t.ref}
	for _, in := range t.in {
		if in.accumulator {
			var err error
			if in, err = q.requantise(in, key.bits); err != nil {
				return nil, err
			}
		}
		z.in = append(z.in, in)
	}
	z, err := q.public(z)
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

// activate adds a stage. f has Func, Pool, Bits, and what belongs to Func but
// for the scales; ref is the tensor of the float graph that the result stands
// for.
func (q *quantizer) activate(name string, x *term, f function, out Dims, ref int) (*term, error) {
	in, stats := &q.tensors[x.ref], &q.tensors[ref]
	a := f.Activate
	q.setBits(&a, name)
	want := 0
	switch a.Func {
	case Square, Table:
		want = in.bestFrac(a.Mid, true, x.divisor())
	case Identity:
		want = stats.bestFrac(a.Bits, in.lo < 0, x.divisor())
	default:
		want = stats.bestFrac(a.Bits, f.signed(nil, stats), x.divisor())
	}
	if err := q.settle(x, want); err != nil {
		return nil, err
	}
	t := &term{name: name, layer: &Layer{Activate: &a}, in: []*term{x}, out: out, ref: ref, settled: true, scale: x.scale}
	a.Width = max(x.width(), 2) // bounds the shift
	a.Signed = f.signed(x.bounds, stats)
	switch {
	case a.Func == Square:
		a.chooseSquare(x.scale, in)
		t.scale = a.squared(x.scale)
	case a.Func == Table:
		t.scale = a.chooseTable(f.of, x.scale, in, stats)
	case a.Func == Identity && !x.accumulator && (x.plain() || x.width() <= a.Bits+1):
		a.Bits = 16 // it is short: kept as it is
	default:
		want = stats.bestFrac(a.Bits, a.Signed, x.scale.div)
		a.Shift = min(max(0, x.scale.frac-want), a.Width-1)
		t.scale.frac -= a.Shift
		if a.Func == Clip {
			a.setBounds(f.lo, f.hi, t.scale)
		}
	}
	a.Width = max(a.Width, a.widthFor(Hull(x.bounds)))
	t.bounds = a.bounds(x.bounds, out.C)
	a.trim(Hull(t.bounds))
	return t, nil
}

// trim takes off bits that the results z never need.
func (a *Activate) trim(z Interval) {
	switch a.Func {
	case Clip:
		z = Interval{int64(a.Lo), int64(a.Hi)}
	case Table:
		z = Interval{int64(slices.Min(a.Table)), int64(slices.Max(a.Table))}
	}
	if a.Signed {
		a.Bits = max(2, min(a.Bits, z.Width()))
	} else {
		a.Bits = max(1, min(a.Bits, z.Width()-1))
	}
}
