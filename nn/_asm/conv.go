// Command asm writes the kernels of package nn's integer convolution. It is run
// by go generate, see conv_amd64.go.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	ConstraintExpr("!purego")
	tile(avx2)
	tile(vnni)
	dot()
	Generate()
}

// target is an instruction set and the tile that its registers hold: so many
// channels of so many vectors.
type target struct {
	name              string
	channels, vectors int
	bytes             int // of a vector
	vec               func() reg.VecVirtual
}

var (
	avx2 = target{"AVX2", 4, 2, 32, YMM}
	vnni = target{"VNNI", 8, 2, 64, ZMM}
)

// add emits acc += the products of the pairs of 16-bit words in x and w.
func (t target) add(acc, x, w reg.VecVirtual) {
	if t.name == "VNNI" {
		VPDPWSSD(w, x, acc)
		return
	}
	p := t.vec()
	VPMADDWD(x, w, p)
	VPADDD(p, acc, acc)
}

// tile emits a function that sums, for every channel of a tile, the products
// of weights with the words at the offsets.
func tile(t target) {
	columns := t.vectors * t.bytes / 4
	TEXT("tile"+t.name, NOSPLIT, "func(dst *int32, pitch int, lo, hi *uint32, offsets *int32, weights *uint32, n int)")
	Doc(fmt.Sprintf("tile%s computes %d channels of %d columns; see tile.", t.name, t.channels, columns))
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	pitch := Load(Param("pitch"), GP64())
	lo := Load(Param("lo"), GP64())
	hi := Load(Param("hi"), GP64())
	offsets := Load(Param("offsets"), GP64())
	weights := Load(Param("weights"), GP64())
	n := Load(Param("n"), GP64())

	acc := make([]reg.VecVirtual, t.channels*t.vectors)
	for i := range acc {
		acc[i] = t.vec()
		if t.bytes == 64 {
			VPXORD(acc[i], acc[i], acc[i])
		} else {
			VPXOR(acc[i], acc[i], acc[i])
		}
	}
	pass := func(label string, x reg.Register) {
		i, w, at := GP64(), GP64(), GP64()
		XORQ(i, i)
		MOVQ(weights, w)
		Label(label)
		MOVLQSX(Mem{Base: offsets, Index: i, Scale: 4}, at)
		xs := make([]reg.VecVirtual, t.vectors)
		for v := range xs {
			xs[v] = t.vec()
			from := Mem{Base: x, Index: at, Scale: 4, Disp: v * t.bytes}
			if t.bytes == 64 {
				VMOVDQU32(from, xs[v])
			} else {
				VMOVDQU(from, xs[v])
			}
		}
		for c := range t.channels {
			b := t.vec()
			VPBROADCASTD(Mem{Base: w, Disp: 4 * c}, b)
			for v := range xs {
				t.add(acc[c*t.vectors+v], xs[v], b)
			}
		}
		ADDQ(Imm(uint64(4*t.channels)), w)
		INCQ(i)
		CMPQ(i, n)
		JLT(LabelRef(label))
	}
	TESTQ(hi, hi)
	JZ(LabelRef("low"))
	pass("high", hi)
	for _, a := range acc {
		VPSLLD(Imm(16), a, a)
	}
	Label("low")
	pass("next", lo)
	SHLQ(Imm(2), pitch)
	for c := range t.channels {
		for v := range t.vectors {
			to := Mem{Base: dst, Disp: v * t.bytes}
			if t.bytes == 64 {
				VMOVDQU32(acc[c*t.vectors+v], to)
			} else {
				VMOVDQU(acc[c*t.vectors+v], to)
			}
		}
		ADDQ(pitch, dst)
	}
	VZEROUPPER()
	RET()
}

// dot emits the products of four rows of weights with one vector.
func dot() {
	TEXT("dotAVX2", NOSPLIT, "func(dst *[4]int32, w *int16, pitch int, lo, hi *int16, n int)")
	Doc("dotAVX2 computes four rows; see dot.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	w := Load(Param("w"), GP64())
	pitch := Load(Param("pitch"), GP64())
	lo := Load(Param("lo"), GP64())
	hi := Load(Param("hi"), GP64())
	n := Load(Param("n"), GP64())

	rows := []reg.Register{w, GP64(), GP64(), GP64()}
	for r := 1; r < 4; r++ {
		LEAQ(Mem{Base: rows[r-1], Index: pitch, Scale: 2}, rows[r])
	}
	low, high := make([]reg.VecVirtual, 4), make([]reg.VecVirtual, 4)
	for r := range low {
		low[r], high[r] = YMM(), YMM()
		VPXOR(low[r], low[r], low[r])
		VPXOR(high[r], high[r], high[r])
	}
	at := func(base reg.Register, i reg.Register) Mem { return Mem{Base: base, Index: i, Scale: 2} }
	loop := func(label string, withHigh bool) {
		i := GP64()
		XORQ(i, i)
		Label(label)
		a, b := YMM(), YMM()
		VMOVDQU(at(lo, i), a)
		if withHigh {
			VMOVDQU(at(hi, i), b)
		}
		for r := range rows {
			k, p := YMM(), YMM()
			VMOVDQU(at(rows[r], i), k)
			VPMADDWD(a, k, p)
			VPADDD(p, low[r], low[r])
			if withHigh {
				q := YMM()
				VPMADDWD(b, k, q)
				VPADDD(q, high[r], high[r])
			}
		}
		ADDQ(Imm(16), i)
		CMPQ(i, n)
		JLT(LabelRef(label))
	}
	TESTQ(hi, hi)
	JZ(LabelRef("low"))
	loop("both", true)
	for r := range low {
		VPSLLD(Imm(16), high[r], high[r])
		VPADDD(high[r], low[r], low[r])
	}
	JMP(LabelRef("add"))
	Label("low")
	loop("next", false)
	Label("add")
	VPHADDD(low[1], low[0], low[0])
	VPHADDD(low[3], low[2], low[2])
	VPHADDD(low[2], low[0], low[0])
	top := XMM()
	VEXTRACTI128(Imm(1), low[0], top)
	sum := low[0].AsX()
	VPADDD(top, sum, sum)
	VMOVDQU(sum, Mem{Base: dst})
	VZEROUPPER()
	RET()
}
