package linear

// grouping is how channels fall into groups: kernel k reads the channels c
// with c / channels = k / kernels, counted after rewriting with stride 1.
type grouping struct{ channels, kernels int }

// sources returns which uploads of a tile hold channels that the kernels of an
// answer read: those from first to end−1. The weights of the others are zeros
// that everybody knows.
func (g grouping) sources(c *cut, answer, kernels int) (first, end int) {
	last := min((answer+1)*c.m, kernels) - 1
	return answer * c.m / g.kernels * g.channels / c.ct, ceilDiv((last/g.kernels+1)*g.channels, c.ct)
}

// products estimates the products of a tile, never too low, exact without
// groups and where groups, uploads and answers align. Both parties compare
// cuts by it.
func (g grouping) products(c *cut) int64 {
	touched := func(n, of int) int { // most parts of length of that n neighbours touch
		if n%of == 0 || of%n == 0 {
			return max(1, n/of)
		}
		return (n-2)/of + 2
	}
	groups := touched(c.m, g.kernels)
	return int64(c.answers) * int64(min(touched(groups*g.channels, c.ct), c.uploads))
}

// aligned returns n grown to a multiple of part, or to a part of part: equal
// bytes with fewer products.
func aligned(n, part, limit int) int {
	if part == 1 || n%part == 0 {
		return n
	}
	if up := ceilDiv(n, part) * part; n > part && up <= limit {
		return up
	}
	for up := n + 1; up < part && up <= limit; up++ {
		if part%up == 0 {
			return up
		}
	}
	return n
}

// startsOf returns, answer by answer, the number of the first plaintext of a
// set, and at the end how many there are.
func (l *Layout) startsOf(c *cut) []int32 {
	starts := make([]int32, c.answers+1)
	for a := range c.answers {
		first, end := l.view.group.sources(c, a, l.geometry.OutC)
		starts[a+1] = starts[a] + int32(end-first)
	}
	return starts
}
