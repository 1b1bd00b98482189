package ot

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/impl/impltest"
)

// TestExpandTree compares two trees with the definition of u and v, at lengths around the
// kernels' tiles and one piece after another, and checks that the columns of their
// neighbours stay as they are.
func TestExpandTree(t *testing.T) {
	impltest.Each(t, trees, func(t *testing.T) {
		for _, k := range depths {
			t.Run(fmt.Sprint("k=", k), func(t *testing.T) { testExpandTree(t, k) })
		}
	})
}

func testExpandTree(t *testing.T, k int) {
	d := newDealer(k, 30)
	sizes := []int{16, 32, 48, 64, 80, 240, 256, 272, 304, stride, 16}
	total := 0
	for _, n := range sizes {
		total += n
	}
	for tree := range 2 {
		// The streams are in step, so each tree has a grove of its own here.
		g := newGrove(d.ctx, k, d.leaves[:2<<k])
		slow := &slowClient{d: d}
		all, v := make(bitsOf, 8*total), make([]bitsOf, k)
		for b := range v {
			v[b] = make(bitsOf, 8*total)
		}
		for x := 1; x < 1<<k; x++ {
			r := slow.streamBits(d.leaves[tree<<k+x], 8*total)
			all.xor(r)
			for b := range k {
				if x>>b&1 == 1 {
					v[b].xor(r)
				}
			}
		}
		at := 0
		for _, n := range sizes {
			cols := bytes.Repeat([]byte{0xa5}, (k+1)*stride)
			sum := bytes.Repeat([]byte{0xa5}, n+64)
			g.expand(tree, cols, sum[:n])
			g.step(n)
			if !bytes.Equal(sum[:n], all.bytes()[at:][:n]) || len(bytes.Trim(sum[n:], "\xa5")) != 0 {
				t.Errorf("n=%d: the sum of the leaves is wrong", n)
			}
			for b := range k + 1 {
				rest := cols[b*stride:][:stride]
				if b < k {
					if !bytes.Equal(rest[:n], v[b].bytes()[at:][:n]) {
						t.Errorf("n=%d: column %d is wrong", n, b)
					}
					rest = rest[n:]
				}
				if len(bytes.Trim(rest, "\xa5")) != 0 {
					t.Errorf("n=%d: wrote past column %d", n, b)
				}
			}
			at += n
		}
	}
}

// TestGroves compares the kernels with the generic code on random keys, edges of the
// counter and all lengths, in one accumulated hash.
func TestGroves(t *testing.T) {
	turns := 2000
	if testing.Short() {
		turns = 100
	}
	var want string
	for i := len(trees.Impls()) - 1; i >= 0; i-- {
		name := trees.Impls()[i].Name
		if !trees.Impls()[i].Available {
			continue
		}
		before := trees.Use()
		trees.Select(i)
		got := hashGroves(turns)
		trees.Select(before)
		if want == "" {
			want = got
		} else if got != want {
			t.Errorf("%s differs from the generic code", name)
		}
	}
}

func hashGroves(turns int) string {
	rng := rand.New(rand.NewPCG(5, 6))
	var hash [32]byte
	for _, k := range []int{2, 4, 8} {
		leaves := make([]block.Block, 1<<k)
		for range turns >> (k / 2) {
			for x := range leaves {
				leaves[x] = block.Block{Lo: rng.Uint64(), Hi: rng.Uint64()}
				if rng.IntN(8) == 0 {
					leaves[x] = block.Block{Lo: -(rng.Uint64() & 1), Hi: -(rng.Uint64() & 1)}
				}
			}
			ctx := context{byte(rng.Uint32() & 1), 0xff, byte(rng.Uint32())}
			g := newGrove(&ctx, k, leaves)
			for range 3 {
				n := 16 * (1 + rng.IntN(stride/16))
				cols, sum := make([]byte, k*stride), make([]byte, n)
				g.expand(0, cols, sum)
				g.step(n)
				hash = digest("test", hash[:], cols, sum)
			}
		}
	}
	return fmt.Sprintf("%x", hash)
}
