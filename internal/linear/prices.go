package linear

import (
	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
)

// prices is what the search for a cut knows of the encryption.
type prices struct {
	n          int                     // coefficients of a polynomial
	upload     int                     // bytes
	maxKernels int                     // most kernels an answer can take
	answers    func(kernels int) []int // bytes of an answer, by wanted coefficients
}

// prices returns those of rlwe, or an error if the noise leaves no room for
// even one kernel an answer.
func (p Params) prices(g Geometry) (prices, error) {
	if err := p.answer(g, 1).Check(); err != nil {
		return prices{}, err
	}
	pr := prices{n: ring.N, upload: rlwe.CiphertextSize, maxKernels: 1}
	for pr.maxKernels < ring.N && p.answer(g, 4*pr.maxKernels).Check() == nil {
		pr.maxKernels *= 4
	}
	sizes := map[rlwe.AnswerParams][]int{}
	pr.answers = func(kernels int) []int {
		a := p.answer(g, kernels)
		if sizes[a] == nil {
			sizes[a] = answerSizes(a)
		}
		return sizes[a]
	}
	return pr, nil
}

// answer returns the parameters of answers of up to m kernels. The noise of a
// coefficient is that of all the kernels that share a plaintext with its own,
// so its norm is at most √m times that of one kernel, m rounded up to a power
// of 4. The products of an answer are those with channels that its kernels
// read.
func (p Params) answer(g Geometry, m int) rlwe.AnswerParams {
	norm, kernels := p.NormBits, 1
	for ; m > 1; m = ceilDiv(m, 4) {
		norm++
		kernels *= 4
	}
	terms := min(g.InC, kernels*(g.InC/g.groups())) * g.KH * g.KW
	return rlwe.AnswerParams{T: p.T, Guard: p.Guard, NormBits: norm, Terms: terms}
}

// answerSizes returns a.Size for every number of wanted coefficients. Bits is
// the pair of least bytes, so b0 falls as wanted grows: where it is the same
// at two numbers, it is the same between them.
func answerSizes(a rlwe.AnswerParams) []int {
	sizes := make([]int, ring.N+1)
	var fill func(low, high, b0, b1, top int)
	fill = func(low, high, b0, b1, top int) {
		mid := (low + high) / 2
		if b0 == top || mid == low {
			for i := low; i < high; i++ {
				sizes[i] = ring.PackedSize(ring.N, b1) + ring.PackedSize(i, b0)
			}
			return
		}
		m0, m1 := a.Bits(mid)
		fill(low, mid, b0, b1, m0)
		fill(mid, high, m0, m1, top)
	}
	b0, b1 := a.Bits(0)
	top, _ := a.Bits(ring.N)
	fill(0, ring.N, b0, b1, top)
	sizes[ring.N] = a.Size(ring.N)
	return sizes
}
