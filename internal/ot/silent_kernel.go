package ot

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"dorcas/internal/block"
)

// The kernels of silent transfer, in portable Go. None has a branch or an
// address that depends on the blocks; encodeGeneric's addresses are public.

// A genericKey is a key of AES-128 for the generic kernels. An aesKey, which each
// platform defines around it, is such a key for all kernels of the platform: mostly
// for the hash H of package block under one key that serves many inputs,
// H(x) = AES_key(σ(x)) ⊕ σ(x), σ(Hi, Lo) = (Hi ⊕ Lo, Hi).
type genericKey struct {
	cipher cipher.Block
	buf    [16]byte
}

func (h *genericKey) setKeyGeneric(key *[16]byte) {
	c, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // a key of 16 bytes is always valid
	}
	h.cipher = c
}

func (h *genericKey) hash(x block.Block) block.Block {
	x = block.Block{Lo: x.Hi, Hi: x.Hi ^ x.Lo}
	x.Put(h.buf[:])
	h.cipher.Encrypt(h.buf[:], h.buf[:])
	return block.Get(h.buf[:]).Xor(x)
}

// and is the bitwise and of two blocks.
func and(a, b block.Block) block.Block { return block.Block{Lo: a.Lo & b.Lo, Hi: a.Hi & b.Hi} }

// expandGeneric replaces every node x of lo by its left child H(x) and sets the
// same place of hi to its right child x ⊕ H(x), both without the bits that keep
// lacks. It returns the sum of the left children. The lengths are equal.
func expandGeneric(lo, hi []block.Block, h *genericKey, keep block.Block) block.Block {
	var sum block.Block
	hi = hi[:len(lo)]
	for i, x := range lo {
		left := h.hash(x)
		hi[i] = and(x.Xor(left), keep)
		left = and(left, keep)
		lo[i] = left
		sum = sum.Xor(left)
	}
	return sum
}

// tagsGeneric writes H of each src to dst and returns the sum of them.
func tagsGeneric(dst []byte, src []block.Block, h *genericKey) block.Block {
	var sum block.Block
	for i, x := range src {
		t := h.hash(x)
		t.Put(dst[i*block.Size:])
		sum = sum.Xor(t)
	}
	return sum
}

// addAtGeneric adds x to v[at] and touches every other block in the same way.
// at < 2^31.
func addAtGeneric(v []block.Block, x block.Block, at int) {
	for i := range v {
		mask := uint64(int64(uint64(uint32(i^at))-1) >> 63)
		v[i].Lo ^= x.Lo & mask
		v[i].Hi ^= x.Hi & mask
	}
}

// addTagGeneric is addAtGeneric for tags.
func addTagGeneric(tags []byte, x block.Block, at int) {
	for i := 0; i < len(tags); i += block.Size {
		mask := uint64(int64(uint64(uint32(i/block.Size^at))-1) >> 63)
		t := block.Get(tags[i:])
		t.Lo ^= x.Lo & mask
		t.Hi ^= x.Hi & mask
		t.Put(tags[i:])
	}
}

// rowSize is the number of bytes that choose the secret bits of one sample: four
// little-endian words of three fields of fieldBits bits, of which the last two
// are not used.
const (
	rowSize   = 32
	fieldBits = 21
)

// rowsGeneric fills dst with the rows from row on: AES-128 in counter mode, from
// the big-endian counter 2·row.
func rowsGeneric(dst []byte, row int, h *genericKey) {
	var iv [16]byte
	binary.BigEndian.PutUint64(iv[8:], 2*uint64(row))
	clear(dst)
	cipher.NewCTR(h.cipher, iv[:]).XORKeyStream(dst, dst)
}

// encodeGeneric adds to each dst the codeWeight blocks of table that its row
// chooses. len(table) is a power of two of at most 2^fieldBits, len(rows) is
// rowSize·len(dst).
func encodeGeneric(dst, table []block.Block, rows []byte) {
	mask := uint64(len(table) - 1)
	for i := range dst {
		r := rows[i*rowSize:][:rowSize]
		w0 := binary.LittleEndian.Uint64(r)
		w1 := binary.LittleEndian.Uint64(r[8:])
		w2 := binary.LittleEndian.Uint64(r[16:])
		w3 := binary.LittleEndian.Uint64(r[24:])
		const f, g = fieldBits, 2 * fieldBits
		a, b, c := &table[w0&mask], &table[w0>>f&mask], &table[w0>>g&mask]
		d, e, k := &table[w1&mask], &table[w1>>f&mask], &table[w1>>g&mask]
		l, m, n := &table[w2&mask], &table[w2>>f&mask], &table[w2>>g&mask]
		o := &table[w3&mask]
		dst[i].Lo ^= a.Lo ^ b.Lo ^ c.Lo ^ d.Lo ^ e.Lo ^ k.Lo ^ l.Lo ^ m.Lo ^ n.Lo ^ o.Lo
		dst[i].Hi ^= a.Hi ^ b.Hi ^ c.Hi ^ d.Hi ^ e.Hi ^ k.Hi ^ l.Hi ^ m.Hi ^ n.Hi ^ o.Hi
	}
}

// colours writes bit 0 of labels[i] to bit i mod 8 of dst[i div 8]; the bits of
// dst past the last label become zero.
func colours(dst []byte, labels []block.Block) {
	for len(labels) >= 8 {
		l := (*[8]block.Block)(labels)
		b := l[0].Lo&1 | l[1].Lo&1<<1 | l[2].Lo&1<<2 | l[3].Lo&1<<3 |
			l[4].Lo&1<<4 | l[5].Lo&1<<5 | l[6].Lo&1<<6 | l[7].Lo&1<<7
		dst[0] = byte(b)
		dst, labels = dst[1:], labels[8:]
	}
	if len(labels) > 0 {
		dst[0] = 0
		for i, l := range labels {
			dst[0] |= byte(l.Lo&1) << i
		}
	}
}
