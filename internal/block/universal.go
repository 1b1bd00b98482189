package block

import (
	"crypto/aes"
	"crypto/cipher"
)

// Universal is a linear universal hash of strings of one fixed size to 128 bits,
// a polynomial over GF(2^128): GHASH (NIST SP 800-38D, section 6.4) without its
// length block. For a string of the 16-byte blocks x_1 … x_m it is
//
//	x_1·H^(m+1) + x_2·H^m + … + x_m·H^2,  H = AES-128_key(0).
//
// Sum(a ⊕ b) = Sum(a) ⊕ Sum(b). For a uniform H, two different strings differ by
// a given block with probability at most (m+1)/2^128, since a polynomial of
// degree m+1 has no more roots than that. It is no message authentication code
// and hides nothing of its input.
//
// Without a kernel for the processor the field arithmetic is that of the standard
// library's GCM: a tag over additional data alone is the hash plus a constant
// that depends on key and size only, and that constant is the tag of zeros.
//
// A Universal is not safe for concurrent use.
type Universal struct {
	size   int
	powers *[powersLen]Block // of H, for the kernel; else nil

	aead  cipher.AEAD
	zero  Block // tag of the string of zeros
	nonce [12]byte
	tag   [16]byte
}

// powersLen is how many powers of H a kernel uses.
const powersLen = 68

// NewUniversal returns the hash under key for strings of size bytes. size must be
// a multiple of 16 of at least 16; other sizes panic.
func NewUniversal(key *[16]byte, size int) *Universal {
	if size <= 0 || size%Size != 0 {
		panic("block: universal hash: size is no positive multiple of 16")
	}
	c, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // a key of 16 bytes is always valid
	}
	h := &Universal{size: size}
	c.Encrypt(h.tag[:], h.tag[:])
	if h.powers = universalPowers(Get(h.tag[:])); h.powers != nil {
		return h
	}
	aead, err := cipher.NewGCM(c)
	if err != nil {
		panic(err) // AES has the block size that GCM needs
	}
	h.aead = aead
	h.zero = h.authenticate(make([]byte, size))
	return h
}

// Sum returns the hash of src, which must have the size given to NewUniversal.
// The bytes of the hash are those of GHASH, in the order of Block. It does not
// allocate.
func (h *Universal) Sum(src []byte) Block {
	if len(src) != h.size {
		panic("block: universal hash: string of the wrong size")
	}
	if h.powers != nil {
		return universalSum(src, h.powers)
	}
	return h.authenticate(src).Xor(h.zero)
}

// authenticate returns the GCM tag over src as additional data. The nonce is
// always zero: nothing is encrypted and the tag is no secret.
func (h *Universal) authenticate(src []byte) Block {
	t := h.aead.Seal(h.tag[:0], h.nonce[:], nil, src)
	return Get(t)
}
