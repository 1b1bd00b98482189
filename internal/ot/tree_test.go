package ot

import (
	"bytes"
	"fmt"
	"testing"

	"dorcas/internal/block"
)

// randomBase deals base keys and Δ, and the keys that a server with this Δ gets.
func randomBase(seed uint64) (both *[kappa][2]block.Block, delta block.Block, chosen *[kappa]block.Block) {
	r := testRandom(seed)
	both, chosen = new([kappa][2]block.Block), new([kappa]block.Block)
	delta = block.Block{Lo: r.Uint64() | 1, Hi: r.Uint64()}
	for i := range both {
		for j := range both[i] {
			both[i][j] = block.Block{Lo: r.Uint64(), Hi: r.Uint64()}
		}
		chosen[i] = both[i][1^deltaBit(delta, i)]
	}
	return both, delta, chosen
}

// slowLeaf walks from the top of tree t to leaf x and returns the leaf's key.
func slowLeaf(ctx *context, k, t, x int, base *[kappa][2]block.Block) block.Block {
	node := base[t*k+k-1][x>>(k-1)]
	for level := 1; level < k; level++ {
		left, right := children(ctx, t, level, x>>(k-level), node)
		node = left
		if x>>(k-1-level)&1 == 1 {
			node = right
		}
	}
	key := below(ctx, kindKey, t, k, x, node)
	return block.Get(key[:])
}

func TestTreesAgainstWalks(t *testing.T) {
	for _, k := range depths {
		t.Run(fmt.Sprint("k=", k), func(t *testing.T) {
			ctx := newContext(k, testSeed(9))
			both, delta, chosen := randomBase(uint64(k))
			msg3 := make([]byte, msg3Size(k))
			all := grow(ctx, k, both, msg3)
			known, err := puncture(ctx, k, delta, chosen, msg3)
			if err != nil {
				t.Fatal(err)
			}
			for tree := range kappa / k {
				alpha := alphaOf(delta, k, tree)
				if known[tree<<k] != (block.Block{}) {
					t.Errorf("tree %d: the missing leaf is not zero", tree)
				}
				for x := range 1 << k {
					want := slowLeaf(ctx, k, tree, x, both)
					if all[tree<<k+x] != want {
						t.Fatalf("tree %d: the client's leaf %d is wrong", tree, x)
					}
					if x != alpha && known[tree<<k+(x^alpha)] != want {
						t.Fatalf("tree %d: the server's leaf %d is wrong", tree, x)
					}
				}
			}
		})
	}
}

// TestTreesAtEveryPuncture runs through all values of α of the first tree.
func TestTreesAtEveryPuncture(t *testing.T) {
	for _, k := range []int{1, 2, 4} {
		ctx := newContext(k, testSeed(9))
		both, delta, chosen := randomBase(1)
		msg3 := make([]byte, msg3Size(k))
		all := grow(ctx, k, both, msg3)
		for alpha := range 1 << k {
			delta.Lo = delta.Lo>>k<<k | uint64(alpha)
			for j := range k {
				chosen[j] = both[j][1^deltaBit(delta, j)]
			}
			known, err := puncture(ctx, k, delta, chosen, msg3)
			if err != nil {
				t.Fatalf("k=%d, α=%d: %v", k, alpha, err)
			}
			for x := range 1 << k {
				if want := all[x]; x != alpha && known[x^alpha] != want {
					t.Errorf("k=%d, α=%d: leaf %d is wrong", k, alpha, x)
				}
			}
		}
	}
}

// TestLyingTrees: a client that spoils the sum of one side of a level is caught
// exactly if the server's path needs that side.
func TestLyingTrees(t *testing.T) {
	const k = 4
	ctx := newContext(k, testSeed(9))
	both, delta, chosen := randomBase(2)
	msg3 := make([]byte, msg3Size(k))
	all := grow(ctx, k, both, msg3)
	for at := 0; at < len(msg3); at += 7 {
		bad := bytes.Clone(msg3)
		bad[at] ^= 1 << (at % 8)
		caught := true
		if tree, in := at/treeSize(k), at%treeSize(k); tree < kappa/k && in < (k-1)*2*seedSize {
			level, side := 1+in/(2*seedSize), uint64(in/seedSize%2)
			caught = deltaBit(delta, tree*k+k-1-level) != side
		}
		known, err := puncture(ctx, k, delta, chosen, bad)
		if (err != nil) != caught {
			t.Fatalf("byte %d: error %v, want one: %v", at, err, caught)
		}
		if err != nil {
			continue
		}
		for i, leaf := range known {
			tree, y := i>>k, i%(1<<k)
			alpha := alphaOf(delta, k, tree)
			if y != 0 && leaf != all[tree<<k+(y^alpha)] {
				t.Fatalf("byte %d: accepted with a wrong leaf", at)
			}
		}
	}
	for _, n := range []int{0, len(msg3) - 1} {
		if _, err := puncture(ctx, k, delta, chosen, msg3[:n]); err == nil {
			t.Errorf("message 3 of %d bytes: accepted", n)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct{ x, y, want uint64 }{{0, 0, 1}, {0, 1, 0}, {255, 255, 1}, {255, 127, 0}, {1 << 30, 1 << 30, 1}} {
		if got := equal(c.x, c.y); got != c.want {
			t.Errorf("equal(%d, %d) = %d", c.x, c.y, got)
		}
	}
}
