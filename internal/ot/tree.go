package ot

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"dorcas/internal/block"
)

// A tree has 2^k leaves. The client knows them all; the server knows all but
// leaf α, where α is the value of k bits of Δ (Goldreich, Goldwasser, Micali 1986;
// the punctured function by k transfers: Boyle et al., CCS 2019, and Roy, CRYPTO
// 2022, figure 13). On every level the server learns, by one base transfer,
// the sum of the nodes on the side that its path does not take, hence the one node
// of that side that it could not compute. The first level has one node on either
// side, so the transfer's keys are the nodes.
//
// The check is Roy's figure 14: every leaf has a tag too, the client sends the sum
// of each tree's tags, from which the server gets the tag of the missing leaf, and
// one hash of all tags of all trees. A client that lies about sums is caught unless
// its lie is harmless at the server's α, that is, with the probability that it
// guesses a property of Δ.
//
// Base transfer i·k + b serves bit b of tree i's α, which is bit i·k + b of Δ, and
// the tree's level k−1−b: the topmost level decides the top bit.

// Kinds of values that hang below a node.
const (
	kindChildren = iota
	kindKey
	kindTag
)

const labelTags = "dorcas ot tags"

// below hashes a node to the 32 bytes of one kind. The position is hashed too, so
// that no two nodes of a session share a function. The input fits one block of
// SHA-256.
func below(ctx *context, kind, tree, level, index int, node block.Block) [32]byte {
	var in [len(ctx) + seedSize + 5]byte
	n := copy(in[:], ctx[:])
	node.Put(in[n:])
	n += seedSize
	in[n], in[n+1], in[n+2] = byte(kind), byte(tree), byte(level)
	binary.LittleEndian.PutUint16(in[n+3:], uint16(index))
	return sha256.Sum256(in[:])
}

func children(ctx *context, tree, level, index int, node block.Block) (left, right block.Block) {
	sum := below(ctx, kindChildren, tree, level, index, node)
	return block.Get(sum[:]), block.Get(sum[seedSize:])
}

// grow is the client's part: it makes all trees from the keys of the base
// transfers, writes message 3 and returns the keys of all leaves, tree by tree.
func grow(ctx *context, k int, base *[kappa][2]block.Block, msg3 []byte) []block.Block {
	leaves := 1 << k
	trees := kappa / k
	keys := make([]block.Block, trees*leaves)
	tags := make([]byte, trees*leaves*tagSize)
	for t := range trees {
		nodes := keys[t*leaves:][:leaves]
		part := msg3[t*treeSize(k):][:treeSize(k)]
		growTree(ctx, t, base[t*k:][:k], nodes, part)
		sum := part[(k-1)*2*seedSize:]
		clear(sum)
		for x, node := range nodes {
			tag := below(ctx, kindTag, t, k, x, node)
			subtle.XORBytes(sum, sum, tag[:])
			copy(tags[(t*leaves+x)*tagSize:], tag[:])
			key := below(ctx, kindKey, t, k, x, node)
			nodes[x] = block.Get(key[:])
		}
	}
	sum := digest(labelTags, ctx[:], tags)
	copy(msg3[trees*treeSize(k):], sum[:])
	return keys
}

// growTree fills nodes with the last level of tree t and writes, level by level,
// the encrypted sums of the left and of the right nodes.
func growTree(ctx *context, t int, base [][2]block.Block, nodes []block.Block, part []byte) {
	k := len(base)
	nodes[0], nodes[1] = base[k-1][0], base[k-1][1]
	for level := 1; level < k; level++ {
		var sums [2]block.Block
		// From the right, so that no node is overwritten before its turn.
		for p := 1<<level - 1; p >= 0; p-- {
			left, right := children(ctx, t, level, p, nodes[p])
			sums[0], sums[1] = sums[0].Xor(left), sums[1].Xor(right)
			nodes[2*p], nodes[2*p+1] = left, right
		}
		at := part[(level-1)*2*seedSize:]
		sums[0].Xor(base[k-1-level][0]).Put(at)
		sums[1].Xor(base[k-1-level][1]).Put(at[seedSize:])
	}
}

