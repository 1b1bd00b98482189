package linear

// Pack writes the message of upload i: its part of the tensor x (channel, row,
// column), modulo 2^T. m has ring.N entries, x has In. Only sizes decide what
// goes where.
func (l *Layout) Pack(m []uint32, i int, x []int32) {
	if len(m) != l.n || len(x) != l.In() {
		panic("linear: wrong size of message or tensor")
	}
	t, group := l.uploadTile(i)
	clear(m)
	for s := range min(t.ct, l.view.channels()-group*t.ct) {
		l.packChannel(m[s*t.size:], &t.block, group*t.ct+s, x)
	}
	mask := uint32(1)<<l.params.T - 1
	for j := range m {
		m[j] &= mask
	}
}

// packChannel writes the block of one channel.
func (l *Layout) packChannel(dst []uint32, b *block, channel int, x []int32) {
	c, dh, dw := l.view.channel(channel)
	plane := x[c*l.geometry.InH*l.geometry.InW:][:l.geometry.InH*l.geometry.InW]
	row, col := &l.view.row, &l.view.col
	top, bottom := row.held(dh)
	left, right := col.held(dw)
	at := func(y int) int { return (y*row.step + dh - row.pad) * l.geometry.InW }
	if l.view.flat { // one column of places, pitch 1
		first, last := b.rows.first, b.rows.first+b.rows.size
		for y := max(top, first/l.view.width); y < bottom && y*l.view.width < last; y++ {
			start := y * l.view.width
			if from, to := max(left, first-start), min(right, last-start); from < to {
				copyPlaces(dst[start+from-first:][:to-from], plane[at(y)+from*col.step+dw-col.pad:], col.step)
			}
		}
		return
	}
	y0, p0 := b.rows.first+b.rows.lead, b.cols.first+b.cols.lead
	from, to := max(left, p0), min(right, p0+b.cols.size)
	if from >= to {
		return
	}
	for y := max(top, y0); y < min(bottom, y0+b.rows.size); y++ {
		copyPlaces(dst[(y-y0)*b.pitch+from-p0:][:to-from], plane[at(y)+from*col.step+dw-col.pad:], col.step)
	}
}

// copyPlaces fills dst with every step-th element of src.
func copyPlaces(dst []uint32, src []int32, step int) {
	if step == 1 {
		for i, v := range src[:len(dst)] {
			dst[i] = uint32(v)
		}
		return
	}
	for i := range dst {
		dst[i] = uint32(src[i*step])
	}
}

// spread adds the taps of plaintext (upload group, answer group) of a set to
// coeffs, which is zero and has n entries.
func (l *Layout) spread(coeffs []int32, set *weightSet, upload, answer int, w []int16) {
	row, col := &l.view.row, &l.view.col
	taps, size := row.kernel*col.kernel, l.geometry.taps()
	kernels := min(set.m, l.geometry.OutC-answer*set.m)
	channels := min(set.ct, l.view.channels()-upload*set.ct)
	if row.taps == 1 && col.taps == 1 && len(row.offsets)*len(col.offsets) == taps && l.geometry.groups() == 1 {
		l.spreadMatrix(coeffs, set, w[answer*set.m*size+upload*set.ct:], channels, kernels)
		return
	}
	for s := range channels {
		c, dh, dw := l.view.channel(upload*set.ct + s)
		rows, cols := row.line(dh), col.line(dw)
		at := (row.taps-1)*set.pitch + col.taps - 1 - s*set.size - rows.at*set.pitch - cols.at
		group := c / (l.geometry.InC / l.geometry.groups())
		low := max(group*l.view.group.kernels-answer*set.m, 0)
		for k := low; k < min((group+1)*l.view.group.kernels-answer*set.m, kernels); k++ {
			kernel := w[(answer*set.m+k)*size+c%(l.geometry.InC/l.geometry.groups())*taps:]
			l.spreadKernel(coeffs, at+k*set.ct*set.size, set.pitch, kernel[:taps], rows, cols)
		}
	}
}

// spreadKernel adds the taps of one channel of one kernel, the first at the
// place at, which may be negative.
func (l *Layout) spreadKernel(coeffs []int32, at, pitch int, kernel []int16, rows, cols line) {
	for i := range rows.n {
		first := (rows.tap+i*rows.tapStep)*l.view.col.kernel + cols.tap
		p := at - i*rows.atStep*pitch
		for j := range cols.n {
			v := int32(kernel[first+j*cols.tapStep])
			if q := p - j*cols.atStep; q >= 0 {
				coeffs[q] += v
			} else { // X^q = −X^(q+n)
				coeffs[q+l.n] -= v
			}
		}
	}
}

// spreadMatrix is spread where every weight is a channel of its own: kernel k
// has channels weights from w[k·l.view.channels()] on.
func (l *Layout) spreadMatrix(coeffs []int32, set *weightSet, w []int16, channels, kernels int) {
	coeffs[0] = int32(w[0])
	for s, v := range w[1:channels] {
		coeffs[l.n-(s+1)*set.size] = -int32(v)
	}
	for k := 1; k < kernels; k++ {
		at := k * set.ct * set.size
		for _, v := range w[k*l.view.channels():][:channels] {
			coeffs[at] = int32(v)
			at -= set.size
		}
	}
}

// scatter writes values, one for each wanted coefficient, to the outputs of a
// group of kernels of t: dst is the output tensor (channel, row, column).
func (l *Layout) scatter(dst []int32, t *placed, group int, values []uint32) {
	if len(dst) != l.Out() {
		panic("linear: wrong size of output tensor")
	}
	rows, cols := l.view.grid()
	lines, width := t.rows.outs, t.cols.outs
	if width == cols.outs { // whole rows follow one another
		lines, width = 1, lines*width
	}
	for k := group * t.m; len(values) > 0; k++ {
		plane := dst[k*rows.outs*cols.outs:]
		for y := range lines {
			line := plane[(t.rows.first+y)*cols.outs+t.cols.first:][:width]
			for x, v := range values[:width] {
				line[x] = int32(v)
			}
			values = values[width:]
		}
	}
}
