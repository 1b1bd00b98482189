package protocol

import (
	"fmt"

	"dorcas/internal/ring"
)

// sendInput opens the online phase.
//
//	client → server   x - r modulo 2^width, packed
func (c *Client) sendInput(m *ClientMaterial, x []int32) error {
	width := c.plan.moduli[0].width
	masked := make([]uint64, len(x))
	for i, v := range x {
		masked[i] = uint64(uint32(v-m.mask[i]) & lowBits(width))
	}
	msg := make([]byte, ring.PackedSize(len(x), width))
	ring.PackBits(msg, masked, width)
	if err := c.conn.Send(msg); err != nil {
		return fmt.Errorf("protocol: input: %w", err)
	}
	c.meter.mark("input", Session)
	return nil
}

func (s *session) receiveInput() ([]int32, error) {
	s.meter.mark("request", Session)
	width := s.plan.moduli[0].width
	n := s.plan.shape.Input.Dims.Len()
	msg := make([]byte, ring.PackedSize(n, width))
	if err := s.conn.Recv(msg); err != nil {
		return nil, fmt.Errorf("protocol: input: %w", err)
	}
	masked := make([]uint64, n)
	ring.UnpackBits(masked, msg, width)
	share := make([]int32, n)
	for i, v := range masked {
		share[i] = int32(uint32(v))
	}
	s.meter.mark("input", Session)
	return share, nil
}
