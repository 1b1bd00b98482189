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
	fast    *arranged  // nil where vectors do not serve
	parts   []*Product // one a group, where there are several
}

// Begin prepares a convolution of x, which must not change until End. See
// Apply for the sizes. Where the time depends on x, then only on whether all of it
// are 16-bit numbers.
func (c *Conv) Begin(x []int32, in, out Dims) *Product {
	p := &Product{window: c.Window, in: in, out: out, x: x[:in.Len()]}
	switch groups := c.groups(); {
	case groups > 1:
		in.C, out.C = in.C/groups, out.C/groups
		one := Conv{Window: c.Window}
		for g := range groups {
			p.parts = append(p.parts, one.Begin(x[g*in.Len():][:in.Len()], in, out))
		}
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
	one := p.parts[0]
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
	for _, part := range p.parts {
		part.End()
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
	dh, dw := win.Dilation()
	for kh := range win.KH {
		for kw := range win.KW {
			k, offset := int32(kernel[kh*win.KW+kw]), kw*dw-win.Pad.Left
			first, last := span(offset, win.StrideW, in.W, out.W)
			if first >= last {
				continue
			}
			for oh := range out.H {
				ih := oh*win.StrideH + kh*dh - win.Pad.Top
				if ih < 0 || ih >= in.H {
					continue
				}
				from := ih*in.W + first*win.StrideW + offset
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
