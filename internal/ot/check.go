package ot

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"dorcas/internal/block"
)

// The consistency check of Roy (CRYPTO 2022, section 4), made non-interactive. A
// client that sends wrong corrections would make its choice bits differ from tree
// to tree, and the labels it can then tell from random ones would show it Δ. Both
// parties apply one linear hash h of 128 bits to every column: the client to u and
// the columns of v, the server to the columns of w. If the corrections are right,
//
//	h(w_j) = h(v_j) ⊕ Δ_j·h(u)   for each of the 128 columns,
//
// so the client sends h(u) and a digest of all h(v_j). The 128 mask rows are
// added to the hash as they are, which makes h(u) and h(v_j) uniform and hides
// the rows that are used.
//
// Piece by piece, h adds the universal hash of the piece's rows under a key that
// is the digest of session, number of the Extend, n and all corrections up to and
// including this piece. The mask rows' corrections stand before the first piece's.
// So each key is known only after everything that it must judge is fixed: a
// difference between the trees' bits is hashed with a key that did not exist when
// its piece was sent, and no later piece, nor the mask, can be chosen to cancel
// it except by luck.

// proofSize is the size of h(u) and the digest at the end of an extension message.
const proofSize = block.Size + sha256.Size

const labelExtend = "dorcas ot extend"

var (
	labelChallenge = []byte("dorcas ot challenge")
	labelProof     = []byte("dorcas ot proof")
)

// A checker accumulates h over the pieces of one Extend.
type checker struct {
	sha   hash.Hash
	state [sha256.Size]byte
	u     block.Block
	cols  [kappa]block.Block
}

// start begins the Extend number batch of n correlations.
func (c *checker) start(ctx *context, batch uint64, n int) {
	if c.sha == nil {
		c.sha = sha256.New()
	}
	var numbers [16]byte
	binary.LittleEndian.PutUint64(numbers[:], batch)
	binary.LittleEndian.PutUint64(numbers[8:], uint64(n))
	c.state = digest(labelExtend, ctx[:], numbers[:])
	c.u = block.Block{}
	clear(c.cols[:])
}

// challenge takes in a piece's corrections and returns the hash for its rows, of
// which there are 8·size.
func (c *checker) challenge(corrections []byte, size int) *block.Universal {
	c.sha.Reset()
	c.sha.Write(labelChallenge)
	c.sha.Write(c.state[:])
	c.sha.Write(corrections)
	c.sha.Sum(c.state[:0])
	return block.NewUniversal((*[16]byte)(c.state[:]), size)
}

// mask adds the mask rows, which are the first 16 bytes of every column.
func (c *checker) mask(cols []byte) {
	for j := range c.cols {
		c.cols[j] = c.cols[j].Xor(block.Get(cols[j*stride:]))
	}
}

// add adds rows: bytes from to to of every column.
func (c *checker) add(h *block.Universal, cols []byte, from, to int) {
	for j := range c.cols {
		c.cols[j] = c.cols[j].Xor(h.Sum(cols[j*stride+from : j*stride+to]))
	}
}

// proof writes h(u) and the digest of the hashes of the columns.
func (c *checker) proof(dst []byte) {
	c.u.Put(dst)
	c.sha.Reset()
	c.sha.Write(labelProof)
	c.sha.Write(c.state[:])
	c.sha.Write(dst[:block.Size])
	var p [block.Size]byte
	for _, h := range c.cols {
		h.Put(p[:])
		c.sha.Write(p[:])
	}
	c.sha.Sum(dst[block.Size:block.Size])
}
