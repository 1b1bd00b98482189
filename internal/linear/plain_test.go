package linear

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Tests in this file multiply polynomials by the schoolbook method, on small
// rings as well, against convolutions by direct sums.

// direct is the convolution by its definition, modulo 2^64.
func direct(g Geometry, x []int32, w []int16) []int64 {
	oh, ow, per := g.OutH(), g.OutW(), g.InC/g.groups()
	y := make([]int64, g.OutC*oh*ow)
	for k := range g.OutC {
		for i := range oh {
			for j := range ow {
				sum := int64(0)
				for d := range per {
					c := k/(g.OutC/g.groups())*per + d
					for a := range g.KH {
						for b := range g.KW {
							h, v := i*g.StrideH+a*max(g.DilH, 1)-g.PadTop, j*g.StrideW+b*max(g.DilW, 1)-g.PadLeft
							if h >= 0 && h < g.InH && v >= 0 && v < g.InW {
								sum += int64(x[(c*g.InH+h)*g.InW+v]) * int64(w[((k*per+d)*g.KH+a)*g.KW+b])
							}
						}
					}
				}
				y[(k*oh+i)*ow+j] = sum
			}
		}
	}
	return y
}

// addProduct adds a·b mod X^n+1 to sum.
func addProduct(sum []int64, a []int32, b []uint32) {
	n := len(sum)
	for i, v := range a {
		if v == 0 {
			continue
		}
		for j, u := range b {
			if k := i + j; k < n {
				sum[k] += int64(v) * int64(u)
			} else {
				sum[k-n] -= int64(v) * int64(u)
			}
		}
	}
}

// flatPrices is an encryption on a ring of n coefficients.
func flatPrices(n int) prices {
	sizes := make([]int, n+1)
	for i := range sizes {
		sizes[i] = (n*30 + i*35 + 7) / 8
	}
	return prices{n: n, upload: n * 50 / 8, maxKernels: n, answers: func(int) []int { return sizes }}
}

const testBits = 20

// smallLayout lays g out on a ring of n coefficients.
func smallLayout(t testing.TB, g Geometry, n, images int) *Layout {
	t.Helper()
	l, err := newLayout(g, flatPrices(n), images)
	if err != nil {
		t.Fatal(err)
	}
	l.params = Params{T: testBits, Guard: 2, NormBits: 20}
	return l
}

func randomTensors(rnd *rand.Rand, g Geometry, images int) (x [][]int32, w []int16) {
	x = make([][]int32, images)
	for i := range x {
		x[i] = make([]int32, g.InC*g.InH*g.InW)
		for j := range x[i] {
			x[i][j] = int32(rnd.Uint32())
		}
	}
	w = make([]int16, g.OutC*g.taps())
	for i := range w {
		w[i] = int16(rnd.IntN(511) - 255)
	}
	return x, w
}

// checkPlain runs l without encryption: every output must be right, come from
// exactly one coefficient, and act under no more weights than are accounted for.
func checkPlain(t *testing.T, l *Layout, x [][]int32, w []int16) {
	t.Helper()
	const mask = 1<<testBits - 1
	messages := make([][]uint32, l.Uploads())
	for i := range messages {
		messages[i] = make([]uint32, l.n)
		for j := range messages[i] {
			messages[i][j] = 0xdeadbeef
		}
		l.Pack(messages[i], i, x)
		for _, v := range messages[i] {
			if v > mask {
				t.Fatalf("%v: upload %d: %#x is not reduced", l, i, v)
			}
		}
	}
	got, times := tensors(l), tensors(l)
	products := 0
	for i := range l.Answers() {
		first, count := l.Sources(i)
		tile, group := l.answerTile(i)
		set := &l.sets[tile.set]
		sum := make([]int64, l.n)
		norm := int64(0)
		for u := range count {
			coeffs := make([]int32, l.n)
			l.spread(coeffs, set, first-tile.firstUpload+u, group, w)
			for _, c := range coeffs {
				norm += int64(c) * int64(c)
			}
			addProduct(sum, coeffs, messages[first+u])
			products++
		}
		if most := groupNorm(l, tile, group, w); norm > most {
			t.Fatalf("%v: answer %d: squares of the plaintexts %d, of the weights %d", l, i, norm, most)
		}
		wanted := l.wanted(tile, group)
		values, ones := make([]uint32, len(wanted)), make([]uint32, len(wanted))
		last := int32(-1)
		for j, k := range wanted {
			if k <= last || int(k) >= l.n {
				t.Fatalf("%v: answer %d: wanted coefficients do not ascend", l, i)
			}
			last = k
			values[j], ones[j] = uint32(sum[k]&mask), 1
		}
		image, count := l.ImagesOf(i)
		counts := tensors(l)
		l.scatter(got[image:image+count], tile, group, 0, tile.lanes, values)
		l.scatter(counts[image:image+count], tile, group, 0, tile.lanes, ones)
		for k := range counts {
			for j, c := range counts[k] {
				times[k][j] += c
			}
		}
	}
	if products != l.Products() {
		t.Fatalf("%v: %d products, predicted %d", l, products, l.Products())
	}
	for k := range x {
		for i, y := range direct(l.geometry, x[k], w) {
			if times[k][i] != 1 {
				t.Fatalf("%v: image %d, output %d comes from %d coefficients", l, k, i, times[k][i])
			}
			if uint32(y&mask) != uint32(got[k][i]) {
				t.Fatalf("%v: image %d, output %d: got %d, want %d", l, k, i, got[k][i], y&mask)
			}
		}
	}
}

