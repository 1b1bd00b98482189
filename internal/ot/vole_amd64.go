//go:build amd64 && !purego

package ot

import (
	"crypto/subtle"
	"encoding/binary"
	"math/bits"

	"dorcas/internal/block"
	"dorcas/internal/impl"
)

// trees are the kernels that expand trees of depths 2, 4 and 8; others are expanded by
// the generic code. A session stays with the kernel that it began with.
var trees = impl.New("trees", impl.Impl{Name: "vaes512", Available: impl.VAES}, impl.Generic)

// grouped is the leaves that a kernel expands in one go if there are more.
const grouped = 16

// A treeKernel is what the kernel keeps of a grove.
type treeKernel struct {
	keys   []roundKeys // of all leaves; nil if the generic code serves
	hi, lo uint64      // the counter of the next block of each
}

type roundKeys [11 * block.Size]byte

// start begins at the counter start. It returns 0 if the generic code serves, else every
// how many leaves one is left to it.
func (t *treeKernel) start(k, leaves int, start *[block.Size]byte) int {
	if trees.Use() != vectorKernel || k != 2 && k != 4 && k != 8 {
		return 0
	}
	t.keys = make([]roundKeys, leaves)
	t.hi, t.lo = binary.BigEndian.Uint64(start[:]), binary.BigEndian.Uint64(start[8:])
	return min(grouped, 1<<k)
}

func (t *treeKernel) setKey(leaf int, key *[block.Size]byte) { scheduleAES(&t.keys[leaf][0], &key[0]) }

func (t *treeKernel) step(n int) { t.lo += uint64(n / block.Size) }

// expand is grove.expand. It says whether it did.
func (t *treeKernel) expand(k, tree int, cols, sum []byte, streams []*block.Stream) bool {
	if t.keys == nil {
		return false
	}
	n := len(sum)
	keys := t.keys[tree<<k:][:1<<k]
	_ = cols[(k-1)*stride:][:n]
	switch k {
	case 2:
		tree4VAES(&cols[0], stride, &sum[0], n/block.Size, &keys[0][0], t.hi, t.lo)
	case 4:
		tree16VAES(&cols[0], stride, &sum[0], n/block.Size, &keys[0][0], t.hi, t.lo)
	default:
		t.expandGroups(k, cols, sum, keys, streams)
	}
	return true
}

// expandGroups expands a tree of more than one group: columns 0 to 3 are those within a group,
// the others get the sum at its first leaf (see expandTree).
func (t *treeKernel) expandGroups(k int, cols, sum []byte, keys []roundKeys, streams []*block.Stream) {
	n := len(sum)
	clear(sum)
	for b := range k {
		clear(cols[b*stride:][:n])
	}
	for x := len(keys) - grouped; x >= 0; x -= grouped {
		more16VAES(&cols[0], stride, &sum[0], n/block.Size, &keys[x][0], t.hi, t.lo)
		if x > 0 {
			streams[x].AddTo(sum, cols[bits.TrailingZeros(uint(x))*stride:][:n])
		}
	}
	for b := k - 2; b >= 0; b-- {
		col := cols[b*stride:][:n]
		subtle.XORBytes(col, col, cols[(b+1)*stride:][:n])
	}
}
