package protocol

import (
	"errors"
	"fmt"
	"sync"

	"dorcas/internal/block"
	"dorcas/internal/ot"
)

// extend makes the correlations of one inference: labels of random bits of the
// client at both parties. The bits stand for the client's shares (offset.go).
//
//	client → server   one message of the extension per piece
//
// The server makes its labels from the messages while it garbles, a few
// pieces ahead (labelSource).
func (c *Client) extend(m *ClientMaterial) error {
	m.labels = grow(&c.spare.labels, c.plan.ots)
	m.choices = grow(&c.spare.choices, byteLen(c.plan.ots))
	c.spare.labels = nil // the material's until it is used
	for i := range c.plan.otPieces() {
		n := c.plan.otPiece(i)
		msg := grow(&c.spare.msg, ot.ExtendSize(n))
		c.receiver.Extend(m.labels[i*otPiece:][:n], m.choices[i*otPiece/8:][:byteLen(n)], msg)
		if err := c.conn.Send(msg); err != nil {
			return fmt.Errorf("protocol: transfers: %w", err)
		}
	}
	c.meter.sent("transfers", Session)
	return nil
}

func (s *session) extend(p *preparation) error {
	var msgs [][]byte
	for i := range s.plan.otPieces() {
		msg := make([]byte, ot.ExtendSize(s.plan.otPiece(i)))
		if err := s.conn.Recv(msg); err != nil {
			return fmt.Errorf("protocol: transfers: %w", err)
		}
		msgs = append(msgs, msg)
	}
	p.labels = newLabelSource(s.plan, s.sender, msgs, p.stop, p.background)
	s.meter.received("transfers", Session)
	return nil
}

// labelSource hands out the server's labels in the order of the plan. A
// goroutine of its own extends ahead, while the server waits for the client
// and while it garbles.
type labelSource struct {
	pieces chan labelPiece
	spent  chan []block.Block
	labels []block.Block // of the piece in use
	rest   []block.Block
}

type labelPiece struct {
	labels []block.Block
	err    error
}

// piecesAhead bounds the pieces that wait for use: 2 MiB each. LOCAL
const piecesAhead = 4

// newLabelSource starts to extend; the goroutine ends with the last piece, the
// first error or stop.
func newLabelSource(p *Plan, sender *ot.Sender, msgs [][]byte, stop <-chan struct{}, wg *sync.WaitGroup) *labelSource {
	l := &labelSource{pieces: make(chan labelPiece, piecesAhead), spent: make(chan []block.Block, piecesAhead+2)}
	wg.Go(func() {
		defer close(l.pieces)
		for i, msg := range msgs {
			var buf []block.Block
			select {
			case buf = <-l.spent:
			default:
			}
			labels := grow(&buf, p.otPiece(i))
			piece := labelPiece{labels, sender.Extend(labels, msg)}
			msgs[i] = nil
			select {
			case l.pieces <- piece:
			case <-stop:
				return
			}
			if piece.err != nil {
				return
			}
		}
	})
	return l
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
			select {
			case l.spent <- l.labels:
			default:
			}
			l.labels = nil
		}
		piece, ok := <-l.pieces
		if !ok {
			return errors.New("protocol: transfers: no labels after an error")
		}
		if piece.err != nil {
			return fmt.Errorf("protocol: transfers: %w", piece.err)
		}
		l.labels, l.rest = piece.labels, piece.labels
	}
}
