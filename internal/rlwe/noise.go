package rlwe

import (
	"fmt"
	"math/bits"

	"dorcas/internal/ring"
)

// AnswerParams are the public parameters of an answer. Both parties compute
// with equal ones.
//
// # What has to hold
//
// Let p = T + Guard, let y be a coefficient of the product of weights and
// messages, and let the phase that the client computes be Q/2^T·y + n − R, with R
// the server's mask. With x = phase·2^p/Q and z = R·2^p/Q,
//
//	x + z = 2^Guard·y + ν (mod 2^p),  ν = n·2^p/Q.
//
// For Guard ≥ 2 both shares are rounded to the nearest, each by at most 1/2.
// So |ν| < 1 gives |ε| < 2, that is ε ∈ {−1, 0, 1}. For Guard = 1 the
// server's share is rounded down: ε lies in (ν − 3/2, ν + 1/2], and |ν| < 1/2
// gives ε ∈ {−1, 0}. In both cases adding 2^(Guard−1) and shifting by Guard
// returns y exactly, and in both cases the condition is |n| < B with
//
//	B = ⌊Q/2^p⌋ for Guard ≥ 2,  ⌊Q/2^(p+1)⌋ for Guard = 1,
//
// so that one guard bit costs as much noise budget as two.
//
// # The noise
//
// With w the weights of all products (over one output coefficient, Euclidean
// norm ≤ 2^NormBits), e and ρ the errors and encoding roundings of the
// ciphertexts, eₖ the error of the public key, u, e₀, e₁ the fresh encryption
// of zero, and δ₀, δ₁ what cutting low bits takes from c0 and c1,
//
//	n = Σ w·(e + ρ) + u·eₖ + e₀ + s·e₁ + s·δ₁ + δ₀
//
// A variable X is called sub-Gaussian with proxy v if E exp(tX) ≤ exp(t²v/2) for
// all t. Proxies of independent variables add, scale by squares, and
// P(|X| > x) ≤ 2·exp(−x²/2v). Given u and s, all terms but δ₀ are independent
// and linear in what is left random:
//
//   - A rounded Gaussian has proxy σ² + 1/12 < 10.33: by Poisson's summation
//     formula E exp(tX) = exp(t²σ²/2)·sinh(t/2)/(t/2) up to a factor
//     1 + 2^-290, and sinh(x)/x ≤ exp(x²/6). Cutting the tails of a symmetric
//     variable lowers E cosh(tX), and the sampler's table changes
//     probabilities of values by a relative 2^-36.
//   - Messages are uniform (or zero), so Q·m mod 2^T is, and ρ is uniform on
//     2^T points a distance 2^-T apart, from −1/2 + 2^-T to 1/2: a mean of
//     2^-(T+1) and a sum of T independent signs times powers of 2, proxy 1/12.
//     Together w·(e + ρ) has proxy 10.41·4^NormBits; the means add up to at most
//     2^-(T+1)·Σ|w| ≤ 2^-(T+1)·2^NormBits·√(N·Terms).
//   - u·eₖ + e₀ + s·e₁ has proxy 10.33·(2N + 1), since ‖u‖², ‖s‖² ≤ N.
//   - c1 is uniform and independent of all else, because a is and u is a unit
//     of the ring (see below). So δ₁ is uniform on 2^d₁ neighbouring integers,
//     with mean −1/2, again a sum of signs, proxy 4^d₁/12 (Q is no multiple of
//     2^d₁; that raises probabilities by at most exp(N·2^d₁/Q) < 1.01). The
//     proxy of s·δ₁ is ‖s‖²·4^d₁/12, the mean at most N/2. ‖s‖² exceeds 0.77·N
//     with probability below 2^-70 (Chernoff, expected 2/3·N).
//   - |δ₀| ≤ 2^(d₀−1) always.
//
// The answer keeps 50 − d₀ and 50 − d₁ bits such that, with V the sum of the
// proxies,
//
//	√(86·V) + means + 2^(d₀−1) < B.
//
// As 2·exp(−86/2) < 2^-61, a coefficient fails with probability below 2^-60:
// the remainder covers ‖s‖², the factor 1.01, and a u that is no unit. That
// happens once in about Q/N = 2^39 answers; then δ₁ need not be uniform, but
// it and e₁ are still independent of s, whose coefficients have proxy 2/3, and
// the proxy 2/3·N·4^(d₁−1) is 2.6 times the one counted, which leaves a
// failure of 2^-22 in that case. A model of 2^20 coefficients fails with
// probability below 2^-40.
type AnswerParams struct {
	T        int // bits of a plaintext, 1 to MaxT
	Guard    int // low bits of the shares that hide the rounding, at least 1; T+Guard ≤ 32
	NormBits int // 2^NormBits bounds the norm of the weights that act on one coefficient, over all products
	Terms    int // products in a Sum, at most ring.MaxTerms
}

