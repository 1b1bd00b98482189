package protocol

import (
	"fmt"

	"dorcas/internal/block"
)

// correct turns the random choices of the client's correlations into the bits
// of its shares c.
//
//	client → server   choice ⊕ c for every share bit, a frame a stage
//
// The labels of the masks need no correction: the masks are the choices.
func (c *Client) correct(m *ClientMaterial) error {
	for _, st := range c.plan.stages {
		msg := make([]byte, byteLen(st.shareBits))
		for i := range st.chunks {
			ch := &st.chunks[i]
			ch.addShareBits(msg, ch.firstShareBit, m.tensors[st.input], st.share.Width)
			block.AddBits(msg, ch.firstShareBit, m.choices, ch.firstOT, ch.elements*st.share.Width)
		}
		if err := c.conn.Send(msg); err != nil {
			return fmt.Errorf("protocol: corrections: %w", err)
		}
		c.meter.mark("corrections", st.layer)
	}
	return nil
}

func (s *session) correct(p *preparation) error {
	for _, st := range s.plan.stages {
		msg := make([]byte, byteLen(st.shareBits))
		if err := s.conn.Recv(msg); err != nil {
			return fmt.Errorf("protocol: corrections: %w", err)
		}
		p.flips = append(p.flips, msg)
		s.meter.mark("corrections", st.layer)
	}
	return nil
}
