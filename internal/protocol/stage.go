package protocol

import (
	"fmt"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/garble"
	"dorcas/internal/ring"
	"dorcas/nn"
)

// stages and evaluate are the online half of the network: for every level of
// non-linear stages one round trip.
//
//	server → client   labels of the bits of the server's share, a frame a chunk
//	client → server   results z - r' under the server's one-time pads, a frame a stage
//
// After the last stage the client has the result and sends nothing.
func (s *session) stages(seed *[32]byte, input []int32) error {
	p := s.plan
	tensors := make([][]int32, len(p.shape.Layers)+1)
	tensors[0] = input
	index := 0
	for _, level := range p.levels {
		for i, st := range level {
			s.linear(tensors, st.input, seed)
			if err := s.sendLabels(st, index+i, seed, tensors[st.input]); err != nil {
				return err
			}
		}
		for i, st := range level {
			if st.mask == 0 {
				continue
			}
			var err error
			if tensors[st.layer+1], err = s.receiveResults(st, index+i, seed); err != nil {
				return err
			}
		}
		index += len(level)
	}
	return s.conn.Flush()
}

// linear computes the server's share of a tensor from the stages before it.
func (s *session) linear(tensors [][]int32, t int, seed *[32]byte) {
	if tensors[t] != nil {
		return
	}
	l := &s.plan.shape.Layers[t-1]
	for _, in := range l.In {
		s.linear(tensors, in, seed)
	}
	if l.Conv != nil {
		tensors[t] = s.convolve(t-1, tensors[l.In[0]], seed)
	} else {
		tensors[t] = s.plan.public(t-1, tensors)
	}
}

// channelBlock is how many output channels are convolved at a time. LOCAL
const channelBlock = 16

// convolve computes 2^g·(W(x - r) + b) + ρ.
func (s *session) convolve(layer int, x []int32, seed *[32]byte) []int32 {
	l := &s.plan.shape.Layers[layer]
	w := s.model.Weights[layer]
	y := make([]int32, l.Out.Len())
	product := l.Conv.Begin(x, s.plan.shape.Dims(l.In[0]), l.Out)
	parallel((l.Out.C+channelBlock-1)/channelBlock, func(i int) error {
		product.Channels(y, w.W, i*channelBlock, min((i+1)*channelBlock, l.Out.C))
		return nil
	})
	product.End()
	nn.AddBias(y, w.Bias, l.Out)
	guard := s.plan.moduli[layer+1].guard
	rho := make([]int32, len(y))
	masks := child(seed, "masks", 0)
	for _, cp := range s.plan.convs {
		if cp.layer != layer {
			continue
		}
		parallel(cp.layout.Answers(), func(i int) error {
			cp.layout.RedoShare(rho, i, ring.NewStream(masks, "reshare", cp.firstAnswer+uint64(i)))
			return nil
		})
	}
	for i := range y {
		y[i] = y[i]<<guard + rho[i]
	}
	return y
}

// sendLabels sends the labels of the server's share plus the stage's bias:
// half of what the guard bits hold, so that ε never reaches the integer part,
// and half a unit of the stage's shift, so that the circuit need not round.
func (s *session) sendLabels(st *stagePlan, index int, seed *[32]byte, share []int32) error {
	biased := make([]int32, len(share))
	for i, v := range share {
		biased[i] = v + st.bias
	}
	delta := s.sender.Delta()
	free := func(int) (*workspace, error) { return s.workspaces.Get().(*workspace), nil }
	encode := func(j int, ws *workspace) (*workspace, error) {
		ch := &st.chunks[j]
		labels := grow(&ws.labels, ch.elements*st.share.Width)
		block.Expand(labels, seed, "share labels", at(index, j))
		bits := grow(&ws.bits, byteLen(len(labels)))
		clear(bits)
		ch.addShareBits(bits, 0, biased, st.share.Width)
		block.AddWhere(labels, bits, 0, delta)
		ws.frame = grow(&ws.frame, len(labels)*block.Size)
		block.PutAll(ws.frame, labels)
		return ws, nil
	}
	send := func(_ int, ws *workspace) error {
		defer s.workspaces.Put(ws)
		return s.conn.Send(ws.frame)
	}
	if err := pipeline(len(st.chunks), free, encode, send); err != nil {
		return fmt.Errorf("protocol: labels: layer %d: %w", st.layer, err)
	}
	s.meter.mark("labels", st.layer)
	return nil
}