// tensors returns outputs of all images.
func tensors(l *Layout) [][]int32 {
	y := make([][]int32, l.Images())
	for i := range y {
		y[i] = make([]int32, l.Out())
	}
	return y
}

// groupNorm returns the squared norm of all the weights of a group of kernels.
func groupNorm(l *Layout, tile *placed, group int, w []int16) int64 {
	size := l.geometry.taps()
	first := group * tile.m
	sum := int64(0)
	for _, v := range w[first*size : min(first+tile.m, l.geometry.OutC)*size] {
		sum += int64(v) * int64(v)
	}
	return sum
}

func randomGeometry(rnd *rand.Rand) Geometry {
	for {
		small := func(n int) int { return 1 + rnd.IntN(1+rnd.IntN(n)) }
		g := Geometry{
			InC: small(8), InH: small(20), InW: small(20), OutC: small(8),
			KH: small(6), KW: small(6), StrideH: small(4), StrideW: small(4),
		}
		if rnd.IntN(2) == 0 {
			g.PadTop, g.PadLeft = rnd.IntN(4), rnd.IntN(4)
			g.PadBottom, g.PadRight = rnd.IntN(4), rnd.IntN(4)
		}
		if rnd.IntN(2) == 0 { // groups of a few channels, often of one
			g.Groups, g.OutC = g.InC, g.InC*small(3)
			g.InC *= small(4)
		}
		if rnd.IntN(2) == 0 {
			g.DilH, g.DilW = rnd.IntN(5), rnd.IntN(5)
		}
		if g.check() == nil {
			return g
		}
	}
}

func TestPlainRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	for range rounds {
		g := randomGeometry(rnd)
		n, images := []int{16, 32, 64, 128, 256}[rnd.IntN(5)], max(1, rnd.IntN(9)-3)
		x, w := randomTensors(rnd, g, images)
		checkPlain(t, smallLayout(t, g, n, images), x, w)
	}
}

// sides is a convolution without groups or dilation.
func sides(inC, inH, inW, outC, kh, kw, sh, sw, top, left, bottom, right int) Geometry {
	return Geometry{
		InC: inC, InH: inH, InW: inW, OutC: outC, KH: kh, KW: kw, StrideH: sh, StrideW: sw,
		PadTop: top, PadLeft: left, PadBottom: bottom, PadRight: right,
	}
}

// grouped is g in groups, with taps dil apart.
func grouped(g Geometry, groups, dil int) Geometry {
	g.Groups, g.DilH, g.DilW = groups, dil, dil
	return g
}

// square is a convolution with equal sides.
func square(inC, in, outC, k, stride, pad int) Geometry {
	return sides(inC, in, in, outC, k, k, stride, stride, pad, pad, pad, pad)
}

