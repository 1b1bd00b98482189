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
	sums   [ring.Columns]rlwe.Sum
	share  [ring.N]uint32
	mask   ring.Poly
	drawn  [ring.N]uint64
	one    [1][]int32
	coeffs [ring.N]int32
	plain  ring.NTT
}

// Output is where an answer goes, and its randomness, for this answer alone:
// Masks has a stream for each of ImagesOf the answer, the one that RedoShare of
// that image will be given.
type Output struct {
	Dst   []byte // AnswerSize bytes
	Fresh *ring.Stream
	Masks []*ring.Stream
}

// Answer computes answers in a row, the first of them answer i, at most
// Together(i). It writes them to the outputs, and the server's shares of what they
// hold to shares, the whole output tensors of all images, of which it leaves the
// rest alone. cts are all the uploads of the layer (of which it reads those
// that Sources names).
//
// Different answers may be computed at the same time, also into one share.
func (l *Layout) Answer(outputs []Output, shares [][]int32, i int, cts []rlwe.Ciphertext, w *Weights, pk *rlwe.PublicKey) {
	if len(cts) != l.uploads || len(outputs) < 1 || len(outputs) > l.Together(i) {
		panic("linear: wrong number of uploads or answers")
	}
	l.checkTensors(shares, l.Out())
	t, group := l.answerTile(i)
	s := l.scratch.Get().(*scratch)
	defer l.scratch.Put(s)
	first, end := l.view.group.sources(&t.cut, group, l.geometry.OutC)
	cts = cts[t.firstUpload:][first:end]
	words := w.sets[t.set].scalars != nil
	if words {
		w.addScalars(t.set, group, cts, s)
	}
	for j := range outputs {
		sum := &s.sums[(group+j)%ring.Columns]
		if !words {
			sum = &s.sums[0]
			sum.Zero()
			w.addProducts(l, t.set, group+j, cts, s)
		}
		l.reshare(&outputs[j], shares, t, group+j, sum, s, pk)
	}
	clear(s.share[:])
	clear(s.mask[:])
}

// reshare makes an answer of a sum.
func (l *Layout) reshare(out *Output, shares [][]int32, t *placed, group int, sum *rlwe.Sum, s *scratch, pk *rlwe.PublicKey) {
	wanted := l.wanted(t, group)
	l.drawMasks(s, t, len(wanted), out.Masks)
	t.answer.Reshare(out.Dst, s.share[:len(wanted)], sum, pk, wanted, out.Fresh, &s.mask)
	image, _ := l.imagesOf(t)
	l.scatter(shares[image:], t, group, 0, t.lanes, s.share[:len(wanted)])
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
