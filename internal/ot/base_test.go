package ot

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cloudflare/circl/group"

	"dorcas/internal/block"
)

// basePair runs all base transfers with the given choices.
func basePair(t *testing.T, choices block.Block) (*baseSender, []byte, *[kappa]block.Block) {
	t.Helper()
	ctx := newContext(K, testSeed(1))
	s := newBaseSender(ctx, testSeed(2))
	msg2 := make([]byte, Msg2Size)
	keys, err := respond(ctx, testSeed(3), choices, s.msg[:], msg2)
	if err != nil {
		t.Fatal(err)
	}
	return s, msg2, keys
}

func TestBaseTransfers(t *testing.T) {
	for name, choices := range map[string]block.Block{
		"zeros": {},
		"ones":  {Lo: ^uint64(0), Hi: ^uint64(0)},
		"mixed": {Lo: 0x0123456789abcdef, Hi: 0xfedcba9876543210},
	} {
		t.Run(name, func(t *testing.T) {
			s, msg2, got := basePair(t, choices)
			keys, err := s.keys(msg2)
			if err != nil {
				t.Fatal(err)
			}
			seen := make(map[block.Block]bool)
			for i, pair := range keys {
				c := deltaBit(choices, i)
				if got[i] != pair[c] {
					t.Errorf("transfer %d: the chosen key differs", i)
				}
				for _, key := range pair {
					if seen[key] {
						t.Errorf("transfer %d: a key repeats", i)
					}
					seen[key] = true
				}
			}
		})
	}
}

// TestBaseEquations checks the server's message against the definition with the
// server's own exponent: r_c + H(i, c, r_(1−c)) = b·G, and for the other branch not.
func TestBaseEquations(t *testing.T) {
	choices := block.Block{Lo: 0x5a, Hi: 1 << 63}
	s, msg2, _ := basePair(t, choices)
	for _, i := range []int{0, 1, 2, 3, 126, 127} {
		b := ristretto.NewElement().MulGen(secretScalar(s.ctx, testSeed(3), i))
		for j := range uint64(2) {
			r, other := ristretto.NewElement(), msg2[64*i+32*int(1-j):][:32]
			if err := r.UnmarshalBinary(msg2[64*i+32*int(j):][:32]); err != nil {
				t.Fatal(err)
			}
			sum := r.Add(r, shift(s.ctx, i, j, other))
			if chosen := deltaBit(choices, i) == j; sum.IsEqual(b) != chosen {
				t.Errorf("transfer %d, branch %d: equation holds: %v, want %v", i, j, !chosen, chosen)
			}
		}
	}
}

// TestBaseInstancesAreSeparate: equal messages at two indices, in the same or in
// the other order, must not give related keys.
func TestBaseInstancesAreSeparate(t *testing.T) {
	s, msg2, _ := basePair(t, block.Block{})
	copy(msg2[64:128], msg2[:64])
	copy(msg2[128:160], msg2[32:64])
	copy(msg2[160:192], msg2[:32])
	keys, err := s.keys(msg2)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[block.Block]bool)
	for i := range 3 {
		for j, key := range keys[i] {
			if seen[key] {
				t.Errorf("key %d of transfer %d repeats", j, i)
			}
			seen[key] = true
		}
	}
}

func mustEncode(e group.Element) []byte {
	var p [pointSize]byte
	encode(p[:], e)
	return p[:]
}

func badPoints() map[string][]byte {
	notCanonical := bytes.Repeat([]byte{0xff}, 32) // 2^255 − 19 + 2, top bit set
	notCanonical[0], notCanonical[31] = 0xef, 0x7f
	negative := mustEncode(ristretto.Generator())
	negative[0] |= 1
	notSquare := make([]byte, 32)
	notSquare[0] = 2
	if ristretto.NewElement().UnmarshalBinary(notSquare) == nil {
		panic("the example encodes a point")
	}
	return map[string][]byte{
		"identity":      make([]byte, 32),
		"not canonical": notCanonical,
		"negative":      negative,
		"not a square":  notSquare,
		"all ones":      bytes.Repeat([]byte{0xff}, 32),
	}
}

func TestBaseRejectsInvalidElements(t *testing.T) {
	ctx := newContext(K, testSeed(1))
	msg2 := make([]byte, Msg2Size)
	for name, p := range badPoints() {
		if _, err := respond(ctx, testSeed(2), block.Block{}, p, msg2); err == nil {
			t.Errorf("message 1, %s: accepted", name)
		}
	}
	s, good, _ := basePair(t, block.Block{})
	for name, p := range badPoints() {
		for _, at := range []int{0, 1, 255} {
			bad := bytes.Clone(good)
			copy(bad[32*at:], p)
			if _, err := s.keys(bad); err == nil {
				t.Errorf("message 2, element %d, %s: accepted", at, name)
			}
		}
	}
	for j := range uint64(2) {
		bad := bytes.Clone(good)
		cancel := shift(ctx, 5, j, bad[64*5+32*int(1-j):][:32])
		copy(bad[64*5+32*int(j):], mustEncode(cancel.Neg(cancel)))
		if _, err := s.keys(bad); err == nil || !strings.Contains(err.Error(), "transfer 5") {
			t.Errorf("branch %d cancels the shift: error %v", j, err)
		}
	}
}

func TestBaseRejectsWrongSizes(t *testing.T) {
	s, good, _ := basePair(t, block.Block{})
	msg2 := make([]byte, Msg2Size)
	for _, n := range []int{0, 1, 31, 33} {
		if _, err := respond(s.ctx, testSeed(2), block.Block{}, make([]byte, n), msg2); err == nil {
			t.Errorf("message 1 of %d bytes: accepted", n)
		}
	}
	for _, n := range []int{0, 64, Msg2Size - 1} {
		if _, err := s.keys(good[:n]); err == nil {
			t.Errorf("message 2 of %d bytes: accepted", n)
		}
	}
}
