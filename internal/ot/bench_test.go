package ot

import (
	"fmt"
	"testing"
	"time"

	"dorcas/internal/impl/impltest"
)

// BenchmarkSetup is a whole set-up, both parties one after the other.
func BenchmarkSetup(b *testing.B) {
	for _, k := range depths {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			for b.Loop() {
				setUp(b, k, 1)
			}
		})
	}
}

// BenchmarkExtend is one party's part of an Extend, the check included.
func BenchmarkExtend(b *testing.B) { impltest.EachBench(b, trees, benchExtend) }

func benchExtend(b *testing.B) {
	for _, k := range []int{2, 4, 8} {
		for _, n := range []int{1 << 10, 1 << 16} {
			d := newDealer(k, 1)
			r, s := d.receiver(), d.sender()
			batch := receive(r, n)
			if err := s.Extend(batch.k, batch.msg); err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("receiver/k=%d/n=%d", k, n), func(b *testing.B) {
				// Its messages go elsewhere: the sender would accept the last one.
				msg := make([]byte, len(batch.msg))
				for b.Loop() {
					r.Extend(batch.m, batch.choices, msg)
				}
				report(b, n)
			})
			b.Run(fmt.Sprintf("sender/k=%d/n=%d", k, n), func(b *testing.B) {
				for b.Loop() {
					// The message is stale, so the check fails, in the same time.
					s.dead = false
					if s.Extend(batch.k, batch.msg) == nil {
						b.Fatal("a stale message is accepted")
					}
				}
				report(b, n)
			})
		}
	}
}

func report(b *testing.B, n int) {
	ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(n)
	b.ReportMetric(ns, "ns/COT")
	b.ReportMetric(1e3/ns, "MCOT/s")
}

// BenchmarkExtendWhole lets both parties take turns, with each implementation of
// the trees in turn, and reports the least time of each, in M COT a second: what
// other programs do to the machine falls out of it.
func BenchmarkExtendWhole(b *testing.B) {
	const n = 1 << 15
	for _, k := range []int{2, 4, 8} {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			type side struct {
				name           string
				r              *Receiver
				s              *Sender
				client, server time.Duration
			}
			var sides []*side
			before := trees.Use()
			for i, impl := range trees.Impls() {
				if !impl.Available {
					continue
				}
				trees.Select(i) // for the sessions that begin now
				d := newDealer(k, 1)
				sides = append(sides, &side{impl.Name, d.receiver(), d.sender(), time.Hour, time.Hour})
			}
			trees.Select(before)
			batch := receive(newDealer(k, 1).receiver(), n)
			for b.Loop() {
				for _, x := range sides {
					start := time.Now()
					x.r.Extend(batch.m, batch.choices, batch.msg)
					x.client = min(x.client, time.Since(start))
					start = time.Now()
					if err := x.s.Extend(batch.k, batch.msg); err != nil {
						b.Fatal(err)
					}
					x.server = min(x.server, time.Since(start))
				}
			}
			for _, x := range sides {
				b.ReportMetric(n*1e3/float64(x.client.Nanoseconds()), x.name+"-receiver-MCOT/s")
				b.ReportMetric(n*1e3/float64(x.server.Nanoseconds()), x.name+"-sender-MCOT/s")
			}
		})
	}
}
