package protocol

import (
	"fmt"

	"dorcas/internal/block"
	"dorcas/internal/ring"
)

// The client has labels of random bits, not of the bits of its shares. So a
// stage takes the random bits for the client's share, and the difference is
// added to the server's, which is public to it: uniform, because the bits are.
//
//	client → server   its share - random bits, modulo 2^(l+g), packed, before the stage's labels
//
// findOffsets packs the differences of all stages when the offline steps
// end; nothing else of them is kept.
func (c *Client) findOffsets(m *ClientMaterial) {
	m.offsets = make([][]byte, len(c.plan.stages))
	for i, st := range c.plan.stages {
		share := m.tensors[st.input]
		random := make([]int32, len(share))
		for j := range st.chunks {
			st.chunks[j].choiceValues(random, m.choices, st.share.Width)
		}
		for j, v := range share {
			random[j] = v - random[j]
		}
		m.offsets[i] = packed(random, st.share.Width)
	}
}

// choiceValues reads the elements of a chunk from the choice bits of its
// correlations, in the order of addShareBits; they are zero before.
func (ch *chunk) choiceValues(dst []int32, choices []byte, width int) {
	dst = dst[ch.first:][:ch.elements]
	if ch.direct != nil && ch.instances != ch.elements {
		for i := range dst {
			for b := range width {
				k := ch.firstOT + i*width + b
				dst[i] |= int32(choices[k/8]>>(k%8)&1) << b
			}
		}
		return
	}
	for b := range width {
		block.OrPlane(dst, b, choices, ch.firstOT+b*len(dst))
	}
}

// sendOffsets is the client's part of a stage before its labels.
func (c *Client) sendOffsets(m *ClientMaterial, st *stagePlan, index int) error {
	if err := c.conn.Send(m.offsets[index]); err != nil {
		return fmt.Errorf("protocol: offsets: layer %d: %w", st.layer, err)
	}
	c.meter.sent("offsets", st.layer)
	return nil
}

// receiveOffsets adds the offsets of a stage to the server's share of its input,
// and the stage's bias: half of what the guard bits hold, so that ε never reaches the
// integer part, and half a unit of the stage's shift, so that the circuit need not
// round.
func (s *session) receiveOffsets(m *serverMaterial, st *stagePlan, share []int32) ([]int32, error) {
	msg := s.frames.get(s.plan.offsetSize(st))
	defer s.frames.Put(msg)
	if err := s.conn.Recv(*msg); err != nil {
		return nil, fmt.Errorf("protocol: offsets: layer %d: %w", st.layer, err)
	}
	moved := m.loans.take(len(share))
	ring.UnpackInts(moved, *msg, st.share.Width)
	for i, v := range share {
		moved[i] += v + st.bias
	}
	s.meter.received("offsets", st.layer)
	return moved, nil
}
