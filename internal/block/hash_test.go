package block

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"dorcas/internal/impl/impltest"
)

func randomBlocks(rng *rand.Rand, n int) []Block {
	out := make([]Block, n)
	for i := range out {
		out[i] = Block{rng.Uint64(), rng.Uint64()}
	}
	return out
}

func TestBytes(t *testing.T) {
	b := Block{Lo: 0x0706050403020100, Hi: 0x0f0e0d0c0b0a0908}
	want := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 99}
	got := []byte{16: 99}
	b.Put(got)
	if !bytes.Equal(got, want) || Get(want) != b {
		t.Errorf("Put gives %x, Get %v", got, Get(want) == b)
	}
}

// TestHashVector is the AES-128 example of FIPS 197, appendix C.1, behind σ.
func TestHashVector(t *testing.T) {
	impltest.Each(t, hashes, func(t *testing.T) {
		parse := func(s string) Block {
			p, err := hex.DecodeString(s)
			if err != nil {
				t.Fatal(err)
			}
			return Get(p)
		}
		key := parse("000102030405060708090a0b0c0d0e0f")
		plain := parse("00112233445566778899aabbccddeeff")
		cipher := parse("69c4e0d86a7b0430d8cdb78070b4c55a")
		x := Block{Lo: plain.Hi ^ plain.Lo, Hi: plain.Lo} // σ(x) = plain
		dst := make([]Block, 1)
		HashBatch(dst, []Block{x}, []Block{key}, 1)
		if dst[0] != cipher.Xor(plain) {
			t.Errorf("got %x", dst[0])
		}
	})
}

// TestSigma: σ and σ ⊕ identity are linear and have trivial kernels.
func TestSigma(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, f := range []func(Block) Block{
		Block.sigma,
		func(b Block) Block { return b.sigma().Xor(b) },
	} {
		v := randomBlocks(rng, 2)
		if f(v[0].Xor(v[1])) != f(v[0]).Xor(f(v[1])) {
			t.Error("not linear")
		}
		rows := make([]Block, 128) // images of the unit vectors, to be eliminated
		for i := range rows {
			u := Block{Lo: 1 << i}
			if i >= 64 {
				u = Block{Hi: 1 << (i - 64)}
			}
			rows[i] = f(u)
		}
		if got := rank(rows); got != 128 {
			t.Errorf("rank %d", got)
		}
	}
}

func rank(rows []Block) (rank int) {
	bit := func(b Block, i int) uint64 { return [2]uint64{b.Lo, b.Hi}[i/64] >> (i % 64) & 1 }
	for col := range 128 {
		for i := rank; i < len(rows); i++ {
			if bit(rows[i], col) == 0 {
				continue
			}
			rows[rank], rows[i] = rows[i], rows[rank]
			for j := rank + 1; j < len(rows); j++ {
				rows[j] = rows[j].Xor(rows[rank].And(bit(rows[j], col)))
			}
			rank++
			break
		}
	}
	return rank
}

// TestHashBatch runs every length around a key's share, against AES block by
// block.
func TestHashBatch(t *testing.T) {
	impltest.Each(t, hashes, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(2, 2))
		for _, per := range []int{1, 7, 8, 16} {
			for n := range 50 {
				src, keys := randomBlocks(rng, n), randomBlocks(rng, (n+per-1)/per)
				want := make([]Block, n)
				for i, x := range src {
					var key, buf [16]byte
					keys[i/per].Put(key[:])
					y := Block{Lo: x.Hi, Hi: x.Hi ^ x.Lo}
					y.Put(buf[:])
					c, err := aes.NewCipher(key[:])
					if err != nil {
						t.Fatal(err)
					}
					c.Encrypt(buf[:], buf[:])
					want[i] = Get(buf[:]).Xor(y)
				}
				dst := make([]Block, n)
				HashBatch(dst, src, keys, per)
				HashBatch(src, src, keys, per)
				for i := range want {
					if dst[i] != want[i] || src[i] != want[i] {
						t.Fatalf("n=%d, %d a key: block %d differs", n, per, i)
					}
				}
			}
		}
	})
}

func TestHashBatchLengths(t *testing.T) {
	impltest.Each(t, hashes, func(t *testing.T) {
		for name, f := range map[string]func(){
			"few keys":  func() { HashBatch(make([]Block, 9), make([]Block, 9), make([]Block, 1), 8) },
			"many keys": func() { HashBatch(make([]Block, 8), make([]Block, 8), make([]Block, 2), 8) },
			"no share":  func() { HashBatch(nil, nil, nil, 0) },
			"short dst": func() { HashBatch(make([]Block, 7), make([]Block, 8), make([]Block, 1), 8) },
		} {
			t.Run(name, func(t *testing.T) {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				f()
			})
		}
	})
}

func BenchmarkHashBatch(b *testing.B) {
	impltest.EachBench(b, hashes, func(b *testing.B) {
		for _, per := range []int{8, 16} {
			b.Run(map[int]string{8: "8 a key", 16: "16 a key"}[per], func(b *testing.B) {
				x, keys := make([]Block, 1024), make([]Block, 1024/per)
				for i := range keys {
					keys[i].Lo = uint64(i)
				}
				b.ReportAllocs()
				for b.Loop() {
					HashBatch(x, x, keys, per)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/block")
			})
		}
	})
}
