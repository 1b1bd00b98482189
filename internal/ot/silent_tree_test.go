package ot

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/impl/impltest"
)

// A forestDealer hands out the correlations that trees consume, with paths of its
// choice.
type forestDealer struct {
	lpn
	ctx   [32]byte
	delta block.Block
	k     []block.Block
}

func newForestDealer(p lpn, seed uint64) *forestDealer {
	d := &forestDealer{lpn: p, ctx: *testSeed(seed), delta: randomBlocks(seed, 1)[0]}
	d.delta.Lo |= 1
	d.k = randomBlocks(seed+1, p.trees*p.depth)
	for i := range d.k {
		d.k[i].Lo &^= 1
	}
	return d
}

func (d *forestDealer) server() *forest {
	f := &forest{delta: d.delta}
	f.begin(d.lpn, &d.ctx, slices.Clone(d.k))
	return f
}

// client is a client whose path in tree t is paths[t].
func (d *forestDealer) client(paths []int) *forest {
	f := &forest{}
	base := slices.Clone(d.k)
	for t := range d.trees {
		for l := range d.depth {
			b := uint64(1 ^ paths[t]>>l&1)
			base[t*d.depth+l] = base[t*d.depth+l].Xor(d.delta.And(b))
		}
	}
	f.begin(d.lpn, &d.ctx, base)
	return f
}

// A forestLie changes both children of one node by the same value, which leaves all
// sums of levels consistent: the most that a server can do to a tree and still be
// believed by clients whose path goes through the node.
type forestLie struct {
	tree, level, node int
	by                block.Block
}

// slowTree is the server's tree t by definition, node by node, with lies; it
// returns the leaves in the order of the protocol and the c_l.
func (d *forestDealer) slowTree(t int, lies []forestLie) (leaves, sums []block.Block) {
	base := d.k[t*d.depth:][:d.depth]
	seed := digest(labelNodes, d.ctx[:])
	key := block.Get(seed[:]).Xor(block.Block{Lo: uint64(t)})
	nodes := []block.Block{base[0], base[0].Xor(d.delta)}
	for l := 1; l < d.depth; l++ {
		left := hashes(key, nodes)
		next := make([]block.Block, 2*len(nodes))
		var sum block.Block
		for p, x := range nodes {
			right := x.Xor(left[p])
			for _, lie := range lies {
				if lie.tree == t && lie.level == l && lie.node == p {
					left[p], right = left[p].Xor(lie.by), right.Xor(lie.by)
				}
			}
			if l == d.depth-1 {
				left[p].Lo &^= 1
				right.Lo &^= 1
			}
			next[p], next[p+len(nodes)] = left[p], right
			sum = sum.Xor(left[p])
		}
		sums = append(sums, base[l].Xor(sum))
		nodes = next
	}
	return nodes, sums
}

// slowMessage is the server's message by definition, with lies, and its leaves.
func (d *forestDealer) slowMessage(lies []forestLie) (msg []byte, leaves []block.Block) {
	check := append([]byte(labelDigest), d.ctx[:]...)
	for t := range d.trees {
		tree, sums := d.slowTree(t, lies)
		leaves = append(leaves, tree...)
		sent := blockBytes(sums)
		number := []byte{byte(t), byte(t >> 8), 0, 0}
		key := digest(labelTag, d.ctx[:], number, sent)
		tagged := hashes(block.Get(key[:]), tree)
		sum := sumOf(tagged)
		sent = append(sent, blockBytes([]block.Block{sum})...)
		key = digest(labelPoly, d.ctx[:], number, sent)
		n := min(tagPiece, len(tree))
		h := block.NewUniversal((*[16]byte)(key[:]), n*block.Size)
		for at := 0; at < len(tree); at += n {
			check = append(check, blockBytes([]block.Block{h.Sum(blockBytes(tagged[at : at+n]))})...)
		}
		msg = append(msg, sent...)
	}
	sum := sha256.Sum256(check)
	return append(msg, sum[:]...), leaves
}

// accepts is the client's verdict on msg.
func accepts(f *forest, msg []byte) bool {
	var g tagger
	sum := f.read(msg, &g, make([]block.Block, f.leaves()))
	return string(sum[:]) == string(msg[len(msg)-len(sum):])
}

// verifyLeaves checks that the client has the server's leaves, ⊕ Δ at the path.
func (d *forestDealer) verifyLeaves(t *testing.T, f *forest, paths []int, want []block.Block) {
	t.Helper()
	got := make([]block.Block, d.leaves())
	for i := range d.trees {
		f.puncture(got, i)
		for j, x := range got {
			y := want[i*d.leaves()+j]
			if j == paths[i] {
				y = y.Xor(d.delta)
			}
			if x != y {
				t.Fatalf("tree %d, path %d: leaf %d is wrong", i, paths[i], j)
			}
			if x.Bit() != uint64(1&^min(1, j^paths[i])) {
				t.Fatalf("tree %d, path %d: leaf %d has the wrong colour", i, paths[i], j)
			}
		}
	}
}

