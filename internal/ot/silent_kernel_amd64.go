//go:build amd64 && !purego

package ot

import (
	"unsafe"

	"dorcas/internal/block"
	"dorcas/internal/impl"
)

//go:generate sh -c "cd _asm && go run . -out ../kernels_amd64.s -stubs ../kernels_stubs_amd64.go -pkg ot"

// silentTrees are the kernels that run AES over trees, leaves and counters, and
// addAt.
var silentTrees = impl.New("silent trees",
	impl.Impl{Name: "vaes512", Available: impl.VAES},
	impl.Generic,
)

// silentCode is encodeRows.
var silentCode = impl.New("silent code",
	impl.Impl{Name: "avx2", Available: impl.AVX2},
	impl.Generic,
)

const vectorKernel = 0 // of either

// vectorLanes is the least number of blocks of a vector kernel, which takes its multiples only.
const vectorLanes = 4

// An aesKey is a key of the kernels, for those in use when it is set.
type aesKey struct {
	rounds [11 * 16]byte
	genericKey
}

func (h *aesKey) setKey(key *[16]byte) {
	if silentTrees.Use() != vectorKernel {
		h.setKeyGeneric(key)
		return
	}
	scheduleAES(&h.rounds[0], &key[0])
}

// expand makes the children of nodes: see expandGeneric.
func expand(lo, hi []block.Block, h *aesKey, keep block.Block) (sum block.Block) {
	n := len(lo)
	hi = hi[:n]
	if silentTrees.Use() != vectorKernel {
		return expandGeneric(lo, hi, &h.genericKey, keep)
	}
	if n%vectorLanes != 0 {
		return expandFew(lo, hi, h, keep)
	}
	expandVAES(firstByte(lo), firstByte(hi), n, &h.rounds[0], bytesOf(&keep), bytesOf(&sum))
	return sum
}

// expandFew is expand for numbers that a vector kernel does not take.
func expandFew(lo, hi []block.Block, h *aesKey, keep block.Block) (sum block.Block) {
	for len(lo) > 0 {
		var l, r [vectorLanes]block.Block
		var padded block.Block
		n := copy(l[:], lo)
		expandVAES(bytesOf(&l[0]), bytesOf(&r[0]), vectorLanes, &h.rounds[0], bytesOf(&keep), bytesOf(&padded))
		for _, x := range l[:n] {
			sum = sum.Xor(x)
		}
		copy(lo, l[:n])
		copy(hi, r[:n])
		lo, hi = lo[n:], hi[n:]
	}
	return sum
}

// tags hashes leaves: see tagsGeneric.
func tags(dst []byte, src []block.Block, h *aesKey) (sum block.Block) {
	n := len(src)
	dst = dst[:n*block.Size]
	if silentTrees.Use() != vectorKernel {
		return tagsGeneric(dst, src, &h.genericKey)
	}
	tagsVAES(&dst[0], firstByte(src), n, &h.rounds[0], bytesOf(&sum))
	return sum
}

// addAt adds to one block: see addAtGeneric.
func addAt(v []block.Block, x block.Block, at int) {
	if silentTrees.Use() != vectorKernel || len(v)%vectorLanes != 0 {
		addAtGeneric(v, x, at)
		return
	}
	addAtAVX512(firstByte(v), len(v), bytesOf(&x), at)
}

// addTag is addAt for tags.
func addTag(tags []byte, x block.Block, at int) {
	n := len(tags) / block.Size
	if silentTrees.Use() != vectorKernel || n%vectorLanes != 0 {
		addTagGeneric(tags, x, at)
		return
	}
	addAtAVX512(&tags[0], n, bytesOf(&x), at)
}

// drawRows draws rows of the code: see rowsGeneric.
func drawRows(dst []byte, row int, h *aesKey) {
	n := len(dst) / block.Size
	if silentTrees.Use() != vectorKernel {
		rowsGeneric(dst, row, &h.genericKey)
		return
	}
	rowsVAES(&dst[0], n, &h.rounds[0], 2*uint64(row))
}

// encodeRows adds blocks of table: see encodeGeneric.
func encodeRows(dst, table []block.Block, rows []byte) {
	n := len(dst)
	rows = rows[:n*rowSize]
	if silentCode.Use() != vectorKernel || n == 0 {
		encodeGeneric(dst, table, rows)
		return
	}
	encodeAVX2(firstByte(dst), firstByte(table), block.Size*uint64(len(table)-1), &rows[0], n)
}

func firstByte(v []block.Block) *byte { return bytesOf(&v[0]) }

func bytesOf(b *block.Block) *byte { return (*byte)(unsafe.Pointer(b)) }
