package linear

import "slices"

// axis is one direction (rows or columns) of a convolution, rewritten with
// stride 1: output o of a channel reads its places o to o+taps-1. The channel
// with offset d holds at place p the input at p·step + d − pad, and the weight
// of its tap a is that of the kernel at a·step + d, if the kernel has a tap there:
// its taps stand at multiples of dil. The other weights are public zeros.
//
// Three rewritings serve: by phases, where offset d < step takes every step-th
// tap of the kernel and no input is held twice; unrolled, where every tap
// of the kernel is a channel of its own; and split, for stride 1, where the
// outputs whose places are equal modulo the dilation, and the inputs that they
// read, are an image of their own, a lane, for a kernel without dilation: lane
// f is the above with f added to the offsets.
type axis struct {
	in, kernel int
	dil        int
	step, pad  int
	lanes      int
	outs       int // of one lane
	taps       int
	offsets    []int // channels that some tap and some input reach
	head, tail int   // places, at the two ends, that hold 0 in every channel
}

func newAxis(in, kernel, dil, stride, padLow, outs int, how rewriting) axis {
	ax := axis{in: in, kernel: kernel, dil: max(dil, 1), step: stride, pad: padLow, lanes: 1, outs: outs}
	unroll := how == unrolled
	if how == split && stride == 1 && kernel > 1 {
		stride, ax.step, ax.lanes, ax.outs = ax.dil, ax.dil, min(ax.dil, outs), ceilDiv(outs, ax.dil)
	}
	ax.taps = ceilDiv(extent(kernel, ax.dil), stride)
	if unroll {
		ax.taps = 1
	}
	for a := range kernel {
		d := a * ax.dil
		if !unroll {
			d %= stride
			if a >= stride { // from here on they repeat
				break
			}
		}
		if ax.reached(d) {
			ax.offsets = append(ax.offsets, d)
		}
	}
	slices.Sort(ax.offsets)
	ax.offsets = slices.Compact(ax.offsets)
	if len(ax.offsets) == 0 { // nothing but border: a channel of zeros
		ax.offsets = []int{0}
		return ax
	}
	ax.trim()
	return ax
}

// outStep returns the distance of neighbouring outputs of a lane.
func (ax *axis) outStep() int {
	if ax.lanes > 1 {
		return ax.dil
	}
	return 1
}

// reached reports whether some lane has an input in the channel with offset d.
func (ax *axis) reached(d int) bool {
	for f := range ax.lanes {
		if low, high := ax.held(d + f); low < high {
			return true
		}
	}
	return false
}

// line is which taps of the kernel a channel has: n of them, tap and every
// tapStep-th behind it, as taps at, at+atStep, … of the channel.
type line struct{ n, tap, tapStep, at, atStep int }

// line returns the taps of the channel with offset d.
func (ax *axis) line(d int) line {
	common := gcd(ax.step, ax.dil)
	l := line{tap: ceilDiv(d, ax.dil), tapStep: ax.step / common, atStep: ax.dil / common}
	for l.tap < ax.kernel && (l.tap*ax.dil-d)%ax.step != 0 {
		l.tap++
	}
	if l.at = (l.tap*ax.dil - d) / ax.step; l.tap < ax.kernel && l.at < ax.taps {
		l.n = min(ceilDiv(ax.kernel-l.tap, l.tapStep), ceilDiv(ax.taps-l.at, l.atStep))
	}
	return l
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// places returns the number of places of a channel.
func (ax *axis) places() int { return ax.outs + ax.taps - 1 }

// held returns the range of places that hold inputs in the channel with
// offset d, the others hold border.
func (ax *axis) held(d int) (low, high int) {
	ceil := func(x int) int { return (max(x, 0) + ax.step - 1) / ax.step }
	low = ceil(ax.pad - d)
	high = min(ceil(ax.pad-d+ax.in), ax.places())
	return low, max(low, high)
}

// trim finds head and tail. Each is below taps, so that no tile lies wholly in
// either; a wider border is held as zeros.
func (ax *axis) trim() {
	first, last := ax.places(), 0
	for _, d := range ax.offsets {
		for f := range ax.lanes {
			if low, high := ax.held(d + f); low < high {
				first, last = min(first, low), max(last, high)
			}
		}
	}
	ax.head = min(first, ax.taps-1)
	ax.tail = min(ax.places()-last, ax.taps-1)
}

// part is a run of outputs of an axis and the places that they read: first
// lead places of border, then size places that a message holds, then trail
// places of border.
type part struct {
	first, outs       int
	lead, size, trail int
}

func (ax *axis) part(first, outs int) part {
	p := part{first: first, outs: outs}
	end := first + outs + ax.taps - 1
	p.lead = max(ax.head-first, 0)
	p.trail = max(end-(ax.places()-ax.tail), 0)
	p.size = outs + ax.taps - 1 - p.lead - p.trail
	return p
}

// split cuts the axis into n parts, as equal as can be.
func (ax *axis) split(n int) []part {
	parts := make([]part, n)
	first := 0
	for i := range parts {
		outs := (ax.outs - first) / (n - i)
		parts[i] = ax.part(first, outs)
		first += outs
	}
	return parts
}

// view is a convolution rewritten with stride 1, as packing sees it.
type view struct {
	row, col axis
	group    grouping
	inC      int
	lanes    int // of one image
	// flat: every channel has one tap, so rows follow one another as one
	// column of width·height places and tiles need not end with a row.
	flat  bool
	width int // columns of the output
}

// newView rewrites g.
func newView(g Geometry, rows, cols rewriting) view {
	v := view{
		row:   newAxis(g.InH, g.KH, g.DilH, g.StrideH, g.PadTop, g.OutH(), rows),
		col:   newAxis(g.InW, g.KW, g.DilW, g.StrideW, g.PadLeft, g.OutW(), cols),
		inC:   g.InC,
		width: g.OutW(),
	}
	v.lanes = v.row.lanes * v.col.lanes
	v.group = grouping{channels: v.channels() / g.groups(), kernels: g.OutC / g.groups()}
	v.flat = v.row.taps == 1 && v.col.taps == 1 && v.row.outs*v.col.outs <= maxFlat
	return v
}

// rewriting is how an axis becomes one of stride 1.
type rewriting int

const (
	phases rewriting = iota
	split
	unrolled
)

// maxFlat bounds the planes that are treated as one column, for the time of
// the search. AGREED
const maxFlat = 1 << 12

// grid returns the axes along which tiles are cut.
func (v *view) grid() (rows, cols axis) {
	if v.flat {
		return axis{taps: 1, outs: v.row.outs * v.col.outs}, axis{taps: 1, outs: 1}
	}
	return v.row, v.col
}

// channels returns the number of channels after rewriting.
func (v *view) channels() int { return v.inC * len(v.row.offsets) * len(v.col.offsets) }

// channel returns input channel and offsets of channel i.
func (v *view) channel(i int) (c, dh, dw int) {
	nh, nw := len(v.row.offsets), len(v.col.offsets)
	return i / (nh * nw), v.row.offsets[i/nw%nh], v.col.offsets[i%nw]
}
