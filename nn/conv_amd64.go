//go:build amd64 && !purego

package nn

import (
	"sync"

	"golang.org/x/sys/cpu"
)

// A level is an instruction set that convolutions can use.
type level int

const (
	generic level = iota
	avx2
	vnni // AVX-512 with sums of products of 16-bit words
)

// levels are the instruction sets that this processor has, best first.
func levels() []level {
	var l []level
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VNNI && cpu.X86.HasAVX2 {
		l = append(l, vnni)
	}
	if cpu.X86.HasAVX2 {
		l = append(l, avx2)
	}
	return append(l, generic)
}

// active is the level in use; only tests change it.
var active = levels()[0]

// tileSize returns the channels and columns that a tile kernel computes.
func (l level) tileSize() (channels, columns int) {
	if l == vnni {
		return 8, 32
	}
	return 4, 16
}

// arranged is the input of a Product in the order that the kernels want it,
// every element x cut into halves of 16 bits, x = 2^16·high + low with low
// signed: products of 16-bit words are exact, and so is the sum modulo 2^32.
// The high halves are left out if all are 0.
//
// A product is either a stencil (tiles_amd64.go) or, where the output has few
// columns, rows of weights times columns of inputs (rows_amd64.go).
type arranged struct {
	tiles    stencil
	rows     columns
	rowsOnly bool
}

// buffers keeps what release gives back.
var buffers = sync.Pool{New: func() any { return new(arranged) }}

// arrange returns nil where neither serves.
func arrange(p *Product) *arranged {
	if active == generic {
		return nil
	}
	a := buffers.Get().(*arranged)
	a.tiles.level = active
	tiles, words := a.tiles.measure(p)
	rows, entries := a.rows.measure(p)
	// The memory is that of the tensors but for odd windows, larger than planes.
	limit := float64(8*(p.in.Len()+p.out.Len()) + 1<<16)
	switch {
	case entries <= limit && (rows < tiles || words > limit):
		a.rowsOnly = true
		a.rows.fill(p)
	case words <= limit:
		a.rowsOnly = false
		a.tiles.fill(p)
	default:
		a.release()
		return nil
	}
	return a
}

func (a *arranged) release() { buffers.Put(a) }

// channels computes output channels: w are their rows of weights.
func (a *arranged) channels(p *Product, dst []int32, w []int16) {
	if a.rowsOnly {
		a.rows.channels(p, dst, w)
	} else {
		a.tiles.channels(p, dst, w)
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// grown returns s with length n, its contents undefined.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
