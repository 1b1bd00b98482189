//go:build amd64 && !purego

package nn

import "sync"

// tile computes a rectangle of sums, some output channels c by some columns i,
//
//	dst[c·pitch + i] = Σ weights[t·channels + c] ∗ (2^16·hi[offsets[t]+i] + lo[offsets[t]+i])  mod 2^32
//
// over the n ≥ 1 terms t. Each word of weights, hi and lo holds two signed
// halves, and ∗ is the sum of the products of the lower and of the upper ones.
// hi may be nil for zeros. The level says how many channels and columns.

// stencil holds the input as planes of words, two channels a word, such that
// all that an output column adds up stands at fixed offsets from it, whatever
// the stride and the border.
//
// Phase (dh, dw) of a pair of channels is a plane of every StrideH-th row and
// every StrideW-th column of the padded input, from dh and dw on; tap (kh, kw)
// reads phase (kh mod StrideH, kw mod StrideW) at (kh/StrideH, kw/StrideW).
// Rows follow one another pitch words apart, and the columns of outputs run on
// through the gap between rows, whose sums nobody wants. With stride 1 the
// border on the right of a row is that on the left of the next.
//
// An odd last channel is paired with itself, one column on.
type stencil struct {
	level      level
	rows, cols int // places of a phase
	pitch      int
	high       int      // words from a low half to its high half; 0 if all those are 0
	words      []uint32 // low halves, then high halves
	taps       []tap
	offsets    []int32
}

// tap is a pair of weights by their index in a row of weights; b is −1 for
// none.
type tap struct{ a, b int32 }

// stripColumns is about how many columns are computed before they are copied
// out. LOCAL
const stripColumns = 1024

// measure sets the sizes and returns about how many nanoseconds all output
// channels take, and the words that fill takes; both may be huge.
func (s *stencil) measure(p *Product) (cost, words float64) {
	win := &p.window
	s.rows = p.out.H + ceilDiv(win.KH, win.StrideH) - 1
	s.cols = p.out.W + ceilDiv(win.KW, win.StrideW) - 1
	s.pitch = s.cols
	if win.StrideW == 1 {
		s.pitch -= min(win.Pad.Left, win.Pad.Right)
	}
	channels, columns := s.level.tileSize()
	taps := float64(p.in.C) * float64(win.KH) * float64(win.KW)
	if p.in.C%2 == 1 { // half of the last taps of odd rows
		taps += float64(win.KH) * float64(min(win.StrideW, win.KW))
	}
	flat := ceilDiv((p.out.H-1)*s.pitch+p.out.W, columns) * columns
	phases := float64(min(win.StrideH, win.KH)) * float64(min(win.StrideW, win.KW))
	words = 2*float64(ceilDiv(p.in.C, 2))*phases*float64(s.rows)*float64(s.pitch) + 2*taps
	perNs := 32.0
	if s.level == vnni {
		perNs = 54
	}
	perTap := float64(flat)/perNs + 0.65 // the latter to pack weights
	return taps*float64(ceilDiv(p.out.C, channels)*channels)*perTap + 0.7*words, words
}

// fill copies the input and lists the taps.
func (s *stencil) fill(p *Product) {
	win := &p.window
	s.taps, s.offsets = s.taps[:0], s.offsets[:0]
	_, columns := s.level.tileSize()
	plane, planes := s.rows*s.pitch, ceilDiv(p.in.C, 2)*min(win.StrideH, win.KH)*min(win.StrideW, win.KW)
	gap := s.cols - s.pitch
	s.high = planes*plane + gap + s.cols + columns // what a last tile reads too much is within
	s.words = grown(s.words, 2*s.high)
	clear(s.words)
	var any uint32
	at := 0
	for ic := 0; ic < p.in.C; ic += 2 {
		if ic+1 == p.in.C {
			at += gap // the planes before it find no zeros in its upper halves
		}
		for dh := range min(win.StrideH, win.KH) {
			for dw := range min(win.StrideW, win.KW) {
				s.addTaps(p, ic, dh, dw, int32(at))
				any |= s.fillPlane(p, ic, dh, dw, at)
				at += plane
			}
		}
	}
	if any == 0 {
		s.words, s.high = s.words[:s.high], 0
	}
}

// addTaps appends the taps of one plane.
func (s *stencil) addTaps(p *Product, ic, dh, dw int, plane int32) {
	win := &p.window
	size := int32(win.KH * win.KW)
	step, odd := win.StrideW, ic+1 == p.in.C
	if odd {
		step *= 2
	}
	for kh := dh; kh < win.KH; kh += win.StrideH {
		for kw := dw; kw < win.KW; kw += step {
			t := tap{a: int32(ic)*size + int32(kh*win.KW+kw)}
			switch {
			case !odd:
				t.b = t.a + size
			case kw+win.StrideW < win.KW:
				t.b = t.a + int32(win.StrideW)
			default:
				t.b = -1
			}
			s.taps = append(s.taps, t)
			s.offsets = append(s.offsets, plane+int32(kh/win.StrideH*s.pitch+kw/win.StrideW))
		}
	}
}

