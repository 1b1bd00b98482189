package nn

import "math"

// run computes the stage on plain integers.
func (a *Activate) run(dst, x []int32, in, out Dims) {
	if a.Pool != nil {
		maxPool(dst, x, *a.Pool, in, out)
		x = dst
	}
	low, high, only := a.clamps()
	if !only {
		for i, y := range x {
			dst[i] = a.Of(y)
		}
		return
	}
	half := int64(1) << a.Shift >> 1
	for i, y := range x {
		dst[i] = int32(min(max((int64(y)+half)>>a.Shift, low), high))
	}
}

// clamps returns what z is clamped to, and whether that and the shift are all
// that the stage does.
func (a *Activate) clamps() (lo, hi int64, only bool) {
	l, h := Limits(a.Bits, a.Signed)
	switch a.Func {
	case Clip:
		l, h = a.Lo, a.Hi
	case Relu:
		l = 0
	}
	return int64(l), int64(h), a.Func == Identity || a.Func == Relu || a.Func == Clip
}

// Of computes the stage on one integer, without pooling.
func (a *Activate) Of(y int32) int32 {
	lo, hi, _ := a.clamps()
	u := roundShift(int64(y), a.Shift)
	switch a.Func {
	case Leaky:
		if u < 0 {
			u = roundShift(u, a.Slope)
		}
	case Square:
		l, h := Limits(a.Mid, true)
		v := min(max(u, int64(l)), int64(h))
		u = roundShift(v*v, a.Shift2)
	case Table:
		return a.Table[a.entry(y)]
	}
	return int32(min(max(u, lo), hi))
}

// entry returns the index of the table's entry for y.
func (a *Activate) entry(y int32) int {
	l, h := Limits(a.Mid, true)
	return int(min(max(y>>a.Shift, l), h) - l)
}

// roundShift returns y / 2^shift rounded half up.
func roundShift(y int64, shift int) int64 {
	if shift == 0 {
		return y
	}
	return (y + 1<<(shift-1)) >> shift
}

// Monotone reports whether z never falls where y grows, so that the stage may
// be exchanged with a max-pool.
func (a *Activate) Monotone() bool {
	for i := 1; i < len(a.Table); i++ {
		if a.Table[i] < a.Table[i-1] {
			return false
		}
	}
	return a.Func != Square
}

// bounds returns the interval of the results of every output channel.
func (a *Activate) bounds(in []Interval, channels int) []Interval {
	out := make([]Interval, channels)
	lo, hi := Limits(min(a.Width, 31), true)
	for c := range out {
		from, to := int32(max(in[c].Lo, int64(lo))), int32(min(in[c].Hi, int64(hi)))
		v := Interval{int64(a.Of(from)), int64(a.Of(to))}
		switch a.Func {
		case Square:
			v = Interval{0, max(v.Lo, v.Hi)}
		case Table:
			for _, z := range a.Table[a.entry(from) : a.entry(to)+1] {
				v = v.hull(Interval{int64(z), int64(z)})
			}
		}
		out[c] = v
	}
	return out
}

// widthFor returns the least Width of a stage that takes values of y.
func (a *Activate) widthFor(y Interval) int {
	if a.Shift > 0 && a.Func != Table {
		y.Hi += 1 << (a.Shift - 1)
	}
	return max(2, y.Width(), a.Shift+1)
}

// maxPool computes the largest element of every window; the border never wins.
func maxPool(dst, x []int32, win Window, in, out Dims) {
	for i := range dst {
		dst[i] = math.MinInt32
	}
	dh, dw := win.Dilation()
	for c := range out.C {
		src, top := x[c*in.H*in.W:][:in.H*in.W], dst[c*out.H*out.W:][:out.H*out.W]
		for oh := range out.H {
			for kh := range win.KH {
				ih := oh*win.StrideH + kh*dh - win.Pad.Top
				if ih < 0 || ih >= in.H {
					continue
				}
				for kw := range win.KW {
					offset := kw*dw - win.Pad.Left
					first, last := span(offset, win.StrideW, in.W, out.W)
					from, to := src[ih*in.W:][:in.W], top[oh*out.W:][:out.W]
					for ow := first; ow < last; ow++ {
						to[ow] = max(to[ow], from[ow*win.StrideW+offset])
					}
				}
			}
		}
	}
}

// Elements appends to dst the elements of a tensor of dimensions in that the
// window of output (c, oh, ow) covers, border left out, in row order.
func (w *Window) Elements(in Dims, c, oh, ow int, dst []int32) []int32 {
	dh, dw := w.Dilation()
	for kh := range w.KH {
		h := oh*w.StrideH + kh*dh - w.Pad.Top
		if h < 0 || h >= in.H {
			continue
		}
		for kw := range w.KW {
			if x := ow*w.StrideW + kw*dw - w.Pad.Left; x >= 0 && x < in.W {
				dst = append(dst, int32((c*in.H+h)*in.W+x))
			}
		}
	}
	return dst
}
