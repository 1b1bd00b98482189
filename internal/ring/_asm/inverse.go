package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func inverse() {
	TEXT("inverseIFMA", NOSPLIT, "func(dst, src, table *[2048]uint64)")
	Pragma("noescape")
	Doc("inverseIFMA needs src < Q, returns dst < Q. dst may be src.", "table is the first field of tables.")
	dst, src, tab := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("table"), GP64())
	k := newConstants()
	minus := broadcast(1<<64 - 2*q)
	f := GP64()
	LEAQ(Mem{Base: tab, Disp: blockStart}, f)
	p := GP64()
	MOVQ(dst, p)
	e := GP64()
	MOVQ(tab, e)
	k.inverseStart(p, src, e, f, minus)

	MOVQ(dst, p)
	LEAQ(Mem{Base: tab, Disp: groupStart + groupBytes}, f)
	loop("inverse2", 8, func() {
		w := loadFactors(f)
		loop("inverse2inner", 4, func() {
			g := load(8, p, polyBytes/64)
			k.inverseLayers(g, w, minus, nil)
			g.store(p, polyBytes/64)
			ADDQ(I8(64), p)
		})
		ADDQ(I32(polyBytes/8-4*64), p)
		ADDQ(I8(groupBytes), f)
	})

	LEAQ(Mem{Base: tab, Disp: groupStart}, f)
	w := loadFactors(f)
	scale := factorAt(Mem{Base: tab, Disp: scaleStart}, true)
	loop("inverse1", 32, func() {
		g := load(8, dst, polyBytes/8)
		k.inverseLayers(g, w, minus, &scale)
		g.store(dst, polyBytes/8)
		ADDQ(I8(64), dst)
	})
	VZEROUPPER()
	RET()
}

// unpair is two values that a layer of the inverse transform joins.
type unpair struct {
	a, b   *VecVirtual
	f      factor
	plain  bool       // both are in [0, 2), else a is, and b in [−2, 0)
	offset VecVirtual // to be added to the product
}

// unbutterflies sets a = a + b and b = (a − b)·w + offset.
func (k constants) unbutterflies(pairs ...unpair) {
	if len(pairs) > together {
		k.unbutterflies(pairs[:together]...)
		k.unbutterflies(pairs[together:]...)
		return
	}
	ps := make([]product, len(pairs))
	for i, p := range pairs {
		d := ZMM()
		VPSUBQ(*p.b, *p.a, d)
		if p.plain {
			VPADDQ(k.q2, d, d)
		}
		sum := ZMM()
		VMOVDQA64(p.offset, sum)
		VPADDQ(*p.b, *p.a, *p.a)
		ps[i] = product{sum, d, p.f}
		*p.b = sum
	}
	k.add(ps...)
}

// inverseLayers is three layers on values in [0, 2), which end there too.
// Between layers what will be subtracted is kept in [−2, 0). With scale, the
// last layer multiplies the sums too, and values end below 1.
func (k constants) inverseLayers(g group, f [8]factor, minus VecVirtual, scale *factor) {
	k.unbutterflies(
		unpair{&g[0], &g[1], f[4], true, k.zero}, unpair{&g[2], &g[3], f[5], true, minus},
		unpair{&g[4], &g[5], f[6], true, k.zero}, unpair{&g[6], &g[7], f[7], true, minus})
	lower(k.q2, g[0], g[4])
	VPADDQ(minus, g[2], g[2])
	VPADDQ(minus, g[6], g[6])
	sink(k.q2, g[2], g[6])

	last := minus
	if scale != nil {
		last = k.zero
	}
	k.unbutterflies(
		unpair{&g[0], &g[2], f[2], false, k.zero}, unpair{&g[1], &g[3], f[2], false, k.zero},
		unpair{&g[4], &g[6], f[3], false, last}, unpair{&g[5], &g[7], f[3], false, last})
	raise(k.q2, g[0], g[1])
	if scale == nil {
		sink(k.q2, g[4], g[5])
	} else {
		raise(k.q2, g[4], g[5])
	}

	k.unbutterflies(
		unpair{&g[0], &g[4], f[1], scale != nil, k.zero}, unpair{&g[1], &g[5], f[1], scale != nil, k.zero},
		unpair{&g[2], &g[6], f[1], scale != nil, k.zero}, unpair{&g[3], &g[7], f[1], scale != nil, k.zero})
	if scale == nil {
		raise(k.q2, g[:4]...)
		return
	}
	var ps []product
	for i := range 4 {
		sum := ZMM()
		VMOVDQA64(k.zero, sum)
		ps = append(ps, product{sum, g[i], *scale})
		g[i] = sum
	}
	k.add(ps...)
	lower(k.q, g...)
}

