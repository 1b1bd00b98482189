//go:build amd64 && !purego

package ring

import "dorcas/internal/impl"

// montgomery is a constant multiplier w as the kernels take it: W = w·2^52 mod
// Q and −W/Q mod 2^52, see _asm/ntt.go.
type montgomery struct{ quo, w uint64 }

// tables is what a transform reads. Assembly knows the layout.
type tables struct {
	shift  [N]uint64 // added to the input
	blocks [N / 32]factorBlock
	groups [9][7]montgomery
	scale  montgomery // 1/N, of the inverse transform
}

// factorBlock is the factors of five layers on 32 values: three that are
// alike for 16 or 8 values, then vectors for each half of the values.
type factorBlock struct {
	words [4]montgomery
	pairs [2][3]struct{ quo, w [8]uint64 }
}

var forwardTables, inverseTables = newTables()

func newMontgomery(w uint64) montgomery {
	inv := uint64(1) // of Q mod 2^64; each step doubles the right bits
	for range 6 {
		inv *= 2 - Q*inv
	}
	w = mulMod(w, 1<<52%Q)
	return montgomery{-w * inv & mask52, w}
}

func newTables() (forward, inverse *tables) {
	if !impl.AVX512IFMA {
		return nil, nil
	}
	forward, inverse = new(tables), new(tables)
	forward.setFactors(forwardFactor)
	inverse.setFactors(inverseFactor)
	inverse.groups[0][0] = newMontgomery(scaleFactor.w)
	inverse.scale = newMontgomery(scale.w)
	forward.shift = forwardShift()
	inverse.shift = inverseShift()
	return forward, inverse
}

// setFactors copies f, in the order of forwardFactor, to where it is used.
func (t *tables) setFactors(f *[N]factor) {
	at := func(i int) montgomery { return newMontgomery(f[i].w) }
	group := func(g *[7]montgomery, m int) {
		*g = [7]montgomery{at(m), at(2 * m), at(2*m + 1), at(4 * m), at(4*m + 1), at(4*m + 2), at(4*m + 3)}
	}
	group(&t.groups[0], 1)
	for i := range 8 {
		group(&t.groups[1+i], 8+i)
	}
	// The order of lanes that the shuffles between layers leave.
	order := [3][8]int{{0, 0, 0, 0, 1, 1, 1, 1}, {0, 0, 2, 2, 1, 1, 3, 3}, {0, 1, 4, 5, 2, 3, 6, 7}}
	if f == inverseFactor {
		order[0] = [8]int{0, 0, 1, 1, 0, 0, 1, 1}
	}
	for i := range t.blocks {
		b := &t.blocks[i]
		b.words = [4]montgomery{at(N/32 + i), at(N/16 + 2*i), at(N/16 + 2*i + 1)}
		for p := range b.pairs {
			for layer := range order {
				first := (2*i + p + N/16) << (layer + 1)
				for lane, j := range order[layer] {
					m := at(first + j)
					b.pairs[p][layer].quo[lane], b.pairs[p][layer].w[lane] = m.quo, m.w
				}
			}
		}
	}
}

// offset is what each product of the kernels has too much: 2^-52 − 1.
var offset = mulMod(power(1<<52%Q, Q-2), 1) + Q - 1

// forwardShift returns the vector whose addition to the input of the kernel
// cancels what its products have too much: minus the preimage of what the kernel
// makes of 0.
func forwardShift() (x [N]uint64) {
	add := func(a, b uint64) uint64 { return reduceOnce(a + b) }
	c := offset % Q
	for m, t := 1, N/2; t > 0; m, t = 2*m, t/2 {
		for j := range N / 2 {
			i := 2*t*(j/t) + j%t
			y := add(mulMod(x[i+t], forwardFactor[m+j/t].w), c)
			x[i], x[i+t] = add(x[i], y), add(x[i], Q-y)
		}
	}
	inverseGeneric(&x, &x)
	for i := range x {
		x[i] = addIfNegative(-x[i])
	}
	return x
}

// inverseShift does the same for the inverse transform. The kernel's first layer
// wants odd values in [−2Q, 0).
func inverseShift() (x [N]uint64) {
	add := func(a, b uint64) uint64 { return reduceOnce(a + b) }
	c := offset % Q
	for m, t := N/2, 1; m > 0; m, t = m/2, 2*t {
		for j := range N / 2 {
			i := 2*t*(j/t) + j%t
			w := inverseFactor[m+j/t].w
			if m == 1 {
				w = scaleFactor.w
			}
			a, b := x[i], x[i+t]
			x[i], x[i+t] = add(a, b), add(mulMod(w, add(a, Q-b)), c)
			if m == 1 {
				x[i] = add(mulMod(x[i], scale.w), c)
			}
		}
	}
	forwardGeneric(&x, &x)
	for i := range x {
		x[i] = addIfNegative(-x[i])
		if i%2 == 1 {
			x[i] -= 2 * Q
		}
	}
	return x
}
