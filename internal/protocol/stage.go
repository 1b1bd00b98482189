package protocol

import (
	"fmt"
	"math/bits"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/garble"
	"dorcas/internal/ring"
	"dorcas/nn"
)

// stages and evaluate are the online half of the network: for every level of
// non-linear stages one round trip.
//
//	client → server   offsets of the client's shares, a frame a stage (offset.go)
//	server → client   labels of the bits of the server's share, a frame a chunk
//	client → server   results z + pad - r', packed, a frame a stage
//
// After the last stage the client has the result and sends nothing.
func (s *session) stages(m *serverMaterial, input []int32) error {
	p := s.plan
	tensors := make([][]int32, len(p.shape.Layers)+1)
	tensors[0] = input
	index := 0
	for _, level := range p.levels {
		shares := make([][]int32, len(level))
		for i, st := range level {
			s.linear(tensors, st.input, m)
			var err error
			if shares[i], err = s.receiveOffsets(m, st, tensors[st.input]); err != nil {
				return err
			}
		}
		for i, st := range level {
			if err := s.sendLabels(st, index+i, m.seed, shares[i]); err != nil {
				return err
			}
		}
		for i, st := range level {
			if st.mask == 0 {
				continue
			}
			var err error
			if tensors[st.layer+1], err = s.receiveResults(m, st, index+i); err != nil {
				return err
			}
		}
		index += len(level)
	}
	return s.conn.Flush()
}

// linear computes the server's share of a tensor from the stages before it.
func (s *session) linear(tensors [][]int32, t int, m *serverMaterial) {
	if tensors[t] != nil {
		return
	}
	l := &s.plan.shape.Layers[t-1]
	for _, in := range l.In {
		s.linear(tensors, in, m)
	}
	if l.Conv != nil {
		tensors[t] = s.convolve(t-1, tensors[l.In[0]], m)
	} else {
		tensors[t] = s.plan.public(t-1, tensors)
	}
}

// channelBlock is how many output channels are convolved at a time. LOCAL
const channelBlock = 16

// convolve computes 2^g·(W(x - r) + b) + ρ.
func (s *session) convolve(layer int, x []int32, m *serverMaterial) []int32 {
	l := &s.plan.shape.Layers[layer]
	w := s.model.Weights[layer]
	y := m.loans.take(l.Out.Len())
	clear(y)
	product := l.Conv.Begin(x, s.plan.shape.Dims(l.In[0]), l.Out)
	parallel((l.Out.C+channelBlock-1)/channelBlock, func(i int) error {
		product.Channels(y, w.W, i*channelBlock, min((i+1)*channelBlock, l.Out.C))
		return nil
	})
	product.End()
	nn.AddBias(y, w.Bias, l.Out)
	guard := s.plan.moduli[layer+1].guard
	rho := m.loans.take(len(y))
	m.redoShare(rho, layer)
	for i := range y {
		y[i] = y[i]<<guard + rho[i]
	}
	return y
}

// redoShare computes the server's share ρ of a secret layer's outputs again.
func (m *serverMaterial) redoShare(rho []int32, layer int) {
	masks := child(m.seed, "masks", 0)
	for _, cp := range m.batch.convs {
		if cp.layer != layer {
			continue
		}
		parallel(cp.layout.Answers(), func(i int) error {
			if first, count := cp.layout.ImagesOf(i); m.image >= first && m.image < first+count {
				cp.layout.RedoShare(rho, i, m.image, ring.NewStream(masks, "reshare", cp.firstAnswer+uint64(i)))
			}
			return nil
		})
	}
}

// sendLabels sends the labels of the server's share, as receiveOffsets moved it.
func (s *session) sendLabels(st *stagePlan, index int, seed *[32]byte, share []int32) error {
	delta := s.sender.Delta()
	free := func(int) (struct{}, error) { return struct{}{}, nil }
	encode := func(j int, _ struct{}) (*[]byte, error) {
		ch := &st.chunks[j]
		frame := s.frames.get(ch.ots * block.Size)
		ws := s.workspaces.Get().(*workspace)
		defer s.workspaces.Put(ws)
		labels := grow(&ws.labels, ch.ots)
		block.Expand(labels, seed, "share labels", at(index, j))
		bits := grow(&ws.bits, byteLen(len(labels)))
		clear(bits)
		ch.addShareBits(bits, 0, share, st.share.Width)
		block.AddWhere(labels, bits, 0, delta)
		block.PutAll(*frame, labels)
		return frame, nil
	}
	send := func(_ int, frame *[]byte) error {
		defer s.frames.Put(frame)
		return s.conn.Send(*frame)
	}
	if err := pipeline(len(st.chunks), free, encode, send); err != nil {
		return fmt.Errorf("protocol: labels: layer %d: %w", st.layer, err)
	}
	s.meter.sent("labels", st.layer)
	return nil
}

// receiveResults returns the server's share z - r'.
func (s *session) receiveResults(m *serverMaterial, st *stagePlan, index int) ([]int32, error) {
	msg := s.frames.get(s.plan.resultSize(st))
	defer s.frames.Put(msg)
	if err := s.conn.Recv(*msg); err != nil {
		return nil, fmt.Errorf("protocol: results: layer %d: %w", st.layer, err)
	}
	n := s.plan.shape.Dims(st.layer + 1).Len()
	share, pads := m.loans.take(n), m.loans.take(n)
	ring.UnpackInts(share, *msg, st.mask)
	ws := s.workspaces.Get().(*workspace)
	defer s.workspaces.Put(ws)
	for j := range st.chunks {
		st.chunks[j].scatter(pads, st.pads(ws, m.seed, index, j))
	}
	for i, pad := range pads {
		share[i] -= pad
	}
	s.meter.received("results", st.layer)
	return share, nil
}

