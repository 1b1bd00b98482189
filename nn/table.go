package nn

import "math"

// tableReach is how many times finer than all of the inputs needs a table's
// index may be: functions that level off lose little where it ends.
const tableReach = 5

// chooseTable chooses the shift, the entries and the scale of a table of the
// function, whose input has scale x and values like those of in and whose
// results are like those of out, for the least mean square error.
func (a *Activate) chooseTable(of func(float64) float64, x scale, in, out *statistics) scale {
	exact := make([]float64, len(in.values))
	for i, v := range in.values {
		exact[i] = of(v)
	}
	d := float64(x.div)
	fit := fitFrac(in.lo*d, in.hi*d, a.Mid, true)
	results := out.bestFrac(a.Bits, a.Signed, 1)
	var best Activate
	var s scale
	least := math.Inf(1)
	for f := fit - 1; f <= fit+tableReach; f++ {
		b := *a
		b.Shift = min(max(0, x.frac-f), a.Width-1)
		for frac := results - 1; frac <= results+1; frac++ {
			b.fillTable(of, x, frac)
			if e := b.tableError(in.values, exact, x, frac); e < least {
				best, s, least = b, scale{frac, 1}, e
			}
		}
	}
	best.Bits++ // for the ends of the range, see fillTable
	*a = best
	return s
}

// fillTable computes the entries, at the middle of what each stands for. For
// the sake of functions that mirror themselves they reach as far up as down,
// one further than integers of the width, and the middle of many integers
// counts as half an integer higher than it is.
func (a *Activate) fillTable(of func(float64) float64, x scale, frac int) {
	lo, hi := Limits(a.Bits, a.Signed)
	hi++
	a.Table = make([]int32, 1<<a.Mid)
	middle := math.Ldexp(1, a.Shift-1)
	if a.Shift < 3 {
		middle -= 0.5
	}
	for i := range a.Table {
		first := math.Ldexp(float64(i-len(a.Table)/2), a.Shift)
		y := math.Ldexp(of((first+middle)/x.perUnit()), frac)
		if math.IsNaN(y) {
			y = 0
		}
		a.Table[i] = int32(max(float64(lo), min(float64(hi), math.Floor(y+0.5))))
	}
}

// tableError returns the sum of the squares of the errors of the results for
// inputs whose exact results are given.
func (a *Activate) tableError(inputs, exact []float64, x scale, frac int) float64 {
	from := x.perUnit()
	var sum float64
	for i, v := range inputs {
		y := max(math.MinInt32, min(math.MaxInt32, math.Floor(v*from+0.5)))
		d := math.Ldexp(float64(a.Table[a.entry(int32(y))]), -frac) - exact[i]
		sum += d * d
	}
	return sum
}
