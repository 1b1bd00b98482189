package protocol

import (
	"crypto/subtle"
	"encoding/binary"

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

// shareBits writes the bits of the chunk's part of a share, a bit a byte, in
// the order of their wires: bit-major, or element-major where one instance
// takes all elements.
func (ch *chunk) shareBits(dst []byte, share []int32, width int) {
	share = share[ch.first:][:ch.elements]
	if ch.direct != nil && ch.instances != ch.elements {
		for e, v := range share {
			for b := range width {
				dst[e*width+b] = byte(uint32(v)>>b) & 1
			}
		}
		return
	}
	for b := range width {
		row := dst[b*len(share):][:len(share)]
		for e, v := range share {
			row[e] = byte(uint32(v)>>b) & 1
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
	for len(bits) >= 8 {
		w := binary.LittleEndian.Uint64(bits)
		// Gathers the low bits of eight bytes in the highest one.
		dst[0] = byte(w * 0x0102040810204080 >> 56)
		dst, bits = dst[1:], bits[8:]
	}
	if len(bits) > 0 {
		dst[0] = 0
		for i, b := range bits {
			dst[0] |= b << i
		}
	}
}

// unpackBits is the inverse of packBits; it begins at bit first.
func unpackBits(dst, packed []byte, first int) {
	i := 0
	for ; i < len(dst) && (first+i)&7 != 0; i++ {
		dst[i] = getBit(packed, first+i)
	}
	for ; i+8 <= len(dst); i += 8 {
		b := uint64(packed[(first+i)>>3])
		w := b * 0x0101010101010101 & 0x8040201008040201 // bit k in byte k
		w = (w + 0x00406070787c7e7f) >> 7 & 0x0101010101010101
		binary.LittleEndian.PutUint64(dst[i:], w)
	}
	for ; i < len(dst); i++ {
		dst[i] = getBit(packed, first+i)
	}
}

// xorBits sets dst to dst ⊕ bits, a bit a byte.
func xorBits(dst, bits []byte) { subtle.XORBytes(dst, dst, bits) }

// colours returns bit 0 of every label.
func colours(dst []byte, labels []block.Block) {
	for i, l := range labels {
		dst[i] = byte(l.Bit())
	}
}
