package nn

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 20)) }

// edgeWord returns mostly words of which a half is at an edge.
func edgeWord(rnd *rand.Rand) uint32 {
	edges := []uint32{0, 1, 2, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff}
	half := func() uint32 {
		if rnd.IntN(3) == 0 {
			return rnd.Uint32() & 0xffff
		}
		return edges[rnd.IntN(len(edges))]
	}
	return half()<<16 | half()
}

// convCase is a convolution and its sizes.
type convCase struct {
	Conv
	in, out Dims
}

func newConvCase(in Dims, channels int, win Window) convCase {
	h, w := win.Out(in.H, in.W)
	return convCase{Conv{Window: win}, in, Dims{channels, h, w}}
}

func (c *convCase) String() string {
	s := fmt.Sprintf("%s→%s %d×%d stride %d,%d border %v", c.in, c.out,
		c.Window.KH, c.Window.KW, c.Window.StrideH, c.Window.StrideW, c.Window.Pad)
	if c.groups() > 1 {
		s += fmt.Sprintf(" %d groups", c.groups())
	}
	if c.Window.dilated() {
		s += fmt.Sprintf(" dilation %d,%d", c.Window.DilH, c.Window.DilW)
	}
	return s
}

func (c *convCase) random(rnd *rand.Rand, short bool) (x []int32, w []int16) {
	x = make([]int32, c.in.Len())
	for i := range x {
		x[i] = int32(edgeWord(rnd))
		if short {
			x[i] = int32(int16(x[i]))
		}
	}
	w = make([]int16, c.out.C*c.Taps(c.in))
	for i := range w {
		w[i] = int16(edgeWord(rnd))
	}
	return x, w
}

// byDefinition is the convolution modulo 2^32.
func (c *convCase) byDefinition(x []int32, w []int16) []int32 {
	var dst []int32
	win, dh, dw := c.Window, max(c.Window.DilH, 1), max(c.Window.DilW, 1)
	groups := max(c.Groups, 1)
	part := c.in.C / groups
	for oc := range c.out.C {
		for oh := range c.out.H {
			for ow := range c.out.W {
				sum := int64(0) // wraps modulo 2^64, a multiple of 2^32
				for i := range part {
					ic := oc/(c.out.C/groups)*part + i
					for kh := range win.KH {
						for kw := range win.KW {
							h, v := oh*win.StrideH+kh*dh-win.Pad.Top, ow*win.StrideW+kw*dw-win.Pad.Left
							if h >= 0 && h < c.in.H && v >= 0 && v < c.in.W {
								sum += int64(x[(ic*c.in.H+h)*c.in.W+v]) * int64(w[((oc*part+i)*win.KH+kh)*win.KW+kw])
							}
						}
					}
				}
				dst = append(dst, int32(sum))
			}
		}
	}
	return dst
}

// check compares one run with the definition, and leaves no room for writes
// outside of dst.
func (c *convCase) check(t *testing.T, rnd *rand.Rand, short bool) {
	t.Helper()
	x, w := c.random(rnd, short)
	room := make([]int32, c.out.Len()+64)
	for i := range room {
		room[i] = 0x5a5a5a5a
	}
	c.Apply(room[32:len(room)-32:len(room)-32], x, c.in, c.out, w)
	for i, want := range c.byDefinition(x, w) {
		if got := room[32+i]; got != want {
			t.Fatalf("%v: element %d is %#x, want %#x", c, i, got, want)
		}
		room[32+i] = 0x5a5a5a5a
	}
	for _, v := range room {
		if v != 0x5a5a5a5a {
			t.Fatalf("%v: wrote outside of the output", c)
		}
	}
}

func randomConv(rnd *rand.Rand, side int) convCase {
	for {
		small := func(n int) int { return 1 + rnd.IntN(1+rnd.IntN(n)) }
		win := Window{KH: small(7), KW: small(7), StrideH: small(4), StrideW: small(4)}
		if rnd.IntN(3) > 0 {
			win.Pad = Pad{rnd.IntN(win.KH), rnd.IntN(win.KW), rnd.IntN(win.KH), rnd.IntN(win.KW)}
		}
		c := newConvCase(Dims{small(9), small(side), small(side)}, small(20), win)
		if c.out.H > 0 && c.out.W > 0 {
			return c
		}
	}
}

func TestConvRandom(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 300
	}
	eachLevel(t, func(t *testing.T) {
		rnd := newRand(1)
		for i := range rounds {
			c := randomConv(rnd, 24)
			c.check(t, rnd, i%4 == 0)
		}
	})
}

