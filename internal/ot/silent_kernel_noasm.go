//go:build !amd64 || purego

package ot

import (
	"dorcas/internal/block"
	"dorcas/internal/impl"
)

var (
	silentTrees = impl.New("silent trees", impl.Generic)
	silentCode  = impl.New("silent code", impl.Generic)
)

// An aesKey is a key of the kernels.
type aesKey struct{ genericKey }

func (h *aesKey) setKey(key *[16]byte) { h.setKeyGeneric(key) }

func expand(lo, hi []block.Block, h *aesKey, keep block.Block) block.Block {
	return expandGeneric(lo, hi, &h.genericKey, keep)
}

func tags(dst []byte, src []block.Block, h *aesKey) block.Block {
	return tagsGeneric(dst, src, &h.genericKey)
}

func addAt(v []block.Block, x block.Block, at int) { addAtGeneric(v, x, at) }

func addTag(tags []byte, x block.Block, at int) { addTagGeneric(tags, x, at) }

func drawRows(dst []byte, row int, h *aesKey) { rowsGeneric(dst, row, &h.genericKey) }

func encodeRows(dst, table []block.Block, rows []byte) { encodeGeneric(dst, table, rows) }
