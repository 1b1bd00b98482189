package ring

import (
	"bytes"
	"encoding/binary"
	"testing"

	"dorcas/internal/impl/impltest"
)

// TestPackInts compares every width and lengths around the part that is widened at
// a time with PackBits.
func TestPackInts(t *testing.T) {
	impltest.Each(t, kernels, func(t *testing.T) {
		r := newRand(30)
		for bits := 1; bits <= 32; bits++ {
			for _, n := range []int{0, 1, 7, 8, 9, few - 1, few, few + 1, 3*few + 5} {
				values, wide := make([]int32, n), make([]uint64, n)
				for i := range values {
					values[i] = int32(r.Uint32())
					if i%3 == 0 {
						values[i] = -1
					}
					wide[i] = uint64(uint32(values[i]))
				}
				want := packOracle(wide, bits)
				got := bytes.Repeat([]byte{0xff}, len(want))
				if PackInts(got, values, bits); !bytes.Equal(got, want) {
					t.Fatalf("%d values of %d bits: packed wrongly", n, bits)
				}
				if spare := 8*len(got) - bits*n; spare > 0 {
					got[len(got)-1] |= 0xff << (8 - spare) // ignored
				}
				back := make([]int32, n)
				UnpackInts(back, got, bits)
				unsigned := make([]uint32, n)
				UnpackInts(unsigned, got, bits)
				for i, v := range values {
					if low := uint32(v) & (^uint32(0) >> (32 - bits)); uint32(back[i]) != low || unsigned[i] != low {
						t.Fatalf("%d values of %d bits: value %d unpacks wrongly", n, bits, i)
					}
				}
			}
		}
	})
}

func TestPackIntsPanics(t *testing.T) {
	for _, c := range []struct {
		name            string
		bytes, n, width int
	}{{"short", 2, 3, 8}, {"long", 4, 3, 8}, {"width 0", 0, 3, 0}, {"width 33", 13, 3, 33}} {
		for _, f := range []func(){
			func() { PackInts(make([]byte, c.bytes), make([]int32, c.n), c.width) },
			func() { UnpackInts(make([]uint32, c.n), make([]byte, c.bytes), c.width) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: no panic", c.name)
					}
				}()
				f()
			}()
		}
	}
}

func TestReadInts(t *testing.T) {
	impltest.Each(t, streams, func(t *testing.T) {
		for _, n := range []int{0, 1, 3, few - 1, few, few + 1, 2000} {
			raw, got, signed := make([]byte, 4*n), make([]uint32, n), make([]int32, n)
			NewStream(&seed, "test", 3).Read(raw)
			ReadInts(NewStream(&seed, "test", 3), got)
			ReadInts(NewStream(&seed, "test", 3), signed)
			for i := range got {
				if want := binary.LittleEndian.Uint32(raw[4*i:]); got[i] != want || signed[i] != int32(want) {
					t.Fatalf("n=%d: integer %d differs", n, i)
				}
			}
		}
	})
}
