package protocol

import (
	"errors"
	"fmt"

	"dorcas/internal/block"
)

// extend makes the correlations of every inference: labels of random bits of the
// client at both parties. The bits stand for the client's shares (offset.go).
//
//	client → server   one message of the extension per piece
//
// The client sends one piece while it makes the next, and the server makes its
// labels while it garbles, a few pieces ahead (labelSource).
func (c *Client) extend(b *clientBatch) error {
	if c.silent != nil {
		return nil
	}
	for _, m := range b.materials {
		if err := c.extendOne(m); err != nil {
			return err
		}
	}
	c.meter.sent("transfers", Session)
	return nil
}

func (c *Client) extendOne(m *ClientMaterial) error {
	c.roomForLabels(m)
	for i := range c.plan.otPieces() {
		n := c.plan.otPiece(i)
		msg := grow(&c.spare.msg, c.plan.method.ExtendSize(n))
		c.receiver.Extend(m.labels[i*otPiece:][:n], m.choices[i*otPiece/8:][:byteLen(n)], msg)
		if err := c.conn.Post(msg); err != nil {
			return fmt.Errorf("protocol: transfers: %w", err)
		}
	}
	return nil
}

func (c *Client) roomForLabels(m *ClientMaterial) {
	m.labels = c.spare.labels.take(c.plan.ots)
	m.choices = c.spare.choices.take(byteLen(c.plan.ots))
}

// receiveTransfers passes on the messages of the extension.
func (s *session) receiveTransfers(p *preparation) error {
	if s.silent != nil {
		return nil
	}
	for i := range p.batch.n * s.plan.otPieces() {
		msg := s.messages.get(s.plan.method.ExtendSize(s.plan.otPiece(i % s.plan.otPieces())))
		if err := s.conn.Recv(*msg); err != nil {
			return fmt.Errorf("protocol: transfers: %w", err)
		}
		p.transfers <- msg
	}
	s.meter.received("transfers", Session)
	return nil
}

// labelSource hands out the server's labels in the order of the plan. A
// goroutine of its own extends ahead, while the server waits for the client
// and while it garbles.
type labelSource struct {
	pool   *rows[block.Block]
	pieces chan labelPiece
	labels *[]block.Block // of the piece in use
	rest   []block.Block
}

type labelPiece struct {
	labels *[]block.Block
	err    error
}

// piecesAhead bounds the pieces that wait for use: 512 KiB each. LOCAL
const piecesAhead = 2

// newLabelSource starts to extend; the goroutine ends with the last piece, the
// first error or the preparation.
func newLabelSource(s *session, p *preparation) *labelSource {
	l := &labelSource{pool: &s.labels, pieces: make(chan labelPiece, piecesAhead)}
	s.background.Go(func() {
		defer close(l.pieces)
		for i := range p.batch.n * s.plan.otPieces() {
			piece := l.extend(s, p, s.plan.otPiece(i%s.plan.otPieces()))
			select {
			case l.pieces <- piece:
			case <-p.stop:
				return
			}
			if piece.err != nil {
				return
			}
		}
	})
	return l
}

// extend makes the next piece, of n labels.
func (l *labelSource) extend(s *session, p *preparation, n int) labelPiece {
	labels := l.pool.get(n)
	if s.silent != nil {
		s.silent.Take(*labels)
		return labelPiece{labels: labels}
	}
	msg, ok := <-p.transfers
	if !ok {
		return labelPiece{err: p.failure()}
	}
	defer s.messages.Put(msg)
	return labelPiece{labels, s.sender.Extend(*labels, *msg)}
}

// fill sets dst to the next labels.
func (l *labelSource) fill(dst []block.Block) error {
	for {
		n := copy(dst, l.rest)
		dst, l.rest = dst[n:], l.rest[n:]
		if len(dst) == 0 {
			return nil
		}
		if l.labels != nil {
			l.pool.Put(l.labels)
			l.labels = nil
		}
		piece, ok := <-l.pieces
		if !ok {
			return errors.New("protocol: transfers: no labels after an error")
		}
		if piece.err != nil {
			return fmt.Errorf("protocol: transfers: %w", piece.err)
		}
		l.labels, l.rest = piece.labels, *piece.labels
	}
}
