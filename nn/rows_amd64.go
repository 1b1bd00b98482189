//go:build amd64 && !purego

package nn

// dot computes four rows of weights times one column of inputs,
//
//	dst[r] = Σ w[r·pitch + i]·(2^16·hi[i] + lo[i])  mod 2^32
//
// for i from 0 to n−1, n a positive multiple of dotStep. hi may be nil for
// zeros; pitch may be 0 to compute a single row.
const dotStep = 16

// columns holds the inputs of every output place, one column after the other,
// in the order of a row of weights: for fully connected layers and small
// planes, where tiles would be mostly empty.
type columns struct {
	taps   int // entries of a column
	places int
	low    []int16
	high   []int16
	anyBit bool // some high half is not 0
}

// measure returns about how many nanoseconds all output channels take, and the
// words that fill takes.
func (c *columns) measure(p *Product) (cost, words float64) {
	taps := p.in.C * p.window.KH * p.window.KW
	places := float64(p.out.H * p.out.W)
	perPlace := float64(ceilDiv(p.out.C, 4)) * (5 + float64(ceilDiv(taps, dotStep))*2.2)
	words = places * float64(taps)
	fill := 2.2
	if p.isMatrix() {
		fill = 0.6
	}
	return places*perPlace + fill*words, words
}

// fill gathers the columns.
func (c *columns) fill(p *Product) {
	c.taps, c.places = p.in.C*p.window.KH*p.window.KW, p.out.H*p.out.W
	c.low, c.high = grown(c.low, c.taps*c.places), grown(c.high, c.taps*c.places)
	var any uint32
	if p.isMatrix() {
		any = splitHalves(c.low, c.high, p.x)
		c.anyBit = any != 0
		return
	}
	clear(c.low)
	clear(c.high)
	win := &p.window
	for place := range c.places {
		oh, ow := place/p.out.W, place%p.out.W
		from := ow*win.StrideW - win.Pad.Left
		first, last := max(0, -from), min(win.KW, p.in.W-from)
		if first >= last {
			continue
		}
		for ic := range p.in.C {
			for kh := range win.KH {
				ih := oh*win.StrideH + kh - win.Pad.Top
				if ih < 0 || ih >= p.in.H {
					continue
				}
				at := place*c.taps + (ic*win.KH+kh)*win.KW + first
				src := p.x[(ic*p.in.H+ih)*p.in.W+from+first:][:last-first]
				any |= splitHalves(c.low[at:], c.high[at:], src)
			}
		}
	}
	c.anyBit = any != 0
}

// splitHalves cuts x into halves and returns the bits that some high half has.
func splitHalves(low, high []int16, x []int32) uint32 {
	low, high = low[:len(x)], high[:len(x)]
	var any uint32
	for i, v := range x {
		h := uint32(v+1<<15) >> 16
		low[i], high[i] = int16(v), int16(h)
		any |= h
	}
	return any
}

// channels computes rows of w, four at a time, so that those are read once.
func (c *columns) channels(p *Product, dst []int32, w []int16) {
	whole := c.taps / dotStep * dotStep
	var sums [4]int32
	for first := 0; first*c.taps < len(w); {
		rows, pitch := 4, c.taps
		if (first+4)*c.taps > len(w) {
			rows, pitch = 1, 0
		}
		for place := range c.places {
			low, high := c.low[place*c.taps:][:c.taps], c.high[place*c.taps:][:c.taps]
			sums = [4]int32{}
			if whole > 0 {
				h := &high[0]
				if !c.anyBit {
					h = nil
				}
				dotAVX2(&sums, &w[first*c.taps], pitch, &low[0], h, whole)
			}
			for r := range rows {
				sum := sums[r]
				row := w[(first+r)*c.taps:][:c.taps]
				for i := whole; i < c.taps; i++ {
					sum += int32(row[i]) * (int32(high[i])<<16 + int32(low[i]))
				}
				dst[(first+r)*c.places+place] = sum
			}
		}
		first += rows
	}
}
