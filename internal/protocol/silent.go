package protocol

import "fmt"

// Silent transfer in place of the extension: the state lives as long as the session. The
// first seeds travel with the set-up; a preparation refills before anything
// else if what is left from those before it is not enough.
//
//	client → server   set-up: the first seeds   Class.StartSize
//	server → client   refills                   Class.RefillSize each
//
// Labels are made while the other offline steps go on.

// startSilent sends the first seeds, if the plan has silent transfer.
func (c *Client) startSilent() error {
	class, ok := c.plan.silent()
	if !ok {
		return nil
	}
	msg := make([]byte, class.StartSize())
	c.silent = c.receiver.NewSilent(class, msg)
	if err := c.conn.Send(msg); err != nil {
		return fmt.Errorf("protocol: first seeds: %w", err)
	}
	c.meter.sent("first seeds", Session)
	return nil
}

// startSilent at the server.
func (s *session) startSilent() error {
	class, ok := s.plan.silent()
	if !ok {
		return nil
	}
	msg := make([]byte, class.StartSize())
	err := s.conn.Recv(msg)
	if err == nil {
		s.silent, err = s.sender.NewSilent(class, msg)
	}
	if err != nil {
		return fmt.Errorf("protocol: first seeds: %w", err)
	}
	s.meter.received("first seeds", Session)
	return nil
}

// sendRefills makes and sends as many refills as the preparation needs.
func (s *session) sendRefills(p *preparation) error {
	n := s.plan.refills(p.materials[0].number, p.batch.n)
	if n == 0 {
		return nil
	}
	for range n {
		msg := make([]byte, s.silent.RefillSize())
		s.silent.Refill(msg)
		if err := s.conn.Send(msg); err != nil {
			return fmt.Errorf("protocol: refills: %w", err)
		}
	}
	s.meter.sent("refills", Session)
	return s.conn.Flush()
}

// receiveRefills passes the messages on to takeSilent.
func (c *Client) receiveRefills(b *clientBatch) error {
	defer close(b.refills)
	first := b.materials[0].number
	n := c.plan.refills(first, b.n)
	if n == 0 {
		return nil
	}
	class, _ := c.plan.silent()
	for i := range n {
		msg := make([]byte, class.RefillSize(first == 0 && i == 0))
		if err := c.conn.Recv(msg); err != nil {
			return fmt.Errorf("protocol: refills: %w", err)
		}
		b.refills <- msg
	}
	c.meter.received("refills", Session)
	return nil
}

// takeSilent checks the refills and makes the labels, once all refills are there.
func (c *Client) takeSilent(b *clientBatch) error {
	left := c.plan.refills(b.materials[0].number, b.n)
	for msg := range b.refills {
		if err := c.silent.Refill(msg); err != nil {
			return fmt.Errorf("protocol: transfers: %w", err)
		}
		left--
	}
	if left > 0 {
		return nil // the error is whose who received them
	}
	for _, m := range b.materials {
		c.roomForLabels(m)
		for i := range c.plan.otPieces() {
			n := c.plan.otPiece(i)
			c.silent.Take(m.labels[i*otPiece:][:n], m.choices[i*otPiece/8:][:byteLen(n)])
		}
	}
	return nil
}
