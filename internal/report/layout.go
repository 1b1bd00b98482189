package report

import (
	"cmp"
	"slices"
)

// vertex is a layer in the picture, or a bend of an edge that passes a row.
type vertex struct {
	layer int // -1 for a bend
	row   int
	x     float64 // of the middle
	width float64
	up    []int // vertices of the row above
	down  []int
}

// layout is a picture of a directed graph in rows, edges pointing down: the
// method of Sugiyama, Tagawa and Toda (1981). Rows are longest paths from the
// input, edges get a bend in each row that they pass, rows are ordered by
// barycentres, and positions are averages of neighbours, pushed apart.
type layout struct {
	vertices []vertex
	rows     [][]int // vertices from left to right
	of       []int   // the vertex of each layer
	width    float64
}

// Widths of the picture, in its units.
const (
	boxWidth  = 232.0
	bendWidth = 26.0
	gap       = 26.0
)

// newLayout places layers; in lists what each takes, always earlier ones.
func newLayout(in [][]int) *layout {
	l := &layout{}
	depth := make([]int, len(in))
	for i, from := range in {
		for _, f := range from {
			depth[i] = max(depth[i], depth[f]+1)
		}
		l.of = append(l.of, l.add(i, depth[i], boxWidth))
	}
	for i, from := range in {
		from = slices.Compact(slices.Sorted(slices.Values(from)))
		for _, f := range from {
			last := l.of[f]
			for row := depth[f] + 1; row < depth[i]; row++ {
				bend := l.add(-1, row, bendWidth)
				l.connect(last, bend)
				last = bend
			}
			l.connect(last, l.of[i])
		}
	}
	l.order()
	l.place()
	return l
}

func (l *layout) add(layer, row int, width float64) int {
	for len(l.rows) <= row {
		l.rows = append(l.rows, nil)
	}
	v := len(l.vertices)
	l.vertices = append(l.vertices, vertex{layer: layer, row: row, width: width})
	l.rows[row] = append(l.rows[row], v)
	return v
}

func (l *layout) connect(from, to int) {
	l.vertices[from].down = append(l.vertices[from].down, to)
	l.vertices[to].up = append(l.vertices[to].up, from)
}

// sweeps is how often rows are ordered.
const sweeps = 8

// order sorts each row by where its neighbours stand, down and up in turn.
func (l *layout) order() {
	at := make([]float64, len(l.vertices))
	number := func(row []int) {
		for i, v := range row {
			at[v] = float64(i)
		}
	}
	for _, row := range l.rows {
		number(row)
	}
	for s := range sweeps {
		for i := range l.rows {
			row := l.rows[i]
			if s%2 == 1 {
				row = l.rows[len(l.rows)-1-i]
			}
			key := map[int]float64{}
			for _, v := range row {
				near := l.vertices[v].up
				if s%2 == 1 {
					near = l.vertices[v].down
				}
				key[v] = mean(near, at, at[v])
			}
			slices.SortStableFunc(row, func(a, b int) int { return cmp.Compare(key[a], key[b]) })
			number(row)
		}
	}
}

// mean returns the average of at over the vertices, or missing.
func mean(of []int, at []float64, missing float64) float64 {
	if len(of) == 0 {
		return missing
	}
	sum := 0.0
	for _, v := range of {
		sum += at[v]
	}
	return sum / float64(len(of))
}

// place chooses positions: each vertex where its neighbours are on average,
// without overlaps.
func (l *layout) place() {
	x := make([]float64, len(l.vertices))
	for _, row := range l.rows {
		l.spread(row, x)
	}
	for s := range pulls {
		for i := range l.rows {
			row := l.rows[i]
			if s%2 == 1 {
				row = l.rows[len(l.rows)-1-i]
			}
			for _, v := range row {
				x[v] = l.pull(v, x)
			}
			l.spread(row, x)
		}
	}
	left, right := 0.0, 0.0
	for v := range l.vertices {
		left, right = min(left, x[v]-l.vertices[v].width/2), max(right, x[v]+l.vertices[v].width/2)
	}
	for v := range l.vertices {
		l.vertices[v].x = x[v] - left
	}
	l.width = right - left
}

// pulls is how often positions are averaged, and straight how much stronger
// an edge pulls that alone leads from one vertex to another, so that chains
// are straight.
const (
	pulls    = 600
	straight = 100
)

// pull returns where the neighbours of a vertex pull it.
func (l *layout) pull(v int, x []float64) float64 {
	sum, weights := 0.0, 0.0
	of := &l.vertices[v]
	add := func(near int, alone bool) {
		w := 1.0
		if alone {
			w = straight
		}
		sum, weights = sum+w*x[near], weights+w
	}
	for _, u := range of.up {
		add(u, len(of.up) == 1 && len(l.vertices[u].down) == 1)
	}
	for _, d := range of.down {
		add(d, len(of.down) == 1 && len(l.vertices[d].up) == 1)
	}
	if weights == 0 {
		return x[v]
	}
	return sum / weights
}

// spread moves the vertices of a row apart, as little as it takes: runs that
// overlap become blocks around the average of where they want to be.
func (l *layout) spread(row []int, x []float64) {
	type block struct {
		first, n int
		sum      float64 // of the wanted position of the first vertex
	}
	offset := make([]float64, len(row)) // of each from the first of the row
	for i := 1; i < len(row); i++ {
		offset[i] = offset[i-1] + (l.vertices[row[i-1]].width+l.vertices[row[i]].width)/2 + gap
	}
	var blocks []block
	for i, v := range row {
		blocks = append(blocks, block{i, 1, x[v] - offset[i]})
		for len(blocks) > 1 {
			a, b := &blocks[len(blocks)-2], blocks[len(blocks)-1]
			if a.sum/float64(a.n) <= b.sum/float64(b.n) {
				break
			}
			a.n, a.sum = a.n+b.n, a.sum+b.sum
			blocks = blocks[:len(blocks)-1]
		}
	}
	for _, b := range blocks {
		for i := b.first; i < b.first+b.n; i++ {
			x[row[i]] = b.sum/float64(b.n) + offset[i]
		}
	}
}
