package nn

// Apply computes the convolution of x with w into dst without the bias, in
// int32 arithmetic that wraps modulo 2^32: exact for the accumulators of a
// valid model, and right modulo 2^l for shares of l ≤ 32 bits.
// x holds in.Len() elements, dst as many as out, the dimensions of the output.
func (c *Conv) Apply(dst, x []int32, in, out Dims, w []int16) {
	win := c.Window
	if in.H == 1 && in.W == 1 && win.KH == 1 && win.KW == 1 {
		matVec(dst[:out.C], x[:in.C], w)
		return
	}
	taps := win.KH * win.KW
	for oc := range out.C {
		plane := dst[oc*out.H*out.W:][:out.H*out.W]
		clear(plane)
		for ic := range in.C {
			src := x[ic*in.H*in.W:][:in.H*in.W]
			kernel := w[(oc*in.C+ic)*taps:][:taps]
			convPlane(plane, src, kernel, win, in, out)
		}
	}
}

// matVec sets dst to the product of the rows of w with x.
func matVec(dst, x []int32, w []int16) {
	for i := range dst {
		row := w[i*len(x):][:len(x)]
		var s0, s1, s2, s3 int32
		j := 0
		for ; j+4 <= len(x); j += 4 {
			s0 += int32(row[j]) * x[j]
			s1 += int32(row[j+1]) * x[j+1]
			s2 += int32(row[j+2]) * x[j+2]
			s3 += int32(row[j+3]) * x[j+3]
		}
		for ; j < len(x); j++ {
			s0 += int32(row[j]) * x[j]
		}
		dst[i] = s0 + s1 + s2 + s3
	}
}

// convPlane adds to dst the convolution of one input plane with one kernel.
func convPlane(dst, src []int32, kernel []int16, win Window, in, out Dims) {
	for kh := range win.KH {
		for kw := range win.KW {
			k := int32(kernel[kh*win.KW+kw])
			first, last := span(kw-win.Pad.Left, win.StrideW, in.W, out.W)
			if first >= last {
				continue
			}
			for oh := range out.H {
				ih := oh*win.StrideH + kh - win.Pad.Top
				if ih < 0 || ih >= in.H {
					continue
				}
				from := ih*in.W + first*win.StrideW + kw - win.Pad.Left
				axpy(dst[oh*out.W+first:oh*out.W+last], src[from:(ih+1)*in.W], k, win.StrideW)
			}
		}
	}
}

// span returns the outputs o in [0, n) whose input o·stride + offset lies in
// [0, size), as first ≤ o < last.
func span(offset, stride, size, n int) (first, last int) {
	if offset < 0 {
		first = (-offset + stride - 1) / stride
	}
	last = 0
	if size > offset {
		last = (size-offset-1)/stride + 1
	}
	return first, min(last, n)
}

// axpy adds k·src[i·stride] to dst[i].
func axpy(dst, src []int32, k int32, stride int) {
	if stride == 1 {
		src = src[:len(dst)]
		for i, v := range src {
			dst[i] += k * v
		}
		return
	}
	for i := range dst {
		dst[i] += k * src[i*stride]
	}
}
