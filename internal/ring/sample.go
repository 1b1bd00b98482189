package ring

import "math/bits"

// What the samplers read from a stream, in words of 64 bits, is AGREED; so an
// assembly version must read the same.

// Uniform fills dst with independent uniform values of [0, Q): of each word of
// the stream it takes the low 50 bits and skips values ≥ Q, of which there is
// one in 2^36. It reads no word more than it needs, so consecutive calls give
// what one long call does. What is skipped says nothing about what is kept.
func Uniform(dst []uint64, s *Stream) {
	for len(dst) > 0 {
		s.words(dst)
		dst = dst[accept(dst):]
	}
}

// UniformNTT sets dst to a uniform polynomial, see Uniform. A uniform
// polynomial has uniform values at the roots, so no transform is needed.
func UniformNTT(dst *NTT, s *Stream) { Uniform(dst[:], s) }

// UniformPoly sets dst to a uniform polynomial, see Uniform.
func UniformPoly(dst *Poly, s *Stream) { Uniform(dst[:], s) }

// acceptGeneric cuts the words of x to 50 bits, moves those below Q to the front
// in order and returns their number.
func acceptGeneric(x []uint64) int {
	n := 0
	for _, v := range x {
		v &= 1<<LogQ - 1
		x[n] = v
		n += int((v - Q) >> 63)
	}
	return n
}

// Ternary fills dst with independent values −1, 0, 1 (as Q−1, 0, 1), each of
// probability 1/3 up to 2^-64; −1 and 1 have the same probability exactly.
// It reads N words.
func Ternary(dst *Poly, s *Stream) {
	s.words(dst[:])
	ternary((*[N]uint64)(dst))
}

// ternaryGeneric maps words to −1, 0, 1: the digit ⌊3x/2^64⌋ with 2 standing for −1.
// 2^64 − 1 is divisible by 3, the word too many falls to 0.
func ternaryGeneric(x *[N]uint64) {
	for i := range x {
		digit, _ := bits.Mul64(x[i], 3)
		x[i] = digit&1 + (Q-1)&-(digit>>1)
	}
}

// SECURITY: the error distribution.
const (
	// Sigma is the standard deviation of the Gaussian before rounding.
	Sigma = 3.2
	// MaxError bounds the absolute value of what Gaussian samples.
	MaxError = 19
)

// Gaussian fills dst with independent rounded Gaussian values: round(G), with G
// of mean 0 and standard deviation Sigma, given that |round(G)| ≤ MaxError.
// The variance is Sigma² + 1/12. Probabilities are right within 2^-64.
// For each 64 coefficients it reads one word of signs and 64 of magnitudes.
func Gaussian(dst *Poly, s *Stream) {
	var words [8 * 65]uint64
	for i := 0; i < N; i += 8 * 64 {
		s.words(words[:])
		gaussian((*[8 * 64]uint64)(dst[i:]), &words)
	}
}

// tail[k−1] is 2^64·P(|X| ≥ k) for X as in Gaussian, rounded. The test computes
// it again.
var tail = [MaxError]uint64{
	0xe036c92fb069ebbd, 0xa3a5c785a5318dee, 0x6f4594b7d2f7540a, 0x462919a0615fe1fb,
	0x28ded0de62757c88, 0x15edceaf5ef30fec, 0x0acf8fc8e9f4576a, 0x04e32531666434eb,
	0x0205d52d10cd5226, 0x00c3f62a7088a4b1, 0x0043baea39ce88fa, 0x00155c8f0726fa3e,
	0x000624ab7aa6b830, 0x00019c21a297cd96, 0x0000625b1a877b7e, 0x0000155b889169d5,
	0x000004355b29462a, 0x000000bdeb66e49a, 0x0000001b1be65074,
}

// gaussianGeneric maps eight times a word of signs and 64 others to values in
// [0, Q). A magnitude is the number of k with x ≥ 2^64 − tail[k−1], counted by
// the carries of x + tail[k−1], with no branch or index that depends on x.
func gaussianGeneric(dst *[8 * 64]uint64, words *[8 * 65]uint64) {
	for i := range 8 {
		sign, x, y := words[65*i], (*[64]uint64)(words[65*i+1:]), (*[64]uint64)(dst[64*i:])
		for j := 0; j < 64; j += 4 {
			n0, n1, n2, n3 := count4(x[j], x[j+1], x[j+2], x[j+3])
			y[j], y[j+1] = withSign(n0, sign), withSign(n1, sign>>1)
			y[j+2], y[j+3] = withSign(n2, sign>>2), withSign(n3, sign>>3)
			sign >>= 4
		}
	}
}

// count4 returns four magnitudes. Four at a time hide the carries' latency.
func count4(x0, x1, x2, x3 uint64) (n0, n1, n2, n3 uint64) {
	var c uint64
	for _, t := range &tail {
		_, c = bits.Add64(x0, t, 0)
		n0, _ = bits.Add64(n0, 0, c)
		_, c = bits.Add64(x1, t, 0)
		n1, _ = bits.Add64(n1, 0, c)
		_, c = bits.Add64(x2, t, 0)
		n2, _ = bits.Add64(n2, 0, c)
		_, c = bits.Add64(x3, t, 0)
		n3, _ = bits.Add64(n3, 0, c)
	}
	return n0, n1, n2, n3
}

// withSign returns n in [0, Q), or −n mod Q if the lowest bit of sign is 1.
func withSign(n, sign uint64) uint64 {
	minus := -(sign & 1)
	return addIfNegative((n ^ minus) - minus)
}
