package block

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"slices"
	"testing"

	"dorcas/internal/impl/impltest"
)

// expandOracle follows the definition: one step of HKDF-Expand (RFC 5869,
// section 2.3), then AES of big-endian counters.
func expandOracle(t *testing.T, n int, seed *[32]byte, label string, index uint64) []Block {
	t.Helper()
	mac := hmac.New(sha256.New, seed[:])
	mac.Write(binary.LittleEndian.AppendUint64(nil, index))
	mac.Write([]byte(label))
	mac.Write([]byte{1})
	start := mac.Sum(nil)
	c, err := aes.NewCipher(start[:16])
	if err != nil {
		t.Fatal(err)
	}
	counter := new(big.Int).SetBytes(start[16:])
	wrap := new(big.Int).Lsh(big.NewInt(1), 128)
	out := make([]Block, n)
	for i := range out {
		var buf [16]byte
		counter.FillBytes(buf[:])
		c.Encrypt(buf[:], buf[:])
		out[i] = Get(buf[:])
		counter.Add(counter, big.NewInt(1)).Mod(counter, wrap)
	}
	return out
}

func TestExpand(t *testing.T) {
	impltest.Each(t, streams, func(t *testing.T) {
		seed := [32]byte{1, 2, 3}
		for _, n := range []int{0, 1, 2, 255, 256, 257, 512, 1000} {
			for index := range uint64(3) {
				got := make([]Block, n)
				Expand(got, &seed, "labels", index<<40)
				if !slices.Equal(got, expandOracle(t, n, &seed, "labels", index<<40)) {
					t.Errorf("%d blocks, index %d: differs from the definition", n, index)
				}
			}
		}
	})
}

// TestExpandSeparates: seed, label and index each change the blocks.
func TestExpandSeparates(t *testing.T) {
	impltest.Each(t, streams, func(t *testing.T) {
		first := func(seed byte, label string, index uint64) Block {
			dst := make([]Block, 1)
			Expand(dst, &[32]byte{seed}, label, index)
			return dst[0]
		}
		seen := map[Block]string{}
		for name, b := range map[string]Block{
			"base":        first(0, "a", 0),
			"seed":        first(1, "a", 0),
			"label":       first(0, "b", 0),
			"long label":  first(0, "aa", 0),
			"empty label": first(0, "", 0),
			"index":       first(0, "a", 1),
			"high index":  first(0, "a", 1<<56),
		} {
			if other, ok := seen[b]; ok {
				t.Errorf("%s and %s give the same blocks", name, other)
			}
			seen[b] = name
		}
	})
}

func BenchmarkExpand(b *testing.B) {
	impltest.EachBench(b, streams, func(b *testing.B) {
		dst, seed := make([]Block, 4096), [32]byte{}
		b.SetBytes(int64(len(dst) * Size))
		b.ReportAllocs()
		for b.Loop() {
			Expand(dst, &seed, "bench", 0)
		}
	})
}
