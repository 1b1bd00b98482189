package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func forward() {
	TEXT("forwardIFMA", NOSPLIT, "func(dst, src, table *[2048]uint64)")
	Pragma("noescape")
	Doc("forwardIFMA needs src < Q, returns dst < Q. dst may be src.", "table is the first field of tables.")
	dst, src, tab := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("table"), GP64())
	k := newConstants()

	e, f := GP64(), GP64()
	MOVQ(tab, e)
	LEAQ(Mem{Base: tab, Disp: groupStart}, f)
	p := GP64()
	MOVQ(dst, p)
	w := loadFactors(f)
	loop("forward1", 32, func() {
		g := load(8, src, polyBytes/8)
		g.add(e, polyBytes/8)
		k.forwardLayers(g, w, true)
		g.store(p, polyBytes/8)
		ADDQ(I8(64), src)
		ADDQ(I8(64), e)
		ADDQ(I8(64), p)
	})

	MOVQ(dst, p)
	ADDQ(I32(groupBytes), f)
	loop("forward2", 8, func() {
		w := loadFactors(f)
		loop("forward2inner", 4, func() {
			g := load(8, p, polyBytes/64)
			k.forwardLayers(g, w, false)
			g.store(p, polyBytes/64)
			ADDQ(I8(64), p)
		})
		ADDQ(I32(polyBytes/8-4*64), p)
		ADDQ(I8(groupBytes), f)
	})
	LEAQ(Mem{Base: tab, Disp: blockStart}, f)
	k.forwardEnd(dst, f)
	VZEROUPPER()
	RET()
}

// pair is two values that a layer joins.
type pair struct {
	a, x *VecVirtual
	f    factor
}

// butterflies sets a = a + x·w and x = a − x·w. It needs x in [0, 4) and a in
// [0, 2), returns a in [0, 4) and x in (−2, 2).
func (k constants) butterflies(pairs ...pair) {
	if len(pairs) > together {
		k.butterflies(pairs[:together]...)
		k.butterflies(pairs[together:]...)
		return
	}
	d := make([]VecVirtual, len(pairs))
	ps := make([]product, len(pairs))
	for i, p := range pairs {
		d[i] = ZMM()
		VPADDQ(*p.a, *p.a, d[i])
		ps[i] = product{*p.a, *p.x, p.f}
	}
	k.add(ps...)
	for i, p := range pairs {
		VPSUBQ(*p.a, d[i], d[i])
		*p.x = d[i]
	}
}

// forwardLayers is three layers on values in [0, 4), or in [0, 2) if small, and
// returns values in [0, 4).
func (k constants) forwardLayers(g group, f [8]factor, small bool) {
	for layer, half := 0, 4; half > 0; layer, half = layer+1, half/2 {
		var ps []pair
		var low, high []VecVirtual
		for i := range 8 {
			if i&half != 0 {
				continue
			}
			switch {
			case layer > 0 && i&(2*half) != 0: // both in (−2, 2)
				VPADDQ(k.q2, g[i+half], g[i+half])
				high = append(high, g[i])
			case layer > 0 || !small:
				low = append(low, g[i])
			}
			ps = append(ps, pair{&g[i], &g[i+half], f[1<<layer+i/(2*half)]})
		}
		lower(k.q2, low...)
		raise(k.q2, high...)
		k.butterflies(ps...)
	}
	for i := 1; i < 8; i += 2 {
		VPADDQ(k.q2, g[i], g[i])
	}
}

// forwardEnd is the last five layers, on 32 neighbours at a time, several such
// blocks side by side to hide the instructions' latency.
func (k constants) forwardEnd(p, f Register) {
	evens := lanes("forwardFirst", 0, 8, 1, 9, 4, 12, 5, 13)
	odds := lanes("forwardSecond", 2, 10, 3, 11, 6, 14, 7, 15)
	loop("forward3", n/32/sideBySide, func() {
		x := load(4*sideBySide, p, 64)
		var outer, inner []pair
		for i := 0; i < len(x); i += 4 {
			w, u, v := wordFactors(f, i/4)
			outer = append(outer, pair{&x[i], &x[i+2], w}, pair{&x[i+1], &x[i+3], w})
			inner = append(inner, pair{&x[i], &x[i+1], u}, pair{&x[i+2], &x[i+3], v})
		}
		lower(k.q2, x.every(4, 0)...)
		lower(k.q2, x.every(4, 1)...)
		k.butterflies(outer...)
		for _, v := range x.every(4, 3) {
			VPADDQ(k.q2, v, v)
		}
		lower(k.q2, x.every(4, 0)...)
		raise(k.q2, x.every(4, 2)...)
		k.butterflies(inner...)
		k.forwardPairs(x, f)
		for i := 0; i < len(x); i += 2 {
			y := ZMM()
			VMOVDQA64(x[i], y)
			VPERMT2Q(x[i+1], evens, x[i])
			VPERMT2Q(x[i+1], odds, y)
			VMOVDQU64(x[i], Mem{Base: p, Disp: 64 * i})
			VMOVDQU64(y, Mem{Base: p, Disp: 64*i + 64})
		}
		ADDQ(I32(4*64*sideBySide), p)
		ADDQ(I32(blockBytes*sideBySide), f)
	})
}

// wordFactors is the factors of a block for neighbours 16 apart, then 8 apart
// in each half.
func wordFactors(f Register, block int) (w, u, v factor) {
	m := Mem{Base: f, Disp: block * blockBytes}
	return factorAt(m, true), factorAt(m.Offset(16), true), factorAt(m.Offset(32), true)
}

// pairFactor is the factor for a layer, 0 to 2, of the pair of vectors that
// begins with the i-th.
func pairFactor(f Register, i, layer int) factor {
	return factorAt(Mem{Base: f, Disp: i/4*blockBytes + wordBytes + (i/2%2*3+layer)*128}, false)
}

// forwardPairs is the last three layers, on sixteen neighbours at a time, each
// first in [0, 4), second in (−2, 2). Names are those of values before: x0 to
// x7, y0 to y7. It returns x0 x2 y0 y2 x4 x6 y4 y6 and x1 x3 y1 y3 x5 x7 y5 y7,
// below 1.
func (k constants) forwardPairs(g group, f Register) {
	shuffles := []func(x, y, a, b VecVirtual){
		func(x, y, a, b VecVirtual) { // x0 x1 x2 x3 y0 y1 y2 y3
			VSHUFI64X2(U8(0x44), y, x, a)
			VSHUFI64X2(U8(0xee), y, x, b)
		},
		func(x, y, a, b VecVirtual) { // x0 x1 y0 y1 x4 x5 y4 y5
			VSHUFI64X2(U8(0x88), y, x, a)
			VSHUFI64X2(U8(0xdd), y, x, b)
		},
		func(x, y, a, b VecVirtual) {
			VPUNPCKLQDQ(y, x, a)
			VPUNPCKHQDQ(y, x, b)
		},
	}
	for layer, shuffle := range shuffles {
		var ps []pair
		for i := 0; i < len(g); i += 2 {
			VPADDQ(k.q2, g[i+1], g[i+1])
			a, b := ZMM(), ZMM()
			shuffle(g[i], g[i+1], a, b)
			g[i], g[i+1] = a, b
			ps = append(ps, pair{&g[i], &g[i+1], pairFactor(f, i, layer)})
		}
		lower(k.q2, g.every(2, 0)...)
		k.butterflies(ps...)
	}
	lower(k.q2, g.every(2, 0)...)
	raise(k.q2, g.every(2, 1)...)
	lower(k.q, g...)
}
