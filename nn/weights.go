package nn

import "math"

// weightFrac returns the f for which weights of the width, times 2^-f / ratio,
// come closest to w in mean square; of equally close ones the least, so that
// weights that were trained as short integers stay short. It returns noFrac
// where all are zero.
func weightFrac(w []float32, bits int, ratio float64) int {
	lo, hi := rangeOf(w)
	if lo == 0 && hi == 0 {
		return noFrac
	}
	fit := fitFrac(lo*ratio, hi*ratio, bits, true)
	best, least := fit, math.Inf(1)
	for f := max(fit-bits, -fracRange); f <= min(fit+2, fracRange); f++ {
		if e := weightError(w, bits, math.Ldexp(ratio, f), least); e < least {
			best, least = f, e
		}
	}
	return best
}

func rangeOf(w []float32) (lo, hi float64) {
	for _, v := range w {
		lo, hi = min(lo, float64(v)), max(hi, float64(v))
	}
	return lo, hi
}

// weightError returns the sum of the squares of what rounding to integers of
// the width, at so many to a unit, changes; or any number above limit once the
// sum exceeds that.
func weightError(w []float32, bits int, scale, limit float64) float64 {
	lo, hi := Limits(bits, true)
	var sum float64
	for _, v := range w {
		k := min(max(math.Floor(float64(v)*scale+0.5), float64(lo)), float64(hi))
		d := k/scale - float64(v)
		if sum += d * d; sum > limit {
			break
		}
	}
	return sum
}

// quantizeWeights chooses the integers of a Conv whose result is to have scale
// s. Where the finest scale that their width allows is asked for, outliers may be
// clamped to that width; finer scales, for the sake of a sum, take wider
// weights.
func (t *term) quantizeWeights(s scale) {
	x := t.in[0].scale
	ratio := float64(s.div) / float64(x.div)
	limit := maxWeightBits
	if s.frac <= x.frac+weightFrac(t.conv.w, t.conv.bits, ratio) {
		limit = t.conv.bits
	}
	// A scale that is too fine even for the widest weights is made coarser.
	lo, hi := rangeOf(t.conv.w)
	s.frac = min(s.frac, x.frac+fitFrac(lo*ratio, hi*ratio, maxWeightBits, true))
	perUnit := math.Ldexp(ratio, s.frac-x.frac)
	w := &Weights{W: t.conv.round(perUnit, limit, t.out.C)}
	t.quantizeBias(w, s, perUnit)
	t.weights, t.scale = w, s
}

// rounding is the key of a cache of rounded weights, which several attempts to
// quantise the same layer share.
type rounding struct {
	perUnit float64
	bits    int
}

// round returns the weights as integers of a width, so many to a unit; there
// are n outputs.
func (c *floatConv) round(perUnit float64, bits, n int) []int16 {
	key := rounding{perUnit, bits}
	if w := c.rounded[key]; w != nil {
		return w
	}
	w := make([]int16, len(c.w))
	least, most := Limits(bits, true)
	row := len(w) / n
	errors := make([]float64, row)
	for oc := range n {
		c.group(oc, n).round(w[oc*row:][:row], c.w[oc*row:][:row], perUnit, least, most, errors)
	}
	c.rounded[key] = w
	return w
}

// group returns what the group of output channel oc of n takes.
func (c *floatConv) group(oc, n int) *covariance { return c.inputs[oc/(n/len(c.inputs))] }

// quantizeBias rounds the biases, less what the rounding of the weights adds
// to the mean of each channel (Nagel et al., ICCV 2019, section 4.2, with the
// means of the samples).
func (t *term) quantizeBias(w *Weights, s scale, perUnit float64) {
	row := len(w.W) / t.out.C
	per := max(1, len(t.conv.bias)/t.out.C)
	w.Bias = make([]int32, per*t.out.C)
	for oc := range t.out.C {
		mean := t.conv.group(oc, t.out.C).mean
		var shift float64
		for i, k := range w.W[oc*row:][:row] {
			shift += (float64(k)/perUnit - float64(t.conv.w[oc*row+i])) * mean[i]
		}
		for i := oc * per; i < (oc+1)*per; i++ {
			var b float64
			if len(t.conv.bias) > 0 {
				b = float64(t.conv.bias[i])
			}
			b = math.Floor((b-shift)*math.Ldexp(float64(s.div), s.frac) + 0.5)
			w.Bias[i] = int32(min(max(b, math.MinInt32), math.MaxInt32))
		}
	}
}

// bits returns the width of the widest weight.
func (w *Weights) bits() int {
	var v Interval
	for _, k := range w.W {
		v = v.hull(Interval{int64(k), int64(k)})
	}
	return v.Width()
}
