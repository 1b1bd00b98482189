package nn

// publicBounds returns the intervals of the output channels of a public linear
// layer for inputs within ins, of dimensions dims.
func (l *Layer) publicBounds(ins [][]Interval, dims []Dims) []Interval {
	in := ins[0]
	switch {
	case l.SumPool != nil:
		return l.SumPool.bounds(in, dims[0], l.Out)
	case l.Add != nil:
		out := make([]Interval, l.Out.C)
		for j, v := range ins {
			for c := range out {
				out[c] = out[c].plus(v[c].scale(int64(l.Add.Factor[j])))
			}
		}
		return out
	case l.Concat != nil:
		return l.Concat.bounds(ins)
	case l.ZeroPad != nil && *l.ZeroPad != Pad{}, l.Stuff != nil && *l.Stuff != Factors{1, 1}:
		out := make([]Interval, len(in))
		for c, v := range in {
			out[c] = v.hull(Interval{})
		}
		return out
	case l.Slice != nil:
		out := make([]Interval, l.Out.C)
		for c := range out {
			out[c] = in[l.Slice.Start[0]+c*l.Slice.Step[0]]
		}
		return out
	case l.Transpose != nil && l.Transpose.Perm[0] != 0:
		return fill(l.Out.C, Hull(in))
	case l.Reshape != nil:
		return reshapeBounds(in, dims[0], l.Out)
	}
	return in
}

// bounds: every result of a Level pool is Divisor times the average of some
// elements; in the sum of another, any number of them may be border.
func (p *SumPool) bounds(in []Interval, from, to Dims) []Interval {
	out := make([]Interval, len(in))
	n := int64(p.Divisor(from, to))
	for c, v := range in {
		if !p.Level {
			v = v.hull(Interval{})
		}
		out[c] = v.scale(n)
	}
	return out
}

func (c *Concat) bounds(ins [][]Interval) []Interval {
	var out []Interval
	for j, in := range ins {
		for i, v := range in {
			v = v.scale(int64(c.Factor[j]))
			if c.Axis == 0 || j == 0 {
				out = append(out, v)
			} else {
				out[i] = out[i].hull(v)
			}
		}
	}
	return out
}

func reshapeBounds(in []Interval, from, to Dims) []Interval {
	if to.C != from.Len() {
		return fill(to.C, Hull(in))
	}
	out := make([]Interval, to.C)
	for i := range out {
		out[i] = in[i/(from.H*from.W)]
	}
	return out
}