// SECURITY: the bound's constants, in hundredths and times 86 where a proxy.
const (
	tailFactor   = 86
	proxyWeight  = 1041                      // σ² + 1/12 + 1/12, of each weight
	proxyZero    = 1033 * (2*ring.N + 1)     // u·eₖ + e₀ + s·e₁
	proxyCut     = (77*ring.N + 12 - 1) / 12 // s·δ₁ for d₁ = 0
	maxNormBits  = 31                        // so that 4^NormBits fits a word
	maxCut       = 31                        // same for 4^d₁; also keeps N·2^d₁/Q < 2^-8
	maxShareBits = 32
)

// Check says whether answers with these parameters are right but for a
// probability of 2^-60 a coefficient. The other methods need that.
func (p AnswerParams) Check() error {
	switch {
	case p.T < 1 || p.T > MaxT:
		return fmt.Errorf("rlwe: answer: %d bits of plaintext, want 1 to %d", p.T, MaxT)
	case p.Guard < 1 || p.Guard > maxShareBits-p.T:
		return fmt.Errorf("rlwe: answer: %d guard bits beside %d of plaintext, want 1 to %d", p.Guard, p.T, maxShareBits-p.T)
	case p.NormBits < 0 || p.NormBits > maxNormBits:
		return fmt.Errorf("rlwe: answer: weights of norm 2^%d, want 2^0 to 2^%d", p.NormBits, maxNormBits)
	case p.Terms < 1 || p.Terms > ring.MaxTerms:
		return fmt.Errorf("rlwe: answer: %d products, want 1 to %d", p.Terms, ring.MaxTerms)
	case !p.fits(0, 0):
		return fmt.Errorf("rlwe: answer: noise budget: weights of norm 2^%d are too large for %d bits of plaintext and %d guard bits",
			p.NormBits, p.T, p.Guard)
	}
	return nil
}

// Bits returns how many bits of a coefficient of c0 and of c1 an answer of
// wanted coefficients keeps: of all pairs within the noise budget, the one of
// fewest bytes, with N coefficients of c1 beside wanted ones of c0.
func (p AnswerParams) Bits(wanted int) (b0, b1 int) {
	best, d1 := -1, maxCut
	for d0 := 0; d0 < ring.LogQ; d0++ {
		for d1 >= 0 && !p.fits(d0, d1) {
			d1--
		}
		if d1 < 0 {
			break
		}
		size := wanted*(ring.LogQ-d0) + ring.N*(ring.LogQ-d1)
		if best < 0 || size < best {
			best, b0, b1 = size, ring.LogQ-d0, ring.LogQ-d1
		}
	}
	if best < 0 {
		panic("rlwe: answer parameters that Check refuses")
	}
	return b0, b1
}

// Size returns the bytes of an answer of wanted coefficients.
func (p AnswerParams) Size(wanted int) int {
	b0, b1 := p.Bits(wanted)
	return ring.PackedSize(ring.N, b1) + ring.PackedSize(wanted, b0)
}

// budget is B above.
func (p AnswerParams) budget() int64 {
	if p.Guard == 1 {
		return ring.Q >> (p.T + 2)
	}
	return ring.Q >> (p.T + p.Guard)
}

// room is B less what is bounded without chance: the cut of c0 and the means.
// √(N·Terms) is rounded up to a power of 2.
func (p AnswerParams) room(d0, d1 int) int64 {
	room := p.budget() - int64(1)<<d0>>1
	if d1 > 0 {
		room -= ring.N / 2
	}
	root := (ring.LogN + bits.Len(uint(p.Terms-1)) + 1) / 2
	return room - int64(1)<<max(0, p.NormBits+root-p.T-1)
}

// fits says whether cutting d0 and d1 bits keeps the bound: 86·V < room², both
// sides times 100. It computes with integers, because both parties must
// come to the same sizes.
func (p AnswerParams) fits(d0, d1 int) bool {
	room := p.room(d0, d1)
	if room <= 0 {
		return false
	}
	hi, lo := p.variance(d1)
	roomHi, roomLo := bits.Mul64(10*uint64(room), 10*uint64(room)) // 10·room < 2^54
	return hi < roomHi || hi == roomHi && lo < roomLo
}

// variance returns 100·86·V.
func (p AnswerParams) variance(d1 int) (hi, lo uint64) {
	hi, lo = bits.Mul64(tailFactor*proxyWeight, 1<<(2*p.NormBits))
	h, l := bits.Mul64(tailFactor*proxyCut, 1<<(2*d1))
	if d1 == 0 {
		h, l = 0, 0
	}
	lo, carry := bits.Add64(lo, l, 0)
	hi += h + carry
	lo, carry = bits.Add64(lo, tailFactor*proxyZero, 0)
	return hi + carry, lo
}
