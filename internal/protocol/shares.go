package protocol

import (
	"dorcas/internal/block"
	"dorcas/internal/ring"
	"dorcas/nn"
)

// A party's shares of all tensors are rows of int32, right modulo the
// modulus of their tensor; what is above it is noise to be cut off.

// public computes the share of the output of a public linear layer from the
// shares of its inputs.
func (p *Plan) public(layer int, tensors [][]int32) []int32 {
	l := &p.shape.Layers[layer]
	guard := p.moduli[layer+1].guard
	ins := make([][]int32, len(l.In))
	dims := make([]nn.Dims, len(l.In))
	for j, t := range l.In {
		ins[j], dims[j] = tensors[t], p.shape.Dims(t)
		if g := guard - p.moduli[t].guard; g > 0 {
			ins[j] = lift(ins[j], g)
		}
	}
	dst := make([]int32, l.Out.Len())
	l.ApplyPublic(dst, ins, dims)
	return dst
}

// lift returns x·2^guard: an activation's share as an accumulator's.
func lift(x []int32, guard int) []int32 {
	y := make([]int32, len(x))
	for i, v := range x {
		y[i] = v << guard
	}
	return y
}

func lowBits(width int) uint32 { return uint32(1<<width - 1) }

// signed reads the low width bits of v as two's complement.
func signed(v uint32, width int) int32 { return int32(v<<(32-width)) >> (32 - width) }

// place returns where bit b of element e of a chunk stands in its row of
// bits: b·byBit + e·byElement.
func (ch *chunk) place(width int) (byBit, byElement int) {
	if ch.direct != nil && ch.instances != ch.elements {
		return 1, width // one instance that takes all elements
	}
	return ch.elements, 1
}

// eachShareBit calls f for every bit of the chunk's shares, with its place.
func (ch *chunk) eachShareBit(share []int32, width int, f func(place int, bit uint64)) {
	byBit, byElement := ch.place(width)
	for b := range width {
		for e, v := range share[ch.first:][:ch.elements] {
			f(b*byBit+e*byElement, uint64(uint32(v)>>b)&1)
		}
	}
}

// child derives a seed for one purpose.
func child(seed *[32]byte, label string, index uint64) *[32]byte {
	var s [32]byte
	ring.NewStream(seed, label, index).Read(s[:])
	return &s
}

// at returns the counter of a chunk for labelled expansion.
func at(stage, chunk int) uint64 { return uint64(stage)<<32 | uint64(chunk) }

func getBit(bits []byte, i int) byte { return bits[i>>3] >> (i & 7) & 1 }

// packBits packs one bit a byte into eight.
func packBits(dst, bits []byte) {
	clear(dst)
	for i, b := range bits {
		dst[i>>3] |= b << (i & 7)
	}
}

// unpackBits is the inverse of packBits.
func unpackBits(dst, packed []byte) {
	for i := range dst {
		dst[i] = getBit(packed, i)
	}
}

// colours returns bit 0 of every label.
func colours(dst []byte, labels []block.Block) {
	for i, l := range labels {
		dst[i] = byte(l.Bit())
	}
}
