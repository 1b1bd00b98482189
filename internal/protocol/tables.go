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
//	server → client   garbled tables and sums, a frame a chunk
//
// The sums turn what the client evaluates into z plus a pad from the server's
// seed, modulo 2^l'. At the last stage there are no sums but the colours of the zero
// labels, from which the client reads the result.
func (s *session) sendTables(p *preparation) error {
	for i := range p.materials {
		if err := s.sendTablesOf(&p.materials[i], p.labels); err != nil {
			return err
		}
	}
	return s.conn.Flush()
}

func (s *session) sendTablesOf(m *serverMaterial, source *labelSource) error {
	tweak := garble.Tweak{Start: s.start, Next: uint64(m.number) * s.plan.keys}
	for i, st := range s.plan.stages {
		labels := func(j int) (*[]block.Block, error) {
			in := s.labels.get(2 * st.chunks[j].ots)
			return in, source.fill((*in)[:st.chunks[j].ots])
		}
		garbled := func(j int, in *[]block.Block) (*[]byte, error) {
			frame := s.frames.get(st.chunks[j].frame)
			s.garbleChunk(st, *in, *frame, i, j, m.seed, tweak)
			s.labels.Put(in)
			return frame, nil
		}
		send := func(_ int, frame *[]byte) error {
			defer s.frames.Put(frame)
			return s.conn.Post(*frame)
		}
		if err := pipeline(len(st.chunks), labels, garbled, send); err != nil {
			return fmt.Errorf("protocol: tables: layer %d: %w", st.layer, err)
		}
		s.meter.sent("tables", st.layer)
	}
	return nil
}

// garbleChunk makes the frame of chunk j of stage i from labels, of which the first half,
// those of the client's bits, are there. Of all sessions only as many chunks as
// there are processors are garbled at a time: more would only take memory.
func (s *session) garbleChunk(st *stagePlan, labels []block.Block, frame []byte, i, j int, seed *[32]byte, tweak garble.Tweak) {
	s.garblers <- struct{}{}
	defer func() { <-s.garblers }()
	ws := s.workspaces.Get().(*workspace)
	defer s.workspaces.Put(ws)
	ch, delta := &st.chunks[j], s.sender.Delta()
	block.Expand(labels[ch.ots:], seed, "share labels", at(i, j))
	st.pads(ws, seed, i, j)
	out := ch.run(ws, labels, st.mask, frame, tweak, engine{
		gates: func(c *circuit.Circuit, n int, t garble.Tweak, in, out []block.Block, table []byte) {
			garble.Garble(c, n, delta, t, in, out, table, &ws.garble)
		},
		sums: func(s *circuit.Sum, n int, t garble.Tweak, labels []block.Block, pads []uint32, table []byte) {
			garble.GarbleSum(s, st.mask, n, delta, t, labels, pads, table, &ws.garble)
		},
	})
	if ch.opened > 0 {
		colours := frame[ch.frame-byteLen(ch.opened):]
		clear(colours)
		block.AddColours(colours, 0, out)
	}
}

// pads sets the workspace's values to the one-time pads of a chunk's results.
func (st *stagePlan) pads(ws *workspace, seed *[32]byte, i, j int) []uint32 {
	pads := grow(&ws.values, st.chunks[j].values)
	ws.values = pads
	ring.ReadInts(ring.NewStream(seed, "result pads", at(i, j)), pads)
	return pads
}

func (c *Client) receiveTables(b *clientBatch) error {
	for _, m := range b.materials {
		if err := c.receiveTablesOf(m); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) receiveTablesOf(m *ClientMaterial) error {
	m.frames = c.spare.frames.take(int(c.plan.frames))
	for _, st := range c.plan.stages {
		for j := range st.chunks {
			if err := c.conn.Recv(m.frame(&st.chunks[j])); err != nil {
				return fmt.Errorf("protocol: tables: layer %d: %w", st.layer, err)
			}
		}
		c.meter.received("tables", st.layer)
	}
	return nil
}

// frame returns the frame of a chunk, as it came.
func (m *ClientMaterial) frame(ch *chunk) []byte { return m.frames[ch.firstFrame:][:ch.frame] }
