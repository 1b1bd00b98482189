package linear

import (
	"math/rand/v2"
	"testing"
)

// FuzzLayout: any geometry is laid out right or refused. A client takes it from
// a server.
func FuzzLayout(f *testing.F) {
	f.Add(3, 8, 8, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, uint8(64), uint8(0))
	f.Add(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, uint8(16), uint8(9))
	f.Add(2, 9, 5, 3, 5, 2, 2, 3, 0, 4, 3, 0, 1, 2, 1, uint8(32), uint8(2))
	f.Add(1<<40, 1<<40, -1, 0, 3, 3, 1, 1, 1, 1, 1, 1<<62, 1<<62, -1, 1<<62, uint8(1), uint8(0))
	f.Add(6, 7, 8, 12, 3, 2, 2, 1, 1, 2, 1, 2, 3, 2, 3, uint8(90), uint8(3))
	f.Fuzz(func(t *testing.T, inC, inH, inW, outC, kh, kw, sh, sw, top, left, bottom, right, groups, dilH, dilW int, n, batch uint8) {
		g := sides(inC, inH, inW, outC, kh, kw, sh, sw, top, left, bottom, right)
		g.Groups, g.DilH, g.DilW = groups, dilH, dilW
		if g.check() != nil || n == 0 {
			return
		}
		images := 1 + int(batch)%10
		if g.InC*g.InH*g.InW > 1<<10 || images*g.OutC*g.OutH()*g.OutW()*g.InC*g.KH*g.KW > 1<<13 {
			return
		}
		if _, err := newLayout(g, flatPrices(int(n)), images); err != nil {
			return
		}
		x, w := randomTensors(rand.New(rand.NewPCG(1, 1)), g, images)
		checkPlain(t, smallLayout(t, g, int(n), images), x, w)
	})
}

// FuzzOpen: no bytes of a server make Open panic, and only the right length
// opens.
func FuzzOpen(f *testing.F) {
	p := newParties(f)
	l, err := NewLayout(square(2, 9, 11, 3, 2, 1), Params{20, 2, 10}, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, []byte{})
	f.Add(l.Answers()-1, make([]byte, l.AnswerSize(l.Answers()-1)))
	share := make([]int32, l.Out())
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		i = int(uint(i) % uint(l.Answers()))
		if err := l.Open([][]int32{share}, i, b, p.sk); err == nil && len(b) != l.AnswerSize(i) {
			t.Fatalf("%d bytes opened, want %d", len(b), l.AnswerSize(i))
		}
	})
}
