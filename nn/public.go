package nn

// Public reports whether the layer is a public linear map, which each party
// applies to its own share.
func (l *Layer) Public() bool { return l.Conv == nil && l.Activate == nil }

// ApplyPublic computes a public linear layer in int32 arithmetic modulo 2^32.
// ins are the layer's inputs and dims their dimensions; dst has l.Out.Len()
// elements and shares no memory with an input.
func (l *Layer) ApplyPublic(dst []int32, ins [][]int32, dims []Dims) {
	switch {
	case l.SumPool != nil:
		sumPool(dst, ins[0], *l.SumPool, dims[0], l.Out)
	case l.Add != nil:
		clear(dst)
		for i, in := range ins {
			for j, v := range in {
				dst[j] += v << l.Add.Shift[i]
			}
		}
	case l.ZeroPad != nil:
		zeroPad(dst, ins[0], *l.ZeroPad, dims[0], l.Out)
	default:
		copy(dst, ins[0])
	}
}

// sumPool adds up the elements of every window; the border counts as zero.
func sumPool(dst, x []int32, win Window, in, out Dims) {
	clear(dst)
	for c := range out.C {
		src := x[c*in.H*in.W:][:in.H*in.W]
		sum := dst[c*out.H*out.W:][:out.H*out.W]
		for kh := range win.KH {
			for kw := range win.KW {
				first, last := span(kw-win.Pad.Left, win.StrideW, in.W, out.W)
				for oh := range out.H {
					ih := oh*win.StrideH + kh - win.Pad.Top
					if ih < 0 || ih >= in.H {
						continue
					}
					for ow := first; ow < last; ow++ {
						sum[oh*out.W+ow] += src[ih*in.W+ow*win.StrideW+kw-win.Pad.Left]
					}
				}
			}
		}
	}
}

func zeroPad(dst, x []int32, p Pad, in, out Dims) {
	clear(dst)
	for c := range in.C {
		for h := range in.H {
			copy(dst[(c*out.H+h+p.Top)*out.W+p.Left:][:in.W], x[(c*in.H+h)*in.W:][:in.W])
		}
	}
}
