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
	if l.view.flat {
		first := b.rows.first
		for i := range b.rows.size {
			y, p := (first+i)/l.view.width, (first+i)%l.view.width
			if top <= y && y < bottom && left <= p && p < right {
				dst[i*b.pitch] = uint32(plane[at(y)+p*col.step+dw-col.pad])
			}
		}
		return
	}
	y0, p0 := b.rows.first+b.rows.lead, b.cols.first+b.cols.lead
	for y := max(top, y0); y < min(bottom, y0+b.rows.size); y++ {
		from, to := dst[(y-y0)*b.pitch:], plane[at(y):]
		for p := max(left, p0); p < min(right, p0+b.cols.size); p++ {
			from[p-p0] = uint32(to[p*col.step+dw-col.pad])
		}
	}
}

// spread adds the taps of plaintext (upload group, answer group) of a set to
// coeffs, which is zero and has n entries.
func (l *Layout) spread(coeffs []int32, set *weightSet, upload, answer int, w []int16) {
	row, col := &l.view.row, &l.view.col
	for s := range min(set.ct, l.view.channels()-upload*set.ct) {
		c, dh, dw := l.view.channel(upload*set.ct + s)
		for k := range min(set.m, l.geometry.OutC-answer*set.m) {
			kernel := w[((answer*set.m+k)*l.geometry.InC+c)*row.kernel*col.kernel:]
			at := (k*set.ct-s)*set.size + (row.taps-1)*set.pitch + col.taps - 1
			for i := 0; i < row.taps && i*row.step+dh < row.kernel; i++ {
				for j := 0; j < col.taps && j*col.step+dw < col.kernel; j++ {
					v := int32(kernel[(i*row.step+dh)*col.kernel+j*col.step+dw])
					if p := at - i*set.pitch - j; p >= 0 {
						coeffs[p] += v
					} else { // X^p = −X^(p+n)
						coeffs[p+l.n] -= v
					}
				}
			}
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
	for k := group * t.m; len(values) > 0; k++ {
		plane := dst[k*rows.outs*cols.outs:]
		for y := range t.rows.outs {
			line := plane[(t.rows.first+y)*cols.outs+t.cols.first:][:t.cols.outs]
			for x := range line {
				line[x] = int32(values[x])
			}
			values = values[t.cols.outs:]
		}
	}
}
