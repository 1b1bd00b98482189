package ring

import "math/bits"

// The transforms are the negacyclic ones of Longa and Naehrig ("Speeding up the
// number theoretic transform for faster ideal lattice-based cryptography",
// CANS 2016, section 3): the powers of ψ that make the product negacyclic are
// merged into the butterflies' factors. The butterflies are Harvey's ("Faster
// arithmetic for number-theoretic transforms", J. Symb. Comp. 2014, section 3)
// with Shoup's quotients, and two layers at a time pass through registers.
//
// Harvey keeps values below 4q by a conditional subtraction in each butterfly.
// Here q < 2^50 and words of 64 bits leave room to drop it altogether:
//
//	forward: each layer adds less than 2q to the bound, 11 layers from
//	         inputs < q stay below 23q < 2^55
//	inverse: each layer doubles the bound, 11 layers from inputs < q stay
//	         below 2^11·q < 2^61
//
// and one reduction at the end brings the values back to [0, q).

// psi is the least primitive 2N-th root of 1 mod Q.
const psi = 1080667890455

// factor is a constant multiplier w < Q with Shoup's quotient ⌊w·2^64/Q⌋.
type factor struct{ w, quo uint64 }

// forwardFactor[j] is ψ^rev(j) and inverseFactor[j] its inverse, for
// 1 ≤ j < N; layer m = 1, 2, 4, … N/2 uses entries m to 2m−1.
// scale is 1/N, and scaleFactor is inverseFactor[1]/N: the last layer of the
// inverse transform divides by N on the way.
var (
	forwardFactor, inverseFactor = factors()

	scale       = newFactor(power(N, Q-2))
	scaleFactor = newFactor(mulMod(inverseFactor[1].w, scale.w))
)

func newFactor(w uint64) factor {
	quo, _ := bits.Div64(w, 0, Q)
	return factor{w, quo}
}

func factors() (forward, inverse *[N]factor) {
	forward, inverse = new([N]factor), new([N]factor)
	f, i, inv := uint64(1), uint64(1), power(psi, Q-2)
	for k := range uint64(N) {
		j := bits.Reverse64(k) >> (64 - LogN)
		forward[j], inverse[j] = newFactor(f), newFactor(i)
		f, i = mulMod(f, psi), mulMod(i, inv)
	}
	return forward, inverse
}

func mulMod(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return reduceProduct(hi, lo)
}

// power returns x^e mod Q; its time depends on e, a constant.
func power(x, e uint64) uint64 {
	r := uint64(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			r = mulMod(r, x)
		}
		x = mulMod(x, x)
	}
	return r
}

// mul returns x·w mod Q up to a multiple of Q. It needs any word x and
// returns less than Q + Q·x/2^64 < 2Q.
func (f factor) mul(x uint64) uint64 {
	quo, _ := bits.Mul64(x, f.quo)
	return x*f.w - quo*Q
}

// Forward sets dst to the NTT form of src. They may share memory:
// Forward((*NTT)(p), p) works in place.
func Forward(dst *NTT, src *Poly) { forward((*[N]uint64)(dst), (*[N]uint64)(src)) }

// Inverse sets dst to the coefficients of src. They may share memory:
// Inverse((*Poly)(v), v) works in place.
func Inverse(dst *Poly, src *NTT) { inverse((*[N]uint64)(dst), (*[N]uint64)(src)) }

// forwardGeneric needs src < Q, returns dst < Q.
func forwardGeneric(dst, src *[N]uint64) {
	w := forwardFactor[1]
	for j := range N / 2 {
		x, t := src[j], w.mul(src[j+N/2])
		dst[j], dst[j+N/2] = x+t, x-t+2*Q
	}
	for m := 2; m < 128; m *= 4 {
		t := N / (4 * m)
		for i := range m {
			x := dst[4*i*t:][:4*t]
			forwardLayers(x[:t], x[t:2*t], x[2*t:3*t], x[3*t:],
				forwardFactor[m+i], forwardFactor[2*m+2*i], forwardFactor[2*m+2*i+1])
		}
	}
	forwardLayers4(dst)
	forwardLayers1(dst)
}

// forwardPair computes two layers on four values: w joins (x0, x2) and
// (x1, x3), then u joins (x0, x1) and v joins (x2, x3). It needs x < B and
// returns values < B + 4Q.
func forwardPair(x0, x1, x2, x3 uint64, w, u, v *factor) (y0, y1, y2, y3 uint64) {
	t2, t3 := w.mul(x2), w.mul(x3)
	x0, x2 = x0+t2, x0-t2+2*Q
	x1, x3 = x1+t3, x1-t3+2*Q
	t1, t3 := u.mul(x1), v.mul(x3)
	return x0 + t1, x0 - t1 + 2*Q, x2 + t3, x2 - t3 + 2*Q
}

