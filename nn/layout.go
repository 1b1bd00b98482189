package nn

// Layers that move elements and compute nothing but products with constants.

func zeroPad(dst, x []int32, p Pad, in, out Dims) {
	clear(dst)
	for c := range in.C {
		for h := range in.H {
			copy(dst[(c*out.H+h+p.Top)*out.W+p.Left:][:in.W], x[(c*in.H+h)*in.W:][:in.W])
		}
	}
}

// apply copies block by block: one input's elements of all axes from Axis on.
func (c *Concat) apply(dst []int32, ins [][]int32, dims []Dims) {
	blocks := 1 // before the axis
	for axis := range c.Axis {
		blocks *= dims[0].axis(axis)
	}
	for b := range blocks {
		for j, in := range ins {
			n := len(in) / blocks
			to, k := dst[:n], int32(c.Factor[j])
			for i, v := range in[b*n:][:n] {
				to[i] = v * k
			}
			dst = dst[n:]
		}
	}
}

// axis returns the size along axis 0, 1 or 2: channels, rows, columns.
func (d Dims) axis(i int) int { return [3]int{d.C, d.H, d.W}[i] }

func (s *Slice) apply(dst, x []int32, in, out Dims) {
	for c := range out.C {
		for h := range out.H {
			row := x[((s.Start[0]+c*s.Step[0])*in.H+s.Start[1]+h*s.Step[1])*in.W:][:in.W]
			to := dst[(c*out.H+h)*out.W:][:out.W]
			for w := range to {
				to[w] = row[s.Start[2]+w*s.Step[2]]
			}
		}
	}
}

func (t *Transpose) apply(dst, x []int32, in, out Dims) {
	strides := [3]int{in.H * in.W, in.W, 1}
	sc, sh, sw := strides[t.Perm[0]], strides[t.Perm[1]], strides[t.Perm[2]]
	for c := range out.C {
		for h := range out.H {
			to := dst[(c*out.H+h)*out.W:][:out.W]
			for w := range to {
				to[w] = x[c*sc+h*sh+w*sw]
			}
		}
	}
}

// repeat makes every element a rectangle of H × W.
func (f *Factors) repeat(dst, x []int32, in, out Dims) {
	for i := range out.C * out.H {
		row := x[(i/out.H*in.H+i%out.H/f.H)*in.W:][:in.W]
		for w := range out.W {
			dst[i*out.W+w] = row[w/f.W]
		}
	}
}

// stuff moves elements H rows and W columns apart.
func (f *Factors) stuff(dst, x []int32, in, out Dims) {
	clear(dst)
	for c := range in.C {
		for h := range in.H {
			row := dst[(c*out.H+h*f.H)*out.W:][:out.W]
			for w, v := range x[(c*in.H+h)*in.W:][:in.W] {
				row[w*f.W] = v
			}
		}
	}
}
