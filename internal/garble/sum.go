package garble

import (
	"fmt"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/ring"
)

// The end of a circuit that has a Sum: labels of bits become additive shares of
// the integer z that the bits stand for. The evaluator gets z + pad mod 2^bits,
// the garbler keeps pad. It is a projection of every wire to the integers (Ball,
// Malkin, Rosulek, CCS 2016, section 4, with one of two rows left out) and costs
// some bits of table, where an And gate costs two blocks.
//
// A bit b with labels L_0 (colour 0) and L_1, keys as for And gates, and h_c
// the words of H(k, L_c). Let b_c be the bit of colour c. The row is
//
//	C = h_0 − h_1 + b_1 − b_0
//
// and the evaluator's share e = h_c + c·C is b + ρ with ρ = h_0 − b_0. So
// Σ w·e is z and a sum of the garbler's, whose difference to pad is a last row D.
// A bit of weight w = 2^j·odd is needed mod 2^(bits−j) only.
//
// A gated bit counts where gate g is 0. It has two words and two rows, one for
// each colour q of the gate: under the q that g = 0 has it is shared as above,
// under the other one zero is shared. The last row has two words also, each under the
// gate's label of that colour, so that the evaluator gets the difference for the
// words that it must use, and has no use for the others.

// maxSumBits is the width of a word.
const maxSumBits = 32

// SumKeys returns how many key counters the sums of a batch of n instances take.
func SumKeys(s *circuit.Sum, n int) uint64 { return uint64(len(s.Weights)) * groups(n) }

// SumSize returns the bytes of the rows of n instances, for sums modulo 2^bits,
// 1 ≤ bits ≤ 32: wire by wire, then the last row.
func SumSize(s *circuit.Sum, bits, n int) int {
	size := lastRows(s) * ring.PackedSize(n, bits)
	for i := range len(s.Weights) - min(s.Gated, 1) {
		if width := bits - s.Shift(i); width > 0 {
			size += wireRows(s, i) * ring.PackedSize(n, width)
		}
	}
	return size
}

// wireRows returns the number of rows of wire i, lastRows of the last one.
func wireRows(s *circuit.Sum, i int) int {
	if i < s.Gated {
		return 2
	}
	return 1
}

func lastRows(s *circuit.Sum) int { return 1 + min(s.Gated, 1) }

// GarbleSum writes the rows of n instances to table, of SumSize bytes. labels
// has the zero labels of the outputs, [len(Weights)][n], pads the garbler's
// shares. The counters from t.Next on, SumKeys(s, n) of them, serve nothing else
// under this Δ. It panics if a length does not fit or if the counters run over.
func GarbleSum(s *circuit.Sum, bits, n int, delta block.Block, t Tweak, labels []block.Block, pads []uint32, table []byte, scratch *Scratch) {
	checkSum(s, bits, n, t, labels, pads, table)
	if delta.Bit() != 1 {
		panic("garble: bit 0 of delta is not set")
	}
	for first := 0; first < n; first += tile {
		m := min(tile, n-first)
		g := sumTile{s, bits, n, first, m, t, labels, table, scratch}
		g.garble(delta, pads[first:][:m])
	}
}

// EvaluateSum sets sums to z + pad mod 2^bits for n instances. labels has one
// label of every output.
func EvaluateSum(s *circuit.Sum, bits, n int, t Tweak, labels []block.Block, sums []uint32, table []byte, scratch *Scratch) {
	checkSum(s, bits, n, t, labels, sums, table)
	for first := 0; first < n; first += tile {
		m := min(tile, n-first)
		g := sumTile{s, bits, n, first, m, t, labels, table, scratch}
		g.evaluate(sums[first:][:m])
	}
}

func checkSum(s *circuit.Sum, bits, n int, t Tweak, labels []block.Block, values []uint32, table []byte) {
	if bits < 1 || bits > maxSumBits {
		panic(fmt.Sprintf("garble: sums of %d bits", bits))
	}
	if len(labels) != len(s.Weights)*n || len(values) != n || len(table) != SumSize(s, bits, n) {
		panic(fmt.Sprintf("garble: %d labels, %d values and %d bytes do not fit sums of %d instances", len(labels), len(values), len(table), n))
	}
	if t.Next+SumKeys(s, n) < t.Next {
		panic("garble: key counters run over")
	}
}

// sumTile is the sums of m instances from first on.
type sumTile struct {
	*circuit.Sum
	bits, n, first, m int
	tweak             Tweak
	labels            []block.Block
	table             []byte // what is left of it
	scratch           *Scratch
}

// wire returns the labels of output i.
func (g *sumTile) wire(i int) []block.Block { return g.labels[i*g.n+g.first:][:g.m] }

// counter returns the first key counter of output i.
func (g *sumTile) counter(i int) uint64 {
	return g.tweak.Next + uint64(i)*groups(g.n) + uint64(g.first)/KeyBatch
}

