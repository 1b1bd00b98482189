package protocol

import (
	"fmt"

	"dorcas/internal/block"
	"dorcas/internal/ot"
)

// extend makes the correlations of one inference: labels of the client's bits
// at both parties, and the client's random choice bits, some of which become
// the masks of the activations.
//
//	client → server   one message of the extension per piece
//
// The server keeps the messages, which are short, and makes its labels from
// them when it garbles (labelSource).
func (c *Client) extend(m *ClientMaterial) error {
	m.labels = grow(&c.spare.labels, c.plan.ots)
	m.choices = grow(&c.spare.choices, byteLen(c.plan.ots))
	c.spare.labels = nil // the material's until it is used
	for i := range c.plan.otPieces() {
		n := c.plan.otPiece(i)
		msg := make([]byte, ot.ExtendSize(n))
		c.receiver.Extend(m.labels[i*otPiece:][:n], m.choices[i*otPiece/8:][:byteLen(n)], msg)
		if err := c.conn.Send(msg); err != nil {
			return fmt.Errorf("protocol: transfers: %w", err)
		}
	}
	c.meter.mark("transfers", Session)
	return nil
}

func (s *session) extend(p *preparation) error {
	s.meter.mark("request", Session)
	for i := range s.plan.otPieces() {
		msg := make([]byte, ot.ExtendSize(s.plan.otPiece(i)))
		if err := s.conn.Recv(msg); err != nil {
			return fmt.Errorf("protocol: transfers: %w", err)
		}
		p.extends = append(p.extends, msg)
	}
	s.meter.mark("transfers", Session)
	return nil
}

// labelSource hands out the server's labels in the order of the plan.
type labelSource struct {
	plan   *Plan
	sender *ot.Sender
	msgs   [][]byte
	piece  int
	labels []block.Block
	rest   []block.Block // of labels
}

// fill sets dst to the next labels.
func (l *labelSource) fill(dst []block.Block) error {
	for {
		n := copy(dst, l.rest)
		dst, l.rest = dst[n:], l.rest[n:]
		if len(dst) == 0 {
			return nil
		}
		l.rest = grow(&l.labels, l.plan.otPiece(l.piece))
		if err := l.sender.Extend(l.rest, l.msgs[l.piece]); err != nil {
			return fmt.Errorf("protocol: transfers: %w", err)
		}
		l.msgs[l.piece] = nil
		l.piece++
	}
}
