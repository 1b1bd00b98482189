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
	tweak := garble.Tweak{Start: s.start, Next: uint64(p.number) * s.plan.keys}
	for i, st := range s.plan.stages {
		labels := func(j int) (*workspace, error) {
			ws := s.workspaces.Get().(*workspace)
			client, masks, _ := st.chunks[j].split(st, ws)
			if err := p.labels.fill(client); err != nil {
				return nil, err
			}
			return ws, p.labels.fill(masks)
		}
		garbled := func(j int, ws *workspace) (*workspace, error) {
			s.garbleChunk(st, ws, i, j, p, tweak)
			return ws, nil
		}
		send := func(_ int, ws *workspace) error {
			defer s.workspaces.Put(ws)
			return s.conn.Send(ws.frame)
		}
		if err := pipeline(len(st.chunks), labels, garbled, send); err != nil {
			return fmt.Errorf("protocol: tables: layer %d: %w", st.layer, err)
		}
		s.meter.mark("tables", st.layer)
	}
	return s.conn.Flush()
}

// garbleChunk makes the frame of chunk j of stage i, in the workspace, which
// holds the labels of the client's bits.
func (s *session) garbleChunk(st *stagePlan, ws *workspace, i, j int, p *preparation, tweak garble.Tweak) {
	ch, delta := &st.chunks[j], s.sender.Delta()
	client, _, own := ch.split(st, ws)
	// The client's labels stand for c once the zero labels are moved to where
	// its choice was flipped.
	block.AddWhere(client, p.flips[i], ch.firstShareBit, delta)
	block.Expand(own, p.seed, "share labels", at(i, j))
	ws.frame = grow(&ws.frame, ch.table+byteLen(ch.results))
	out := ch.run(st, ws, ws.frame[:ch.table], tweak,
		func(c *circuit.Circuit, n int, t garble.Tweak, in, out []block.Block, table []byte) {
			garble.Garble(c, n, delta, t, in, out, table, &ws.garble)
		})
	pads := ws.frame[ch.table:]
	clear(pads)
	block.AddColours(pads, 0, out)
	if st.mask > 0 {
		block.AddBits(pads, 0, st.resultPads(ws, p.seed, i, j), 0, ch.results)
	}
}

// resultPads expands the one-time pads of a chunk's result bits.
func (st *stagePlan) resultPads(ws *workspace, seed *[32]byte, i, j int) []byte {
	pads := grow(&ws.pads, byteLen(st.chunks[j].results))
	ring.NewStream(seed, "result pads", at(i, j)).Read(pads)
	return pads
}

func (c *Client) receiveTables(m *ClientMaterial) error {
	m.frames = grow(&c.spare.frames, int(c.plan.frames))
	c.spare.frames = nil // the material's until it is used
	for _, st := range c.plan.stages {
		for j := range st.chunks {
			if err := c.conn.Recv(m.frame(&st.chunks[j])); err != nil {
				return fmt.Errorf("protocol: tables: layer %d: %w", st.layer, err)
			}
		}
		c.meter.mark("tables", st.layer)
	}
	return nil
}

// frame returns the table and the pads of a chunk, as they came.
func (m *ClientMaterial) frame(ch *chunk) []byte {
	return m.frames[ch.firstFrame:][:ch.table+byteLen(ch.results)]
}
