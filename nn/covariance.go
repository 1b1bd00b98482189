package nn

import "math"

// covariance is what calibration keeps of the inputs of one output of a
// convolution: how its taps vary together.
type covariance struct {
	n      float64
	mean   []float64   // of each tap; a sum until finish
	blocks [][]float64 // of up to maxBlock taps each: upper triangles, row by row; sums until finish, then the factors
}

// maxBlock bounds the taps whose errors are balanced against one another: the
// work grows with its cube.
const maxBlock = 512

// damping keeps the factorisation stable, and rounding close to the nearest
// where samples are few: the part of the mean variance added to every one.
const damping = 0.01

func newCovariance(taps int) *covariance {
	c := &covariance{mean: make([]float64, taps)}
	for first := 0; first < taps; first += maxBlock {
		n := min(maxBlock, taps-first)
		c.blocks = append(c.blocks, make([]float64, n*(n+1)/2))
	}
	return c
}

// add takes in one input, weighing alike with all others.
func (c *covariance) add(x []float32) {
	c.n++
	for i, v := range x {
		c.mean[i] += float64(v)
	}
	for b, sums := range c.blocks {
		x := x[b*maxBlock : min(len(x), (b+1)*maxBlock)]
		for i, v := range x {
			row := sums[:len(x)-i]
			sums = sums[len(row):]
			if v == 0 {
				continue
			}
			for j, u := range x[i:] {
				row[j] += float64(v) * float64(u)
			}
		}
	}
}

// finish turns sums into means and into Cholesky factors R, RᵀR being the
// damped covariance matrix of a block.
func (c *covariance) finish() {
	for i := range c.mean {
		c.mean[i] /= c.n
	}
	for b, sums := range c.blocks {
		mean := c.mean[b*maxBlock : min(len(c.mean), (b+1)*maxBlock)]
		var trace float64
		at := 0
		for i, m := range mean {
			for j := range mean[i:] {
				sums[at+j] = sums[at+j]/c.n - m*mean[i+j]
			}
			trace += sums[at]
			at += len(mean) - i
		}
		factor(sums, len(mean), max(damping*trace/float64(len(mean)), 1e-12))
	}
}

// factor replaces the upper triangle of a symmetric matrix of n rows, to whose
// diagonal more is added, by its Cholesky factor.
func factor(m []float64, n int, more float64) {
	row := func(i int) []float64 { // from the diagonal on
		first := i*n - i*(i-1)/2
		return m[first : first+n-i]
	}
	for i := range n {
		r := row(i)
		// What earlier rows have left may be rounded to below zero.
		d := math.Sqrt(max(r[0]+more, more/2))
		r[0] = d
		for j := 1; j < len(r); j++ {
			r[j] /= d
		}
		for k := 1; k < len(r); k++ {
			f, below := r[k], row(i+k)
			if f == 0 {
				continue
			}
			for j, v := range r[k:] {
				below[j] -= f * v
			}
		}
	}
}

// round sets dst to integers close to w, the weights of one output times
// perUnit, such that the results change little on inputs like those that were
// added. Weight by weight from the last it rounds to the nearest of what makes
// up best for the weights rounded before: Babai's nearest plane, which is also
// what GPTQ comes to (Frantar et al., ICLR 2023, section 3). Integers stay what
// they are. errors has room for as many numbers as w.
func (c *covariance) round(dst []int16, w []float32, perUnit float64, lo, hi int32, errors []float64) {
	for b, r := range c.blocks {
		from, to := b*maxBlock, min(len(w), (b+1)*maxBlock)
		at := len(r)
		for i := to - 1; i >= from; i-- {
			at -= to - i
			row := r[at : at+to-i]
			var sum float64
			for j, e := range errors[i+1 : to] {
				sum += row[1+j] * e
			}
			exact := float64(w[i]) * perUnit
			q := min(max(math.Floor(exact+sum/row[0]+0.5), float64(lo)), float64(hi))
			dst[i], errors[i] = int16(q), exact-q
		}
	}
}
