package linear

// block says how one channel of one tile lies in a message. Row r, column c of
// the places that the message holds stand at coefficient r·pitch + c of the
// block; blocks of several channels follow one another, size apart.
//
// The border is not held for every row and channel: the gap behind a row is
// border on the right of that row and on the left of the next, and the gap
// behind a channel lies below it and above the next.
type block struct {
	rows, cols part
	pitch      int
	size       int
}

// newBlock lays out the tile that takes part r of the rows and c of the
// columns, for kernels of th × tw taps.
//
// An output reads, relative to its block, from −(r.lead·pitch + c.lead) to
// (r.size−1+r.trail)·pitch + c.size−1 + c.trail. The size keeps the first of
// these behind the data of the block before, and the last before the block
// behind. It also leaves room for the taps, so that those of different
// channels and kernels never share a coefficient (the norm of a plaintext is
// then that of its weights).
func newBlock(r, c part, th, tw int) block {
	b := block{rows: r, cols: c}
	b.pitch = max(c.size+max(c.lead, c.trail), tw)
	b.size = (r.size-1)*b.pitch + c.size + max(r.lead*b.pitch+c.lead, r.trail*b.pitch+c.trail)
	b.size = max(b.size, (th-1)*b.pitch+tw)
	return b
}

// outs returns the number of outputs of one kernel.
func (b *block) outs() int { return b.rows.outs * b.cols.outs }

// Positions. With ct channels a message and m kernels a product, channel slot
// s, kernel slot k and a kernel of th × tw taps:
//
//	data (r, c) of s               s·size + r·pitch + c
//	tap (i, j) of s and k          (k·ct−s)·size + (th−1−i)·pitch + tw−1−j
//	output (y, x) of k             k·ct·size + (th−1+y−lead)·pitch + tw−1+x−lead
//
// Output (y, x) reads tap (i, j) at data (y+i−lead, x+j−lead): the exponents
// add up. Any other pair of a tap and a coefficient that meets at an output has
// its data in an empty place if m·ct·size ≤ n: kernels off by k ≠ 0 and
// channels off by s look at block k·ct+s of a circle of n coefficients, where
// only the first ct blocks hold data and reads never reach past a block's gap.
// (Cheetah, USENIX Security 2022, section 4; here the border is shared.)

// outAt returns the place of output (0, 0) in the block of its kernel: not
// negative, since lead < taps.
func (b *block) outAt(th, tw int) int {
	return (th-1-b.rows.lead)*b.pitch + tw - 1 - b.cols.lead
}