// puncture is the server's part: from its keys of the base transfers, whose choices
// are the complement of delta, and message 3 it returns the keys of all leaves.
// Within tree i they are ordered by x ⊕ α_i, so that the missing one, which is
// zero, comes first. Time does not depend on delta.
func puncture(ctx *context, k int, delta block.Block, base *[kappa]block.Block, msg3 []byte) ([]block.Block, error) {
	if len(msg3) != msg3Size(k) {
		return nil, fmt.Errorf("message 3 is %d bytes, want %d", len(msg3), msg3Size(k))
	}
	leaves := 1 << k
	trees := kappa / k
	keys := make([]block.Block, trees*leaves)
	tags := make([]byte, trees*leaves*tagSize)
	for t := range trees {
		nodes := keys[t*leaves:][:leaves]
		part := msg3[t*treeSize(k):][:treeSize(k)]
		var alpha uint64
		for b := range k {
			alpha |= deltaBit(delta, t*k+b) << b
		}
		punctureTree(ctx, t, alpha, base[t*k:][:k], nodes, part)
		punctureTags(ctx, t, k, alpha, nodes, tags[t*leaves*tagSize:], part[(k-1)*2*seedSize:])
		for x, node := range nodes {
			key := below(ctx, kindKey, t, k, x, node)
			nodes[x] = block.Get(key[:]).And(1 ^ equal(uint64(x), alpha))
		}
		shuffle(nodes, alpha)
	}
	want := digest(labelTags, ctx[:], tags)
	if subtle.ConstantTimeCompare(want[:], msg3[trees*treeSize(k):]) != 1 {
		return nil, errInconsistent
	}
	return keys, nil
}

// punctureTree fills nodes with the last level of tree t, with zero at alpha.
func punctureTree(ctx *context, t int, alpha uint64, base, nodes []block.Block, part []byte) {
	k := len(base)
	path := alpha >> (k - 1)
	nodes[0], nodes[1] = base[k-1].And(path), base[k-1].And(1^path)
	for level := 1; level < k; level++ {
		bit := alpha >> (k - 1 - level) & 1
		at := part[(level-1)*2*seedSize:]
		// The missing node's sibling: the sum of that side without the others.
		sibling := base[k-1-level].
			Xor(block.Get(at).And(bit)).
			Xor(block.Get(at[seedSize:]).And(1 ^ bit))
		for p := 1<<level - 1; p >= 0; p-- {
			known := 1 ^ equal(uint64(p), path)
			left, right := children(ctx, t, level, p, nodes[p])
			left, right = left.And(known), right.And(known)
			sibling = sibling.Xor(left.And(bit)).Xor(right.And(1 ^ bit))
			nodes[2*p], nodes[2*p+1] = left, right
		}
		path = path<<1 | bit
		for x := range 2 << level {
			here := equal(uint64(x), path^1)
			nodes[x] = nodes[x].Xor(sibling.And(here))
		}
	}
}

// punctureTags writes the tags of one tree's leaves, that of leaf alpha from sum,
// which holds the sum of all.
func punctureTags(ctx *context, t, k int, alpha uint64, nodes []block.Block, tags, sum []byte) {
	var missing [tagSize]byte
	copy(missing[:], sum)
	for x, node := range nodes {
		tag := below(ctx, kindTag, t, k, x, node)
		known := byte(equal(uint64(x), alpha)) - 1
		for i := range tag {
			tag[i] &= known
			missing[i] ^= tag[i]
		}
		copy(tags[x*tagSize:], tag[:])
	}
	for x := range nodes {
		here := -byte(equal(uint64(x), alpha))
		for i, m := range missing {
			tags[x*tagSize+i] |= m & here
		}
	}
}

// shuffle moves node x to place x ⊕ alpha by exchanging, for every bit of alpha
// that is one, the halves that this bit distinguishes.
func shuffle(nodes []block.Block, alpha uint64) {
	for b := 0; 1<<b < len(nodes); b++ {
		bit := alpha >> b & 1
		for x := range nodes {
			if y := x | 1<<b; y != x {
				d := nodes[x].Xor(nodes[y]).And(bit)
				nodes[x], nodes[y] = nodes[x].Xor(d), nodes[y].Xor(d)
			}
		}
	}
}

// equal returns 1 if x = y and 0 if not, for x, y < 2^31, without a branch.
func equal(x, y uint64) uint64 {
	return uint64(subtle.ConstantTimeEq(int32(x), int32(y)))
}