// inverseStart is the first five layers, on 32 neighbours at a time, several
// such blocks side by side to hide the instructions' latency.
func (k constants) inverseStart(p, src, e, f Register, minus VecVirtual) {
	evens := lanes("inverseEven", 0, 2, 8, 10, 4, 6, 12, 14)
	odds := lanes("inverseOdd", 1, 3, 9, 11, 5, 7, 13, 15)
	loop("inverse3", n/32/sideBySide, func() {
		x := load(4*sideBySide, src, 64)
		x.add(e, 64)
		for i := 0; i < len(x); i += 2 {
			b := ZMM()
			VMOVDQA64(x[i], b)
			VPERMT2Q(x[i+1], evens, x[i])
			VPERMT2Q(x[i+1], odds, b)
			x[i+1] = b
		}
		k.inversePairs(x, f)
		var inner, outer []unpair
		for i := 0; i < len(x); i += 4 {
			w, u, v := wordFactors(f, i/4)
			inner = append(inner, unpair{&x[i], &x[i+1], u, true, k.zero}, unpair{&x[i+2], &x[i+3], v, true, minus})
			outer = append(outer, unpair{&x[i], &x[i+2], w, true, k.zero}, unpair{&x[i+1], &x[i+3], w, false, k.zero})
		}
		k.unbutterflies(inner...)
		lower(k.q2, x.every(2, 0)...)
		k.unbutterflies(outer...)
		lower(k.q2, x.every(4, 0)...)
		raise(k.q2, x.every(4, 1)...)
		x.store(p, 64)
		ADDQ(I32(4*64*sideBySide), src)
		ADDQ(I32(4*64*sideBySide), e)
		ADDQ(I32(4*64*sideBySide), p)
		ADDQ(I32(blockBytes*sideBySide), f)
	})
}

// inversePairs is the first three layers, on sixteen neighbours at a time, given
// as x0 x2 y0 y2 x4 x6 y4 y6 in [0, 2) and x1 x3 y1 y3 x5 x7 y5 y7 in [−2, 0).
// It returns x0 to x7 and y0 to y7 in [0, 2).
func (k constants) inversePairs(g group, f Register) {
	shuffles := []func(x, y, a, b VecVirtual){
		func(x, y, a, b VecVirtual) {
			VSHUFI64X2(U8(0x88), y, x, a)
			VSHUFI64X2(U8(0xdd), y, x, b)
		},
		func(x, y, a, b VecVirtual) { // x0 x1 y0 y1 x2 x3 y2 y3
			VSHUFI64X2(U8(0x44), y, x, a)
			VSHUFI64X2(U8(0xee), y, x, b)
		},
		func(x, y, a, b VecVirtual) { // x0 x1 y0 y1 x4 x5 y4 y5
			VPUNPCKLQDQ(y, x, a)
			VPUNPCKHQDQ(y, x, b)
		},
	}
	for layer := 2; layer >= 0; layer-- {
		var ps []unpair
		for i := 0; i < len(g); i += 2 {
			ps = append(ps, unpair{&g[i], &g[i+1], pairFactor(f, i, layer), layer < 2, k.zero})
		}
		k.unbutterflies(ps...)
		if layer == 2 {
			raise(k.q2, g.every(2, 0)...)
		} else {
			lower(k.q2, g.every(2, 0)...)
		}
		for i := 0; i < len(g); i += 2 {
			a, b := ZMM(), ZMM()
			shuffles[layer](g[i], g[i+1], a, b)
			g[i], g[i+1] = a, b
		}
	}
}
