package ring

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"dorcas/internal/impl/impltest"
)

// TestScaleDown takes both sides of each rounding edge near some multiples.
func TestScaleDown(t *testing.T) {
	impltest.Each(t, kernels, func(t *testing.T) {
		r := newRand(20)
		for width := 1; width <= 32; width++ {
			src := edges()
			for range 100 {
				src = append(src, r.Uint64N(Q))
				// round((2k+1)·Q/2^(width+1)) is where the nearest changes.
				edge := new(big.Int).SetUint64(2*r.Uint64N(1<<width) + 1)
				edge.Mul(edge, bigQ).Rsh(edge, uint(width+1))
				src = append(src, edge.Uint64(), min(edge.Uint64()+1, Q-1))
				edge.SetUint64(r.Uint64N(1 << width))
				edge.Mul(edge, bigQ).Rsh(edge, uint(width))
				src = append(src, edge.Uint64(), min(edge.Uint64()+1, Q-1))
			}
			src = src[:len(src)-width%9]
			nearest, down := make([]uint32, len(src)), make([]uint32, len(src))
			ScaleDown(nearest, src, width, true)
			ScaleDown(down, src, width, false)
			x, half := new(big.Int), big.NewInt(Q/2)
			for i, v := range src {
				x.Lsh(x.SetUint64(v), uint(width)).Add(x, half).Div(x, bigQ)
				if want := uint32(x.Uint64() & (1<<width - 1)); nearest[i] != want {
					t.Fatalf("round(%d·2^%d/Q) = %d, want %d", v, width, nearest[i], want)
				}
				x.Lsh(x.SetUint64(v), uint(width)).Div(x, bigQ)
				if want := uint32(x.Uint64()); down[i] != want {
					t.Fatalf("⌊%d·2^%d/Q⌋ = %d, want %d", v, width, down[i], want)
				}
			}
		}
	})
}

func TestScaleUp(t *testing.T) {
	impltest.Each(t, kernels, func(t *testing.T) {
		r := newRand(21)
		for width := 1; width <= 32; width++ {
			src := []uint32{0, 1, 2, math.MaxUint32, math.MaxUint32 - 1, 1 << (width - 1), 1<<(width-1) - 1}
			for range 60 + width {
				src = append(src, r.Uint32())
			}
			var dst Poly
			dst[len(src)] = 1
			ScaleUp(&dst, src, width)
			x, half := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(width-1))
			for i, m := range src {
				x.SetUint64(uint64(m) & (1<<width - 1))
				x.Mul(x, bigQ).Add(x, half).Rsh(x, uint(width))
				if want := x.Uint64(); dst[i] != want || want >= Q {
					t.Fatalf("round(Q·%d/2^%d) = %d, want %d", m, width, dst[i], want)
				}
			}
			if slices.Max(dst[len(src):]) != 0 {
				t.Fatal("rest is not 0")
			}
		}
	})
}

func TestFromSigned(t *testing.T) {
	impltest.Each(t, kernels, func(t *testing.T) {
		src := []int32{0, 1, -1, math.MaxInt32, math.MinInt32, 7, -8, 9, 10, -11, 12, 13, -14, 15, 16, 17, -18}
		for n := range len(src) + 1 {
			dst := *constantPoly(5)
			FromSigned(&dst, src[:n])
			for i, v := range dst {
				want := int64(0)
				if i < n {
					want = (int64(src[i]) + Q) % Q
				}
				if v != uint64(want) {
					t.Fatalf("%d coefficients: value %d is %d, want %d", n, i, v, want)
				}
			}
		}
	})
}

// TestUnpackTop compares with the description, for every width and lengths
// around vectors, with a bad value at every place.
func TestUnpackTop(t *testing.T) {
	impltest.Each(t, kernels, func(t *testing.T) {
		r := newRand(22)
		for width := 1; width <= LogQ; width++ {
			drop := LogQ - width
			for _, n := range []int{0, 1, 7, 8, 9, 16, 23, 40, 100} {
				src := make([]uint64, n)
				for i := range src {
					src[i] = r.Uint64N(Q)
					if i%3 == 0 {
						src[i] = Q - 1
					}
				}
				packed := make([]byte, PackedSize(n, width))
				PackTop(packed, src, width)
				got := make([]uint64, n)
				if i := UnpackTop(got, packed, width); i != -1 {
					t.Fatalf("%d bits: value %d refused", width, i)
				}
				for i, v := range src {
					if want := (v>>drop<<drop + 1<<drop>>1) % Q; got[i] != want {
						t.Fatalf("%d bits: value %d is %d, want %d", width, i, got[i], want)
					}
				}
				if (1<<LogQ-1)>>drop<<drop < Q { // no string of so few bits is out of range
					continue
				}
				for bad := range src {
					kept := src[bad]
					src[bad] = 1<<LogQ - 1
					PackTop(packed, src, width)
					src[bad] = kept
					if i := UnpackTop(got, packed, width); i != bad {
						t.Fatalf("%d bits: bad value %d found at %d", width, bad, i)
					}
				}
			}
		}
	})
}

func TestMulAddPairs(t *testing.T) {
	impltest.Each(t, kernels, func(t *testing.T) {
		r := newRand(23)
		xs, ws := make([][2]NTT, 9), make([]NTT, 9)
		for i := range xs {
			xs[i], ws[i] = [2]NTT{NTT(*edgePoly(r)), NTT(*randomPoly(r))}, NTT(*edgePoly(r))
		}
		for n := range len(xs) + 1 {
			for _, full := range []int{0, maxLazy - 3} { // where a reduction comes between
				var a, b, c, d Acc
				a.terms, b.terms = full, full/2
				for i := range n {
					c.MulAdd(&xs[i][0], &ws[i])
					d.MulAdd(&xs[i][1], &ws[i])
				}
				MulAddPairs(&a, &b, xs[:n], ws[:n])
				if a.terms > maxLazy || b.terms > maxLazy {
					t.Fatal("too many products without a reduction")
				}
				for _, p := range [][2]*Acc{{&a, &c}, {&b, &d}} {
					var got, want NTT
					p[0].Reduce(&got)
					if p[1].Reduce(&want); got != want {
						t.Fatalf("%d pairs after %d differ from MulAdd", n, full)
					}
				}
			}
		}
	})
}
