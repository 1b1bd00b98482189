package nn

//go:generate sh -c "cd _asm && go run . -out ../conv_amd64.s -stubs ../conv_stubs_amd64.go -pkg nn"

// groups returns the number of groups, at least 1 for a valid Conv.
func (c *Conv) groups() int {
	if c.Groups == 0 {
		return 1
	}
	return c.Groups
}

// Taps returns the number of weights of one output channel, for an input of
// dimensions in.
func (c *Conv) Taps(in Dims) int { return in.C / c.groups() * c.Window.KH * c.Window.KW }

// Apply computes the convolution of x with w into dst without the bias, in
// int32 arithmetic that wraps modulo 2^32: exact for the accumulators of a
// valid model, and right modulo 2^l for shares of l ≤ 32 bits.
// x holds in.Len() elements, dst as many as out, the dimensions of the output.
func (c *Conv) Apply(dst, x []int32, in, out Dims, w []int16) {
	p := c.Begin(x, in, out)
	p.Channels(dst, w, 0, out.C)
	p.End()
}

// Product is one convolution of one input. Its output channels may be computed
// by several goroutines at the same time.
type Product struct {
	window  Window
	in, out Dims
	x       []int32
	fast    *arranged // nil where vectors do not serve
	parts   []Product // one a group, where there are several
}

// fewWeights is the number of weights of a group below which vectors do not pay
// for the arrangement of their input. LOCAL
const fewWeights = 64

// Begin prepares a convolution of x, which must not change until End. See
// Apply for the sizes. Where the time depends on x, then only on whether all of it
// are 16-bit numbers.
func (c *Conv) Begin(x []int32, in, out Dims) *Product {
	p := &Product{window: c.Window, in: in, out: out, x: x[:in.Len()]}
	switch groups := c.groups(); {
	case groups > 1:
		in.C, out.C = in.C/groups, out.C/groups
		fast := !c.Window.dilated() && in.C*c.Window.KH*c.Window.KW*out.C >= fewWeights
		parts := make([]Product, groups)
		for g := range parts {
			parts[g] = Product{window: c.Window, in: in, out: out, x: x[g*in.Len():][:in.Len()]}
			if fast {
				parts[g].fast = arrange(&parts[g])
			}
		}
		p.parts = parts
	case !c.Window.dilated():
		p.fast = arrange(p)
	}
	return p
}

func (w *Window) dilated() bool {
	h, wd := w.Dilation()
	return h > 1 || wd > 1
}

// Channels computes the output channels first to last-1 of dst, the whole
// output; w are all the weights. Ranges of a multiple of 8 channels waste
// nothing.
func (p *Product) Channels(dst []int32, w []int16, first, last int) {
	if p.parts != nil {
		p.groupChannels(dst, w, first, last)
		return
	}
	plane, row := p.out.H*p.out.W, p.in.C*p.window.KH*p.window.KW
	dst, w = dst[first*plane:last*plane], w[first*row:last*row]
	switch {
	case p.fast != nil:
		p.fast.channels(p, dst, w)
	case p.isMatrix():
		matVec(dst, p.x, w)
	default:
		for c := range last - first {
			p.channel(dst[c*plane:][:plane], w[c*row:][:row])
		}
	}
}

// groupChannels is Channels for several groups.
func (p *Product) groupChannels(dst []int32, w []int16, first, last int) {
	one := &p.parts[0]
	per, plane, row := one.out.C, p.out.H*p.out.W, one.in.C*p.window.KH*p.window.KW
	for first < last {
		g := first / per
		end := min(last, (g+1)*per)
		from := g * per
		p.parts[g].Channels(dst[from*plane:][:per*plane], w[from*row:][:per*row], first-from, end-from)
		first = end
	}
}

// End lets go of what Begin made. Nothing may be called after it.
func (p *Product) End() {
	if p.fast != nil {
		p.fast.release()
		p.fast = nil
	}
	for g := range p.parts {
		p.parts[g].End()
	}
	p.parts = nil
}

// isMatrix reports whether the only window covers the input exactly.
func (p *Product) isMatrix() bool {
	return p.window.KH == p.in.H && p.window.KW == p.in.W && p.window.Pad == Pad{} &&
		p.out.H == 1 && p.out.W == 1 && !p.window.dilated()
}

// channel computes one output channel by direct sums.
func (p *Product) channel(dst []int32, w []int16) {
	clear(dst)
	taps := p.window.KH * p.window.KW
	for ic := range p.in.C {
		src := p.x[ic*p.in.H*p.in.W:][:p.in.H*p.in.W]
		convPlane(dst, src, w[ic*taps:][:taps], p.window, p.in, p.out)
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
	dh, _ := win.Dilation()
	for oh := range out.H {
		for kh := range win.KH {
			ih := oh*win.StrideH + kh*dh - win.Pad.Top
			if ih < 0 || ih >= in.H {
				continue
			}
			convRow(dst[oh*out.W:][:out.W], src[ih*in.W:][:in.W], kernel[kh*win.KW:][:win.KW], &win)
		}
	}
}

// convRow adds to dst the convolution of one row with one row of a kernel.
// Three taps, what most kernels have, are added at once where all are inside.
func convRow(dst, src []int32, kernel []int16, win *Window) {
	_, dw := win.Dilation()
	first, last := 0, 0 // the outputs that are done
	if win.KW == 3 {
		start := -win.Pad.Left
		first, _ = span(start, win.StrideW, len(src), len(dst))
		_, last = span(start+2*dw, win.StrideW, len(src), len(dst))
		if first = min(first, len(dst)); first < last {
			axpy3(dst[first:last], src[start+first*win.StrideW:], kernel, win.StrideW, dw)
		} else {
			last = first
		}
	}
	for kw, k := range kernel {
		offset := kw*dw - win.Pad.Left
		from, to := span(offset, win.StrideW, len(src), len(dst))
		if low := min(to, first); from < low {
			axpy(dst[from:low], src[offset+from*win.StrideW:], int32(k), win.StrideW)
		}
		if high := max(from, last); high < to {
			axpy(dst[high:to], src[offset+high*win.StrideW:], int32(k), win.StrideW)
		}
	}
}

// axpy3 adds the products of three weights with elements of src that are dil
// apart, from i·stride on, to dst[i].
func axpy3(dst, src []int32, k []int16, stride, dil int) {
	k0, k1, k2 := int32(k[0]), int32(k[1]), int32(k[2])
	if stride == 1 {
		a, b, c := src[:len(dst)], src[dil:][:len(dst)], src[2*dil:][:len(dst)]
		for i := range dst {
			dst[i] += k0*a[i] + k1*b[i] + k2*c[i]
		}
		return
	}
	for i := range dst {
		at := i * stride
		dst[i] += k0*src[at] + k1*src[at+dil] + k2*src[at+2*dil]
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
