package garble

import (
	"math/rand/v2"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
)

func benchmark(b *testing.B, hash func(dst, src, keys []block.Block, per int), f func(c *circuit.Circuit, n int, s *session, scratch *Scratch)) {
	const n = 1024
	c := stages()["rounded"]
	scratch := &Scratch{hash: hash}
	s := garbled(rand.New(rand.NewPCG(11, 11)), c, n, scratch)
	b.SetBytes(int64(len(s.table)))
	for b.Loop() {
		f(c, n, s, scratch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*c.Ands), "ns/and")
}

func garbleOnce(c *circuit.Circuit, n int, s *session, scratch *Scratch) {
	Garble(c, n, s.delta, s.tweak, s.zero, s.outZero, s.table, scratch)
}

func evaluateOnce(c *circuit.Circuit, n int, s *session, scratch *Scratch) {
	Evaluate(c, n, s.tweak, s.active, s.outLabel, s.table, scratch)
}

func BenchmarkGarble(b *testing.B)   { benchmark(b, nil, garbleOnce) }
func BenchmarkEvaluate(b *testing.B) { benchmark(b, nil, evaluateOnce) }

// The same without the hash: what is left when AES is quick.
func noHash(dst, src, keys []block.Block, per int) {}

func BenchmarkGarbleNoHash(b *testing.B)   { benchmark(b, noHash, garbleOnce) }
func BenchmarkEvaluateNoHash(b *testing.B) { benchmark(b, noHash, evaluateOnce) }
