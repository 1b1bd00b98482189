package ring

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"testing"

	"dorcas/internal/impl/impltest"
)

// packOracle builds the string as one big number.
func packOracle(values []uint64, bits int) []byte {
	sum, v := new(big.Int), new(big.Int)
	mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(bits)), big.NewInt(1))
	for i, x := range values {
		v.SetUint64(x)
		v.And(v, mask)
		sum.Or(sum, v.Lsh(v, uint(i*bits)))
	}
	b := sum.FillBytes(make([]byte, PackedSize(len(values), bits)))
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}

func checkPacking(t *testing.T, values []uint64, bits int) {
	t.Helper()
	room := bytes.Repeat([]byte{0xff}, PackedSize(len(values), bits)+64)
	got := room[: len(room)-64 : len(room)-64]
	PackBits(got, values, bits)
	if !bytes.Equal(room[len(got):], bytes.Repeat([]byte{0xff}, 64)) {
		t.Fatalf("%d values of %d bits: written past the end", len(values), bits)
	}
	if !bytes.Equal(got, packOracle(values, bits)) {
		t.Fatalf("%d values of %d bits: packed wrongly", len(values), bits)
	}
	if bits <= LogQ {
		shifted, top := make([]uint64, len(values)), make([]byte, len(got))
		for i, v := range values {
			shifted[i] = v << (LogQ - bits)
		}
		if PackTop(top, shifted, bits); !bytes.Equal(top, got) {
			t.Fatalf("%d values of %d bits: top bits packed wrongly", len(values), bits)
		}
	}
	if spare := 8*len(got) - bits*len(values); spare > 0 {
		got[len(got)-1] |= 0xff << (8 - spare) // ignored
	}
	back := make([]uint64, len(values))
	UnpackBits(back, got, bits)
	for i, v := range values {
		if back[i] != v&(^uint64(0)>>(64-bits)) {
			t.Fatalf("%d values of %d bits: value %d unpacks wrongly", len(values), bits, i)
		}
	}
}

func TestPack(t *testing.T) { impltest.Each(t, kernels, testPack) }

func testPack(t *testing.T) {
	r := newRand(6)
	lengths := []int{63, 64, 65, 71, 72, 100, 256, 263}
	for n := range 40 {
		lengths = append(lengths, n)
	}
	for bits := 1; bits <= 64; bits++ {
		for _, n := range lengths {
			values := make([]uint64, n)
			for i := range values {
				values[i] = r.Uint64()
			}
			checkPacking(t, values, bits)
			for i := range values {
				values[i] = ^uint64(0)
			}
			checkPacking(t, values, bits)
		}
	}
	p := randomPoly(r)
	checkPacking(t, p[:], LogQ)
}

func TestPackPanics(t *testing.T) { impltest.Each(t, kernels, testPackPanics) }

func testPackPanics(t *testing.T) {
	for _, c := range []struct {
		name            string
		bytes, n, width int
	}{{"short", 2, 3, 8}, {"long", 4, 3, 8}, {"width 0", 0, 3, 0}, {"width 65", 25, 3, 65}} {
		for _, f := range []func(){
			func() { PackBits(make([]byte, c.bytes), make([]uint64, c.n), c.width) },
			func() { UnpackBits(make([]uint64, c.n), make([]byte, c.bytes), c.width) },
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

func FuzzPack(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456"), uint8(50))
	f.Add([]byte{}, uint8(1))
	f.Add(bytes.Repeat([]byte{0xff}, 64), uint8(64))
	f.Fuzz(func(t *testing.T, data []byte, width uint8) {
		bits := int(width)%64 + 1
		values := make([]uint64, len(data)/8)
		for i := range values {
			values[i] = binary.LittleEndian.Uint64(data[8*i:])
		}
		checkPacking(t, values, bits)
		// Any bytes of the right length unpack, and pack to the same bytes but
		// for the spare bits.
		n := 8 * len(data) / bits
		data = data[:PackedSize(n, bits)]
		back := make([]uint64, n)
		UnpackBits(back, data, bits)
		again := make([]byte, len(data))
		PackBits(again, back, bits)
		if spare := 8*len(data) - bits*n; spare > 0 {
			data[len(data)-1] &= 0xff >> spare
		}
		if !bytes.Equal(again, data) {
			t.Fatal("unpacked and packed again to other bytes")
		}
	})
}