// evaluate is the client's side of all stages.
func (c *Client) evaluate(m *ClientMaterial) (nn.Result, error) {
	var opened []byte
	index := 0
	for _, level := range c.plan.levels {
		for i, st := range level {
			if err := c.sendOffsets(m, st, index+i); err != nil {
				return nn.Result{}, err
			}
		}
		results := make([][]byte, len(level))
		for i, st := range level {
			values, bits, err := c.evaluateStage(m, st, index+i)
			if err != nil {
				return nn.Result{}, fmt.Errorf("protocol: labels: layer %d: %w", st.layer, err)
			}
			if opened = bits; st.mask > 0 {
				masks := m.loans.take(len(values))
				m.readMasks(masks, st.layer+1)
				for k, mask := range masks {
					values[k] -= mask
				}
				results[i] = packed(values, st.mask)
			}
			c.meter.received("labels", st.layer)
		}
		for i, st := range level {
			if st.mask == 0 {
				continue
			}
			if err := c.conn.Send(results[i]); err != nil {
				return nn.Result{}, fmt.Errorf("protocol: results: layer %d: %w", st.layer, err)
			}
			c.meter.sent("results", st.layer)
		}
		index += len(level)
	}
	return c.plan.result(opened), nil
}

// evaluateStage returns the results of a stage under the server's pads, or the
// bits that the last stage opens.
func (c *Client) evaluateStage(m *ClientMaterial, st *stagePlan, index int) (values []int32, opened []byte, err error) {
	opened = make([]byte, byteLen(st.opened))
	if st.mask > 0 {
		values = m.loans.take(c.plan.shape.Dims(st.layer + 1).Len())
	}
	tweak := garble.Tweak{Start: c.start, Next: uint64(m.number) * c.plan.keys}
	receive := func(j int) (*workspace, error) {
		ws := c.workspaces.Get().(*workspace)
		ws.frame = grow(&ws.frame, st.chunks[j].ots*block.Size)
		return ws, c.conn.Recv(ws.frame)
	}
	evaluate := func(j int, ws *workspace) (*workspace, error) {
		c.evaluateChunk(m, st, &st.chunks[j], ws, tweak)
		return ws, nil
	}
	collect := func(j int, ws *workspace) error {
		ch := &st.chunks[j]
		block.AddBits(opened, ch.firstOpened, ws.bits, 0, ch.opened)
		if st.mask > 0 {
			ch.scatter(values, ws.values)
		}
		c.workspaces.Put(ws)
		return nil
	}
	return values, opened, pipeline(len(st.chunks), receive, evaluate, collect)
}

// evaluateChunk leaves the chunk's results in the workspace, which holds the frame of
// the server's labels: values of sums, or bits.
func (c *Client) evaluateChunk(m *ClientMaterial, st *stagePlan, ch *chunk, ws *workspace, tweak garble.Tweak) {
	labels := grow(&ws.labels, 2*ch.ots)
	copy(labels[:ch.ots], m.labels[ch.firstOT:])
	block.GetAll(labels[ch.ots:], ws.frame)
	ws.values = grow(&ws.values, ch.values)
	frame := m.frame(ch)
	out := ch.run(ws, labels, st.mask, frame, tweak, engine{
		gates: func(c *circuit.Circuit, n int, t garble.Tweak, in, out []block.Block, table []byte) {
			garble.Evaluate(c, n, t, in, out, table, &ws.garble)
		},
		sums: func(s *circuit.Sum, n int, t garble.Tweak, labels []block.Block, sums []uint32, table []byte) {
			garble.EvaluateSum(s, st.mask, n, t, labels, sums, table, &ws.garble)
		},
	})
	ws.bits = grow(&ws.bits, byteLen(ch.opened))
	clear(ws.bits)
	if ch.opened > 0 {
		block.AddColours(ws.bits, 0, out)
		block.AddBits(ws.bits, 0, frame[ch.frame-byteLen(ch.opened):], 0, ch.opened)
	}
}

// result decodes the bits of the output stage.
func (p *Plan) result(bits []byte) nn.Result {
	n := p.shape.Dims(p.shape.Output.Tensor).Len()
	if k := p.shape.Output.Reveal.Labels(); k > 0 {
		top := p.indices(bits, n, k)
		if k == 1 {
			return nn.Result{Index: top[0]}
		}
		return nn.Result{Index: top[0], Top: top}
	}
	width := p.shape.Output.Width
	out := make([]int32, n)
	st := p.stages[len(p.stages)-1]
	for i := range st.chunks {
		ch := &st.chunks[i]
		ch.read(out, bits, ch.firstOpened, width)
	}
	for i, v := range out {
		out[i] = signed(uint32(v), width)
	}
	return nn.Result{Outputs: out, Index: nn.ArgMax(out)}
}

// indices reads k indices below n, one after the other.
func (p *Plan) indices(row []byte, n, k int) []int {
	size := bits.Len(uint(n - 1))
	top := make([]int, k)
	for i := range top {
		for j := range size {
			at := i*size + j
			top[i] |= int(row[at/8]>>(at%8)&1) << j
		}
		top[i] = min(top[i], n-1)
	}
	return top
}
