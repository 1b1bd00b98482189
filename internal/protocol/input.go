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
	masked := make([]int32, len(x))
	for i, mask := range m.masks(0, len(x)) {
		masked[i] = x[i] - mask
	}
	msg := packed(masked, width)
	if err := c.conn.Send(msg); err != nil {
		return fmt.Errorf("protocol: input: %w", err)
	}
	c.meter.sent("input", Session)
	return nil
}

func (s *session) receiveInput() ([]int32, error) {
	s.meter.received("request", Session)
	width := s.plan.moduli[0].width
	n := s.plan.shape.Input.Dims.Len()
	msg := make([]byte, ring.PackedSize(n, width))
	if err := s.conn.Recv(msg); err != nil {
		return nil, fmt.Errorf("protocol: input: %w", err)
	}
	share := unpacked(msg, n, width)
	s.meter.received("input", Session)
	return share, nil
}
