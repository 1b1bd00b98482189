package block

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"dorcas/internal/impl/impltest"
)

// columnBit is the definition that Transpose is compared with: bit r of column c.
func columnBit(src []byte, stride, c, r int) uint64 {
	return uint64(src[c*stride+r/8]>>(r%8)) & 1
}

func fixedBytes(seed uint64, n int) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	p := make([]byte, n)
	rand.NewChaCha8(key).Read(p)
	return p
}

func TestTransposeAgainstDefinition(t *testing.T) {
	impltest.Each(t, transposes, func(t *testing.T) {
		for _, rows := range []int{0, 1, 2, 63, 64, 65, 127, 128, 129, 191, 192, 255, 256, 1000, 1024} {
			need := 8 * ((rows + 63) / 64)
			for _, extra := range []int{0, 1, 16, 40} {
				t.Run(fmt.Sprintf("rows=%d/extra=%d", rows, extra), func(t *testing.T) {
					stride := need + extra
					// Not a byte more than documented, so that a read too far panics.
					src := fixedBytes(uint64(rows), 127*stride+need)
					const guard = 3
					buf := make([]Block, rows+guard)
					for i := range buf {
						buf[i] = Block{0xdead, 0xbeef}
					}
					Transpose(buf[:rows], src, stride)
					for r, got := range buf[:rows] {
						for c := range Columns {
							half, at := got.Lo, c
							if c >= 64 {
								half, at = got.Hi, c-64
							}
							if half>>at&1 != columnBit(src, stride, c, r) {
								t.Fatalf("row %d, column %d is wrong", r, c)
							}
						}
					}
					for i, g := range buf[rows:] {
						if g != (Block{0xdead, 0xbeef}) {
							t.Errorf("wrote past the last row, at %d", i)
						}
					}
				})
			}
		}
	})
}

func TestTransposeUnitMatrices(t *testing.T) {
	impltest.Each(t, transposes, func(t *testing.T) {
		const stride = 16
		for c := range Columns {
			for r := range Columns {
				src := make([]byte, Columns*stride)
				src[c*stride+r/8] = 1 << (r % 8)
				var dst [Columns]Block
				Transpose(dst[:], src, stride)
				for i, b := range dst {
					want := Block{}
					if i == r && c < 64 {
						want.Lo = 1 << c
					} else if i == r {
						want.Hi = 1 << (c - 64)
					}
					if b != want {
						t.Fatalf("bit (%d, %d) went to the wrong place", r, c)
					}
				}
			}
		}
	})
}

func TestTransposePanicsOnShortSource(t *testing.T) {
	impltest.Each(t, transposes, func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		Transpose(make([]Block, 64), make([]byte, 127*16+7), 16)
	})
}

// TestTransposeAccumulated guards every implementation with one hash over many
// sizes, so that a second implementation can be compared without the first.
func TestTransposeAccumulated(t *testing.T) {
	impltest.Each(t, transposes, func(t *testing.T) {
		sum := sha256.New()
		for rows := 1; rows <= 700; rows += 3 {
			stride := 8*((rows+63)/64) + rows%5*8
			src := fixedBytes(uint64(rows), Columns*stride)
			dst := make([]Block, rows)
			Transpose(dst, src, stride)
			for _, b := range dst {
				var p [16]byte
				binary.LittleEndian.PutUint64(p[:], b.Lo)
				binary.LittleEndian.PutUint64(p[8:], b.Hi)
				sum.Write(p[:])
			}
		}
		const want = "bb48557e2b5415d18525284cbf8944b5"
		if got := hex.EncodeToString(sum.Sum(nil)[:16]); got != want {
			t.Errorf("accumulated hash %s, want %s", got, want)
		}
	})
}

func BenchmarkTranspose(b *testing.B) {
	impltest.EachBench(b, transposes, func(b *testing.B) {
		const rows, stride = 8192, 8192/8 + 16
		src := fixedBytes(1, Columns*stride)
		dst := make([]Block, rows)
		b.SetBytes(rows * Size)
		for b.Loop() {
			Transpose(dst, src, stride)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	})
}
