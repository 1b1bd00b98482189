package garble

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/impl/impltest"
)

// benchmark runs the And gates in every implementation over batches as package
// protocol makes them and over large ones. The free gates are in the time.
func benchmark(b *testing.B, f func(c *circuit.Circuit, n int, s *session, scratch *Scratch)) {
	c := stages()["rounded"]
	impltest.EachBench(b, andGates, func(b *testing.B) {
		for _, n := range []int{10, 512, 1024, 65536} {
			if n > 10000 && andGates.Use() == len(andGates.Impls())-1 {
				continue
			}
			b.Run(fmt.Sprint("n=", n), func(b *testing.B) {
				scratch := new(Scratch)
				s := garbled(rand.New(rand.NewPCG(11, 11)), c, n, scratch)
				b.SetBytes(int64(len(s.table)))
				for b.Loop() {
					f(c, n, s, scratch)
				}
				ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(n*c.Ands)
				b.ReportMetric(ns, "ns/and")
				b.ReportMetric(1e3/ns, "Mand/s")
			})
		}
	})
}

func garbleOnce(c *circuit.Circuit, n int, s *session, scratch *Scratch) {
	Garble(c, n, s.delta, s.tweak, s.zero, s.outZero, s.table, scratch)
}

func evaluateOnce(c *circuit.Circuit, n int, s *session, scratch *Scratch) {
	Evaluate(c, n, s.tweak, s.active, s.outLabel, s.table, scratch)
}

func BenchmarkGarble(b *testing.B)   { benchmark(b, garbleOnce) }
func BenchmarkEvaluate(b *testing.B) { benchmark(b, evaluateOnce) }

// BenchmarkGates is one gate over a tile whose rows are in the nearest cache.
func BenchmarkGates(b *testing.B) {
	row := func() []block.Block { return make([]block.Block, tile) }
	dst, x, y, table := row(), row(), row(), make([]byte, tile*entrySize)
	delta, s := block.Block{Lo: 1}, new(Scratch)
	for name, f := range andFuncs {
		impltest.EachBench(b, andGates, func(b *testing.B) {
			b.Run(name, func(b *testing.B) {
				keys := [2]uint64{0, 1000}
				for b.Loop() {
					after := [2]uint64{keys[0] + tile/KeyBatch, keys[1] + tile/KeyBatch}
					f(s, dst, x, y, table, delta, delta, keys, after)
					keys = after
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tile), "ns/gate")
			})
		})
	}
	impltest.EachBench(b, freeGates, func(b *testing.B) {
		b.Run("xnor", func(b *testing.B) {
			for b.Loop() {
				free(circuit.Xnor, dst, x, y, delta)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tile), "ns/gate")
		})
	})
}