// TestConvGroups: groups of any size, dilation, and both.
func TestConvGroups(t *testing.T) {
	rounds := 1000
	if testing.Short() {
		rounds = 200
	}
	eachLevel(t, func(t *testing.T) {
		rnd := newRand(8)
		for i := range rounds {
			c := randomConv(rnd, 24)
			win, groups := c.Window, 1+rnd.IntN(7)
			win.DilH, win.DilW = rnd.IntN(4), rnd.IntN(3)
			in := c.in
			in.C *= groups
			h, w := win.Extent()
			in.H, in.W = in.H+h-1, in.W+w-1
			c = newConvCase(in, groups*(1+rnd.IntN(10)), win)
			c.Groups = groups
			c.check(t, rnd, i%4 == 0)
			x, weights := c.random(rnd, false)
			got := make([]int32, c.out.Len())
			p := c.Begin(x, c.in, c.out)
			var wait sync.WaitGroup
			for first := 0; first < c.out.C; {
				from, to := first, min(c.out.C, first+1+rnd.IntN(9))
				wait.Go(func() { p.Channels(got, weights, from, to) })
				first = to
			}
			wait.Wait()
			p.End()
			if want := c.byDefinition(x, weights); !slices.Equal(got, want) {
				t.Fatalf("%v: ranges of channels differ", &c)
			}
		}
	})
}

func TestConvCases(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		rnd := newRand(2)
		// Every width and height around a tile, with and without a border.
		for side := 1; side <= 70; side++ {
			for _, k := range []int{1, 3} {
				for _, stride := range []int{1, 2} {
					for _, pad := range []int{0, k / 2} {
						if side+2*pad < k {
							continue
						}
						wide, high := newConvCase(Dims{3, 5, side}, 5, window(k, stride, pad)), newConvCase(Dims{2, side, 4}, 9, window(k, stride, pad))
						wide.check(t, rnd, false)
						high.check(t, rnd, false)
					}
				}
			}
		}
		// Rows of every length around the kernel's step, any number of them.
		for n := 1; n <= 70; n++ {
			c := newConvCase(Dims{n, 1, 1}, 1+n%9, window(1, 1, 0))
			c.check(t, rnd, n%2 == 0)
		}
		for _, c := range []convCase{
			newConvCase(Dims{784, 1, 1}, 128, window(1, 1, 0)),
			newConvCase(Dims{3, 7, 7}, 10, window(7, 1, 0)),
			newConvCase(Dims{5, 2, 2}, 11, window(3, 1, 1)),
			newConvCase(Dims{1, 1, 1}, 3, window(3, 1, 2)),
			newConvCase(Dims{1, 1, 1}, 1, Window{KH: 5, KW: 4, StrideH: 3, StrideW: 9, Pad: Pad{Top: 4, Left: 3}}),
			newConvCase(Dims{2, 3, 40}, 2, Window{KH: 1, KW: 30, StrideH: 1, StrideW: 1, Pad: Pad{Left: 29, Right: 2}}),
			newConvCase(Dims{2, 40, 3}, 2, Window{KH: 30, KW: 1, StrideH: 2, StrideW: 1, Pad: Pad{Top: 5, Bottom: 29}}),
			newConvCase(Dims{3, 100, 90}, 8, window(3, 1, 1)),
			newConvCase(Dims{1, 9, 9}, 2, window(9, 30, 8)),
			newConvCase(Dims{1, 1, 1}, 1, Window{KH: 2000, KW: 1, StrideH: 1, StrideW: 1, Pad: Pad{Top: 1999}}),
		} {
			c.check(t, rnd, false)
		}
	})
}

// TestConvExtremes: the largest sums of products that wrap.
func TestConvExtremes(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		c := newConvCase(Dims{64, 6, 40}, 9, window(3, 1, 1))
		for _, v := range []int32{-1 << 31, 1<<31 - 1, -1 << 15, 1<<15 - 1, 1 << 15, 0x7fff8000, 0x7fff7fff, -1} {
			for _, k := range []int16{-1 << 15, 1<<15 - 1, -1} {
				x, w := c.random(newRand(3), false)
				for i := range x {
					x[i] = v
				}
				for i := range w {
					w[i] = k
				}
				got := make([]int32, c.out.Len())
				c.Apply(got, x, c.in, c.out, w)
				for i, want := range c.byDefinition(x, w) {
					if got[i] != want {
						t.Fatalf("%d times %d: element %d is %d, want %d", v, k, i, got[i], want)
					}
				}
			}
		}
	})
}

