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

// packed writes values modulo 2^width as one string of bits.
func packed(values []int32, width int) []byte {
	dst := make([]byte, ring.PackedSize(len(values), width))
	ring.PackInts(dst, values, width)
	return dst
}

// unpacked reads n values that packed wrote; src has the right length.
func unpacked(src []byte, n, width int) []int32 {
	values := make([]int32, n)
	ring.UnpackInts(values, src, width)
	return values
}

// signed reads the low width bits of v as two's complement.
func signed(v uint32, width int) int32 { return int32(v<<(32-width)) >> (32 - width) }

// addShareBits adds (exclusive or) the bits of the chunk's part of a share to
// the bit string dst, from bit at on, in the order of their wires: bit-major,
// or element-major where one instance takes all elements.
func (ch *chunk) addShareBits(dst []byte, at int, share []int32, width int) {
	share = share[ch.first:][:ch.elements]
	if ch.direct != nil && ch.instances != ch.elements {
		block.AddWords(dst, at, share, width)
		return
	}
	for b := range width {
		block.AddPlane(dst, at+b*len(share), share, b)
	}
}

// read reads the opened bits of a chunk, from bit at on, into the elements
// of the output tensor; those are zero before.
func (ch *chunk) read(dst []int32, bits []byte, at, width int) {
	var row []int32
	for _, o := range ch.outs {
		row = grow(&row, len(o.elements))
		clear(row)
		for j := range width {
			block.OrPlane(row, j, bits, at)
			at += len(row)
		}
		for i, e := range o.elements {
			dst[e] = row[i]
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
