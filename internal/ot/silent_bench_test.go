package ot

import (
	"fmt"
	"testing"

	"dorcas/internal/block"
)

// BenchmarkSilent is one party's part of a Refill, the check included, and of taking
// what it makes.
func BenchmarkSilent(b *testing.B) {
	for c := Class10; c <= Class13; c++ {
		plan := c.plan()
		r, s := insecureSilent(b, plan, 1)
		msg := refill(b, r, s)
		labels := make([]block.Block, 1<<14)
		choices := make([]byte, len(labels)/8)
		b.Run(fmt.Sprintf("%v/receiver/check", c), func(b *testing.B) {
			for b.Loop() {
				r.forest.read(msg[len(msg)-plan.main.size():], &r.tagger, r.buf)
			}
			report(b, c.Yield())
		})
		b.Run(fmt.Sprintf("%v/sender/check", c), func(b *testing.B) {
			for b.Loop() {
				s.forest.write(msg[len(msg)-plan.main.size():], &s.tagger, s.buf)
			}
			report(b, c.Yield())
		})
		take := func(b *testing.B, s *silent, take func()) {
			for b.Loop() {
				if s.left < len(labels) { // as if refilled
					s.left, s.next, s.rest = c.Yield(), 0, nil
				}
				take()
			}
			report(b, len(labels))
		}
		b.Run(fmt.Sprintf("%v/receiver/take", c), func(b *testing.B) {
			take(b, &r.silent, func() { r.Take(labels, choices) })
		})
		b.Run(fmt.Sprintf("%v/sender/take", c), func(b *testing.B) {
			take(b, &s.silent, func() { s.Take(labels) })
		})
	}
}

// BenchmarkSilentKernels is each kernel at the size of Class13, per block.
func BenchmarkSilentKernels(b *testing.B) {
	p := classes[len(classes)-1]
	leaves := make([]block.Block, p.leaves())
	table := make([]block.Block, p.secret())
	for i := range table {
		table[i].Lo = uint64(i)
	}
	tag := make([]byte, block.Size*len(leaves))
	rows := make([]byte, rowSize*len(leaves))
	var h mmo
	var c code
	h.setKey(&[16]byte{1})
	c.setKey(&[16]byte{2})
	half := len(leaves) / 2
	universal := block.NewUniversal(&[16]byte{3}, tagPiece*block.Size)
	for _, k := range []struct {
		name string
		n    int
		f    func()
	}{
		{"expand", half, func() { expand(leaves[:half], leaves[half:], &h, all) }},
		{"tags", 2 * half, func() { tags(tag, leaves, &h) }},
		{"addAt", 2 * half, func() { addAt(leaves, leaves[1], 77) }},
		{"hash", tagPiece, func() { universal.Sum(tag[:tagPiece*block.Size]) }},
		{"rows", 2 * half, func() { c.rows(rows, 0) }},
		{"encode", 2 * half, func() { encodeRows(leaves, table, rows) }},
		{"code", 2 * half, func() { c.add(leaves, table, 0) }},
		{"colours", 2 * half, func() { colours(tag, leaves) }},
	} {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				k.f()
			}
			report(b, k.n)
		})
	}
}
