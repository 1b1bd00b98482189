package ot

import (
	"fmt"
	"testing"
	"time"

	"dorcas/internal/block"
	"dorcas/internal/impl/impltest"
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
				r.queue[0].forest.read(msg[len(msg)-plan.main.size():], &r.tagger, r.buf)
			}
			report(b, c.Yield())
		})
		b.Run(fmt.Sprintf("%v/sender/check", c), func(b *testing.B) {
			for b.Loop() {
				s.queue[0].forest.write(msg[len(msg)-plan.main.size():], &s.tagger, s.buf)
			}
			report(b, c.Yield())
		})
		take := func(b *testing.B, s *silent, take func()) {
			for b.Loop() {
				if s.left < len(labels) { // as if refilled
					it := s.queue[0]
					s.left, it.left, it.next, it.rest = c.Yield(), c.Yield(), 0, nil
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
	impltest.EachBench(b, silentTrees, func(b *testing.B) {
		impltest.EachBench(b, silentCode, silentKernels)
	})
}

func silentKernels(b *testing.B) {
	p := classes[len(classes)-1]
	leaves := make([]block.Block, p.leaves())
	table := make([]block.Block, p.secret())
	for i := range table {
		table[i].Lo = uint64(i)
	}
	drawn := 0
	tag := make([]byte, block.Size*len(leaves))
	rows := make([]byte, rowSize*len(leaves))
	var h aesKey
	var c code
	h.setKey(&[16]byte{1})
	c.key.setKey(&[16]byte{2})
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
		{"rows", 2 * half, func() { drawRows(rows, 0, &c.key) }},
		{"encode", 2 * half, func() { encodeRows(leaves, table, rows) }},
		{"code", 2 * half, func() { c.add(leaves, table, drawn); drawn += len(leaves) }},
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

// BenchmarkSilentWhole is a Refill after the first and all it yields, seeds of the next
// included: the parties take turns, and each one's time is reported, the least of all
// turns.
func BenchmarkSilentWhole(b *testing.B) {
	for c := Class10; c <= Class13; c++ {
		b.Run(c.String(), func(b *testing.B) {
			r, s := insecureSilent(b, c.plan(), 1)
			labels := make([]block.Block, 1<<14)
			choices := make([]byte, len(labels)/8)
			turn := func() (server, client time.Duration) {
				start := time.Now()
				msg := make([]byte, s.RefillSize())
				s.Refill(msg)
				for s.Left() > 0 {
					s.Take(labels[:min(len(labels), s.Left())])
				}
				server, start = time.Since(start), time.Now()
				if err := r.Refill(msg); err != nil {
					b.Fatal(err)
				}
				for r.Left() > 0 {
					n := min(len(labels), r.Left())
					r.Take(labels[:n], choices[:(n+7)/8])
				}
				return server, time.Since(start)
			}
			turn() // which made its seeds in another way
			server, client := time.Hour, time.Hour
			for b.Loop() {
				s, c := turn()
				server, client = min(server, s), min(client, c)
			}
			n := float64(c.Yield())
			b.ReportMetric(float64(server.Nanoseconds())/n, "server-ns/COT")
			b.ReportMetric(float64(client.Nanoseconds())/n, "client-ns/COT")
			b.ReportMetric(float64(c.RefillSize(false))/n, "B/COT")
		})
	}
}