func TestPlainCases(t *testing.T) {
	cases := []struct {
		name string
		g    Geometry
		n    int
	}{
		{"one number", square(1, 1, 1, 1, 1, 0), 16},
		{"fully connected", square(100, 1, 37, 1, 1, 0), 64},
		{"fully connected, one output", square(300, 1, 1, 1, 1, 0), 64},
		{"fully connected, one input", square(1, 1, 300, 1, 1, 0), 64},
		{"kernel as large as the input", square(3, 7, 9, 7, 1, 0), 64},
		{"kernel larger than the ring", square(2, 12, 2, 9, 1, 0), 64},
		{"kernel much larger than the ring", square(1, 20, 2, 19, 1, 1), 16},
		{"kernel wider than the ring", sides(2, 6, 40, 3, 3, 30, 1, 1, 1, 1, 1, 1), 16},
		{"plane larger than the ring", square(2, 24, 3, 3, 1, 1), 64},
		{"row larger than the ring", sides(1, 3, 200, 2, 3, 3, 1, 1, 1, 1, 1, 1), 64},
		{"kernel smaller than the stride", square(3, 13, 4, 2, 3, 1), 64},
		{"1×1, stride 2", square(4, 12, 5, 1, 2, 0), 64},
		{"1×1, stride 2, border", square(4, 11, 5, 1, 2, 1), 64},
		{"kernel larger than the stride", square(2, 15, 5, 5, 2, 2), 128},
		{"border wider than the kernel", square(2, 3, 2, 2, 1, 5), 64},
		{"border wider than kernel and stride", square(2, 3, 2, 3, 2, 7), 64},
		{"border on one side", sides(2, 9, 9, 3, 3, 3, 1, 1, 0, 2, 1, 0), 64},
		{"border on the other side", sides(2, 9, 9, 3, 3, 3, 1, 1, 2, 0, 0, 1), 64},
		{"unequal strides", sides(2, 17, 9, 3, 5, 3, 3, 1, 2, 1, 2, 1), 64},
		{"one row", sides(3, 1, 40, 4, 1, 5, 1, 1, 0, 2, 0, 2), 64},
		{"one column", sides(3, 40, 1, 4, 5, 1, 1, 2, 2, 0, 2, 0), 64},
		{"rows that no kernel reaches", square(2, 12, 2, 3, 5, 0), 64},
		{"two rows, wide kernel", square(3, 2, 4, 5, 1, 2), 64},
		{"1×1 image, 3×3 kernel", square(5, 1, 6, 3, 1, 1), 64},
		{"1×1, one column of places", square(2, 20, 3, 1, 1, 0), 64},
		{"depthwise", grouped(square(9, 5, 9, 3, 1, 1), 9, 1), 256},
		{"depthwise, one channel fits", grouped(square(9, 5, 9, 3, 1, 1), 9, 1), 64},
		{"depthwise, two kernels a channel", grouped(square(7, 4, 14, 3, 2, 1), 7, 1), 256},
		{"depthwise vector", grouped(square(50, 1, 50, 1, 1, 0), 50, 1), 64},
		{"groups of 4 → 2", grouped(square(12, 4, 6, 3, 1, 1), 3, 1), 256},
		{"groups of 3 → 5, 1×1", grouped(square(15, 3, 25, 1, 1, 0), 5, 1), 64},
		{"two groups of a matrix", grouped(square(100, 1, 38, 1, 1, 0), 2, 1), 64},
		{"dilated", grouped(square(2, 11, 3, 3, 1, 2), 1, 2), 128},
		{"dilated, stride 2", grouped(square(2, 13, 3, 3, 2, 2), 1, 2), 128},
		{"dilated by 3, stride 2", grouped(square(2, 15, 3, 4, 2, 3), 1, 3), 128},
		{"dilated by 2, stride 6", grouped(square(2, 25, 3, 4, 6, 0), 1, 2), 128},
		{"dilated beyond the ring", grouped(square(2, 20, 3, 3, 1, 9), 1, 9), 64},
		{"dilated depthwise", grouped(square(4, 9, 4, 3, 1, 2), 4, 2), 256},
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, images := range []int{1, 2, 7} {
				x, w := randomTensors(rnd, c.g, images)
				checkPlain(t, smallLayout(t, c.g, c.n, images), x, w)
			}
		})
	}
}

