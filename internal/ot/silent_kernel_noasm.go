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

func (h *mmo) setKey(key *[16]byte) { h.setKeyGeneric(key) }

func expand(lo, hi []block.Block, h *mmo, keep block.Block) block.Block {
	return expandGeneric(lo, hi, h, keep)
}

func tags(dst []byte, src []block.Block, h *mmo) block.Block { return tagsGeneric(dst, src, h) }

func addAt(v []block.Block, x block.Block, at int) { addAtGeneric(v, x, at) }

func addTag(tags []byte, x block.Block, at int) { addTagGeneric(tags, x, at) }

func (c *code) setKey(key *[16]byte) { c.setKeyGeneric(key) }

func (c *code) rows(dst []byte, row int) { c.rowsGeneric(dst, row) }

func encodeRows(dst, table []block.Block, rows []byte) { encodeGeneric(dst, table, rows) }