// receiveResults returns the server's share z - r'.
func (s *session) receiveResults(st *stagePlan, index int, seed *[32]byte) ([]int32, error) {
	msg := make([]byte, byteLen(st.resultBits))
	if err := s.conn.Recv(msg); err != nil {
		return nil, fmt.Errorf("protocol: results: layer %d: %w", st.layer, err)
	}
	ws := s.workspaces.Get().(*workspace)
	defer s.workspaces.Put(ws)
	share := make([]int32, s.plan.shape.Dims(st.layer+1).Len())
	for j := range st.chunks {
		ch := &st.chunks[j]
		block.AddBits(msg, ch.firstResult, st.resultPads(ws, seed, index, j), 0, ch.results)
		ch.values(share, msg, ch.firstResult, st.mask)
	}
	s.meter.mark("results", st.layer)
	return share, nil
}

// evaluate is the client's side of all stages.
func (c *Client) evaluate(m *ClientMaterial) (nn.Result, error) {
	var bits []byte
	index := 0
	for _, level := range c.plan.levels {
		results := make([][]byte, len(level))
		for i, st := range level {
			var err error
			if results[i], err = c.evaluateStage(m, st, index+i); err != nil {
				return nn.Result{}, fmt.Errorf("protocol: labels: layer %d: %w", st.layer, err)
			}
			c.meter.mark("labels", st.layer)
		}
		for i, st := range level {
			if st.mask == 0 {
				bits = results[i]
				continue
			}
			if err := c.conn.Send(results[i]); err != nil {
				return nn.Result{}, fmt.Errorf("protocol: results: layer %d: %w", st.layer, err)
			}
			c.meter.mark("results", st.layer)
		}
		index += len(level)
	}
	return c.plan.result(bits), nil
}

// evaluateStage returns the result bits of a stage, under the server's pads.
func (c *Client) evaluateStage(m *ClientMaterial, st *stagePlan, index int) ([]byte, error) {
	bits := make([]byte, byteLen(st.resultBits))
	tweak := garble.Tweak{Start: c.start, Next: uint64(m.number) * c.plan.keys}
	receive := func(j int) (*workspace, error) {
		ws := c.workspaces.Get().(*workspace)
		ws.frame = grow(&ws.frame, st.chunks[j].elements*st.share.Width*block.Size)
		return ws, c.conn.Recv(ws.frame)
	}
	evaluate := func(j int, ws *workspace) (*workspace, error) {
		ch := &st.chunks[j]
		client, masks, server := ch.split(st, ws)
		copy(client, m.labels[ch.firstOT:])
		copy(masks, m.labels[ch.firstOT+len(client):])
		block.GetAll(server, ws.frame)
		frame := m.frame(ch)
		out := ch.run(st, ws, frame[:ch.table], tweak,
			func(c *circuit.Circuit, n int, t garble.Tweak, in, out []block.Block, table []byte) {
				garble.Evaluate(c, n, t, in, out, table, &ws.garble)
			})
		row := grow(&ws.bits, byteLen(ch.results))
		clear(row)
		block.AddColours(row, 0, out)
		block.AddBits(row, 0, frame[ch.table:], 0, ch.results)
		return ws, nil
	}
	collect := func(j int, ws *workspace) error {
		ch := &st.chunks[j]
		block.AddBits(bits, ch.firstResult, ws.bits, 0, ch.results)
		c.workspaces.Put(ws)
		return nil
	}
	return bits, pipeline(len(st.chunks), receive, evaluate, collect)
}

// result decodes the bits of the output stage.
func (p *Plan) result(bits []byte) nn.Result {
	n := p.shape.Dims(p.shape.Output.Tensor).Len()
	if p.shape.Output.Reveal == nn.RevealLabel {
		index := 0
		for i, b := range bits {
			index |= int(b) << (8 * i)
		}
		return nn.Result{Index: min(index, n-1)}
	}
	width := p.shape.Output.Width
	out := make([]int32, n)
	st := p.stages[len(p.stages)-1]
	for i := range st.chunks {
		ch := &st.chunks[i]
		ch.values(out, bits, ch.firstResult, width)
	}
	for i, v := range out {
		out[i] = signed(uint32(v), width)
	}
	return nn.Result{Outputs: out, Index: nn.ArgMax(out)}
}
