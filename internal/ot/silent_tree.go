package ot

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"dorcas/internal/block"
)

// A tree of silent transfer is a correlated tree (Guo, Yang, Wang, Zhang, Xie,
// Zhang, Liu, EUROCRYPT 2023, "half tree"): its first two nodes differ by Δ,
// the left child of x is H(x) and the right one x ⊕ H(x), so that every level sums
// up to Δ. Of the correlations K_l, M_l = K_l ⊕ b_l·Δ that a tree of depth h
// consumes the first is its first level: the server's nodes are K_0 and K_0 ⊕ Δ,
// and M_0 is the one of them that the client gets. For each further level the
// server sends
//
//	c_l = K_l ⊕ sum of the left nodes,
//
// so that M_l ⊕ c_l is the sum of the left nodes if b_l = 0 and of the right nodes if
// b_l = 1: the client knows all of them but one, its path's sibling, and learns that.
// Its path goes where b_l does not point. At the end it misses leaf α only, and what
// it puts there, the sum of all others, is the server's leaf ⊕ Δ.
//
// Nodes are stored so that the children of place p of a level of 2^l nodes are places p and p + 2^l.
// Bit l of α is therefore the complement of b_l. Leaves lose their bit 0, except
// that it is 1 at α for the client: bit 0 of a label of the client is its choice bit, and that of
// the server's is 0.
//
// # The check
//
// A server that sends a wrong c_l makes the client's leaves depend on α. So each leaf
// has a tag, H of the leaf under a key that is the digest of the tree's c_l; the server sends the sum of
// a tree's tags, which gives the client the tag of leaf α, and one digest of linear
// hashes of all trees' tags, each tree under a key that is the digest of all that was
// sent for it. Nothing goes from client to server. (Boyle et al., CCS 2019,
// have the tags; here they are half as long, since their function is not known before the c_l are fixed.)

// tagPiece is the number of leaves whose tags are hashed together. AGREED.
const tagPiece = 512

const (
	labelSilent = "dorcas ot silent"
	labelNodes  = "dorcas ot silent nodes"
	labelCode   = "dorcas ot silent code"
	labelTag    = "dorcas ot silent tags"
	labelPoly   = "dorcas ot silent hash"
	labelDigest = "dorcas ot silent check"
)

// noColour has all bits but bit 0, and all has all.
var (
	noColour = block.Block{Lo: ^uint64(1), Hi: ^uint64(0)}
	all      = block.Block{Lo: ^uint64(0), Hi: ^uint64(0)}
)

// A forest is the trees of one iteration. The server has delta and, in base, the K_l
// of all trees; the client has paths and the M_0 and M_l ⊕ c_l.
type forest struct {
	lpn
	ctx   [32]byte
	keys  block.Block // the trees' keys for H are keys ⊕ number of the tree
	base  []block.Block
	delta block.Block
	paths []uint32
	nodes aesKey
}

func (f *forest) begin(p lpn, ctx *[32]byte, base []block.Block) {
	f.lpn, f.ctx, f.base = p, *ctx, base
	sum := digest(labelNodes, ctx[:])
	f.keys = block.Get(sum[:])
}

// tree selects tree t: its key, and its part of base.
func (f *forest) tree(t int) []block.Block {
	var key [16]byte
	f.keys.Xor(block.Block{Lo: uint64(t)}).Put(key[:])
	f.nodes.setKey(&key)
	return f.base[t*f.depth:][:f.depth]
}

// keep is the bits that the nodes of level l keep: the last level is the leaves.
func (f *forest) keep(l int) block.Block {
	if l == f.depth-1 {
		return noColour
	}
	return all
}

// grow sets dst to the server's leaves of tree t and, unless sums is nil, writes the
// tree's c_l.
func (f *forest) grow(dst []block.Block, t int, sums []byte) {
	base := f.tree(t)
	dst[0], dst[1] = base[0], base[0].Xor(f.delta)
	for l := 1; l < f.depth; l++ {
		n := 1 << l
		left := expand(dst[:n], dst[n:2*n], &f.nodes, f.keep(l))
		if sums != nil {
			base[l].Xor(left).Put(sums[(l-1)*block.Size:])
		}
	}
}

