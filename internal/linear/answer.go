package linear

import (
	"fmt"

	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
)

// The re-sharing of one layer, answer by answer:
//
//	client → server   uploads   Enc(r), packed by Pack
//	server → client   answers   Enc(2^Guard·W·r − ρ), the outputs' coefficients only
//
// Afterwards Open gives the client c, and Answer gave the server ρ, with
// c + ρ = 2^Guard·W·r + ε modulo 2^(T+Guard), ε ∈ {−1, 0, 1}.

// scratch is the memory of one call.
type scratch struct {
	sum    rlwe.Sum
	share  [ring.N]uint32
	coeffs [ring.N]int32
	plain  ring.NTT
}

// Answer computes answer i. It writes AnswerSize(i) bytes to dst, and the
// server's share of the outputs of this answer to share, the whole output
// tensor, of which it leaves the rest alone. cts are all the uploads of the
// layer (of which it reads those that Sources(i) names). The streams are for
// this answer alone; mask is the one that RedoShare will be given.
//
// Answers of different i may be computed at the same time, also into one share.
func (l *Layout) Answer(dst []byte, share []int32, i int, cts []rlwe.Ciphertext, w *Weights,
	pk *rlwe.PublicKey, fresh, mask *ring.Stream) {
	if len(cts) != l.uploads {
		panic("linear: wrong number of uploads")
	}
	t, group := l.answerTile(i)
	wanted := l.wanted(t, group)
	s := l.scratch.Get().(*scratch)
	defer l.scratch.Put(s)
	s.sum.Zero()
	first, end := l.view.group.sources(&t.cut, group, l.geometry.OutC)
	w.addProducts(l, t.set, group, cts[t.firstUpload:][first:end], s)
	t.answer.Reshare(dst, s.share[:len(wanted)], &s.sum, pk, wanted, fresh, mask)
	l.scatter(share, t, group, s.share[:len(wanted)])
	clear(s.share[:])
}

// RedoShare writes the server's share of the outputs of answer i to share, as
// Answer did with the same mask.
func (l *Layout) RedoShare(share []int32, i int, mask *ring.Stream) {
	t, group := l.answerTile(i)
	s := l.scratch.Get().(*scratch)
	defer l.scratch.Put(s)
	values := s.share[:len(l.wanted(t, group))]
	t.answer.RedoShare(values, mask)
	l.scatter(share, t, group, values)
	clear(values)
}

// Open decrypts answer i and writes the client's share of its outputs to
// share, the whole output tensor, of which it leaves the rest alone.
func (l *Layout) Open(share []int32, i int, src []byte, sk *rlwe.SecretKey) error {
	t, group := l.answerTile(i)
	s := l.scratch.Get().(*scratch)
	defer l.scratch.Put(s)
	wanted := l.wanted(t, group)
	values := s.share[:len(wanted)]
	if err := t.answer.Open(values, src, sk, wanted); err != nil {
		return fmt.Errorf("linear: answer %d: %w", i, err)
	}
	l.scatter(share, t, group, values)
	clear(values)
	return nil
}
