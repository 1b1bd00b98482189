package ot

import (
	"fmt"
	"testing"
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

// BenchmarkExtend is one party's part of an Extend.
func BenchmarkExtend(b *testing.B) {
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
