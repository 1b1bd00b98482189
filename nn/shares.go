package nn

// shareBits is the width that an accumulator's shares can have: that of its
// integers and guard bits, which keep unit errors below them.
const shareBits = 32

// excess returns by how many bits a settled term is too wide. A strict one
// leaves other accumulators, which later layers may tie to it, all the width
// that they may want.
func (t *term) excess(strict bool) int {
	v := Hull(t.bounds)
	v.Hi += 1 << max(v.Width()-2, 0) // the most that rounding adds
	over := v.Width() - MaxWidth
	if !t.accumulator {
		return over
	}
	if strict {
		return max(over, t.guard()-(shareBits-MaxWidth))
	}
	return max(over, v.Width()+t.guard()-shareBits)
}

// shareable reports whether the shares of all accumulators have room for what
// they need. Public layers tie accumulators together: their shares have one
// width, that of the widest integers asked for, and one number of guard bits.
// The last of the terms is the output.
func shareable(terms []*term) bool {
	parent := map[*term]*term{}
	var find func(t *term) *term
	find = func(t *term) *term {
		if p := parent[t]; p != nil {
			return find(p)
		}
		return t
	}
	for _, t := range terms {
		for _, o := range t.in {
			if a, b := find(t), find(o); t.accumulator && o.accumulator && a != b {
				parent[a] = b
			}
		}
	}
	width, guard := map[*term]int{}, map[*term]int{}
	for i, t := range terms {
		if t.accumulator {
			r := find(t)
			guard[r] = max(guard[r], t.guard())
			if i == len(terms)-1 {
				width[r] = max(width[r], t.width())
			}
		} else if t.layer != nil && t.layer.Activate != nil {
			r := find(t.in[0])
			width[r] = max(width[r], t.layer.Activate.Width)
		}
	}
	for r := range guard {
		if width[r]+guard[r] > shareBits {
			return false
		}
	}
	return true
}
