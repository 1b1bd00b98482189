//go:build !amd64 || purego

package ot

import (
	"dorcas/internal/block"
	"dorcas/internal/impl"
)

var trees = impl.New("trees", impl.Generic)

// A treeKernel is what a kernel keeps of a grove.
type treeKernel struct{}

func (t *treeKernel) start(int, int, *[block.Size]byte) int { return 0 }

func (t *treeKernel) setKey(int, *[block.Size]byte) {}

func (t *treeKernel) step(int) {}

func (t *treeKernel) expand(int, int, []byte, []byte, []*block.Stream) bool { return false }
