package ot

import (
	"testing"
	"time"
)

func TestChoose(t *testing.T) {
	mbit := func(n float64) float64 { return n * 1e6 / 8 }
	local := Link{}
	lan := Link{Up: mbit(1000), Down: mbit(1000), Trip: time.Millisecond}
	wan := Link{Up: mbit(100), Down: mbit(100), Trip: 40 * time.Millisecond}
	home := Link{Up: mbit(10), Down: mbit(50), Trip: 30 * time.Millisecond}
	for _, c := range []struct {
		name string
		n    int
		link Link
		want Class
	}{
		{"nothing", 0, wan, Extension},
		{"few", 1000, home, Extension},
		{"fewer than seeds", 60_000, home, Extension},
		{"a small network, local", 100_000, local, Extension},
		{"a small network, slow upwards", 700_000, home, Class10},
		{"some, slow", 300_000, wan, Class10},
		{"many, slow upwards", 5_000_000, home, Class12},
		{"very many, slow upwards", 15_000_000, home, Class13},
	} {
		if got := Choose(c.n, c.link); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for n := 1; n < 100_000_000; n = n*5/4 + 1 {
		for _, link := range []Link{local, lan, wan, home} {
			c := Choose(n, link)
			if c != Extension && !c.Valid() {
				t.Fatalf("n=%d: class %v", n, c)
			}
			for d := range Class13 + 1 {
				if (d == Extension || d.Valid()) && estimate(d, n, link) < estimate(c, n, link) {
					t.Fatalf("n=%d: %v is estimated to be better than %v", n, d, c)
				}
			}
		}
	}
}
