package linear

import (
	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
)

// Where an upload holds one channel, an answer one kernel, and every weight is
// a channel of its own, plaintexts are constants: a layer is a product of a
// matrix of weights with the uploads, as vectors. Then the weights are held as
// words and not as polynomials, and answers are computed several at a time, in
// one passage through the uploads. The answers are the same bytes. Such are
// 1×1 kernels on planes, or on batches of them, that fill more than half of a
// polynomial.

// leastScalar is the number of answers of a tile from which that pays: a
// passage computes ring.Columns of them whether or not there are so many. LOCAL
const leastScalar = 3

// scalar reports whether the plaintexts of set k are constants that are held as
// words.
func (l *Layout) scalar(k int) bool {
	set := &l.sets[k]
	return set.ct == 1 && set.m == 1 && l.view.row.taps == 1 && l.view.col.taps == 1 &&
		l.geometry.groups() == 1 && set.answers >= leastScalar
}

// scalars returns the weights of a set of constants modulo Q: for each
// ring.Columns kernels those of every channel.
func (l *Layout) scalars(w []int16) [][ring.Columns]uint64 {
	row, col := &l.view.row, &l.view.col
	channels, size := l.view.channels(), l.geometry.taps()
	words := make([][ring.Columns]uint64, ceilDiv(l.geometry.OutC, ring.Columns)*channels)
	for u := range channels {
		c, dh, dw := l.view.channel(u)
		rows, cols := row.line(dh), col.line(dw)
		if rows.n == 0 || cols.n == 0 {
			continue // of border only
		}
		at := (c*row.kernel+rows.tap)*col.kernel + cols.tap
		for k := range l.geometry.OutC {
			words[k/ring.Columns*channels+u][k%ring.Columns] = residue(w[k*size+at])
		}
	}
	return words
}

// scalarBytes returns the memory of the words of set k.
func (l *Layout) scalarBytes(k int) int {
	return ceilDiv(l.sets[k].answers, ring.Columns) * l.sets[k].uploads * wordsSize
}

// residue returns w modulo Q.
func residue(w int16) uint64 { return uint64(int64(w)) + ring.Q&uint64(int64(w)>>63) }

// Together returns how many answers, from answer i on, are best computed by one
// call of Answer, at least 1.
func (l *Layout) Together(i int) int {
	t, group := l.answerTile(i)
	if !l.scalar(t.set) {
		return 1
	}
	return min(ring.Columns-group%ring.Columns, t.answers-group)
}

// addScalars sets the sums to those of the answers of set k that are computed
// together with answer group; cts are the uploads of the tile.
func (w *Weights) addScalars(k, group int, cts []rlwe.Ciphertext, s *scratch) {
	for i := range s.sums {
		s.sums[i].Zero()
	}
	rlwe.MulAddScalars(&s.sums, cts, w.sets[k].scalars[group/ring.Columns*len(cts):][:len(cts)])
}
