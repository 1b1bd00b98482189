package rlwe

import (
	"fmt"
	"io"

	"dorcas/internal/ring"
)

// SecretKey is the client's key: a ternary polynomial. It prints as [redacted].
type SecretKey struct{ s ring.NTT }

// NewSecretKey draws a key from a secret stream.
func NewSecretKey(s *ring.Stream) *SecretKey {
	sk, p := new(SecretKey), new(ring.Poly)
	ring.Ternary(p, s)
	ring.Forward(&sk.s, p)
	return sk
}

// String hides the key.
func (sk *SecretKey) String() string { return "[redacted]" }

// Format hides the key from every verb.
func (sk SecretKey) Format(f fmt.State, _ rune) { io.WriteString(f, "[redacted]") }

// PublicKey is an encryption (b, a) of zero: b + a·s is a small error. With it
// the server makes encryptions of zero of its own.
type PublicKey struct{ a, b ring.NTT }

// PublicKey writes b, PublicKeySize bytes. a is expanded from agreed, a seed
// that neither party chose alone; the error is drawn from noise, a secret
// stream. A key needs one public key only.
func (sk *SecretKey) PublicKey(dst []byte, agreed *[32]byte, noise *ring.Stream) {
	var a ring.NTT
	var e ring.Poly
	ring.UniformNTT(&a, ring.NewStream(agreed, labelPublicKey, 0))
	ring.Gaussian(&e, noise)
	sk.seal(dst, &e, &a)
}

// ParsePublicKey reads b from a peer's bytes and expands a from agreed. It
// fails on a wrong length and on values not below Q. A b of another form than
// PublicKey's spoils the results of the client that sent it and shows it
// nothing more, see Reshare.
func ParsePublicKey(src []byte, agreed *[32]byte) (*PublicKey, error) {
	pk := new(PublicKey)
	if err := parseNTT(&pk.b, src, "public key"); err != nil {
		return nil, err
	}
	ring.UniformNTT(&pk.a, ring.NewStream(agreed, labelPublicKey, 0))
	return pk, nil
}

// seal writes the NTT form of p − a·s.
func (sk *SecretKey) seal(dst []byte, p *ring.Poly, a *ring.NTT) {
	var c, as ring.NTT
	ring.Forward(&c, p)
	as.Mul(a, &sk.s)
	c.Sub(&c, &as)
	ring.PackBits(dst, c[:], ring.LogQ)
}
