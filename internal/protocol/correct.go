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
		flips := make([]byte, st.shareBits)
		for i := range st.chunks {
			ch := &st.chunks[i]
			n := ch.elements * st.share.Width
			row, choices := flips[ch.firstShareBit:][:n], grow(&c.spare.bits, n)
			ch.shareBits(row, m.tensors[st.input], st.share.Width)
			unpackBits(choices, m.choices, ch.firstOT)
			xorBits(row, choices)
		}
		msg := make([]byte, byteLen(len(flips)))
		packBits(msg, flips)
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

// flip moves the zero labels of a chunk's share bits to where the client's
// labels stand for c.
func flip(labels []block.Block, flips []byte, delta block.Block) {
	for i := range labels {
		labels[i] = labels[i].Xor(delta.And(uint64(flips[i])))
	}
}
