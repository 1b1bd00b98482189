package ot

import (
	"crypto/aes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/impl/impltest"
)

// kernelSizes are all numbers of blocks around a vector kernel's tiles.
var kernelSizes = []int{1, 2, 3, 4, 5, 8, 12, 15, 16, 17, 20, 28, 31, 32, 36, 64, 100, 512}

func randomBlocks(seed uint64, n int) []block.Block {
	r := testRandom(seed)
	v := make([]block.Block, n)
	for i := range v {
		v[i] = block.Block{Lo: r.Uint64(), Hi: r.Uint64()}
	}
	return v
}

// testKey returns a key and its bytes.
func testKey(seed uint64) (block.Block, *[16]byte) {
	b := randomBlocks(seed, 1)[0]
	var key [16]byte
	b.Put(key[:])
	return b, &key
}

// hashes is H by way of package block.
func hashes(key block.Block, src []block.Block) []block.Block {
	dst := make([]block.Block, len(src))
	block.HashBatch(dst, src, []block.Block{key}, len(src))
	return dst
}

func sumOf(v []block.Block) (sum block.Block) {
	for _, x := range v {
		sum = sum.Xor(x)
	}
	return sum
}

func TestExpand(t *testing.T) {
	impltest.Each(t, silentTrees, func(t *testing.T) {
		for _, n := range kernelSizes {
			for _, keep := range []block.Block{all, noColour, {Lo: 0xff00, Hi: 1}, {}} {
				k, key := testKey(uint64(n))
				var h aesKey
				h.setKey(key)
				x := randomBlocks(uint64(n)+1, n)
				x[0] = block.Block{}
				x[n-1] = all
				buf := append(slices.Clone(x), randomBlocks(2, n+1)...)
				after := buf[2*n]
				sum := expand(buf[:n], buf[n:2*n], &h, keep)
				left := hashes(k, x)
				var want block.Block
				for i := range x {
					l, r := and(left[i], keep), and(left[i].Xor(x[i]), keep)
					if buf[i] != l || buf[n+i] != r {
						t.Fatalf("n=%d: node %d has other children", n, i)
					}
					want = want.Xor(l)
				}
				if sum != want {
					t.Errorf("n=%d: the sum of the left children is wrong", n)
				}
				if buf[2*n] != after {
					t.Errorf("n=%d: wrote past the end", n)
				}
			}
		}
	})
}

func TestTags(t *testing.T) {
	impltest.Each(t, silentTrees, func(t *testing.T) {
		for _, n := range kernelSizes {
			if n%4 != 0 {
				continue
			}
			k, key := testKey(uint64(n))
			var h aesKey
			h.setKey(key)
			src := randomBlocks(uint64(n)+1, n)
			before := slices.Clone(src)
			dst := make([]byte, n*block.Size+1)
			sum := tags(dst, src, &h)
			want := hashes(k, src)
			if string(dst[:n*block.Size]) != string(blockBytes(want)) || sum != sumOf(want) {
				t.Errorf("n=%d: wrong tags or sum", n)
			}
			if dst[n*block.Size] != 0 || !slices.Equal(src, before) {
				t.Errorf("n=%d: wrote where it should not", n)
			}
		}
	})
}

func TestAddAt(t *testing.T) {
	impltest.Each(t, silentTrees, func(t *testing.T) {
		for _, n := range kernelSizes {
			v := randomBlocks(uint64(n), n)
			x := randomBlocks(9, 1)[0]
			for at := range n {
				want := slices.Clone(v)
				want[at] = want[at].Xor(x)
				got := slices.Clone(v)
				addAt(got, x, at)
				if !slices.Equal(got, want) {
					t.Fatalf("n=%d, at=%d: wrong", n, at)
				}
				bytes := blockBytes(v)
				if n%4 == 0 {
					addTag(bytes, x, at)
					if string(bytes) != string(blockBytes(want)) {
						t.Fatalf("n=%d, at=%d: wrong tags", n, at)
					}
				}
			}
		}
	})
}

func TestRows(t *testing.T) {
	impltest.Each(t, silentTrees, func(t *testing.T) {
		for _, n := range []int{8, 16, 24, 256} {
			for _, row := range []int{0, 1, 8, 127, 1 << 20, 1<<31 - 3, 1<<40 + 5} {
				_, key := testKey(3)
				var c code
				c.key.setKey(key)
				got := make([]byte, n*rowSize)
				drawRows(got, row, &c.key)
				if want := slowRows(key, row, n); string(got) != string(want) {
					t.Errorf("%d rows from %d are wrong", n, row)
				}
			}
		}
	})
}

