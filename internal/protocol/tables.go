package protocol

import (
	"fmt"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/garble"
	"dorcas/internal/ring"
)

// sendTables and receiveTables are the offline half of the non-linear stages.
//
//	server → client   garbled tables and output pads, a frame a chunk
//
// The pad of a result bit is the colour of its zero label ⊕ a bit from the
// server's seed: with it the client turns the colour that it evaluates into
// the bit under a one-time pad that only the server knows. At the last stage
// the pads are the colours alone, so that the client reads the result.
func (s *session) sendTables(p *preparation) error {
	source := &labelSource{plan: s.plan, sender: s.sender, msgs: p.extends}
	tweak := garble.Tweak{Start: s.start, Next: uint64(p.number) * s.plan.keys}
	for i, st := range s.plan.stages {
		labels := func(j int) ([]block.Block, error) { return source.take(st.chunks[j].ots) }
		garbled := func(j int, labels []block.Block) ([]byte, error) {
			st.chunks[j].flip(labels, p.flips[i], st.share.Width, s.sender.Delta())
			return s.garbleChunk(st, i, j, labels, p.seed, tweak), nil
		}
		send := func(_ int, frame []byte) error { return s.conn.Send(frame) }
		if err := pipeline(len(st.chunks), labels, garbled, send); err != nil {
			return fmt.Errorf("protocol: tables: layer %d: %w", st.layer, err)
		}
		s.meter.mark("tables", st.layer)
	}
	return s.conn.Flush()
}

// garbleChunk returns the frame of chunk j of stage i.
func (s *session) garbleChunk(st *stagePlan, i, j int, labels []block.Block, seed *[32]byte, tweak garble.Tweak) []byte {
	ch := &st.chunks[j]
	frame := make([]byte, ch.table+byteLen(ch.results))
	own := make([]block.Block, ch.elements*st.share.Width)
	block.Expand(own, seed, "share labels", at(i, j))
	delta, scratch := s.sender.Delta(), &garble.Scratch{}
	out := ch.run(st, labels, own, frame[:ch.table], tweak,
		func(c *circuit.Circuit, n int, t garble.Tweak, in, out []block.Block, table []byte) {
			garble.Garble(c, n, delta, t, in, out, table, scratch)
		})
	pads := make([]byte, ch.results)
	colours(pads, out)
	if st.mask > 0 {
		for k, b := range st.resultPads(seed, i, j) {
			pads[k] ^= b
		}
	}
	packBits(frame[ch.table:], pads)
	return frame
}

// resultPads expands the one-time pads of a chunk's result bits, a bit a byte.
func (st *stagePlan) resultPads(seed *[32]byte, i, j int) []byte {
	n := st.chunks[j].results
	packed, pads := make([]byte, byteLen(n)), make([]byte, n)
	ring.NewStream(seed, "result pads", at(i, j)).Read(packed)
	unpackBits(pads, packed)
	return pads
}

func (c *Client) receiveTables(m *ClientMaterial) error {
	for _, st := range c.plan.stages {
		tables, pads := make([][]byte, len(st.chunks)), make([][]byte, len(st.chunks))
		for j := range st.chunks {
			ch := &st.chunks[j]
			frame := make([]byte, ch.table+byteLen(ch.results))
			if err := c.conn.Recv(frame); err != nil {
				return fmt.Errorf("protocol: tables: layer %d: %w", st.layer, err)
			}
			tables[j], pads[j] = frame[:ch.table], frame[ch.table:]
		}
		m.tables, m.pads = append(m.tables, tables), append(m.pads, pads)
		c.meter.mark("tables", st.layer)
	}
	return nil
}
