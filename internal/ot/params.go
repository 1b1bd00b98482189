package ot

import "dorcas/internal/block"

const (
	// kappa is the number of bits of Δ, of columns and of base transfers.
	// SECURITY.
	kappa = block.Columns

	// K is the depth of the trees under silent transfer and of SoftSpoken4. The depth k is
	// the number of bits of Δ that one tree stands for: a transfer costs 128/k − 1 bits on
	// the wire and 2^k·128/k bits of AES output a party. AGREED.
	K = 4

	// MaxExtend is the greatest number of correlations of one Extend. AGREED.
	MaxExtend = 1 << 20

	// maskRows is the number of extra correlations that every Extend spends on
	// hiding what its check reveals: as many as the hash has bits. SECURITY.
	maskRows = 128

	// pieceRows is the number of rows that are made, hashed and transposed
	// together, so that 128 columns of them stay in a level 2 cache. A multiple
	// of 128. AGREED, since every piece has its own challenge.
	pieceRows = 8192

	// stride is the number of bytes between two columns of a piece: the first
	// piece of an Extend carries the mask rows too.
	stride = (pieceRows + maskRows) / 8

	seedSize  = 16 // a node of a tree, a key of AES-128
	tagSize   = 32 // collision resistant: SHA-256
	pointSize = 32
)

// Sizes of the set-up's messages in bytes.
const (
	Msg1Size = pointSize
	Msg2Size = kappa * 2 * pointSize
)

// msg3Size is the size of message 3 for trees of depth k.
func msg3Size(k int) int { return kappa/k*treeSize(k) + tagSize }

// treeSize is the part of message 3 that belongs to one tree.
func treeSize(k int) int { return (k-1)*2*seedSize + tagSize }

func extendSize(k, n int) int {
	if n < 1 || n > MaxExtend {
		panic("ot: number of correlations is out of range")
	}
	return (kappa/k-1)*(padded(n)+maskRows)/8 + proofSize
}

// padded rounds n up to a multiple of 128, so that every stream of AES is used by
// whole blocks.
func padded(n int) int { return (n + 127) &^ 127 }
