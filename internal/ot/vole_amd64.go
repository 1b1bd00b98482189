//go:build amd64 && !purego

package ot

import (
	"encoding/binary"

	"dorcas/internal/block"
	"dorcas/internal/impl"
)

// trees is the kernel that expands trees of depth 4; others are expanded by streams alone.
// A session stays with the implementation that it began with.
var trees = impl.New("trees", impl.Impl{Name: "vaes512", Available: impl.VAES}, impl.Generic)

const treeDepth = 4

// A treeKernel is what the kernel keeps of a grove.
type treeKernel struct {
	keys   []roundKeys // of all leaves; nil if the generic code serves
	hi, lo uint64      // the counter of the next block of each
}

type roundKeys [11 * block.Size]byte

// start begins at a counter. It says whether the kernel will expand the trees.
func (t *treeKernel) start(k, leaves int, start *[block.Size]byte) bool {
	if trees.Use() != vectorKernel || k != treeDepth {
		return false
	}
	t.keys = make([]roundKeys, leaves)
	t.hi, t.lo = binary.BigEndian.Uint64(start[:]), binary.BigEndian.Uint64(start[8:])
	return true
}

func (t *treeKernel) setKey(leaf int, key *[block.Size]byte) { scheduleAES(&t.keys[leaf][0], &key[0]) }

func (t *treeKernel) step(n int) { t.lo += uint64(n / block.Size) }

// expand is grove.expand. It says whether it did.
func (t *treeKernel) expand(tree int, cols, sum []byte) bool {
	if t.keys == nil {
		return false
	}
	n := len(sum)
	_ = cols[(treeDepth-1)*stride:][:n]
	treeVAES(&cols[0], stride, &sum[0], n/block.Size, &t.keys[tree<<treeDepth][0], t.hi, t.lo)
	return true
}
