//go:build !amd64 || purego

package ot

import (
	"dorcas/internal/block"
	"dorcas/internal/impl"
)

var trees = impl.New("trees", impl.Generic)

// A treeKernel is what a kernel keeps of a grove.
type treeKernel struct{}

func (t *treeKernel) start(int, int, *[block.Size]byte) bool { return false }

func (t *treeKernel) setKey(int, *[block.Size]byte) {}

func (t *treeKernel) step(int) {}

func (t *treeKernel) expand(int, []byte, []byte) bool { return false }
