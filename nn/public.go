package nn

// Public reports whether the layer is a public linear map, which each party
// applies to its own share.
func (l *Layer) Public() bool { return l.Conv == nil && l.Activate == nil }

// moves reports whether the layer only moves elements of one input.
func (l *Layer) moves() bool {
	return l.Public() && l.Add == nil && l.Concat == nil && l.SumPool == nil
}

// Factor returns what a public layer multiplies input j by: 1 but for an Add
// or a Concat.
func (l *Layer) Factor(j int) int {
	switch {
	case l.Add != nil:
		return l.Add.Factor[j]
	case l.Concat != nil:
		return l.Concat.Factor[j]
	}
	return 1
}

// Gain returns how large an error in each output of a public layer can be
// whose inputs, of dimensions dims, carry errors of at most the sizes in; no
// more than about 2^62.
func (l *Layer) Gain(in []int64, dims []Dims) int64 {
	var sum, most int64
	for j, e := range in {
		k := int64(l.Factor(j))
		if l.SumPool != nil {
			k = int64(l.SumPool.Divisor(dims[j], l.Out))
		}
		e = min(e, 1<<31) * max(k, -k)
		sum = min(sum+e, 1<<62)
		most = max(most, e)
	}
	if l.Add != nil {
		return sum
	}
	return most
}

// ApplyPublic computes a public linear layer in int32 arithmetic modulo 2^32.
// ins are the layer's inputs and dims their dimensions; dst has l.Out.Len()
// elements and shares no memory with an input.
func (l *Layer) ApplyPublic(dst []int32, ins [][]int32, dims []Dims) {
	switch {
	case l.SumPool != nil:
		l.SumPool.apply(dst, ins[0], dims[0], l.Out)
	case l.Add != nil:
		clear(dst)
		for i, in := range ins {
			k := int32(l.Add.Factor[i])
			for j, v := range in {
				dst[j] += v * k
			}
		}
	case l.Concat != nil:
		l.Concat.apply(dst, ins, dims)
	case l.ZeroPad != nil:
		zeroPad(dst, ins[0], *l.ZeroPad, dims[0], l.Out)
	case l.Slice != nil:
		l.Slice.apply(dst, ins[0], dims[0], l.Out)
	case l.Transpose != nil:
		l.Transpose.apply(dst, ins[0], dims[0], l.Out)
	case l.Upsample != nil:
		l.Upsample.repeat(dst, ins[0], dims[0], l.Out)
	case l.Stuff != nil:
		l.Stuff.stuff(dst, ins[0], dims[0], l.Out)
	default:
		copy(dst, ins[0])
	}
}

// apply computes the sums.
func (p *SumPool) apply(dst, x []int32, in, out Dims) {
	sumPool(dst, x, p.Window, in, out)
	if !p.Level {
		return
	}
	rows, cols := p.axes(in, out)
	level := rows.level() * cols.level()
	for h := range out.H {
		r := rows.inside(h)
		for w := range out.W {
			k := int32(level / (r * cols.inside(w)))
			for c := range out.C {
				dst[(c*out.H+h)*out.W+w] *= k
			}
		}
	}
}

// Divisor returns what the results are divided by to be averages: the number
// of elements of the window or, of a Level pool, the least common multiple of
// the numbers of elements inside the plane.
func (p *SumPool) Divisor(in, out Dims) int {
	if !p.Level {
		return p.KH * p.KW
	}
	rows, cols := p.axes(in, out)
	return rows.level() * cols.level()
}

// windows are those of one axis: as many as outs, of k elements dil apart, over
// n elements that follow a border.
type windows struct{ n, outs, k, stride, dil, border int }

func (w *Window) axes(in, out Dims) (rows, cols windows) {
	dh, dw := w.Dilation()
	return windows{in.H, out.H, w.KH, w.StrideH, dh, w.Pad.Top}, windows{in.W, out.W, w.KW, w.StrideW, dw, w.Pad.Left}
}

// inside returns how many elements of window o are inside the plane.
func (w windows) inside(o int) int {
	at, first, last := o*w.stride-w.border, 0, -1
	if at < 0 {
		first = (-at + w.dil - 1) / w.dil
	}
	if at < w.n {
		last = min((w.n-1-at)/w.dil, w.k-1)
	}
	return max(last-first+1, 0)
}

// empty reports whether some window is outside of the plane.
func (w windows) empty() bool {
	for o := range w.outs {
		if w.inside(o) == 0 {
			return true
		}
	}
	return false
}

// maxLevel bounds the divisors of Level pools.
const maxLevel = 1 << 20

// level returns the least common multiple of the numbers of elements inside,
// or maxLevel+1 if it is larger than maxLevel. No window may be empty.
func (w windows) level() int {
	l := 1
	for o := range w.outs {
		if n := w.inside(o); l%n != 0 {
			if l = lcm(l, n); l > maxLevel {
				return maxLevel + 1
			}
		}
	}
	return l
}

func lcm(a, b int) int {
	g, r := a, b
	for r != 0 {
		g, r = r, g%r
	}
	return a / g * b
}

// sumPool adds up the elements of every window; the border counts as zero.
func sumPool(dst, x []int32, win Window, in, out Dims) {
	clear(dst)
	dh, dw := win.Dilation()
	for c := range out.C {
		src := x[c*in.H*in.W:][:in.H*in.W]
		sum := dst[c*out.H*out.W:][:out.H*out.W]
		for kh := range win.KH {
			for kw := range win.KW {
				offset := kw*dw - win.Pad.Left
				first, last := span(offset, win.StrideW, in.W, out.W)
				for oh := range out.H {
					ih := oh*win.StrideH + kh*dh - win.Pad.Top
					if ih < 0 || ih >= in.H {
						continue
					}
					for ow := first; ow < last; ow++ {
						sum[oh*out.W+ow] += src[ih*in.W+ow*win.StrideW+offset]
					}
				}
			}
		}
	}
}