// TestConvChannels computes ranges of channels at the same time.
func TestConvChannels(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		rnd := newRand(4)
		for range 30 {
			c := randomConv(rnd, 20)
			x, w := c.random(rnd, false)
			got := make([]int32, c.out.Len())
			p := c.Begin(x, c.in, c.out)
			var wait sync.WaitGroup
			for first := 0; first < c.out.C; {
				from, to := first, min(c.out.C, first+1+rnd.IntN(9))
				wait.Go(func() { p.Channels(got, w, from, to) })
				first = to
			}
			wait.Wait()
			p.Channels(got, w, c.out.C, c.out.C)
			p.End()
			for i, want := range c.byDefinition(x, w) {
				if got[i] != want {
					t.Fatalf("%v: element %d is %d, want %d", &c, i, got[i], want)
				}
			}
		}
	})
}

// TestConvHash: many small runs give the same bits with every instruction set.
func TestConvHash(t *testing.T) {
	rounds, want := 100_000, "da2071333b5412e2"
	if testing.Short() {
		rounds, want = 10_000, "29f2203edcafe133"
	}
	eachLevel(t, func(t *testing.T) {
		rnd := newRand(5)
		hash := sha256.New()
		var b []byte
		for range rounds {
			c := randomConv(rnd, 6)
			x, w := c.random(rnd, false)
			y := make([]int32, c.out.Len())
			c.Apply(y, x, c.in, c.out, w)
			b = b[:0]
			for _, v := range y {
				b = binary.LittleEndian.AppendUint32(b, uint32(v))
			}
			hash.Write(b)
		}
		if got := hex.EncodeToString(hash.Sum(nil)[:8]); got != want {
			t.Errorf("hash %s, want %s", got, want)
		}
	})
}

func TestConvAllocates(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, c := range []convCase{
			newConvCase(Dims{4, 20, 20}, 9, window(3, 1, 1)), newConvCase(Dims{100, 1, 1}, 9, window(1, 1, 0)),
		} {
			x, w := c.random(newRand(6), false)
			y := make([]int32, c.out.Len())
			least := 99.0 // of several, since the race detector empties pools
			for range 30 {
				least = min(least, testing.AllocsPerRun(1, func() { c.Apply(y, x, c.in, c.out, w) }))
			}
			if least > 1 {
				t.Errorf("%v: %v allocations, want at most the Product", &c, least)
			}
		}
	})
}

func depthwise(in Dims, stride int) convCase {
	c := newConvCase(in, in.C, window(3, stride, 1))
	c.Groups = in.C
	return c
}

func BenchmarkConv(b *testing.B) {
	for _, c := range []convCase{
		newConvCase(Dims{1, 28, 28}, 16, window(5, 1, 0)),
		newConvCase(Dims{1, 28, 28}, 5, window(5, 2, 1)),
		newConvCase(Dims{3, 32, 32}, 64, window(3, 1, 1)),
		newConvCase(Dims{64, 32, 32}, 64, window(3, 1, 1)),
		newConvCase(Dims{64, 16, 16}, 64, window(3, 1, 1)),
		newConvCase(Dims{64, 8, 8}, 64, window(3, 1, 0)),
		newConvCase(Dims{64, 8, 8}, 16, window(1, 1, 0)),
		newConvCase(Dims{64, 56, 56}, 128, window(3, 2, 1)),
		newConvCase(Dims{512, 4, 4}, 512, window(3, 1, 1)),
		newConvCase(Dims{512, 2, 2}, 512, window(3, 1, 1)),
		newConvCase(Dims{784, 1, 1}, 128, window(1, 1, 0)),
		newConvCase(Dims{2048, 1, 1}, 1001, window(1, 1, 0)),
		depthwise(Dims{8, 64, 64}, 1), depthwise(Dims{64, 32, 32}, 2), depthwise(Dims{128, 16, 16}, 1), depthwise(Dims{256, 4, 4}, 1),
	} {
		for _, short := range []bool{false, true} {
			name := c.String()
			if short {
				name += " 16 bit"
			}
			b.Run(name, func(b *testing.B) {
				x, w := c.random(newRand(7), short)
				y := make([]int32, c.out.Len())
				macs := float64(c.out.H * c.out.W * len(w))
				benchLevels(b, func(b *testing.B) {
					for b.Loop() {
						c.Apply(y, x, c.in, c.out, w)
					}
					b.ReportMetric(macs*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "MAC/ns")
				})
			})
		}
	}
}
