package ot

import (
	"crypto/subtle"
	"errors"
	"fmt"

	"dorcas/internal/block"
)

// The extension: SoftSpokenOT (Roy, CRYPTO 2022, section 3) with the repetition
// code. Tree i gives the client u_i and k columns, the server k columns that differ
// from the client's by α_i·u_i. The client's choice bits are u_0; with the
// corrections u_i ⊕ u_0 the server moves the other trees to the same bits. The
// columns are then Δ's bits times one u, and a row of them is a label.
//
//	client → server   per piece: its corrections, trees 1 to 128/k − 1   ExtendSize(n)
//	                  once: h(u), digest of h(v)

// Receiver is the client's side of a session. It is not safe for concurrent use.
type Receiver struct {
	expander
}

// Sender is the server's side of a session. It is not safe for concurrent use.
type Sender struct {
	expander
	delta block.Block
	dead  bool
}

// An expander is what both sides keep: the streams of the leaves, the number of
// Extends so far and the room for one piece.
type expander struct {
	ctx     *context
	k       int
	batch   uint64
	leaves  grove
	check   checker
	cols    []byte // kappa columns
	sum     [stride]byte
	choices [stride]byte // the receiver's u_0
}

func newExpander(ctx *context, k int, leaves []block.Block) expander {
	return expander{ctx: ctx, k: k, leaves: newGrove(ctx, k, leaves), cols: make([]byte, kappa*stride)}
}

func newReceiver(ctx *context, k int, leaves []block.Block) *Receiver {
	return &Receiver{expander: newExpander(ctx, k, leaves)}
}

func newSender(ctx *context, k int, delta block.Block, leaves []block.Block) *Sender {
	return &Sender{expander: newExpander(ctx, k, leaves), delta: delta}
}

// Delta returns Δ. Its bit 0 is 1.
func (s *Sender) Delta() block.Block { return s.delta }

// A piece is a run of rows of one Extend.
type piece struct {
	row, rows int // the first row, and their number, padding included
	skip      int // bytes of mask rows before the rows, in every column
	size      int // bytes of a column, mask rows included
}

// next returns the piece after p in an Extend of n correlations; the piece after
// the zero piece is the first.
func (p piece) next(n int) (piece, bool) {
	q := piece{row: p.row + p.rows}
	q.rows = min(pieceRows, padded(n)-q.row)
	if q.row == 0 {
		q.skip = maskRows / 8
	}
	q.size = q.skip + q.rows/8
	return q, q.rows > 0
}

// corrections is the number of bytes of corrections of a piece.
func (e *expander) corrections(p piece) int { return (kappa/e.k - 1) * p.size }

// tree returns the columns of tree i.
func (e *expander) tree(i int) []byte { return e.cols[i*e.k*stride:] }

// labels writes the rows of p that lie in dst.
func (e *expander) labels(dst []block.Block, p piece) {
	dst = dst[p.row:min(len(dst), p.row+p.rows)]
	block.Transpose(dst, e.cols[p.skip:], stride)
}

// Extend makes n = len(labels) correlations, 1 ≤ n ≤ MaxExtend: the labels M_i,
// the random bits choice_i, bit i mod 8 of choices[i div 8], and the message for
// the server. choices must have ⌈n/8⌉ bytes, of which the bits past n become
// zero, and msg the method's ExtendSize(n). Wrong sizes panic.
func (r *Receiver) Extend(labels []block.Block, choices, msg []byte) {
	n := len(labels)
	if len(msg) != extendSize(r.k, n) || len(choices) != (n+7)/8 {
		panic("ot: extend: a buffer has the wrong size")
	}
	r.check.start(r.ctx, r.batch, n)
	r.batch++
	for p, ok := (piece{}).next(n); ok; p, ok = p.next(n) {
		corrections := msg[:r.corrections(p)]
		msg = msg[len(corrections):]
		u := r.choices[:p.size]
		r.expandPiece(corrections, u)
		h := r.check.challenge(corrections, p.size-p.skip)
		if p.skip > 0 {
			r.check.u = block.Get(u)
			r.check.mask(r.cols)
		}
		r.check.u = r.check.u.Xor(h.Sum(u[p.skip:]))
		r.check.add(h, r.cols, p.skip, p.size)
		r.labels(labels, p)
		copy(choices[p.row/8:], u[p.skip:])
	}
	if n%8 != 0 {
		choices[n/8] &= 1<<(n%8) - 1
	}
	r.check.proof(msg)
}

// expandPiece fills all columns, u with the choice bits and corrections.
func (r *Receiver) expandPiece(corrections, u []byte) {
	sum := r.sum[:len(u)]
	for i := range kappa / r.k {
		r.leaves.expand(i, r.tree(i), sum)
		first := r.leaves.tree(i)[0]
		if i == 0 {
			first.XORKeyStream(u, sum)
			continue
		}
		c := corrections[(i-1)*len(u):][:len(u)]
		first.XORKeyStream(c, sum)
		subtle.XORBytes(c, c, u)
	}
	r.leaves.step(len(u))
}

var errDead = errors.New("an earlier check failed")

// Extend makes n = len(labels) correlations, 1 ≤ n ≤ MaxExtend, from the client's
// message: the labels K_i. Other n panic. After an error, which means that the
// message has the wrong size or that the check failed, labels is zero and every
// further Extend returns an error: the session must end.
func (s *Sender) Extend(labels []block.Block, msg []byte) error {
	want := extendSize(s.k, len(labels))
	err := errDead
	if !s.dead {
		err = fmt.Errorf("message is %d bytes, want %d", len(msg), want)
		if len(msg) == want {
			err = s.extend(labels, msg)
		}
	}
	if err != nil {
		s.dead = true
		clear(labels)
		return fmt.Errorf("ot: extend: %w", err)
	}
	return nil
}

func (s *Sender) extend(labels []block.Block, msg []byte) error {
	n := len(labels)
	s.check.start(s.ctx, s.batch, n)
	s.batch++
	for p, ok := (piece{}).next(n); ok; p, ok = p.next(n) {
		corrections := msg[:s.corrections(p)]
		msg = msg[len(corrections):]
		s.expandPiece(corrections, p.size)
		h := s.check.challenge(corrections, p.size-p.skip)
		if p.skip > 0 {
			s.check.mask(s.cols)
		}
		s.check.add(h, s.cols, p.skip, p.size)
		s.labels(labels, p)
	}
	s.check.u = block.Get(msg)
	for j := range s.check.cols {
		c := &s.check.cols[j]
		*c = c.Xor(s.check.u.And(deltaBit(s.delta, j)))
	}
	var proof [proofSize]byte
	s.check.proof(proof[:])
	if subtle.ConstantTimeCompare(proof[:], msg) != 1 {
		return errInconsistent
	}
	return nil
}

// expandPiece fills size bytes of all columns and applies the corrections.
func (s *Sender) expandPiece(corrections []byte, size int) {
	sum := s.sum[:size]
	for i := range kappa / s.k {
		cols := s.tree(i)
		s.leaves.expand(i, cols, sum)
		if i == 0 {
			continue
		}
		c := corrections[(i-1)*size:][:size]
		for b := range s.k {
			block.AddIf(cols[b*stride:][:size], c, deltaBit(s.delta, i*s.k+b))
		}
	}
	s.leaves.step(size)
}

// String hides the secrets.
func (r *Receiver) String() string { return "[redacted]" }

// String hides the secrets.
func (s *Sender) String() string { return "[redacted]" }
