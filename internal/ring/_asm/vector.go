package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// fold is the register constants of reduction by shifts: 2^50 ≡ 2^14 − 1 (mod q).
type fold struct{ mask, c, q VecVirtual }

func newFold() fold {
	return fold{broadcast(1<<logQ - 1), broadcast(1<<14 - 1), broadcast(q)}
}

// of replaces 2^50 by 2^14 − 1 in x, any word. It leaves less than 2^50 + 2^28.
func (f fold) of(x VecVirtual) {
	h := ZMM()
	VPSRLQ(U8(logQ), x, h)
	VPANDQ(f.mask, x, x)
	VPMADD52LUQ(f.c, h, x)
}

// vectors emits a function over polynomials, a vector of each at a time.
func vectors(name string, ps []string, doc string, setup func(), body func(at func(p string) Mem)) {
	signature := "func("
	for i, p := range ps {
		if i > 0 {
			signature += ", "
		}
		signature += p
	}
	TEXT(name, NOSPLIT, signature+" *[2048]uint64)")
	Pragma("noescape")
	Doc(doc)
	base := map[string]Register{}
	for _, p := range ps {
		base[p] = Load(Param(p), GP64())
	}
	i := GP64()
	XORQ(i, i)
	setup()
	Label(name + "Loop")
	for step := range 2 {
		body(func(p string) Mem { return Mem{Base: base[p], Index: i, Scale: 8, Disp: 64 * step} })
	}
	ADDQ(I8(16), i)
	CMPQ(i, I32(n))
	JB(LabelRef(name + "Loop"))
	VZEROUPPER()
	RET()
}

func read(m Mem) VecVirtual {
	x := ZMM()
	VMOVDQU64(m, x)
	return x
}

func vectorFunctions() {
	var f fold
	var c4 VecVirtual
	setQ := func() { f.q = broadcast(q) }
	vectors("addIFMA", []string{"dst", "a", "b"}, "addIFMA needs a, b < Q, returns dst < Q.", setQ, func(at func(string) Mem) {
		x := read(at("a"))
		VPADDQ(at("b"), x, x)
		lower(f.q, x)
		VMOVDQU64(x, at("dst"))
	})
	vectors("subIFMA", []string{"dst", "a", "b"}, "subIFMA needs a, b < Q, returns dst < Q.", setQ, func(at func(string) Mem) {
		x := read(at("a"))
		VPSUBQ(at("b"), x, x)
		raise(f.q, x)
		VMOVDQU64(x, at("dst"))
	})
	vectors("mulIFMA", []string{"dst", "a", "b"}, "mulIFMA needs a, b < Q, returns dst < Q.",
		func() { f = newFold() }, func(at func(string) Mem) { f.mul(at) })
	vectors("mulAddIFMA", []string{"lo", "hi", "x", "y"}, "mulAddIFMA adds the halves of x·y, of 52 bits each.",
		func() {}, func(at func(string) Mem) {
			x, y := read(at("x")), read(at("y"))
			lo, hi := read(at("lo")), read(at("hi"))
			VPMADD52LUQ(x, y, lo)
			VPMADD52HUQ(x, y, hi)
			VMOVDQU64(lo, at("lo"))
			VMOVDQU64(hi, at("hi"))
		})
	vectors("reduceAccIFMA", []string{"dst", "lo", "hi"}, "reduceAccIFMA sets dst < Q to hi·2^52 + lo mod Q, any words.",
		func() { f, c4 = newFold(), broadcast(4*(1<<14-1)) }, func(at func(string) Mem) { f.reduce(at, c4) })
}

// mul shifts a by 2 for the upper half, so that it counts multiples of 2^50: A of
// them and a rest below 2^50. A·(2^14−1) and the rest add to less than 2^64.
func (f fold) mul(at func(string) Mem) {
	a, b := read(at("a")), read(at("b"))
	a4, top, low, shifted := ZMM(), ZMM(), ZMM(), ZMM()
	VPXORQ(top, top, top)
	VPXORQ(low, low, low)
	VPSLLQ(U8(2), a, a4)
	VPMADD52HUQ(a4, b, top)
	VPMADD52LUQ(a, b, low)
	VPANDQ(f.mask, low, low)
	VPSLLQ(U8(14), top, shifted)
	VPSUBQ(top, low, low)
	VPADDQ(shifted, low, low)
	f.of(low)
	lower(f.q, low)
	VMOVDQU64(low, at("dst"))
}

// reduce takes h = hi mod q below 2^51 to h·2^52 ≡ h·(2^16−4), whose lower 52 bits
// and 2^16−4 times its upper ones, with lo mod q, add to less than 2^53.
func (f fold) reduce(at func(string) Mem, c4 VecVirtual) {
	lo, hi, top := read(at("lo")), read(at("hi")), ZMM()
	f.of(lo)
	f.of(hi)
	VPXORQ(top, top, top)
	VPMADD52HUQ(c4, hi, top)
	VPMADD52LUQ(c4, hi, lo)
	VPMADD52LUQ(c4, top, lo)
	f.of(lo)
	lower(f.q, lo)
	VMOVDQU64(lo, at("dst"))
}

