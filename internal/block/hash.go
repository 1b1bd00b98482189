package block

import "crypto/aes"

// HashBatch sets dst[i] = H(keys[i/per], src[i]), where
//
//	H(k, x) = AES-128_k(σ(x)) ⊕ σ(x),  σ(Hi, Lo) = (Hi ⊕ Lo, Hi).
//
// σ is a linear orthomorphism: σ and x ↦ σ(x) ⊕ x are both permutations, which
// is what makes H circular correlation robust in the ideal-cipher model (Guo,
// Katz, Wang, Weng, Yu, CRYPTO 2020, section 4). That holds for as many inputs
// under one key as the security statement of the caller allows for, and no
// more: the caller chooses keys and per accordingly. Keys are public.
//
// dst may be src. It panics unless len(dst) = len(src), per > 0 and len(keys) is
// len(src)/per, rounded up.
func HashBatch(dst, src, keys []Block, per int) {
	if len(dst) != len(src) || per <= 0 || len(keys) != (len(src)+per-1)/per {
		panic("block: hash: lengths do not fit")
	}
	hashBatch(dst, src, keys, per)
}

// hashBatchGeneric costs a key schedule a key, most of the time: the standard
// library expands for decryption too, on the heap.
func hashBatchGeneric(dst, src, keys []Block, per int) {
	var key, buf [Size]byte
	for _, k := range keys {
		k.Put(key[:])
		c, err := aes.NewCipher(key[:])
		if err != nil {
			panic(err) // a key of 16 bytes is always valid
		}
		n := min(per, len(src))
		for i, x := range src[:n] {
			x = x.sigma()
			x.Put(buf[:])
			c.Encrypt(buf[:], buf[:])
			dst[i] = Get(buf[:]).Xor(x)
		}
		dst, src = dst[n:], src[n:]
	}
}

// sigma is the linear orthomorphism of the hash.
func (b Block) sigma() Block { return Block{Lo: b.Hi, Hi: b.Hi ^ b.Lo} }
