package ot

import (
	"crypto/subtle"
	"math/bits"

	"dorcas/internal/block"
)

// A tree of depth k is a correlation over GF(2^k) (Roy, CRYPTO 2022, section 3,
// figure 7): with r_x the stream of leaf x, x running through the field,
//
//	client: u = Σ r_x, v = Σ x·r_x      server: w = Σ (x ⊕ α)·r_x = v ⊕ α·u.
//
// The server's sum does not need r_α. A row of u is a bit, a row of v or w has k
// bits, which are k columns; α·u is the field's product with a bit, so only the
// field's addition is ever needed. In the server's order, y = x ⊕ α, its sum
// is the client's v without a leaf 0.
//
// With s_x = r_x ⊕ r_(x+1) ⊕ …, column b is the sum of the s_x over all x > 0 that
// 2^b divides: r_y is in ⌊y/2^b⌋ of them, whose parity is bit b of y. So column b is
// column b+1 and the s_x with exactly b trailing zeros. One pass makes a stream,
// adds it to s and s to a column, 2^k + k − 2 passes to a tree; the definition has
// k·2^(k−1) additions for v and 2^k − 1 for u.

// A grove is the keystreams of the leaves of all trees: AES-128-CTR from a block whose
// first half is the session's, so that keys of many sessions cannot be searched for
// at once, and whose second half is zero. Every stream is read once from its start to its
// end, whole blocks at a time, over all Extends of a session, so no part of it is
// used twice. The server's first leaf of a tree is the missing one and its stream is
// never read.
//
// All streams but the first of a tree are always at the same place, which is what the
// kernel lives on.
type grove struct {
	k       int
	streams []*block.Stream // 2^k a tree; with the kernel, the first only
	kernel  treeKernel
}

func newGrove(ctx *context, k int, leaves []block.Block) grove {
	g := grove{k: k, streams: make([]*block.Stream, len(leaves))}
	var key, start [block.Size]byte
	copy(start[:8], ctx[:])
	kernel := g.kernel.start(k, len(leaves), &start)
	for i, leaf := range leaves {
		leaf.Put(key[:])
		if kernel && i%(1<<k) > 0 {
			g.kernel.setKey(i, &key)
		} else {
			g.streams[i] = block.NewStream(&key, &start)
		}
	}
	return g
}

// tree returns the streams of tree i.
func (g *grove) tree(i int) []*block.Stream { return g.streams[i<<g.k:][:1<<g.k] }

// expand sets the k columns of tree i to the next bits of its streams. Column b starts at
// cols[b·stride]; len(sum) bytes of every column are written and sum becomes s_1. It reads
// all streams but the first. After all trees, step must follow.
func (g *grove) expand(i int, cols, sum []byte) {
	if !g.kernel.expand(i, cols, sum) {
		expandTree(cols, sum, g.tree(i))
	}
}

// step tells that n bytes of all streams but perhaps the first of each tree were read.
func (g *grove) step(n int) { g.kernel.step(n) }

// expandTree is grove.expand for the 2^k streams of one tree.
func expandTree(cols, sum []byte, streams []*block.Stream) {
	n := len(sum)
	k := bits.Len(uint(len(streams))) - 1
	for x := len(streams) - 1; x > 0; x-- {
		b := bits.TrailingZeros(uint(x))
		col := cols[b*stride:][:n]
		switch {
		case x == len(streams)-1: // the first of all
			streams[x].Read(sum)
			copy(col, sum)
		case x == len(streams)-1<<b: // the first of the column
			streams[x].XORKeyStream(sum, sum)
			copy(col, sum)
		default:
			streams[x].AddTo(sum, col)
		}
	}
	for b := k - 2; b >= 0; b-- {
		col := cols[b*stride:][:n]
		subtle.XORBytes(col, col, cols[(b+1)*stride:][:n])
	}
}
