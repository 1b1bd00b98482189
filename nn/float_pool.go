package nn

// poolFloat sets each output to what of makes of the window's numbers and
// start, the border left out.
func poolFloat(dst, x []float32, in, out Dims, win Window, start float64, of func(a, b float64) float64) {
	dh, dw := win.Dilation()
	for c := range in.C {
		plane := x[c*in.H*in.W : (c+1)*in.H*in.W]
		for oh := range out.H {
			top := oh*win.StrideH - win.Pad.Top
			h0, h1 := taps(top, win.KH, dh, in.H)
			for ow := range out.W {
				left := ow*win.StrideW - win.Pad.Left
				w0, w1 := taps(left, win.KW, dw, in.W)
				v := start
				for h := h0; h < h1; h++ {
					row := plane[(top+h*dh)*in.W:]
					for w := w0; w < w1; w++ {
						v = of(v, float64(row[left+w*dw]))
					}
				}
				dst[(c*out.H+oh)*out.W+ow] = float32(v)
			}
		}
	}
}

// taps returns which of the k taps of a window, the first at start and the
// others step apart, lie in [0, n): those of [first, last).
func taps(start, k, step, n int) (first, last int) {
	if start < 0 {
		first = (-start + step - 1) / step
	}
	if start >= n {
		return first, first
	}
	last = min(k, (n-1-start)/step+1)
	return min(first, last), last
}

// averageFloat divides sums of windows by the size of the window, or by what
// of it lies on the plane.
func averageFloat(dst []float32, in, out Dims, win Window, countPad bool) {
	dh, dw := win.Dilation()
	for oh := range out.H {
		h0, h1 := taps(oh*win.StrideH-win.Pad.Top, win.KH, dh, in.H)
		for ow := range out.W {
			w0, w1 := taps(ow*win.StrideW-win.Pad.Left, win.KW, dw, in.W)
			size := float32((h1 - h0) * (w1 - w0))
			if countPad {
				size = float32(win.KH * win.KW)
			}
			for c := range out.C {
				dst[(c*out.H+oh)*out.W+ow] /= size
			}
		}
	}
}