// puncture sets dst to the client's leaves of tree t. The time and the addresses do not depend on the path.
func (f *forest) puncture(dst []block.Block, t int) {
	base := f.tree(t)
	path := int(f.paths[t])
	side := ^path & 1
	dst[0], dst[1] = base[0].And(uint64(1^side)), base[0].And(uint64(side))
	total := base[0] // of all nodes of the level, a wrong one on the path included
	for l := 1; l < f.depth; l++ {
		n := 1 << l
		keep := f.keep(l)
		left := expand(dst[:n], dst[n:2*n], &f.nodes, keep)
		total = and(total, keep)
		side = ^path >> l & 1
		held := left.Xor(total.And(uint64(side))) // the sum of the side that base speaks of
		wrong := and(base[l], keep).Xor(held)
		addAt(dst[:2*n], wrong, path&(n-1)|side<<l)
		total = total.Xor(wrong)
	}
	total.Lo |= 1
	addAt(dst, total, path)
}

// A tagger computes the tags of trees and the digest over all of them.
type tagger struct {
	hash aesKey
	sha  hash.Hash
	in   []byte
	key  [32]byte
	tags []byte
}

func (g *tagger) begin(ctx *[32]byte, leaves int) {
	if g.sha == nil {
		g.sha = sha256.New()
	}
	if len(g.tags) < leaves*block.Size {
		g.tags = make([]byte, leaves*block.Size)
	}
	g.sha.Reset()
	g.sha.Write([]byte(labelDigest))
	g.sha.Write(ctx[:])
}

// digest sets key to the digest of a label, tree t of ctx and what was sent for it.
func (g *tagger) digest(label string, ctx *[32]byte, t int, sent []byte) {
	g.in = append(g.in[:0], byte(len(label)))
	g.in = append(g.in, label...)
	g.in = append(g.in, ctx[:]...)
	g.in = binary.LittleEndian.AppendUint32(g.in, uint32(t))
	g.in = append(g.in, sent...)
	g.key = sha256.Sum256(g.in)
}

// tag writes the tags of the leaves of tree t to tags and returns their sum.
func (g *tagger) tag(f *forest, t int, sums []byte, leaves []block.Block) block.Block {
	g.digest(labelTag, &f.ctx, t, sums)
	g.hash.setKey((*[16]byte)(g.key[:]))
	return tags(g.tags, leaves, &g.hash)
}

// absorb adds the hashes of tags to the digest. sent is the c_l and the sum of the tags.
func (g *tagger) absorb(f *forest, t int, sent []byte) {
	g.digest(labelPoly, &f.ctx, t, sent)
	size := block.Size * min(tagPiece, f.leaves())
	h := block.NewUniversal((*[16]byte)(g.key[:]), size)
	var sum [block.Size]byte
	for at := 0; at < f.leaves()*block.Size; at += size {
		h.Sum(g.tags[at:][:size]).Put(sum[:])
		g.sha.Write(sum[:])
	}
}

// write is the server's part: it writes the message of an iteration. buf has room for
// the leaves of a tree.
func (f *forest) write(msg []byte, g *tagger, buf []block.Block) {
	g.begin(&f.ctx, f.leaves())
	buf = buf[:f.leaves()]
	part := f.depth * block.Size
	for t := range f.trees {
		sent := msg[t*part:][:part]
		sums := sent[:part-block.Size]
		f.grow(buf, t, sums)
		g.tag(f, t, sums, buf).Put(sent[len(sums):])
		g.absorb(f, t, sent)
	}
	g.sha.Sum(msg[:f.trees*part])
}

// read is the client's part: it takes the sums of the message, of which there are
// size() bytes, into base, and returns the digest of the check.
func (f *forest) read(msg []byte, g *tagger, buf []block.Block) (sum [sha256.Size]byte) {
	g.begin(&f.ctx, f.leaves())
	buf = buf[:f.leaves()]
	part := f.depth * block.Size
	f.paths = f.paths[:0]
	for t := range f.trees {
		sent := msg[t*part:][:part]
		sums := sent[:part-block.Size]
		f.paths = append(f.paths, f.open(t, sums))
		f.puncture(buf, t)
		wrong := g.tag(f, t, sums, buf).Xor(block.Get(sent[len(sums):]))
		addTag(g.tags[:f.leaves()*block.Size], wrong, int(f.paths[t]))
		g.absorb(f, t, sent)
	}
	g.sha.Sum(sum[:0])
	return sum
}

// open returns the path of tree t and adds its c_l to base.
func (f *forest) open(t int, sums []byte) uint32 {
	base := f.base[t*f.depth:][:f.depth]
	var path uint32
	for l := range base {
		path |= uint32(1^base[l].Bit()) << l
		if l > 0 {
			base[l] = base[l].Xor(block.Get(sums[(l-1)*block.Size:]))
		}
	}
	return path
}
