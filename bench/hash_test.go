package bench

import (
	"crypto/aes"
	"testing"

	"dorcas/internal/block"
)

// BenchmarkHash hashes 4096 blocks under keys that serve 16 each, here and
// with crypto/aes, a new cipher for every key and a call for every block.
func BenchmarkHash(b *testing.B) {
	const n, per = 4096, 16
	src, dst, keys := make([]block.Block, n), make([]block.Block, n), make([]block.Block, n/per)
	for i := range src {
		src[i] = randomBlock()
	}
	for i := range keys {
		keys[i] = randomBlock()
	}
	rate := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*n*1e3/float64(b.Elapsed().Nanoseconds()), "Mblocks/s")
	}
	b.Run("dorcas", func(b *testing.B) {
		for b.Loop() {
			block.HashBatch(dst, src, keys, per)
		}
		rate(b)
	})
	b.Run("crypto", func(b *testing.B) {
		for b.Loop() {
			for k, key := range keys {
				var raw [block.Size]byte
				key.Put(raw[:])
				cipher, err := aes.NewCipher(raw[:])
				if err != nil {
					b.Fatal(err)
				}
				for i := k * per; i < (k+1)*per; i++ {
					src[i].Put(raw[:])
					cipher.Encrypt(raw[:], raw[:])
					dst[i] = block.Get(raw[:]).Xor(src[i])
				}
			}
		}
		rate(b)
	})
}
