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
		load Load
		link Link
		want Method
	}{
		{"nothing", Load{}, wan, SoftSpoken4},
		{"few", Load{N: 1000, Times: 1}, home, SoftSpoken8},
		{"fewer than seeds", Load{N: 60_000, Times: 1}, home, SoftSpoken8},
		{"a small network, local", Load{N: 100_000, Times: 1}, local, SoftSpoken4},
		{"network D, local", Load{208_000, 1, 139_000, 11_000_000}, local, SoftSpoken4},
		{"network D, far", Load{208_000, 1, 139_000, 11_000_000}, wan, SoftSpoken4},
		{"network D, very slow", Load{208_000, 1, 139_000, 11_000_000}, Link{Up: mbit(5), Down: mbit(5), Trip: 40 * time.Millisecond}, SoftSpoken8},
		{"network D, very slow upwards", Load{208_000, 20, 139_000, 11_000_000}, Link{Up: mbit(1), Down: mbit(50), Trip: 40 * time.Millisecond}, Silent12},
		{"a large network, local", Load{3_600_000, 1, 1_800_000, 146_000_000}, local, SoftSpoken4},
		{"a large network, far", Load{3_600_000, 1, 1_800_000, 146_000_000}, wan, SoftSpoken4},
		{"transfers alone, slow upwards", Load{N: 5_000_000, Times: 1}, home, Silent12},
	} {
		if got := Choose(c.load, c.link, 1<<30); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for n := 1; n < 100_000_000; n = n*5/4 + 1 {
		for _, link := range []Link{local, lan, wan, home} {
			for _, memory := range []int{0, 4 << 20, 1 << 30} {
				load := Load{n, 1, int64(n), 50 * int64(n)}
				c := Choose(load, link, memory)
				if !c.Valid() || c.Memory(n) > memory {
					t.Fatalf("n=%d: %v takes %d bytes of %d", n, c, c.Memory(n), memory)
				}
				for _, d := range Methods() {
					if d.Memory(n) > memory {
						continue
					}
					if slow := c.seconds(load, link); slow > slack*d.seconds(load, link) {
						t.Fatalf("n=%d: %v is estimated to be better than %v", n, d, c)
					}
					if d.bytes(n) < c.bytes(n) && d.seconds(load, link) < c.seconds(load, link) {
						t.Fatalf("n=%d: %v is quicker than %v and sends less", n, d, c)
					}
				}
			}
		}
	}
}
