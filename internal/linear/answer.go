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
	mask   ring.Poly
	drawn  [ring.N]uint64
	one    [1][]int32
	coeffs [ring.N]int32
	plain  ring.NTT
}

// Answer computes answer i. It writes AnswerSize(i) bytes to dst, and the
// server's shares of the outputs of this answer to shares, the whole output
// tensors of all images, of which it leaves the rest alone. cts are all the
// uploads of the layer (of which it reads those that Sources(i) names). The
// streams are for this answer alone; masks has one for each of ImagesOf(i), the
// one that RedoShare of that image will be given.
//
// Answers of different i may be computed at the same time, also into one share.
func (l *Layout) Answer(dst []byte, shares [][]int32, i int, cts []rlwe.Ciphertext, w *Weights,
	pk *rlwe.PublicKey, fresh *ring.Stream, masks []*ring.Stream) {
	if len(cts) != l.uploads {
		panic("linear: wrong number of uploads")
	}
	l.checkTensors(shares, l.Out())
	t, group := l.answerTile(i)
	wanted := l.wanted(t, group)
	s := l.scratch.Get().(*scratch)
	defer l.scratch.Put(s)
	s.sum.Zero()
	first, end := l.view.group.sources(&t.cut, group, l.geometry.OutC)
	w.addProducts(l, t.set, group, cts[t.firstUpload:][first:end], s)
	l.drawMasks(s, t, len(wanted), masks)
	t.answer.Reshare(dst, s.share[:len(wanted)], &s.sum, pk, wanted, fresh, &s.mask)
	image, _ := l.imagesOf(t)
	l.scatter(shares[image:], t, group, 0, t.lanes, s.share[:len(wanted)])
	clear(s.share[:])
	clear(s.mask[:])
}

// drawMasks sets s.mask to n masks: each image's from its own stream, where
// they come kernel by kernel, lane by lane, put in the order of the wanted
// coefficients.
func (l *Layout) drawMasks(s *scratch, t *placed, n int, masks []*ring.Stream) {
	image, count := l.imagesOf(t)
	if len(masks) != count {
		panic("linear: wrong number of mask streams")
	}
	if count == 1 {
		ring.Uniform(s.mask[:n], masks[0])
		return
	}
	outs := t.outs()
	kernels := n / (outs * t.lanes)
	for j, stream := range masks {
		first, end := l.lanesOf(t, image+j)
		size := (end - first) * outs
		drawn := s.drawn[:kernels*size]
		ring.Uniform(drawn, stream)
		for k := range kernels {
			copy(s.mask[(k*t.lanes+first)*outs:], drawn[k*size:][:size])
		}
	}
	clear(s.drawn[:])
}

// RedoShare writes the server's share of the outputs of answer i of one of its
// images to share, that image's output tensor, as Answer did with the same
// mask.
func (l *Layout) RedoShare(share []int32, i, image int, mask *ring.Stream) {
	t, group := l.answerTile(i)
	first, end := l.lanesOf(t, image)
	if first >= end || len(share) != l.Out() {
		panic("linear: wrong image or size of tensor")
	}
	s := l.scratch.Get().(*scratch)
	defer l.scratch.Put(s)
	values := s.share[:len(l.wanted(t, group))/t.lanes*(end-first)]
	t.answer.RedoShare(values, mask)
	s.one[0] = share
	l.scatter(s.one[:], t, group, first, end, values)
	s.one[0] = nil
	clear(values)
}

// Open decrypts answer i and writes the client's shares of its outputs to
// shares, the whole output tensors of all images, of which it leaves the rest
// alone.
func (l *Layout) Open(shares [][]int32, i int, src []byte, sk *rlwe.SecretKey) error {
	l.checkTensors(shares, l.Out())
	t, group := l.answerTile(i)
	s := l.scratch.Get().(*scratch)
	defer l.scratch.Put(s)
	wanted := l.wanted(t, group)
	values := s.share[:len(wanted)]
	if err := t.answer.Open(values, src, sk, wanted); err != nil {
		return fmt.Errorf("linear: answer %d: %w", i, err)
	}
	image, _ := l.imagesOf(t)
	l.scatter(shares[image:], t, group, 0, t.lanes, values)
	clear(values)
	return nil
}
