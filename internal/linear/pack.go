package linear

// Pack writes the message of upload i: its part of the tensors x of all images
// (channel, row, column), modulo 2^T. m has ring.N entries, each of x has In.
// Only sizes decide what goes where.
func (l *Layout) Pack(m []uint32, i int, x [][]int32) {
	l.checkTensors(x, l.In())
	if len(m) != l.n {
		panic("linear: wrong size of message")
	}
	t, group := l.uploadTile(i)
	clear(m)
	for s := range min(t.ct, l.view.channels()-group*t.ct) {
		for lane := range t.lanes {
			image, fh, fw := l.lane(t.firstLane + lane)
			l.packChannel(m[(s*t.beside+lane)*t.size:], &t.block, group*t.ct+s, fh, fw, x[image])
		}
	}
	mask := uint32(1)<<l.params.T - 1
	for j := range m {
		m[j] &= mask
	}
}

// lane returns image and phases of a lane.
func (l *Layout) lane(i int) (image, fh, fw int) {
	h, w := l.view.row.lanes, l.view.col.lanes
	return i / (h * w), i / w % h, i % w
}

func (l *Layout) checkTensors(x [][]int32, size int) {
	if len(x) != l.images {
		panic("linear: wrong number of tensors")
	}
	for _, t := range x {
		if len(t) != size {
			panic("linear: wrong size of tensor")
		}
	}
}

// packChannel writes the block of one channel of the lane (fh, fw) of image x.
func (l *Layout) packChannel(dst []uint32, b *block, channel, fh, fw int, x []int32) {
	c, dh, dw := l.view.channel(channel)
	dh, dw = dh+fh, dw+fw
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
		at := (row.taps-1)*set.pitch + col.taps - 1 - s*set.beside*set.size - rows.at*set.pitch - cols.at
		group := c / (l.geometry.InC / l.geometry.groups())
		low := max(group*l.view.group.kernels-answer*set.m, 0)
		for k := low; k < min((group+1)*l.view.group.kernels-answer*set.m, kernels); k++ {
			kernel := w[(answer*set.m+k)*size+c%(l.geometry.InC/l.geometry.groups())*taps:]
			l.spreadKernel(coeffs, at+k*set.ct*set.beside*set.size, set.pitch, kernel[:taps], rows, cols)
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
	size := set.beside * set.size
	coeffs[0] = int32(w[0])
	for s, v := range w[1:channels] {
		coeffs[l.n-(s+1)*size] = -int32(v)
	}
	for k := 1; k < kernels; k++ {
		at := k * set.ct * size
		for _, v := range w[k*l.view.channels():][:channels] {
			coeffs[at] = int32(v)
			at -= size
		}
	}
}

// scatter writes values, one for each wanted coefficient of lanes first to
// end−1, to the outputs of a group of kernels of t: dst are the output tensors
// (channel, row, column) from that of the first of these lanes on.
func (l *Layout) scatter(dst [][]int32, t *placed, group, first, end int, values []uint32) {
	image0, _, _ := l.lane(t.firstLane + first)
	outs := t.outs()
	for k := group * t.m; len(values) > 0; k++ {
		for lane := first; lane < end; lane++ {
			image, fh, fw := l.lane(t.firstLane + lane)
			if l.view.lanes > 1 {
				l.scatterLane(dst[image-image0], &t.tile, k, fh, fw, values[:outs])
			} else {
				l.scatterPlane(dst[image-image0], &t.tile, k, values[:outs])
			}
			values = values[outs:]
		}
	}
}

// scatterPlane writes the outputs of a tile of kernel k where an image is one
// lane.
func (l *Layout) scatterPlane(dst []int32, t *tile, k int, values []uint32) {
	rows, cols := l.view.grid()
	lines, width := t.rows.outs, t.cols.outs
	if width == cols.outs { // whole rows follow one another
		lines, width = 1, lines*width
	}
	plane := dst[k*rows.outs*cols.outs:]
	for y := range lines {
		line := plane[(t.rows.first+y)*cols.outs+t.cols.first:][:width]
		for x, v := range values[:width] {
			line[x] = int32(v)
		}
		values = values[width:]
	}
}

// scatterLane writes those outputs of a tile of kernel k that exist: the last
// row and column of some lanes may be beyond the image.
func (l *Layout) scatterLane(dst []int32, t *tile, k, fh, fw int, values []uint32) {
	row, col := &l.view.row, &l.view.col
	h, w := l.geometry.OutH(), l.geometry.OutW()
	stepH, stepW := row.outStep(), col.outStep()
	plane := dst[k*h*w:][:h*w]
	for y := range t.rows.outs {
		at := (t.rows.first+y)*stepH + fh
		if at >= h {
			break
		}
		for x, v := range values[y*t.cols.outs:][:t.cols.outs] {
			if c := (t.cols.first+x)*stepW + fw; c < w {
				plane[at*w+c] = int32(v)
			}
		}
	}
}