func TestForest(t *testing.T) {
	impltest.Each(t, silentTrees, func(t *testing.T) {
		for _, p := range []lpn{{3, 1, 2}, {2, 1, 3}, {4, 1, 5}, {2, 1, 9}, {2, 1, 11}} {
			d := newForestDealer(p, 20)
			msg := make([]byte, p.size())
			var g tagger
			s := d.server()
			s.write(msg, &g, make([]block.Block, p.leaves()))
			want, leaves := d.slowMessage(nil)
			if string(msg) != string(want) {
				t.Fatalf("%+v: not the message by definition", p)
			}
			for i := range p.trees {
				got := make([]block.Block, p.leaves())
				s.grow(got, i, nil)
				if !slices.Equal(got, leaves[i*p.leaves():][:p.leaves()]) {
					t.Fatalf("%+v: not the leaves by definition", p)
				}
				sum := sumOf(got)
				if sum.Lo |= 1; sum != d.delta {
					t.Fatalf("%+v: the leaves do not sum up to Δ", p)
				}
			}
			paths := make([]int, p.trees)
			for a := 0; a < p.leaves(); a += max(1, p.leaves()/64) {
				for i := range paths {
					paths[i] = (a*(i+1) + i) % p.leaves()
				}
				f := d.client(paths)
				if !accepts(f, msg) {
					t.Fatalf("%+v: paths %v: an honest message is rejected", p, paths)
				}
				d.verifyLeaves(t, f, paths, leaves)
			}
		}
	})
}

// TestForestLie: a server that lies below a node passes exactly if the path goes through
// it, which is guessing the path's first bits, and then both have what the lie predicts.
func TestForestLie(t *testing.T) {
	p := lpn{trees: 2, logK: 1, depth: 5}
	d := newForestDealer(p, 30)
	for _, by := range []block.Block{{Lo: 2}, {Hi: 1 << 63}, d.delta, randomBlocks(1, 1)[0]} {
		for level := 1; level < p.depth; level++ {
			for _, node := range []int{0, 1, 1<<level - 1} {
				lie := forestLie{tree: 1, level: level, node: node, by: by}
				msg, leaves := d.slowMessage([]forestLie{lie})
				passed := 0
				for a := range p.leaves() {
					paths := []int{7, a}
					f := d.client(paths)
					ok := accepts(f, msg)
					if through := a&(1<<level-1) == node; ok != through {
						t.Fatalf("level %d, node %d, path %d: accepted is %v", level, node, a, ok)
					}
					if ok {
						passed++
						d.verifyLeaves(t, f, paths, leaves)
					}
				}
				if passed != p.leaves()>>level {
					t.Errorf("level %d: %d of %d paths pass", level, passed, p.leaves())
				}
			}
		}
	}
}

// TestForestLies: lies in several trees must all be guessed.
func TestForestLies(t *testing.T) {
	p := lpn{trees: 3, logK: 1, depth: 4}
	d := newForestDealer(p, 31)
	lies := []forestLie{
		{tree: 0, level: 1, node: 1, by: block.Block{Hi: 5}},
		{tree: 2, level: 2, node: 2, by: block.Block{Hi: 5}},
	}
	msg, leaves := d.slowMessage(lies)
	passed := 0
	for a := range p.leaves() {
		for b := range p.leaves() {
			paths := []int{a, 3, b}
			f := d.client(paths)
			ok := accepts(f, msg)
			if ok != (a&1 == 1 && b&3 == 2) {
				t.Fatalf("paths %v: accepted is %v", paths, ok)
			}
			if ok {
				passed++
				d.verifyLeaves(t, f, paths, leaves)
			}
		}
	}
	if passed != p.leaves()*p.leaves()/8 {
		t.Errorf("%d pairs of paths pass", passed)
	}
}

// TestForestFitted: a server that sends a wrong sum of a level or of the tags, and fits the rest
// to one guessed path, passes for that path only.
func TestForestFitted(t *testing.T) {
	p := lpn{trees: 1, logK: 1, depth: 4}
	d := newForestDealer(p, 32)
	honest, _ := d.slowMessage(nil)
	for part := range p.depth {
		for guess := range p.leaves() {
			msg := slices.Clone(honest)
			msg[part*block.Size+3] ^= 0x10
			// What a client with this path computes is what to send.
			var g tagger
			sum := d.client([]int{guess}).read(msg, &g, make([]block.Block, p.leaves()))
			copy(msg[len(msg)-len(sum):], sum[:])
			for a := range p.leaves() {
				if accepts(d.client([]int{a}), msg) != (a == guess) {
					t.Fatalf("part %d, guess %d: path %d is judged wrongly", part, guess, a)
				}
			}
		}
	}
}

func TestForestFlips(t *testing.T) {
	p := lpn{trees: 2, logK: 1, depth: 3}
	d := newForestDealer(p, 33)
	msg, _ := d.slowMessage(nil)
	for at := range 8 * len(msg) {
		bad := slices.Clone(msg)
		bad[at/8] ^= 1 << (at % 8)
		for _, paths := range [][]int{{0, 7}, {5, 2}} {
			if accepts(d.client(paths), bad) {
				t.Errorf("bit %d, paths %v: accepted", at, paths)
			}
		}
	}
}

// TestForestOrder: a message fits its own iteration and its own order of trees.
func TestForestOrder(t *testing.T) {
	p := lpn{trees: 2, logK: 1, depth: 3}
	d := newForestDealer(p, 34)
	msg, _ := d.slowMessage(nil)
	other := *d
	other.ctx[0] ^= 1
	part := p.depth * block.Size
	swapped := slices.Concat(msg[part:2*part], msg[:part], msg[2*part:])
	for name, ok := range map[string]bool{
		"other iteration": accepts(other.client([]int{1, 2}), msg),
		"other order":     accepts(d.client([]int{1, 2}), swapped),
	} {
		if ok {
			t.Error(name, "is accepted")
		}
	}
	if s := fmt.Sprint(&SilentSender{}, &SilentReceiver{}); s != "[redacted] [redacted]" {
		t.Error("secrets are printed: ", s)
	}
}
