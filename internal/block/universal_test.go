package block

import (
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"math/big"
	"testing"

	"dorcas/internal/impl/impltest"
)

// element is a block as a polynomial over GF(2): bit i of the integer is the
// coefficient of x^i. GHASH counts bits from the most significant one of the
// first byte.
func element(p []byte) *big.Int {
	e := new(big.Int)
	for i := range 128 {
		e.SetBit(e, i, uint(p[i/8]>>(7-i%8))&1)
	}
	return e
}

// product multiplies in GF(2)[x] / (x^128 + x^7 + x^2 + x + 1), bit by bit.
func product(a, b *big.Int) *big.Int {
	p := new(big.Int)
	for i := range 128 {
		if b.Bit(i) == 1 {
			p.Xor(p, new(big.Int).Lsh(a, uint(i)))
		}
	}
	modulus := new(big.Int).SetBit(big.NewInt(0x87), 128, 1)
	for i := p.BitLen() - 1; i >= 128; i-- {
		if p.Bit(i) == 1 {
			p.Xor(p, new(big.Int).Lsh(modulus, uint(i-128)))
		}
	}
	return p
}

// slowUniversal is the sum of the documentation, power by power.
func slowUniversal(key *[16]byte, src []byte) Block {
	c, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	var h [16]byte
	c.Encrypt(h[:], h[:])
	power := product(element(h[:]), element(h[:]))
	sum := new(big.Int)
	for at := len(src) - 16; at >= 0; at -= 16 {
		sum.Xor(sum, product(element(src[at:]), power))
		power = product(power, element(h[:]))
	}
	var p [16]byte
	for i := range 128 {
		p[i/8] |= byte(sum.Bit(i)) << (7 - i%8)
	}
	return Block{binary.LittleEndian.Uint64(p[:]), binary.LittleEndian.Uint64(p[8:])}
}

func TestProduct(t *testing.T) {
	// x^127 · x = x^128 = x^7 + x^2 + x + 1, and 1 is neutral.
	top := new(big.Int).SetBit(new(big.Int), 127, 1)
	if got := product(top, big.NewInt(2)); got.Cmp(big.NewInt(0x87)) != 0 {
		t.Errorf("x^127·x = %x", got)
	}
	if got := product(top, big.NewInt(1)); got.Cmp(top) != 0 {
		t.Errorf("x^127·1 = %x", got)
	}
}

func TestUniversalAgainstFieldArithmetic(t *testing.T) {
	impltest.Each(t, universals, func(t *testing.T) {
		for _, blocks := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 60, 61, 62, 63, 64, 65, 66, 67, 68, 127, 128, 129, 193} {
			t.Run(fmt.Sprint("blocks=", blocks), func(t *testing.T) {
				for seed := range uint64(3) {
					key := [16]byte(fixedBytes(seed, 16))
					size := 16 * blocks
					h := NewUniversal(&key, size)
					inputs := [][]byte{make([]byte, size), fixedBytes(seed+100, size)}
					for i := range min(blocks, 4) {
						p := make([]byte, size)
						p[16*i+i] = 0x80 >> i
						inputs = append(inputs, p)
					}
					for i, p := range inputs {
						if h.Sum(p) != slowUniversal(&key, p) {
							t.Errorf("seed %d, input %d differs from the sum of powers", seed, i)
						}
					}
				}
			})
		}
	})
}

func TestUniversalIsLinear(t *testing.T) {
	impltest.Each(t, universals, func(t *testing.T) {
		const size = 1024
		key := [16]byte(fixedBytes(7, 16))
		h := NewUniversal(&key, size)
		if h.Sum(make([]byte, size)) != (Block{}) {
			t.Error("the hash of zero is not zero")
		}
		for seed := range uint64(20) {
			a, b := fixedBytes(2*seed+1, size), fixedBytes(2*seed+2, size)
			ha, hb := h.Sum(a), h.Sum(b)
			for i := range a {
				a[i] ^= b[i]
			}
			if h.Sum(a) != ha.Xor(hb) {
				t.Fatalf("not linear, seed %d", seed)
			}
			if ha == hb {
				t.Fatalf("two strings collide, seed %d", seed)
			}
		}
	})
}

// TestUniversalAccumulated hashes 10^5 strings, each with the last hash in it.
func TestUniversalAccumulated(t *testing.T) {
	impltest.Each(t, universals, func(t *testing.T) {
		key := [16]byte(fixedBytes(11, 16))
		p := fixedBytes(12, 16*150)
		var sum Block
		for size := 16; size <= len(p); size += 16 {
			h := NewUniversal(&key, size)
			for range 100_000 * 16 / len(p) {
				sum = h.Sum(p[:size])
				sum.Put(p[size-16:])
			}
			sum.Put(p)
		}
		want := Block{Lo: 0x15174a84aeb060fd, Hi: 0xd91c38e19b0289be}
		if sum != want {
			t.Errorf("accumulated hash %#x %#x", sum.Lo, sum.Hi)
		}
	})
}

func TestUniversalPanics(t *testing.T) {
	impltest.Each(t, universals, func(t *testing.T) {
		var key [16]byte
		for name, f := range map[string]func(){
			"no bytes":    func() { NewUniversal(&key, 0) },
			"odd size":    func() { NewUniversal(&key, 24) },
			"short input": func() { NewUniversal(&key, 32).Sum(make([]byte, 16)) },
			"long input":  func() { NewUniversal(&key, 32).Sum(make([]byte, 48)) },
		} {
			t.Run(name, func(t *testing.T) {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				f()
			})
		}
	})
}

func TestUniversalSumDoesNotAllocate(t *testing.T) {
	impltest.Each(t, universals, func(t *testing.T) {
		key := [16]byte(fixedBytes(7, 16))
		h, p := NewUniversal(&key, 1024), fixedBytes(8, 1024)
		if n := testing.AllocsPerRun(100, func() { h.Sum(p) }); n != 0 {
			t.Errorf("%v allocations a hash", n)
		}
	})
}

func BenchmarkUniversal(b *testing.B) {
	impltest.EachBench(b, universals, func(b *testing.B) {
		key := [16]byte(fixedBytes(7, 16))
		b.Run("sum=1024", func(b *testing.B) {
			h, p := NewUniversal(&key, 1024), fixedBytes(8, 1024)
			b.SetBytes(1024)
			for b.Loop() {
				h.Sum(p)
			}
		})
		b.Run("new", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				NewUniversal(&key, 1024)
			}
		})
	})
}