// slowRows encrypts the counters one by one.
func slowRows(key *[16]byte, row, n int) []byte {
	c, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	out := make([]byte, n*rowSize)
	for i := range 2 * n {
		var in [16]byte
		binary.BigEndian.PutUint64(in[8:], uint64(2*row+i))
		c.Encrypt(out[16*i:], in[:])
	}
	return out
}

// slowEncode is the code's product by its definition: bit fields of a little-endian
// number.
func slowEncode(dst, table []block.Block, rows []byte) {
	for i := range dst {
		for j := range codeWeight {
			word := binary.LittleEndian.Uint64(rows[i*rowSize+j/3*8:])
			index := word >> (j % 3 * fieldBits) % (1 << fieldBits) % uint64(len(table))
			dst[i] = dst[i].Xor(table[index])
		}
	}
}

func TestEncode(t *testing.T) {
	impltest.Each(t, silentCode, func(t *testing.T) {
		for _, logK := range []int{0, 1, 6, 13, 21} {
			if testing.Short() && logK > 13 {
				continue
			}
			table := randomBlocks(1, 1<<logK)
			for _, n := range []int{0, 1, 2, 3, 8, 100} {
				dst := randomBlocks(2, n+1)
				want := slices.Clone(dst)
				rows := slowRows(&[16]byte{byte(n)}, n, n)
				encodeRows(dst[:n], table, rows)
				slowEncode(want[:n], table, rows)
				if !slices.Equal(dst, want) {
					t.Errorf("k=2^%d, n=%d: wrong", logK, n)
				}
			}
		}
	})
}

// TestEncodeEdges has fields of all zeros and all ones.
func TestEncodeEdges(t *testing.T) {
	impltest.Each(t, silentCode, func(t *testing.T) {
		table := randomBlocks(1, 1<<16)
		rows := make([]byte, 4*rowSize)
		for i := range rows {
			rows[i] = []byte{0, 0xff, 0xaa, 0x55}[i/rowSize]
		}
		dst, want := make([]block.Block, 4), make([]block.Block, 4)
		encodeRows(dst, table, rows)
		slowEncode(want, table, rows)
		if !slices.Equal(dst, want) {
			t.Error("wrong")
		}
	})
}

func TestColours(t *testing.T) {
	for n := range 40 {
		labels := randomBlocks(uint64(n), n)
		dst := make([]byte, (n+7)/8)
		for i := range dst {
			dst[i] = 0xff
		}
		colours(dst, labels)
		for i := range 8 * len(dst) {
			var want byte
			if i < n {
				want = byte(labels[i].Bit())
			}
			if dst[i/8]>>(i%8)&1 != want {
				t.Errorf("n=%d: bit %d is not %d", n, i, want)
			}
		}
	}
}

// TestKernelsAgree runs all kernels many times on what they made before and
// compares the hash of everything with the generic kernels'.
func TestKernelsAgree(t *testing.T) {
	runs := 20000
	if testing.Short() {
		runs = 2000
	}
	run := func() string {
		sha := sha256.New()
		v := randomBlocks(5, 64)
		tag := make([]byte, 32*block.Size)
		var h aesKey
		var c code
		var key [16]byte
		for i := range runs {
			v[i%64].Put(key[:])
			if i%8 == 0 {
				h.setKey(&key)
				c.key.setKey(&key)
			}
			n := 1 << (i % 6)
			v[63] = v[63].Xor(expand(v[:n], v[n:2*n], &h, all))
			v[62] = v[62].Xor(tags(tag, v[32:], &h))
			addAt(v, v[1], i%64)
			addTag(tag, v[2], i%32)
			c.add(v[:8], v[32:], i)
			sha.Write(tag[:64])
		}
		sha.Write(blockBytes(v))
		return fmt.Sprintf("%x", sha.Sum(nil))
	}
	var want string
	impltest.Generic(silentTrees, func() { impltest.Generic(silentCode, func() { want = run() }) })
	impltest.Each(t, silentTrees, func(t *testing.T) {
		impltest.Each(t, silentCode, func(t *testing.T) {
			if got := run(); got != want {
				t.Errorf("hash %s, generic %s", got, want)
			}
		})
	})
}