// sums keeps the accumulators of 32 values in registers while it goes through the
// terms.
func sums() {
	TEXT("mulAddPairsIFMA", NOSPLIT, "func(lo0, hi0, lo1, hi1, x, w *[2048]uint64, terms int)")
	Pragma("noescape")
	Doc("mulAddPairsIFMA adds x[0]·w to one sum and x[1]·w to another, for a positive number of",
		"terms that lie behind each other.")
	base := [4]Register{}
	for i, name := range []string{"lo0", "hi0", "lo1", "hi1"} {
		base[i] = Load(Param(name), GP64())
	}
	x, w, i := Load(Param("x"), GP64()), Load(Param("w"), GP64()), GP64()
	XORQ(i, i)
	Label("sumsLoop")
	var acc [4][4]VecVirtual
	for a := range acc {
		for v := range acc[a] {
			acc[a][v] = read(Mem{Base: base[a], Index: i, Scale: 8, Disp: 64 * v})
		}
	}
	left, px, pw := Load(Param("terms"), GP64()), GP64(), GP64()
	MOVQ(x, px)
	MOVQ(w, pw)
	Label("sumsTerm")
	for v := range 4 {
		f := read(Mem{Base: pw, Index: i, Scale: 8, Disp: 64 * v})
		for half := range 2 {
			c := read(Mem{Base: px, Index: i, Scale: 8, Disp: 64*v + half*polyBytes})
			VPMADD52LUQ(c, f, acc[2*half][v])
			VPMADD52HUQ(c, f, acc[2*half+1][v])
		}
	}
	ADDQ(I32(2*polyBytes), px)
	ADDQ(I32(polyBytes), pw)
	DECQ(left)
	JNZ(LabelRef("sumsTerm"))
	for a := range acc {
		for v := range acc[a] {
			VMOVDQU64(acc[a][v], Mem{Base: base[a], Index: i, Scale: 8, Disp: 64 * v})
		}
	}
	ADDQ(I8(32), i)
	CMPQ(i, I32(n))
	JB(LabelRef("sumsLoop"))
	VZEROUPPER()
	RET()
}

// scalarSums keeps the accumulators of eight values of four pairs of sums in
// registers while it goes through the terms.
func scalarSums() {
	const columns = 4
	TEXT("mulAddScalarsIFMA", NOSPLIT, "func(sums, x *[2048]uint64, w *[4]uint64, terms int)")
	Pragma("noescape")
	Doc("mulAddScalarsIFMA adds x[0]·w[k] and x[1]·w[k] to pair k of sums, for a positive number of",
		"terms that lie behind each other. sums is the first field of four pairs of Acc.")
	sums, x, i := Load(Param("sums"), GP64()), Load(Param("x"), GP64()), GP64()
	w, terms := Load(Param("w"), GP64()), Load(Param("terms"), GP64())
	XORQ(i, i)
	Label("scalarsLoop")
	var acc [columns][2][2]VecVirtual // pair, half of the pair, half of the sum
	at := func(k, half, part int) Mem {
		return Mem{Base: sums, Index: i, Scale: 8, Disp: (2*k+half)*(2*polyBytes+8) + part*polyBytes}
	}
	for k := range acc {
		for half := range acc[k] {
			for part := range acc[k][half] {
				acc[k][half][part] = read(at(k, half, part))
			}
		}
	}
	left, px, pw := GP64(), GP64(), GP64()
	MOVQ(terms, left)
	MOVQ(x, px)
	MOVQ(w, pw)
	Label("scalarsTerm")
	var c [2]VecVirtual
	for half := range c {
		c[half] = read(Mem{Base: px, Index: i, Scale: 8, Disp: half * polyBytes})
	}
	for k := range acc {
		f := ZMM()
		VPBROADCASTQ(Mem{Base: pw, Disp: 8 * k}, f)
		for half := range acc[k] {
			VPMADD52LUQ(c[half], f, acc[k][half][0])
			VPMADD52HUQ(c[half], f, acc[k][half][1])
		}
	}
	ADDQ(I32(2*polyBytes), px)
	ADDQ(I8(8*columns), pw)
	DECQ(left)
	JNZ(LabelRef("scalarsTerm"))
	for k := range acc {
		for half := range acc[k] {
			for part := range acc[k][half] {
				VMOVDQU64(acc[k][half][part], at(k, half, part))
			}
		}
	}
	ADDQ(I8(8), i)
	CMPQ(i, I32(n))
	JB(LabelRef("scalarsLoop"))
	VZEROUPPER()
	RET()
}
