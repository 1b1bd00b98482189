package ot

import (
	"fmt"
	"testing"

	"dorcas/internal/block"
)

// Plans for tests only: far too small to be secure.
var insecurePlans = []silentPlan{
	{main: lpn{trees: 40, logK: 6, depth: 4}},
	{main: lpn{trees: 5, logK: 9, depth: 11}},
	{start: lpn{trees: 40, logK: 5, depth: 5}, main: lpn{trees: 60, logK: 9, depth: 6}},
}

func insecureSilent(t testing.TB, p silentPlan, seed uint64) (*SilentReceiver, *SilentSender) {
	t.Helper()
	d := newDealer(K, seed)
	msg := make([]byte, extendSize(K, p.extended()))
	r := d.receiver().newSilent(p, msg)
	s, err := d.sender().newSilent(p, msg)
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

func refill(t testing.TB, r *SilentReceiver, s *SilentSender) []byte {
	t.Helper()
	msg := make([]byte, s.RefillSize())
	s.Refill(msg)
	if err := r.Refill(msg); err != nil {
		t.Fatal(err)
	}
	return msg
}

func take(t testing.TB, r *SilentReceiver, s *SilentSender, n int) *batch {
	t.Helper()
	b := &batch{m: make([]block.Block, n), k: make([]block.Block, n), choices: make([]byte, (n+7)/8)}
	r.Take(b.m, b.choices)
	s.Take(b.k)
	return b
}

func TestSilent(t *testing.T) {
	for _, p := range insecurePlans {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			r, s := insecureSilent(t, p, 7)
			for range 3 {
				refill(t, r, s)
				for _, n := range []int{0, 1, 7, 63, 64, p.yield() - 135} {
					b := take(t, r, s, n)
					b.verify(t, s.forest.delta)
				}
				if r.Left() != 0 || s.Left() != 0 {
					t.Fatal("left")
				}
			}
		})
	}
}
