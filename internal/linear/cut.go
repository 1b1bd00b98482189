package linear

import "math"

// cut says how the channels, kernels and lanes of a tile are grouped: ct
// channels an upload, m kernels an answer, of beside lanes each. uploads and
// answers are the numbers for one group of lanes.
type cut struct {
	ct, m, beside    int
	uploads, answers int
}

// tile is a rectangle of the output with its block and cut.
type tile struct {
	block
	cut
}

// cost is what the cut is chosen by: bytes, then products.
type cost struct{ bytes, products int64 }

var tooDear = cost{math.MaxInt64 / 4, 0}

func (c cost) less(d cost) bool {
	return c.bytes < d.bytes || c.bytes == d.bytes && c.products < d.products
}

func (c cost) plus(d cost) cost { return cost{c.bytes + d.bytes, c.products + d.products} }

// maxBytes bounds what one layer may send, and with it the memory of its
// layout. AGREED
const maxBytes = 1 << 32

// maxColumns bounds the number of tiles side by side. AGREED
const maxColumns = 32

// search finds the cheapest tiles for one view. All arithmetic is on integers
// and the order of trials is fixed: both parties find the same.
type search struct {
	prices
	group             grouping
	channels, kernels int
	lanes             int
	rows, cols        axis
	options           [][]option // by blocks that fit in a polynomial
	classes           []class    // of the columns under trial
	interior          []cost     // of a row of tiles away from the border, by height
	best              []cost     // of all rows from this one on
	height            []int      // of the first row of tiles of that
}

// option is a cut with the bytes of an answer by its wanted coefficients.
type option struct {
	cut
	sizes    []int
	products int64
}

// class is a part of the columns and how often it occurs.
type class struct {
	part
	times int64
}

// findTiles returns the cheapest tiles of v, row by row. It returns none if
// they cost more than maxBytes; tooDear if not even a single output fits in a
// polynomial.
func findTiles(v *view, outC, images int, p prices) ([]tile, cost) {
	s := &search{prices: p, group: v.group, channels: v.channels(), kernels: outC, lanes: images * v.lanes}
	s.rows, s.cols = v.grid()
	s.options = make([][]option, p.n+1)
	s.best = make([]cost, s.rows.outs+1)
	s.height = make([]int, s.rows.outs)
	least := tooDear
	var parts []part
	var heights []int
	for n := 1; n <= min(s.cols.outs, maxColumns); n++ {
		split := s.cols.split(n)
		if c := s.cutRows(split); c.less(least) {
			least, parts, heights = c, split, s.chosen(heights[:0])
		}
	}
	if least.bytes > maxBytes {
		return nil, least
	}
	var tiles []tile
	first := 0
	for _, h := range heights {
		r := s.rows.part(first, h)
		for _, c := range parts {
			b := newBlock(r, c, s.rows.taps, s.cols.taps)
			_, choice := s.choose(&b)
			tiles = append(tiles, tile{b, choice})
		}
		first += h
	}
	return tiles, least
}

// cutRows finds the cheapest cut of the rows, given that of the columns, by
// dynamic programming from the last row up.
func (s *search) cutRows(split []part) cost {
	s.classify(split)
	inner := s.heights(s.rows.head, math.MaxInt)
	s.interior = s.interior[:0]
	for range s.rows.outs + 1 {
		s.interior = append(s.interior, cost{bytes: -1})
	}
	end := s.rows.outs
	s.best[end] = cost{}
	for y := end - 1; y >= 0; y-- {
		trials := inner
		if y < s.rows.head {
			trials = s.heights(y, end-y)
		}
		best, height := s.rowCost(y, end-y), end-y
		for _, h := range trials {
			if h >= end-y {
				break
			}
			if c := s.rowCost(y, h).plus(s.best[y+h]); c.less(best) {
				best, height = c, h
			}
		}
		if tooDear.less(best) {
			best = tooDear
		}
		s.best[y], s.height[y] = best, height
	}
	return s.best[0]
}

// chosen appends the heights of the last cutRows.
func (s *search) chosen(dst []int) []int {
	for y := 0; y < s.rows.outs; y += s.height[y] {
		dst = append(dst, s.height[y])
	}
	return dst
}

// classify sets the distinct column parts.
func (s *search) classify(split []part) {
	s.classes = s.classes[:0]
next:
	for _, p := range split {
		p.first = 0
		for i := range s.classes {
			if s.classes[i].part == p {
				s.classes[i].times++
				continue next
			}
		}
		s.classes = append(s.classes, class{p, 1})
	}
}

// heights returns, in ascending order, the heights that are worth a trial for
// a row of tiles that begins at output y: the greatest for each number of
// blocks that fit in a polynomial. Less height at the same number costs the
// same and leaves more rows to do.
func (s *search) heights(y, limit int) []int {
	var hs []int
	now := s.fits(y, 1)
	for h := 1; h <= min(limit, s.rows.outs) && now > 0; h++ {
		next := s.fits(y, h+1)
		if next != now {
			hs = append(hs, h)
		}
		now = next
	}
	return hs
}

