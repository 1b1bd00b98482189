package protocol

import "dorcas/nn"

// windowGroups sorts the windows of a chunk by how many words they are the
// largest of: those at a border have fewer.
func windowGroups(ch *chunk, cs *stageCircuits, w *nn.Window, in, out nn.Dims, firstOut int) {
	words := w.Elements
	if sharesRows(w, in, out) {
		r := newRowParts(ch, cs, w, in, out)
		words = r.of
	}
	group := make([]int, w.KH*w.KW+1) // of a size, counted from 1
	var window []int32
	for o := range out.Len() {
		window = words(in, o/(out.H*out.W), o/out.W%out.H, o%out.W, window[:0])
		size := len(window)
		if group[size] == 0 {
			ch.pools = append(ch.pools, pool{circuit: cs.pool(size), size: size})
			ch.outs = append(ch.outs, outs{})
			group[size] = len(ch.pools)
		}
		g := group[size] - 1
		ch.pools[g].gather = append(ch.pools[g].gather, window...)
		ch.outs[g].elements = append(ch.outs[g].elements, int32(firstOut+o))
	}
}

// sharesRows reports whether taking the largest elements of parts of rows first
// saves comparisons: windows that overlap from top to bottom have them in
// common.
func sharesRows(w *nn.Window, in, out nn.Dims) bool {
	rows := 0
	for _, used := range rowsUsed(w, in, out) {
		if used {
			rows++
		}
	}
	direct := out.H * (w.KH*w.KW - 1)
	return rows*(w.KW-1)+out.H*(w.KH-1) < direct
}

// rowsUsed says which rows of a plane some window has.
func rowsUsed(w *nn.Window, in, out nn.Dims) []bool {
	used := make([]bool, in.H)
	dh, _ := w.Dilation()
	for oh := range out.H {
		for kh := range w.KH {
			if h := oh*w.StrideH + kh*dh - w.Pad.Top; h >= 0 && h < in.H {
				used[h] = true
			}
		}
	}
	return used
}

// rowParts are the words of a chunk's rows: for each row that is used, and each
// column of windows, the largest of what a window there has of the row.
type rowParts struct {
	window *nn.Window
	index  []int32 // [channel][row][column of windows] → word
}

// newRowParts adds to the chunk the batches that make the words.
func newRowParts(ch *chunk, cs *stageCircuits, w *nn.Window, in, out nn.Dims) *rowParts {
	r := &rowParts{window: w, index: make([]int32, in.C*in.H*out.W)}
	line := *w // one row of the window
	line.KH, line.StrideH, line.DilH, line.Pad.Top = 1, 1, 0, 0
	used := rowsUsed(w, in, out)
	group := make([]int, w.KW+1) // of a size, counted from 1
	var of []int                 // the group of each word, in order
	var places []int
	var elements []int32
	for i := range r.index {
		c, h, ow := i/(in.H*out.W), i/out.W%in.H, i%out.W
		if !used[h] {
			continue
		}
		elements = line.Elements(in, c, h, ow, elements[:0])
		size := len(elements)
		if group[size] == 0 {
			ch.rows = append(ch.rows, pool{circuit: cs.max(size), size: size})
			group[size] = len(ch.rows)
		}
		g := group[size] - 1
		r.index[i] = int32(len(ch.rows[g].gather) / size)
		ch.rows[g].gather = append(ch.rows[g].gather, elements...)
		of, places = append(of, g), append(places, i)
	}
	first := make([]int32, len(ch.rows))
	for g := range ch.rows {
		first[g] = int32(ch.rowWords)
		ch.rowWords += ch.rows[g].batch().n
	}
	for k, i := range places {
		r.index[i] += first[of[k]]
	}
	return r
}

// of appends to dst the words of window (c, oh, ow), as Window.Elements does
// elements.
func (r *rowParts) of(in nn.Dims, c, oh, ow int, dst []int32) []int32 {
	w := r.window
	dh, _ := w.Dilation()
	columns := len(r.index) / (in.C * in.H)
	for kh := range w.KH {
		if h := oh*w.StrideH + kh*dh - w.Pad.Top; h >= 0 && h < in.H {
			dst = append(dst, r.index[(c*in.H+h)*columns+ow])
		}
	}
	return dst
}

// batch returns the batch of all windows.
func (p *pool) batch() batch { return batch{p.circuit, len(p.gather) / p.size} }