func forwardLayers(x0, x1, x2, x3 []uint64, w, u, v factor) {
	x1, x2, x3 = x1[:len(x0)], x2[:len(x0)], x3[:len(x0)]
	for j := range x0 {
		x0[j], x1[j], x2[j], x3[j] = forwardPair(x0[j], x1[j], x2[j], x3[j], &w, &u, &v)
	}
}

// forwardLayers4 is layers m = 128 and 256, on neighbours 4 apart.
func forwardLayers4(dst *[N]uint64) {
	for i := range N / 16 {
		x := (*[16]uint64)(dst[16*i:])
		w, u, v := &forwardFactor[128+i], &forwardFactor[256+2*i], &forwardFactor[257+2*i]
		for j := range 4 {
			x[j], x[4+j], x[8+j], x[12+j] = forwardPair(x[j], x[4+j], x[8+j], x[12+j], w, u, v)
		}
	}
}

// forwardLayers1 is layers m = 512 and 1024, on neighbours. It needs values
// below 19Q, so that it ends below 23Q: h in fold is below 23 and its result
// below 2^50 + 2^19 < 2Q.
func forwardLayers1(dst *[N]uint64) {
	for i := range N / 4 {
		x := (*[4]uint64)(dst[4*i:])
		y0, y1, y2, y3 := forwardPair(x[0], x[1], x[2], x[3],
			&forwardFactor[512+i], &forwardFactor[1024+2*i], &forwardFactor[1025+2*i])
		x[0], x[1] = reduceOnce(fold(y0)), reduceOnce(fold(y1))
		x[2], x[3] = reduceOnce(fold(y2)), reduceOnce(fold(y3))
	}
}

// inverseGeneric needs src < Q, returns dst < Q.
func inverseGeneric(dst, src *[N]uint64) {
	inverseLayers1(dst, src)
	inverseLayers4(dst)
	for m := 32; m >= 2; m /= 4 {
		t := N / (4 * m)
		for i := range m {
			x := dst[4*i*t:][:4*t]
			inverseLayers(x[:t], x[t:2*t], x[2*t:3*t], x[3*t:],
				inverseFactor[m+i], inverseFactor[2*m+2*i], inverseFactor[2*m+2*i+1], Q*uint64(t))
		}
	}
	// Values are below 2^10·Q here, their sums below 2^11·Q = 2^61, which
	// mul brings below Q + Q/8.
	for j := range N / 2 {
		x, y := dst[j], dst[j+N/2]
		dst[j] = reduceOnce(scale.mul(x + y))
		dst[j+N/2] = reduceOnce(scaleFactor.mul(x - y + Q<<10))
	}
}

// inversePair undoes forwardPair, up to a factor 4. It needs x < bound, a
// multiple of Q below 2^61, and returns values below 4·bound.
func inversePair(x0, x1, x2, x3 uint64, w, u, v *factor, bound uint64) (y0, y1, y2, y3 uint64) {
	x0, x1 = x0+x1, u.mul(x0-x1+bound)
	x2, x3 = x2+x3, v.mul(x2-x3+bound)
	return x0 + x2, x1 + x3, w.mul(x0 - x2 + 2*bound), w.mul(x1 - x3 + 2*bound)
}

// inverseLayers needs values < bound = Q·t, t the number of values that each
// has been summed of so far.
func inverseLayers(x0, x1, x2, x3 []uint64, w, u, v factor, bound uint64) {
	x1, x2, x3 = x1[:len(x0)], x2[:len(x0)], x3[:len(x0)]
	for j := range x0 {
		x0[j], x1[j], x2[j], x3[j] = inversePair(x0[j], x1[j], x2[j], x3[j], &w, &u, &v, bound)
	}
}

// inverseLayers1 is layers m = 1024 and 512, on neighbours.
func inverseLayers1(dst, src *[N]uint64) {
	for i := range N / 4 {
		x, y := (*[4]uint64)(dst[4*i:]), (*[4]uint64)(src[4*i:])
		x[0], x[1], x[2], x[3] = inversePair(y[0], y[1], y[2], y[3],
			&inverseFactor[512+i], &inverseFactor[1024+2*i], &inverseFactor[1025+2*i], Q)
	}
}

// inverseLayers4 is layers m = 256 and 128, on neighbours 4 apart, and needs
// values below 4Q.
func inverseLayers4(dst *[N]uint64) {
	for i := range N / 16 {
		x := (*[16]uint64)(dst[16*i:])
		w, u, v := &inverseFactor[128+i], &inverseFactor[256+2*i], &inverseFactor[257+2*i]
		for j := range 4 {
			x[j], x[4+j], x[8+j], x[12+j] = inversePair(x[j], x[4+j], x[8+j], x[12+j], w, u, v, 4*Q)
		}
	}
}
