package block

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"testing"

	"dorcas/internal/impl/impltest"
)

func standardStream(t *testing.T, key, start *[16]byte) cipher.Stream {
	t.Helper()
	c, err := aes.NewCipher(key[:])
	if err != nil {
		t.Fatal(err)
	}
	return cipher.NewCTR(c, start[:])
}

// counters are starts from which a run meets every carry.
func counters() map[string][16]byte {
	random := [16]byte(fixedBytes(9, 16))
	half, all := random, [16]byte{}
	for i := range 8 {
		half[8+i] = 0xff
	}
	for i := range all {
		all[i] = 0xff
	}
	near := half
	near[15] = 0xff - 36
	return map[string][16]byte{"zero": {}, "random": random, "half full": half, "full": all, "carry after 37 blocks": near}
}

// TestStream compares every number of blocks around the tile with the standard
// library, in one piece and in two.
func TestStream(t *testing.T) {
	impltest.Each(t, streams, func(t *testing.T) {
		for name, start := range counters() {
			key := [16]byte(fixedBytes(3, 16))
			for n := range 101 {
				src := fixedBytes(uint64(n), 16*n)
				want := make([]byte, len(src))
				standardStream(t, &key, &start).XORKeyStream(want, src)
				got := make([]byte, len(src)+5)
				first := n * 2 / 5 * 16
				s := NewStream(&key, &start)
				s.XORKeyStream(got, src[:first])
				s.XORKeyStream(got[first:], src[first:])
				if !bytes.Equal(got[:len(src)], want) {
					t.Fatalf("%s: %d blocks differ", name, n)
				}
				if !bytes.Equal(got[len(src):], make([]byte, 5)) {
					t.Fatalf("%s: %d blocks: wrote too far", name, n)
				}
				s.Reset(&key, &start)
				s.XORKeyStream(src, src)
				if !bytes.Equal(src, want) {
					t.Fatalf("%s: %d blocks in place differ", name, n)
				}
				s.Reset(&key, &start)
				add, column := fixedBytes(uint64(n), 16*n), append(fixedBytes(2, 16*n), make([]byte, 5)...)
				wantColumn := bytes.Clone(column)
				subtle.XORBytes(wantColumn, wantColumn, want)
				s.AddTo(add[:first], column)
				s.AddTo(add[first:], column[first:])
				if !bytes.Equal(add, want) || !bytes.Equal(column, wantColumn) {
					t.Fatalf("%s: %d blocks added differ", name, n)
				}
				s.Reset(&key, &start)
				clear(want)
				standardStream(t, &key, &start).XORKeyStream(want, want)
				read := append(fixedBytes(1, len(src)), make([]byte, 5)...)
				s.Read(read[:first])
				s.Read(read[first:len(src)])
				if !bytes.Equal(read, append(want, make([]byte, 5)...)) {
					t.Fatalf("%s: %d blocks read differ", name, n)
				}
			}
		}
	})
}

func TestStreamPanics(t *testing.T) {
	impltest.Each(t, streams, func(t *testing.T) {
		for name, f := range map[string]func(s *Stream){
			"part of a block": func(s *Stream) { s.XORKeyStream(make([]byte, 17), make([]byte, 17)) },
			"part added":      func(s *Stream) { s.AddTo(make([]byte, 17), make([]byte, 17)) },
			"short column":    func(s *Stream) { s.AddTo(make([]byte, 32), make([]byte, 16)) },
			"part read":       func(s *Stream) { s.Read(make([]byte, 15)) },
			"short dst":       func(s *Stream) { s.XORKeyStream(make([]byte, 16), make([]byte, 32)) },
		} {
			t.Run(name, func(t *testing.T) {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				f(NewStream(new([16]byte), new([16]byte)))
			})
		}
	})
}

func TestStreamHidesItsKey(t *testing.T) {
	if got := fmt.Sprint(NewStream(new([16]byte), new([16]byte))); got != "[redacted]" {
		t.Error(got)
	}
}

// TestAccumulated runs the AES kernels 10^5 times, each time on what the last
// one left, and compares one hash of all.
func TestAccumulated(t *testing.T) {
	const runs, want = 100_000, "5596f0f78ccad6ea"
	for _, k := range []struct {
		name string
		each func(t *testing.T, f func(t *testing.T))
	}{
		{"hash", func(t *testing.T, f func(t *testing.T)) { impltest.Each(t, hashes, f) }},
		{"stream", func(t *testing.T, f func(t *testing.T)) { impltest.Each(t, streams, f) }},
	} {
		t.Run(k.name, func(t *testing.T) {
			k.each(t, func(t *testing.T) {
				row := make([]Block, 21)
				sum := sha256.New()
				var s Stream
				var p [21 * Size]byte
				for i := range runs {
					HashBatch(row[:i%22], row[:i%22], row[20-(i%22+4)/5+1:], 5)
					PutAll(p[:], row)
					if i%16 == 0 {
						s.Reset((*[16]byte)(p[:]), (*[16]byte)(p[16:]))
					}
					switch part := p[:i%22*16]; i % 3 {
					case 2:
						s.XORKeyStream(part, part)
					case 1:
						var column [21 * Size]byte
						s.AddTo(part, column[:])
						copy(part, column[:])
					default:
						var stream [21 * Size]byte
						s.Read(stream[:len(part)])
						subtle.XORBytes(part, part, stream[:])
					}
					GetAll(row, p[:])
					sum.Write(p[:16])
				}
				if got := hex.EncodeToString(sum.Sum(nil)[:8]); got != want {
					t.Errorf("accumulated hash %s, want %s", got, want)
				}
			})
		})
	}
}
