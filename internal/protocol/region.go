package protocol

import (
	"fmt"
	"math/bits"

	"dorcas/nn"
)

// modulus is what the additive shares of a tensor are taken modulo.
//
// An activation x is shared as (x - r, r) modulo 2^width. An accumulator y is
// shared as 2^guard·y + ε modulo 2^(width+guard): every re-shared
// convolution brings one unit of ε, public linear layers add the ε of their
// inputs up, and the guard bits keep the sum below the integer part. All
// accumulators that public layers tie together have one modulus.
type modulus struct {
	width, guard int
}

// moduli finds the modulus of every tensor.
func moduli(s *nn.Shape) ([]modulus, error) {
	accumulator := s.Accumulators()
	region := regions(s, accumulator)
	epsilon := errorBounds(s, accumulator)
	ms := make([]modulus, len(accumulator))
	demand := func(t, width int) {
		if accumulator[t] {
			t = region[t]
		}
		ms[t].width = max(ms[t].width, width)
	}
	demand(s.Output.Tensor, s.Output.Width)
	for _, l := range s.Layers {
		if l.Activate != nil {
			demand(l.In[0], l.Activate.Width)
		}
	}
	for t, acc := range accumulator {
		if acc {
			r := region[t]
			ms[r].guard = max(ms[r].guard, guardBits(epsilon[t]))
		}
	}
	for t, acc := range accumulator {
		if acc {
			ms[t] = ms[region[t]]
			ms[t].width = max(ms[t].width, 1)
			if ms[t].width+ms[t].guard > 32 {
				return nil, fmt.Errorf("protocol: plan: tensor %d needs %d+%d bits, at most 32", t, ms[t].width, ms[t].guard)
			}
		}
	}
	maskWidths(s, accumulator, ms)
	return ms, nil
}

// guardBits returns the fewest guard bits that keep an error of at most e in
// size from the integer part, with 2^(guard-1) added. One convolution alone
// is re-shared with ε in {-1, 0} if there is one guard bit, see package rlwe.
func guardBits(e int64) int {
	if e == 1 {
		return 1
	}
	return bits.Len64(uint64(e)) + 1
}

// maskWidths sets the width of every activation: what the widest layer that
// takes it asks for.
func maskWidths(s *nn.Shape, accumulator []bool, ms []modulus) {
	for i := len(s.Layers) - 1; i >= 0; i-- {
		l := &s.Layers[i]
		if l.Activate != nil {
			ms[i+1].width = max(ms[i+1].width, 1)
			continue // what it takes was demanded before
		}
		for j, t := range l.In {
			if accumulator[t] {
				continue
			}
			need := ms[i+1].width
			if l.Public() { // a multiple of 2^k needs k bits less of what it is a multiple of
				need = max(need-bits.TrailingZeros(uint(l.Factor(j))), 1)
			}
			ms[t].width = max(ms[t].width, need)
		}
	}
	ms[0].width = max(ms[0].width, 1)
}

// regions maps every accumulator to the first one of its region.
func regions(s *nn.Shape, accumulator []bool) []int {
	parent := make([]int, len(accumulator))
	for t := range parent {
		parent[t] = t
	}
	var find func(int) int
	find = func(t int) int {
		if parent[t] != t {
			parent[t] = find(parent[t])
		}
		return parent[t]
	}
	for i := range s.Layers {
		l := &s.Layers[i]
		if !l.Public() || !accumulator[i+1] {
			continue
		}
		for _, t := range l.In {
			if accumulator[t] {
				a, b := find(t), find(i+1)
				parent[max(a, b)] = min(a, b)
			}
		}
	}
	for t := range parent {
		parent[t] = find(t)
	}
	return parent
}

// errorBounds returns for every tensor the largest |ε| that its shares can
// carry; 2^31 stands for too much.
func errorBounds(s *nn.Shape, accumulator []bool) []int64 {
	e := make([]int64, len(accumulator))
	for i := range s.Layers {
		l := &s.Layers[i]
		switch {
		case !accumulator[i+1]:
		case l.Conv != nil:
			e[i+1] = 1
		default:
			errors, dims := make([]int64, len(l.In)), make([]nn.Dims, len(l.In))
			for j, t := range l.In {
				errors[j], dims[j] = e[t], s.Dims(t)
			}
			e[i+1] = min(l.Gain(errors, dims), 1<<31)
		}
	}
	return e
}
