package circuit

import (
	"fmt"
	"math/bits"
)

// Open returns the circuit that opens a number to the evaluator. Inputs: c
// (Width bits), s (Width bits). Outputs: the Width−Guard bits of the number.
func Open(sh Share) *Circuit {
	sh.mustCheck()
	b := NewBuilder(2 * sh.Width)
	sum := b.add(b.inputWord(0, sh.Width), b.inputWord(sh.Width, sh.Width))
	return b.Build(sum[sh.Guard:]...)
}

// ArgMax returns the circuit that opens the index of the largest of n signed
// numbers, 1 ≤ n, the first of them if there are several. Inputs: c of each
// number in turn (Width bits each), then s of each. Outputs: the index, in
// ⌈log2 n⌉ bits.
func ArgMax(sh Share, n int) *Circuit {
	sh.mustCheck()
	mustPositive(n)
	b := NewBuilder(2 * n * sh.Width)
	round := make([]candidate, n)
	for i := range round {
		c := b.inputWord(i*sh.Width, sh.Width)
		s := b.inputWord((n+i)*sh.Width, sh.Width)
		round[i] = candidate{b.add(c, s)[sh.Guard:], b.constant(i, bits.Len(uint(n-1)))}
	}
	for len(round) > 1 {
		var next []candidate
		for i := 0; i+1 < len(round); i += 2 {
			next = append(next, b.better(round[i], round[i+1]))
		}
		if len(round)%2 == 1 {
			next = append(next, round[len(round)-1])
		}
		round = next
	}
	return b.Build(round[0].index...)
}

// candidate is a number and where it stands.
type candidate struct{ value, index word }

// better returns y if it is larger than x, and x otherwise. In the first
// rounds the indices differ in constants only, and most of their bits are free.
func (b *Builder) better(x, y candidate) candidate {
	sel := b.lessSigned(x.value, y.value)
	return candidate{b.muxWord(sel, x.value, y.value), b.muxWord(sel, x.index, y.index)}
}

// Largest returns the circuit that opens the indices of the k largest of n
// signed numbers, 1 ≤ k ≤ n, from the largest down; of equal ones the first
// comes first. Inputs as for ArgMax. Outputs: the indices, ⌈log2 n⌉ bits each.
//
// Every number gets its index, complemented, as its lowest bits, so that no two
// are equal. Groups of numbers, each sorted and of at most k, are merged two by
// two: where a and b are sorted, the larger ones of a_i and b_(k−1−i) are the k
// largest of both (Batcher, AFIPS 1968).
func Largest(sh Share, n, k int) *Circuit {
	sh.mustCheck()
	if k < 1 || k > n {
		panic(fmt.Sprintf("circuit: the %d largest of %d numbers", k, n))
	}
	b := NewBuilder(2 * n * sh.Width)
	size := bits.Len(uint(n - 1))
	groups := make([][]word, n)
	for i := range groups {
		c := b.inputWord(i*sh.Width, sh.Width)
		s := b.inputWord((n+i)*sh.Width, sh.Width)
		groups[i] = []word{append(b.constant(^i, size), b.add(c, s)[sh.Guard:]...)}
	}
	for len(groups) > 1 {
		var next [][]word
		for i := 0; i+1 < len(groups); i += 2 {
			next = append(next, b.merge(groups[i], groups[i+1], k))
		}
		if len(groups)%2 == 1 {
			next = append(next, groups[len(groups)-1])
		}
		groups = next
	}
	var outs word
	for _, w := range groups[0] {
		for _, x := range w[:size] {
			outs = append(outs, x.Not())
		}
	}
	return b.Build(outs...)
}

// merge returns the largest of two sorted groups, sorted, at most k.
func (b *Builder) merge(x, y []word, k int) []word {
	n := min(k, len(x)+len(y))
	top := make([]word, n)
	for i := range top {
		switch j := n - 1 - i; {
		case j >= len(y):
			top[i] = x[i]
		case i >= len(x):
			top[i] = y[j]
		default:
			top[i] = b.maxSigned(x[i], y[j])
		}
	}
	for end := n - 1; end > 0; end-- {
		for i := range end {
			top[i], top[i+1] = b.order(top[i], top[i+1])
		}
	}
	return top
}

// order returns the larger and the smaller one of two signed words.
func (b *Builder) order(x, y word) (high, low word) {
	high = b.maxSigned(x, y)
	low = make(word, len(x))
	for i := range low {
		low[i] = b.Xor(high[i], b.Xor(x[i], y[i]))
	}
	return high, low
}

// constant returns n bits of v.
func (b *Builder) constant(v, n int) word {
	w := make(word, n)
	for i := range w {
		w[i] = Lit(v >> i & 1)
	}
	return w
}

func (sh Share) mustCheck() {
	if err := sh.Check(); err != nil {
		panic(err)
	}
}
