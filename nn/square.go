package nn

import "math"

// perUnit returns how many integers of the scale make a unit.
func (s scale) perUnit() float64 { return math.Ldexp(float64(s.div), s.frac) }

// squared returns the scale of a square's results.
func (a *Activate) squared(x scale) scale {
	return scale{2*(x.frac-a.Shift) - a.Shift2, x.div * x.div}
}

// chooseSquare chooses the two shifts of a square, whose input has scale x and
// values like those of in, for the least mean square error of its results.
func (a *Activate) chooseSquare(x scale, in *statistics) {
	d := float64(x.div)
	lo, hi := in.lo*d, in.hi*d
	fit := fitFrac(lo, hi, a.Mid, true)
	fit2 := fitFrac(0, max(lo*lo, hi*hi), a.Bits, false)
	best, least := *a, math.Inf(1)
	for f := fit - 1; f <= fit+2; f++ {
		b := *a
		b.Shift = min(max(0, x.frac-f), a.Width-1)
		exact := 2 * (x.frac - b.Shift)
		for g := min(fit2, exact); g <= min(fit2+3, exact); g++ {
			b.Shift2 = min(exact-g, 2*a.Mid-1)
			if e := b.squareError(x, in); e < least {
				best, least = b, e
			}
		}
	}
	*a = best
}

// squareError returns the sum of the squares of the errors of the results.
func (a *Activate) squareError(x scale, in *statistics) float64 {
	from, to := x.perUnit(), a.squared(x).perUnit()
	lo, hi := Limits(a.Width, true)
	var sum float64
	for _, v := range in.values {
		y := min(max(math.Floor(v*from+0.5), float64(lo)), float64(hi))
		d := float64(a.Of(int32(y)))/to - v*v
		sum += d * d
	}
	return sum
}