// fillPlane copies one phase and returns the bits that some high half has.
func (s *stencil) fillPlane(p *Product, ic, dh, dw, plane int) (any uint32) {
	win := &p.window
	first, last := span(dw-win.Pad.Left, win.StrideW, p.in.W, s.cols)
	if first >= last {
		return 0
	}
	size := p.in.H * p.in.W
	for r := range s.rows {
		ih := r*win.StrideH + dh - win.Pad.Top
		if ih < 0 || ih >= p.in.H {
			continue
		}
		at := plane + r*s.pitch + first
		low, high := s.words[at:][:last-first], s.words[s.high+at:][:last-first]
		from := ic*size + ih*p.in.W + first*win.StrideW + dw - win.Pad.Left
		a := p.x[from : (ic*p.in.H+ih+1)*p.in.W]
		b := zeros
		if ic+1 < p.in.C {
			b = p.x[from+size:][:len(a)]
		}
		if win.StrideW == 1 && ic+1 < p.in.C {
			any |= pairWords(low, high, a, b)
			continue
		}
		for i := range low {
			u, v := uint32(a[i*win.StrideW]), uint32(0)
			if ic+1 < p.in.C {
				v = uint32(b[i*win.StrideW])
			}
			low[i] = u&0xffff | v<<16
			high[i] = (u+1<<15)>>16 | (v+1<<15)&^0xffff
			any |= high[i]
		}
	}
	if ic+1 == p.in.C {
		for i := range s.rows * s.pitch {
			s.words[plane+i] |= s.words[plane+i+1] << 16
			s.words[s.high+plane+i] |= s.words[s.high+plane+i+1] << 16
		}
	}
	return any
}

var zeros []int32

// pairWords makes words of two channels and returns the bits that some high
// half has.
func pairWords(low, high []uint32, a, b []int32) (any uint32) {
	a, b, high = a[:len(low)], b[:len(low)], high[:len(low)]
	for i := range low {
		u, v := uint32(a[i]), uint32(b[i])
		low[i] = u&0xffff | v<<16
		h := (u+1<<15)>>16 | (v+1<<15)&^0xffff
		high[i] = h
		any |= h
	}
	return any
}

// tileScratch is the memory of one call of channels.
type tileScratch struct {
	weights []uint32
	sums    []int32
}

var tileScratches = sync.Pool{New: func() any { return new(tileScratch) }}

// channels computes output channels, as many as a tile has at a time, strip
// by strip.
func (s *stencil) channels(p *Product, dst []int32, w []int16) {
	channels, columns := s.level.tileSize()
	perStrip := min(p.out.H, max(1, stripColumns/s.pitch))
	pitch := ceilDiv((perStrip-1)*s.pitch+p.out.W, columns) * columns
	t := tileScratches.Get().(*tileScratch)
	defer tileScratches.Put(t)
	t.weights, t.sums = grown(t.weights, channels*len(s.taps)), grown(t.sums, channels*pitch)
	row, plane := p.in.C*p.window.KH*p.window.KW, p.out.H*p.out.W
	for len(dst) > 0 {
		n := min(channels, len(dst)/plane)
		s.packWeights(t.weights, w[:n*row], row, channels)
		for first := 0; first < p.out.H; first += perStrip {
			rows := min(perStrip, p.out.H-first)
			flat := (rows-1)*s.pitch + p.out.W
			for i := 0; i < flat; i += columns {
				s.tile(t, i, pitch, first*s.pitch+i)
			}
			for c := range n {
				for r := range rows {
					copy(dst[c*plane+(first+r)*p.out.W:][:p.out.W], t.sums[c*pitch+r*s.pitch:])
				}
			}
		}
		dst, w = dst[n*plane:], w[n*row:]
	}
}

// tile computes one tile into the sums from i on, at the place of the input.
func (s *stencil) tile(t *tileScratch, i, pitch, place int) {
	var high *uint32
	if s.high > 0 {
		high = &s.words[s.high+place]
	}
	kernel := tileAVX2
	if s.level == vnni {
		kernel = tileVNNI
	}
	kernel(&t.sums[i], pitch, &s.words[place], high, &s.offsets[0], &t.weights[0], len(s.taps))
}

// packWeights pairs the weights of some channels in the order of the taps;
// those of missing channels are 0.
func (s *stencil) packWeights(dst []uint32, w []int16, row, channels int) {
	if len(w) < channels*row {
		clear(dst)
	}
	for c := 0; c*row < len(w); c++ {
		w := w[c*row:][:row]
		for i, t := range s.taps {
			v := uint32(uint16(w[t.a]))
			if t.b >= 0 {
				v |= uint32(uint16(w[t.b])) << 16
			}
			dst[i*channels+c] = v
		}
	}
}
