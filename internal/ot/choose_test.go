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
		want Method
	}{
		{"nothing", 0, wan, SoftSpoken4},
		{"few", 1000, home, SoftSpoken8},
		{"fewer than seeds", 60_000, home, SoftSpoken8},
		{"a small network, local", 100_000, local, SoftSpoken2},
		{"a small network, slow upwards", 700_000, home, Silent10},
		{"some, slow", 300_000, wan, Silent10},
		{"many, slow upwards", 5_000_000, home, Silent12},
		{"very many, slow upwards", 15_000_000, home, Silent13},
	} {
		if got := Choose(c.n, 1, c.link, 1<<30); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for n := 1; n < 100_000_000; n = n*5/4 + 1 {
		for _, link := range []Link{local, lan, wan, home} {
			for _, memory := range []int{0, 4 << 20, 1 << 30} {
				c := Choose(n, 1, link, memory)
				if !c.Valid() || c.Memory(n) > memory {
					t.Fatalf("n=%d: %v takes %d bytes of %d", n, c, c.Memory(n), memory)
				}
				for _, d := range Methods() {
					if d.Memory(n) <= memory && d.Seconds(n, link) < c.Seconds(n, link) {
						t.Fatalf("n=%d: %v is estimated to be better than %v", n, d, c)
					}
				}
			}
		}
	}
}