// TestSearchBeatsUniform compares the chosen cut with all uniform ones.
func TestSearchBeatsUniform(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		g := randomGeometry(rnd)
		p := flatPrices(64 << rnd.IntN(3))
		l := smallLayout(t, g, p.n, 1)
		got := l.uploads * p.upload
		for i := range l.answers {
			tile, group := l.answerTile(i)
			got += p.answers(tile.m)[len(l.wanted(tile, group))]
		}
		// Answers round their bits up to bytes.
		if least := uniformLeast(g, p) + l.answers; got > least {
			t.Errorf("%v, n = %d: %d bytes, uniform tiles take %d", l, p.n, got, least)
		}
	}
}

// uniformLeast is the least cost of equal tiles with ct·m·size ≤ n, with phases
// for strides, every tile holding its whole border.
func uniformLeast(g Geometry, p prices) int {
	least := 1 << 60
	kh, kw := extent(g.KH, g.DilH), extent(g.KW, g.DilW)
	th, tw := ceilDiv(kh, g.StrideH), ceilDiv(kw, g.StrideW)
	channels := g.InC * min(g.StrideH, kh) * min(g.StrideW, kw)
	for h := 1; h <= g.OutH(); h++ {
		for w := 1; w <= g.OutW(); w++ {
			fit := p.n / ((h + th - 1) * (w + tw - 1))
			for ct := 1; ct <= fit; ct++ {
				tiles := ceilDiv(g.OutH(), h) * ceilDiv(g.OutW(), w)
				answers := ceilDiv(g.OutC, min(fit/ct, g.OutC))
				least = min(least, tiles*(ceilDiv(channels, ct)*p.upload+answers*p.answers(1)[0]))
			}
		}
	}
	return least + g.OutC*g.OutH()*g.OutW()*35/8 // the outputs' own bits
}

func TestGeometryErrors(t *testing.T) {
	good := square(3, 8, 4, 3, 1, 1)
	if _, err := NewLayout(good, Params{T: 20, Guard: 2, NormBits: 10}, 1); err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]Geometry{
		"no channels":    square(0, 8, 4, 3, 1, 1),
		"no kernels":     square(3, 8, 0, 3, 1, 1),
		"no kernel size": square(3, 8, 4, 0, 1, 1),
		"no stride":      square(3, 8, 4, 3, 0, 1),
		"negative pad":   square(3, 8, 4, 3, 1, -1),
		"kernel too big": square(3, 8, 4, 11, 1, 1),
		"side too big":   square(3, maxSide+1, 4, 3, 1, 1),
		"tensor too big": square(1<<10, 1<<10, 4, 3, 1, 1),
		"too many taps":  square(1<<15, 1, 1<<16, 1, 1, 0),
		"output too big": square(1, 1<<13, 4, 1, 1, 0),
		"too many bytes": square(1, 1<<12, 4, 20, 1, 0),
		"max int":        square(1<<62, 1<<62, 1<<62, 1<<62, 1, 1<<62),
		"uneven groups":  grouped(square(4, 8, 6, 3, 1, 1), 4, 1),
		"uneven inputs":  grouped(square(6, 8, 4, 3, 1, 1), 4, 1),
		"minus groups":   grouped(square(4, 8, 4, 3, 1, 1), -2, 1),
		"minus dilation": grouped(square(4, 8, 4, 3, 1, 1), 1, -1),
		"too wide taps":  grouped(square(4, 8, 4, 3, 1, 1), 1, 5),
		"max dilation":   grouped(square(4, 8, 4, 3, 1, 1), 1, 1<<62),
	} {
		if _, err := NewLayout(g, Params{T: 20, Guard: 2, NormBits: 10}, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, images := range []int{0, -1, MaxImages + 1, 1 << 62} {
		if _, err := NewLayout(good, Params{T: 20, Guard: 2, NormBits: 10}, images); err == nil {
			t.Errorf("%d images: no error", images)
		}
	}
	for _, p := range []Params{{0, 2, 10}, {31, 2, 10}, {28, 0, 10}, {28, 2, 31}, {20, 2, -1}} {
		if _, err := NewLayout(good, p, 1); err == nil {
			t.Error(fmt.Sprint(p), "no error")
		}
	}
}