// fits returns a number that changes whenever the number of blocks in a
// polynomial does, for some class; 0 if a block does not fit.
func (s *search) fits(y, h int) int {
	r := s.rows.part(min(y, s.rows.head), h)
	r.size, r.trail = r.size+r.trail, 0
	sum := 0
	for i := range s.classes {
		b := newBlock(r, s.classes[i].part, s.rows.taps, s.cols.taps)
		if b.size > s.n {
			return 0
		}
		sum += s.n / b.size
	}
	return sum
}

// rowCost returns the cost of the row of tiles of outputs y to y+h−1.
func (s *search) rowCost(y, h int) cost {
	r := s.rows.part(y, h)
	inner := r.lead == 0 && r.trail == 0
	if inner && s.interior[h].bytes >= 0 {
		return s.interior[h]
	}
	sum := cost{}
	for i := range s.classes {
		b := newBlock(r, s.classes[i].part, s.rows.taps, s.cols.taps)
		c, _ := s.choose(&b)
		if c == tooDear {
			sum = tooDear
			break
		}
		sum.bytes += s.classes[i].times * c.bytes
		sum.products += s.classes[i].times * c.products
	}
	if inner {
		s.interior[h] = sum
	}
	return sum
}

// choose returns the cheapest cut of one tile.
func (s *search) choose(b *block) (cost, cut) {
	least, choice := tooDear, cut{}
	if b.size > s.n {
		return least, choice
	}
	for _, o := range s.optionsFor(s.n / b.size) {
		groups := ceilDiv(s.lanes, o.beside)
		c := cost{
			bytes: int64(groups)*int64(o.uploads)*int64(s.upload) + int64(groups-1)*s.answerBytes(&o, b.outs()*o.beside) +
				s.answerBytes(&o, b.outs()*(s.lanes-(groups-1)*o.beside)),
			products: int64(groups) * o.products,
		}
		if c.less(least) {
			least, choice = c, o.cut
		}
	}
	return least, choice
}

// answerBytes returns the bytes of all answers of a group of lanes that have
// outs outputs of one kernel together.
func (s *search) answerBytes(o *option, outs int) int64 {
	last := s.kernels - (o.answers-1)*o.m
	return int64(o.answers-1)*int64(o.sizes[o.m*outs]) + int64(o.sizes[last*outs])
}

// optionsFor returns the cuts worth a trial when fit blocks go into a
// polynomial: for every number of groups of lanes and of uploads the fewest
// answers, shared out as equally as can be, unless they align with groups of
// channels.
func (s *search) optionsFor(fit int) []option {
	if s.options[fit] == nil {
		for beside := min(fit, s.lanes); beside >= 1; beside-- {
			beside = ceilDiv(s.lanes, ceilDiv(s.lanes, beside))
			s.options[fit] = append(s.options[fit], s.laneOptions(beside, fit/beside)...)
		}
	}
	return s.options[fit]
}

// laneOptions returns the cuts with groups of beside lanes, fit of which go
// into a polynomial.
func (s *search) laneOptions(beside, fit int) []option {
	var opts []option
	for ct := min(fit, s.channels); ct >= 1; {
		o := option{cut: cut{beside: beside}}
		o.uploads = ceilDiv(s.channels, ct)
		o.ct = ceilDiv(s.channels, o.uploads)
		most := min(fit/o.ct, s.maxKernels, s.kernels)
		o.answers = ceilDiv(s.kernels, most)
		o.m = ceilDiv(s.kernels, o.answers)
		if len(opts) == 0 || o.answers < opts[len(opts)-1].answers {
			opts = append(opts, s.alignedTo(o, fit, most))
		}
		ct = o.ct - 1
	}
	return opts
}

// alignedTo completes an option, after making its uploads and answers whole
// groups or parts of them where their numbers stay.
func (s *search) alignedTo(o option, fit, most int) option {
	ct := aligned(o.ct, s.group.channels, min(fit, s.channels))
	m := aligned(o.m, s.group.kernels, most)
	for _, c := range []cut{{ct: ct, m: m}, {ct: ct, m: o.m}, {ct: o.ct, m: m}} {
		c.beside = o.beside
		c.uploads, c.answers = ceilDiv(s.channels, c.ct), ceilDiv(s.kernels, c.m)
		if c.m*c.ct <= fit && c.uploads == o.uploads && c.answers == o.answers && s.group.products(&c) < s.group.products(&o.cut) {
			o.cut = c
		}
	}
	o.sizes = s.prices.answers(o.m)
	o.products = s.group.products(&o.cut)
	return o
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
