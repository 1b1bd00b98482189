//go:build amd64 && !purego

package nn

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// eachLevel runs f as a subtest for every instruction set. One that the
// processor lacks is skipped, or fails if DORCAS_REQUIRE names it.
func eachLevel(t *testing.T, f func(t *testing.T)) {
	was := active
	defer func() { active = was }()
	required := strings.Split(os.Getenv("DORCAS_REQUIRE"), ",")
	for l, name := range map[level]string{vnni: "avx512vnni", avx2: "avx2", generic: "generic"} {
		t.Run(name, func(t *testing.T) {
			if !slices.Contains(levels(), l) {
				if slices.Contains(required, name) {
					t.Fatal("required, and this processor lacks it")
				}
				t.Skip("this processor lacks it")
			}
			active = l
			f(t)
		})
	}
}

// benchLevels runs f in turns for every instruction set that there is.
func benchLevels(b *testing.B, f func(b *testing.B)) {
	was := active
	defer func() { active = was }()
	for _, l := range levels() {
		b.Run([]string{"generic", "avx2", "vnni"}[l], func(b *testing.B) {
			active = l
			f(b)
		})
	}
}

// TestTile compares the tile kernels with their definition, at the edges of
// 16 bits and for every kind of n and pitch.
func TestTile(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		if active == generic {
			return
		}
		rnd := newRand(21)
		channels, columns := active.tileSize()
		for round := range 400 {
			n, high := 1+rnd.IntN(40), round%3 > 0
			s := stencil{level: active, high: 500, words: make([]uint32, 1000), taps: make([]tap, n), offsets: make([]int32, n)}
			for i := range s.words {
				s.words[i] = edgeWord(rnd)
			}
			if !high {
				s.high = 0
			}
			for i := range s.offsets {
				s.offsets[i] = int32(rnd.IntN(400))
			}
			place, pitch, at := rnd.IntN(60), columns+rnd.IntN(9), rnd.IntN(5)
			ts := tileScratch{weights: make([]uint32, n*channels), sums: make([]int32, at+channels*pitch)}
			for i := range ts.weights {
				ts.weights[i] = edgeWord(rnd)
			}
			for i := range ts.sums {
				ts.sums[i] = 0x5a5a5a5a
			}
			s.tile(&ts, at, pitch, place)
			for j, got := range ts.sums {
				c, i := (j-at)/pitch, (j-at)%pitch
				want := uint32(0x5a5a5a5a)
				if j >= at && c < channels && i < columns {
					want = 0
					for k, o := range s.offsets {
						w := ts.weights[k*channels+c]
						want += pairProduct(w, s.words[int(o)+place+i])
						if high {
							want += pairProduct(w, s.words[s.high+int(o)+place+i]) << 16
						}
					}
				}
				if uint32(got) != want {
					t.Fatalf("n = %d, channel %d, column %d: %#x, want %#x", n, c, i, got, want)
				}
			}
		}
	})
}

func pairProduct(a, b uint32) uint32 {
	return uint32(int32(int16(a))*int32(int16(b))) + uint32(int32(int16(a>>16))*int32(int16(b>>16)))
}

// TestDot compares the row kernel with its definition.
func TestDot(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		if active == generic {
			return
		}
		rnd := newRand(22)
		for n := dotStep; n < 20*dotStep; n += dotStep {
			for _, pitch := range []int{n, n + 1, n + 7, 0} {
				low, high, w := make([]int16, n), make([]int16, n), make([]int16, 3*pitch+n)
				for i := range low {
					low[i], high[i] = int16(edgeWord(rnd)), int16(edgeWord(rnd))
				}
				for i := range w {
					w[i] = int16(edgeWord(rnd))
				}
				var both, lowOnly [4]int32
				dotAVX2(&both, &w[0], pitch, &low[0], &high[0], n)
				dotAVX2(&lowOnly, &w[0], pitch, &low[0], nil, n)
				for r := range 4 {
					var l, h int32
					for i := range low {
						l += int32(low[i]) * int32(w[r*pitch+i])
						h += int32(high[i]) * int32(w[r*pitch+i])
					}
					if lowOnly[r] != l || both[r] != l+h<<16 {
						t.Fatalf("n = %d, pitch %d, row %d: %d and %d, want %d and %d", n, pitch, r, lowOnly[r], both[r], l, l+h<<16)
					}
				}
			}
		}
	})
}
