// Package rlwe is an additively homomorphic encryption: BFV without products
// of ciphertexts, whose results leave the server as additive shares.
//
// It stands between package ring, which computes, and package linear, which
// turns convolutions into the sums of products that this package evaluates. The
// client encrypts its masks (Encrypt), the server multiplies them by weights and
// adds (Sum), then splits the result into a share of its own and an answer from
// which the client computes the other (Reshare, Open).
//
// It is no general encryption library: the uploads are symmetric, nothing is
// authenticated, the noise bound takes the messages for uniform, and the shares
// are exact only together, after their guard bits are dropped. Read cipher.go
// first, then answer.go, then noise.go for the bound that makes it exact.
//
// Notation: the plaintext modulus is 2^T; s is the secret key, ternary; a
// ciphertext (c0, c1) has the phase c0 + c1·s = Q/2^T·m + noise.
//
// The functions panic when the caller breaks their conditions. Only Parse,
// ParsePublicKey and Open read a peer's bytes; they return errors.
package rlwe

import (
	"fmt"

	"dorcas/internal/ring"
)

// CiphertextSize and PublicKeySize are the bytes of what the client sends: one
// polynomial in NTT form, 50 bits a value. The other halves are uniform and both
// parties expand them from a seed.
const (
	CiphertextSize = ring.N * ring.LogQ / 8
	PublicKeySize  = ring.N * ring.LogQ / 8
)

// Labels of the streams that expand uniform halves. AGREED.
const (
	labelPublicKey  = "rlwe key"
	labelCiphertext = "rlwe upload"
)

// parseNTT reads a packed polynomial in NTT form from a peer's bytes.
func parseNTT(dst *ring.NTT, src []byte, what string) error {
	if want := ring.PackedSize(ring.N, ring.LogQ); len(src) != want {
		return fmt.Errorf("rlwe: %s: %d bytes, want %d", what, len(src), want)
	}
	if i := ring.UnpackTop(dst[:], src, ring.LogQ); i >= 0 {
		return fmt.Errorf("rlwe: %s: value %d is not below the modulus", what, i)
	}
	return nil
}