// row returns the tile's part of the next row. A tile begins at a whole byte.
func (g *sumTile) row(width int) []byte {
	size := ring.PackedSize(g.n, width)
	row := g.table[:size][g.first*width/8:][:ring.PackedSize(g.m, width)]
	g.table = g.table[size:]
	return row
}

// garble writes the tile's rows.
func (g *sumTile) garble(delta block.Block, pads []uint32) {
	w := &g.scratch.sums
	clear(w.total[:g.m])
	g.each(delta, func() {
		for i, colour := range w.gate.colours[:g.m] {
			w.keep[i] = colour ^ (1<<32 - 1)
		}
	}, func(i int, x *words) {
		width := g.bits - g.Shift(i)
		if i < g.Gated {
			w.shareGated(x, uint32(g.Weights[i]), g.m)
			g.pack(0, width)
			g.pack(1, width)
		} else {
			w.sharePlain(x, uint32(g.Weights[i]), g.m)
			g.pack(0, width)
		}
	})
	g.last(pads)
}

// each hashes the wires that have rows, two at a time, and calls use for them in
// their order. The gate is the first to be hashed; gate is called for it.
func (g *sumTile) each(delta block.Block, gate func(), use func(i int, x *words)) {
	w := &g.scratch.sums
	gated := min(g.Gated, 1)
	order, rows := w.order[:0], len(g.Weights)-gated
	if gated > 0 {
		order = append(order, rows)
	}
	for i := range rows {
		if g.bits > g.Shift(i) {
			order = append(order, i)
		}
	}
	w.order = order
	// keys returns the counters of two wires, and after the last of those of the
	// next tile's first two.
	keys := func(p int) [2]uint64 {
		first := uint64(0)
		if p >= len(order) {
			p, first = 0, tile/KeyBatch
		}
		return [2]uint64{g.counter(order[p]) + first, g.counter(order[min(p+1, len(order)-1)]) + first}
	}
	for p := 0; p < len(order); p += 2 {
		x, y, i := &w.words[0], &w.words[1], order[p]
		if p < gated {
			x = &w.gate
		}
		var b []block.Block
		if p+1 < len(order) {
			b = g.wire(order[p+1])
		} else {
			y = nil
		}
		if delta.Bit() == 1 {
			g.scratch.garbleWords(x, y, g.wire(i), b, delta, g.tweak.Start, keys(p), keys(p+2))
		} else {
			g.scratch.evaluateWords(x, y, g.wire(i), b, g.tweak.Start, keys(p), keys(p+2))
		}
		if p < gated {
			gate()
		} else {
			use(i, x)
		}
		if y != nil {
			use(order[p+1], y)
		}
	}
}

// pack writes the next row from one of the two.
func (g *sumTile) pack(row, width int) {
	ring.PackBits(g.row(width), g.scratch.sums.rows[row][:g.m], width)
}

// unpack reads the next row into one of the two.
func (g *sumTile) unpack(row, width int) {
	ring.UnpackBits(g.scratch.sums.rows[row][:g.m], g.row(width), width)
}

// last writes the last row: what makes the sum of the garbler's shares pad.
func (g *sumTile) last(pads []uint32) {
	w := &g.scratch.sums
	if g.Gated == 0 {
		for i, pad := range pads {
			w.rows[0][i] = uint64(pad - uint32(w.total[i]) + uint32(g.Const))
		}
		g.pack(0, g.bits)
		return
	}
	weight := uint32(g.Weights[len(g.Weights)-1])
	for i, pad := range pads {
		total, colour := w.total[i], uint32(w.gate.colours[i])
		rest := pad + uint32(g.Const)
		w.rows[0][i] = uint64(rest - uint32(total) + weight&colour - uint32(w.gate.h[0][i]))
		w.rows[1][i] = uint64(rest - uint32(total>>32) + weight&^colour - uint32(w.gate.h[1][i]))
	}
	g.pack(0, g.bits)
	g.pack(1, g.bits)
}

// evaluate reads the tile's rows.
func (g *sumTile) evaluate(sums []uint32) {
	w := &g.scratch.sums
	clear(w.total[:g.m])
	g.each(block.Block{}, func() {}, func(i int, x *words) {
		width := g.bits - g.Shift(i)
		g.unpack(0, width)
		if i < g.Gated {
			g.unpack(1, width)
			w.openGated(x, uint32(g.Weights[i]), g.m)
		} else {
			w.openPlain(x, uint32(g.Weights[i]), g.m)
		}
	})
	g.unpack(0, g.bits)
	mask := uint32(1<<g.bits - 1)
	if g.Gated == 0 {
		for i := range sums {
			sums[i] = (uint32(w.total[i]) + uint32(w.rows[0][i])) & mask
		}
		return
	}
	g.unpack(1, g.bits)
	for i := range sums {
		row := w.rows[0][i] ^ (w.rows[0][i]^w.rows[1][i])&w.gate.colours[i]
		sums[i] = (uint32(w.total[i]) + uint32(w.gate.h[0][i]) + uint32(row)) & mask
	}
}
