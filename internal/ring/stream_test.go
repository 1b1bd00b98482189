package ring

import (
	"bytes"
	"crypto/aes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"dorcas/internal/impl/impltest"
)

// TestStreamBytes rebuilds the stream from its description.
func TestStreamBytes(t *testing.T) { impltest.Each(t, streams, testStreamBytes) }

func testStreamBytes(t *testing.T) {
	text := append([]byte{4}, "test"...)
	text = append(text, seed[:]...)
	text = append(text, 9, 1, 0, 0, 0, 0, 0, 0)
	key := sha256.Sum256(text)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 10000)
	for i := 0; i < len(want); i += 16 {
		var counter [16]byte
		binary.BigEndian.PutUint64(counter[8:], uint64(i/16))
		block.Encrypt(want[i:], counter[:])
	}
	for _, step := range []int{1, 511, 512, 513, 1025, 3, 7, 8, 16, 100, 2047, 2048, 2049, 4096, 5000, 10000} {
		s := NewStream(&seed, "test", 265)
		got := make([]byte, len(want))
		for i := range got {
			got[i] = 0xff // Read must not depend on what was there
		}
		for i := 0; i < len(got); i += step {
			s.Read(got[i:min(i+step, len(got))])
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("reading by %d bytes gives other bytes", step)
		}
	}
	for skip := range 17 {
		for _, n := range []int{1, 2, 255, 256, 257, 1000} {
			s := NewStream(&seed, "test", 265)
			s.Read(make([]byte, skip))
			got := make([]uint64, n)
			s.words(got)
			for i, w := range got {
				if w != binary.LittleEndian.Uint64(want[skip+8*i:]) {
					t.Fatalf("word %d after %d bytes", i, skip)
				}
			}
		}
	}
}

func TestStreamDomains(t *testing.T) {
	other := seed
	other[31] = 1
	seen := map[[16]byte]string{}
	for name, s := range map[string]*Stream{
		"base":   NewStream(&seed, "ab", 0),
		"seed":   NewStream(&other, "ab", 0),
		"label":  NewStream(&seed, "a", 0),
		"empty":  NewStream(&seed, "", 0),
		"index":  NewStream(&seed, "ab", 1),
		"index2": NewStream(&seed, "ab", 1<<56),
	} {
		var b [16]byte
		s.Read(b[:])
		if seen[b] != "" {
			t.Errorf("%s and %s give the same stream", name, seen[b])
		}
		seen[b] = name
	}
	defer func() {
		if recover() == nil {
			t.Error("a label of 15 bytes does not panic")
		}
	}()
	NewStream(&seed, "123456789012345", 0)
}

func TestStreamRedacted(t *testing.T) {
	s := NewStream(&seed, "test", 0)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %x %#v", s, s, *s), s.String()} {
		if strings.ReplaceAll(strings.ReplaceAll(text, "[redacted]", ""), " ", "") != "" {
			t.Errorf("a stream prints as %q", text)
		}
	}
}
