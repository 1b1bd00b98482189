package circuit

import "math/bits"

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
