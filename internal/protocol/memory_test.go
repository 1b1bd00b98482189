//go:build amd64 && !purego && !race

package protocol

import (
	"runtime"
	"testing"

	"dorcas/internal/impl"
)

// TestOnlineAllocatesLittle: after some inferences the online phase of both
// parties takes its memory again, and what is new is a small part of what
// passes through it. (Under the race detector pools forget at random, and
// portable hashes allocate a key schedule each.)
func TestOnlineAllocatesLittle(t *testing.T) {
	if !impl.AESNI || !impl.AVX2 {
		t.Skip("portable hashes allocate: no AES instructions here")
	}
	// Every core more takes rows of its own until all have some.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	b := benchModel()
	c, _ := meet(t, &b.m)
	var ms []*ClientMaterial
	for range 6 {
		m, err := c.Prepare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ms = append(ms, m)
	}
	least := ^uint64(0)
	for _, m := range ms {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, _, err := c.Infer(t.Context(), m, b.input()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	toServer, toClient := c.Plan().Bytes(Online)
	if passed := uint64(toServer + toClient); least > passed/8 {
		t.Errorf("an inference allocates %d bytes online, where %d pass", least, passed)
	}
}
