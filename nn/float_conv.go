package nn

import "sync"

// rowsMemory bounds, in numbers, what a convolution gathers at a time: 128 KiB,
// so that it stays in the cache while all kernels pass over it.
const rowsMemory = 1 << 15

var rowsPool = sync.Pool{New: func() any { return new([]float32) }}

// fewTaps is up to how many weights a kernel of a grouped convolution may have
// for its products to be added row by row, with nothing gathered.
const fewTaps = 64

// groupsFloat computes a Conv without its bias, group by group.
func groupsFloat(dst, x []float32, in Dims, n *Node) {
	groups := n.groups()
	part, out := Dims{in.C / groups, in.H, in.W}, Dims{n.Out.C / groups, n.Out.H, n.Out.W}
	conv := convFloat
	if groups > 1 && len(n.Weights)/n.Out.C <= fewTaps {
		conv = directFloat
	}
	weights := len(n.Weights) / groups
	for g := range groups {
		conv(dst[g*out.Len():][:out.Len()], x[g*part.Len():][:part.Len()], part, out, n.Window, n.Weights[g*weights:][:weights])
	}
}

// directFloat is convFloat tap by tap.
func directFloat(dst, x []float32, in, out Dims, win Window, weights []float32) {
	clear(dst)
	dh, dw := win.Dilation()
	for oc := range out.C {
		plane := dst[oc*out.H*out.W:][:out.H*out.W]
		for i, k := range weights[oc*in.C*win.KH*win.KW:][:in.C*win.KH*win.KW] {
			c, top, left := i/(win.KH*win.KW), i/win.KW%win.KH*dh-win.Pad.Top, i%win.KW*dw-win.Pad.Left
			first, last := taps(left, out.W, win.StrideW, in.W)
			for oh, end := taps(top, out.H, win.StrideH, in.H); oh < end; oh++ {
				row := x[(c*in.H+top+oh*win.StrideH)*in.W:]
				sum := plane[oh*out.W:]
				for ow := first; ow < last; ow++ {
					sum[ow] += k * row[left+ow*win.StrideW]
				}
			}
		}
	}
}

// convFloat computes a convolution of one group without its bias. For some output positions
// at a time it lays the window's numbers out as rows, one a position, and
// multiplies them by the kernels.
func convFloat(dst, x []float32, in, out Dims, win Window, weights []float32) {
	taps := in.C * win.KH * win.KW
	plane := out.H * out.W
	step := min(plane, max(2, rowsMemory/taps))
	scratch := rowsPool.Get().(*[]float32)
	defer rowsPool.Put(scratch)
	if cap(*scratch) < step*taps {
		*scratch = make([]float32, step*taps)
	}
	for first := 0; first < plane; first += step {
		n := min(step, plane-first)
		rows := (*scratch)[:n*taps]
		for i := range n {
			gatherFloat(rows[i*taps:(i+1)*taps], x, in, win, (first+i)/out.W, (first+i)%out.W)
		}
		productFloat(dst[first:], plane, rows, weights, taps)
	}
}

// gatherFloat copies what the window of output (oh, ow) covers, in the order
// of a kernel's weights, zeros for the border.
func gatherFloat(row, x []float32, in Dims, win Window, oh, ow int) {
	top, left := oh*win.StrideH-win.Pad.Top, ow*win.StrideW-win.Pad.Left
	dh, dw := win.Dilation()
	w0, w1 := taps(left, win.KW, dw, in.W)
	inside := w0 == 0 && w1 == win.KW && dw == 1
	for c := range in.C {
		for kh := range win.KH {
			h := top + kh*dh
			part := row[:win.KW]
			row = row[win.KW:]
			if h < 0 || h >= in.H {
				clear(part)
				continue
			}
			line := x[(c*in.H+h)*in.W:][:in.W]
			if !inside {
				clear(part)
				for w := w0; w < w1; w++ {
					part[w] = line[left+w*dw]
				}
				continue
			}
			for i, v := range line[left : left+len(part)] { // a call of copy costs more for a few numbers
				part[i] = v
			}
		}
	}
}

// productFloat multiplies a matrix of rows of taps numbers by one of weights:
// dst[m·stride + p] = Σ weights[m][k]·rows[p][k]. It goes four kernels by two
// rows at a time, which keeps the eight sums in registers.
func productFloat(dst []float32, stride int, rows, weights []float32, taps int) {
	count, kernels := len(rows)/taps, len(weights)/taps
	row := func(p int) []float32 { p = min(p, count-1); return rows[p*taps : (p+1)*taps] }
	kernel := func(m int) []float32 { m = min(m, kernels-1); return weights[m*taps : (m+1)*taps] }
	var sums [8]float32
	for m := 0; m < kernels; m += 4 {
		w0, w1, w2, w3 := kernel(m), kernel(m+1), kernel(m+2), kernel(m+3)
		for p := 0; p < count; p += 2 {
			if p+1 < count {
				dots4x2(&sums, w0, w1, w2, w3, row(p), row(p+1))
			} else {
				dots4x1(&sums, w0, w1, w2, w3, row(p))
			}
			for i := range min(4, kernels-m) {
				at := dst[(m+i)*stride+p:]
				at[0] = sums[2*i]
				if p+1 < count {
					at[1] = sums[2*i+1]
				}
			}
		}
	}
}

// dots4x2 sets sums[2·i+j] to the inner product of the i-th of the four w and
// the j-th of the two x; all are as long as x0.
func dots4x2(sums *[8]float32, w0, w1, w2, w3, x0, x1 []float32) {
	n := len(x0)
	w0, w1, w2, w3, x1 = w0[:n], w1[:n], w2[:n], w3[:n], x1[:n]
	var s00, s01, s10, s11, s20, s21, s30, s31 float32
	for i, a := range x0 {
		b := x1[i]
		w := w0[i]
		s00 += w * a
		s01 += w * b
		w = w1[i]
		s10 += w * a
		s11 += w * b
		w = w2[i]
		s20 += w * a
		s21 += w * b
		w = w3[i]
		s30 += w * a
		s31 += w * b
	}
	*sums = [8]float32{s00, s01, s10, s11, s20, s21, s30, s31}
}

// dots4x1 sets sums[2·i] to the inner product of the i-th of the four w and x.
func dots4x1(sums *[8]float32, w0, w1, w2, w3, x []float32) {
	n := len(x)
	w0, w1, w2, w3 = w0[:n], w1[:n], w2[:n], w3[:n]
	var s0, s1, s2, s3 float32
	for i, a := range x {
		s0 += w0[i] * a
		s1 += w1[i] * a
		s2 += w2[i] * a
		s3 += w3[i] * a
	}
	sums[0], sums[2], sums[4], sums[6] = s0, s1, s2, s3
}
