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

// sums is the room for the sums of a tile.
type sums struct {
	bits  [2][tile]uint64 // rows before they are packed
	total [2][tile]uint32 // Σ w·ρ by colour of the gate; the evaluator's Σ w·e
	keep  [2][tile]uint32 // 1 for the colour of the gate's 0; the evaluator has its colour
}

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

func (g *sumTile) garble(delta block.Block, pads []uint32) {
	w := &g.scratch.sums
	clear(w.total[0][:g.m])
	clear(w.total[1][:g.m])
	last := len(g.Weights) - 1
	if g.Gated > 0 {
		for i, x := range g.wire(last) {
			w.keep[1][i] = uint32(x.Bit())
			w.keep[0][i] = 1 ^ uint32(x.Bit())
		}
	}
	for i, weight := range g.Weights[:len(g.Weights)-min(g.Gated, 1)] {
		width := g.bits - g.Shift(i)
		if width <= 0 {
			continue
		}
		g.scratch.hashBoth(0, g.wire(i), delta, g.tweak.Start, g.counter(i))
		if i < g.Gated {
			g.gated(g.wire(i), uint32(weight))
			ring.PackBits(g.row(width), w.bits[0][:g.m], width)
			ring.PackBits(g.row(width), w.bits[1][:g.m], width)
		} else {
			g.plain(g.wire(i), uint32(weight))
			ring.PackBits(g.row(width), w.bits[0][:g.m], width)
		}
	}
	if g.Gated > 0 {
		g.scratch.hashBoth(0, g.wire(last), delta, g.tweak.Start, g.counter(last))
	}
	g.last(pads)
}

// pair returns the hashes of the labels of colours 0 and 1 of instance i of the
// tile, given that of its zero label; hashBoth has put them into scratch.half.
func (g *sumTile) pair(i int, colour uint64) (h0, h1 uint64) {
	group := i &^ (KeyBatch - 1)
	m := min(KeyBatch, g.m-group)
	both := g.scratch.half[0][2*group:][:2*m]
	zero, one := both[i-group].Lo, both[m+i-group].Lo
	swap := (zero ^ one) & -colour
	return zero ^ swap, one ^ swap
}

// gated adds a gated bit: colour of the zero label is b_0, and b_1 its
// complement.
func (g *sumTile) gated(zero []block.Block, weight uint32) {
	w := &g.scratch.sums
	for i, x := range zero {
		h0, h1 := g.pair(i, x.Bit())
		b0 := uint32(x.Bit())
		for q := range 2 {
			u0, u1, keep := uint32(h0>>(32*q)), uint32(h1>>(32*q)), w.keep[q][i]
			w.bits[q][i] = uint64(u0 - u1 + keep*(1-2*b0))
			w.total[q][i] += weight * (u0 - keep*b0)
		}
	}
}

// plain adds a bit that always counts.
func (g *sumTile) plain(zero []block.Block, weight uint32) {
	w := &g.scratch.sums
	for i, x := range zero {
		h0, h1 := g.pair(i, x.Bit())
		b0 := uint32(x.Bit())
		u0, u1 := uint32(h0), uint32(h1)
		w.bits[0][i] = uint64(u0 - u1 + 1 - 2*b0)
		rho := weight * (u0 - b0)
		w.total[0][i] += rho
		w.total[1][i] += rho
	}
}

// last writes the last row: what makes the sum of the garbler's shares pad.
func (g *sumTile) last(pads []uint32) {
	w := &g.scratch.sums
	if g.Gated == 0 {
		for i, pad := range pads {
			w.bits[0][i] = uint64(pad - w.total[0][i] + uint32(g.Const))
		}
		ring.PackBits(g.row(g.bits), w.bits[0][:g.m], g.bits)
		return
	}
	gate := g.wire(len(g.Weights) - 1)
	weight := uint32(g.Weights[len(g.Weights)-1])
	for i, pad := range pads {
		colour := gate[i].Bit()
		h0, h1 := g.pair(i, colour)
		rest := pad + uint32(g.Const)
		w.bits[0][i] = uint64(rest - w.total[0][i] + weight*uint32(colour) - uint32(h0))
		w.bits[1][i] = uint64(rest - w.total[1][i] + weight*uint32(1^colour) - uint32(h1))
	}
	ring.PackBits(g.row(g.bits), w.bits[0][:g.m], g.bits)
	ring.PackBits(g.row(g.bits), w.bits[1][:g.m], g.bits)
}

func (g *sumTile) evaluate(sums []uint32) {
	w := &g.scratch.sums
	total := w.total[0][:g.m]
	clear(total)
	last := len(g.Weights) - 1
	if g.Gated > 0 {
		for i, x := range g.wire(last) {
			w.keep[0][i] = uint32(x.Bit())
		}
	}
	for i, weight := range g.Weights[:len(g.Weights)-min(g.Gated, 1)] {
		width := g.bits - g.Shift(i)
		if width <= 0 {
			continue
		}
		g.hash(i)
		ring.UnpackBits(w.bits[0][:g.m], g.row(width), width)
		if i < g.Gated {
			ring.UnpackBits(w.bits[1][:g.m], g.row(width), width)
		}
		g.open(g.wire(i), i < g.Gated)
		for j := range total {
			total[j] += uint32(weight) * uint32(w.bits[0][j])
		}
	}
	ring.UnpackBits(w.bits[0][:g.m], g.row(g.bits), g.bits)
	if g.Gated > 0 {
		ring.UnpackBits(w.bits[1][:g.m], g.row(g.bits), g.bits)
		g.hash(last)
		for j, h := range g.scratch.half[0][:g.m] {
			q := -uint64(w.keep[0][j])
			total[j] += uint32(h.Lo) + uint32(w.bits[0][j]^(w.bits[0][j]^w.bits[1][j])&q)
		}
	} else {
		for j := range total {
			total[j] += uint32(w.bits[0][j])
		}
	}
	mask := uint32(1<<g.bits - 1)
	for j, v := range total {
		sums[j] = v & mask
	}
}

// hash hashes the labels of output i into scratch.half.
func (g *sumTile) hash(i int) {
	h := g.scratch.half[0][:g.m]
	for j, x := range g.wire(i) {
		h[j] = number(x, j)
	}
	g.scratch.hashBatch(h, h, g.scratch.keyBatch(g.m, g.tweak.Start, g.counter(i)), KeyBatch)
}

// open replaces the rows of a wire, in bits[0] and, if it is gated, bits[1], by
// the evaluator's shares, in bits[0].
func (g *sumTile) open(labels []block.Block, gated bool) {
	w := &g.scratch.sums
	h := g.scratch.half[0][:g.m]
	if !gated {
		for j, x := range labels {
			w.bits[0][j] = uint64(uint32(h[j].Lo) + uint32(w.bits[0][j]&-x.Bit()))
		}
		return
	}
	for j, x := range labels {
		q := -uint64(w.keep[0][j])
		row := w.bits[0][j] ^ (w.bits[0][j]^w.bits[1][j])&q
		w.bits[0][j] = uint64(uint32(h[j].Lo>>(32&q)) + uint32(row&-x.Bit()))
	}
}
