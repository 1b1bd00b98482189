package ot

import (
	"crypto/sha256"
	"encoding/binary"

	"dorcas/internal/block"
)

// context separates everything that one set-up hashes from all other sessions
// and from trees of other depths.
type context [32]byte

func newContext(k int, session *[32]byte) *context {
	c := context(digest("dorcas ot context", session[:], []byte{byte(k)}))
	return &c
}

// digest is SHA-256 of a label, its length and the parts. Under one label every
// part but the last has one fixed length, so that no two inputs coincide.
func digest(label string, parts ...[]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte{byte(len(label))})
	h.Write([]byte(label))
	for _, p := range parts {
		h.Write(p)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

// expand returns what a party's seed holds under a label and an index.
func (c *context) expand(seed *[32]byte, label string, index int) [32]byte {
	var i [8]byte
	binary.LittleEndian.PutUint64(i[:], uint64(index))
	return digest(label, c[:], seed[:], i[:])
}

// deltaBit returns bit j of Δ.
func deltaBit(d block.Block, j int) uint64 {
	if j < 64 {
		return d.Lo >> j & 1
	}
	return d.Hi >> (j - 64) & 1
}
