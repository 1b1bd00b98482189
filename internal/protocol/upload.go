package protocol

import (
	"fmt"

	"dorcas/internal/linear"
	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
)

// upload and answer are the linear layers' offline half: the client encrypts
// its masks, the server multiplies them by its weights and re-shares.
//
//	client → server   seed of the ciphertexts' uniform halves
//	client → server   Enc(r), one ciphertext a frame, layer by layer
//	server → client   Enc(2^g·W r - ρ), one answer a frame, layer by layer
//
// The client's masks of all tensors are known before: they expand from its
// seed, and public linear layers apply to masks as to values.
//
// A batch of inferences shares ciphertexts, whose secrets are those of its first
// material.
func (c *Client) upload(b *clientBatch) error {
	seed := b.materials[0].seed
	uniform := child(seed, "uniform halves", 0)
	if err := c.conn.Post(uniform[:]); err != nil {
		return fmt.Errorf("protocol: upload seed: %w", err)
	}
	c.meter.sent("upload seed", Session)
	for _, cp := range b.convs {
		if err := c.uploadLayer(cp, seed, uniform, b.tensors(c.plan.shape.Layers[cp.layer].In[0])); err != nil {
			return fmt.Errorf("protocol: uploads: %w", err)
		}
		c.meter.sent("uploads", cp.layer)
	}
	return nil
}

func (c *Client) uploadLayer(cp convPlan, seed, uniform *[32]byte, masks [][]int32) error {
	width := c.plan.moduli[cp.layer+1].width
	none := func(int) (struct{}, error) { return struct{}{}, nil }
	encrypt := func(i int, _ struct{}) ([]byte, error) {
		var message [ring.N]uint32
		cp.layout.Pack(message[:], i, masks)
		ct := make([]byte, rlwe.CiphertextSize)
		index := cp.firstUpload + uint64(i)
		c.secret.Encrypt(ct, message[:], width, uniform, index, ring.NewStream(seed, "noise", index))
		return ct, nil
	}
	return pipeline(cp.layout.Uploads(), none, encrypt, func(_ int, ct []byte) error { return c.conn.Post(ct) })
}

// maskTensors computes the client's shares of all activations.
func (c *Client) maskTensors(b *clientBatch) {
	for _, m := range b.materials {
		c.maskTensorsOf(m)
	}
}

func (c *Client) maskTensorsOf(m *ClientMaterial) {
	p := c.plan
	m.tensors = make([][]int32, len(p.shape.Layers)+1)
	m.tensors[0] = m.masks(0, p.shape.Input.Dims.Len())
	for _, st := range p.stages {
		if t := st.layer + 1; st.mask > 0 {
			m.tensors[t] = m.masks(t, p.shape.Dims(t).Len())
		}
	}
	for i := range p.shape.Layers {
		if l := &p.shape.Layers[i]; l.Public() && p.moduli[i+1].guard == 0 {
			m.tensors[i+1] = p.public(i, m.tensors)
		}
	}
}

// masks expands the masks of tensor t, n of 32 bits; the tensor's modulus cuts
// them off.
func (m *ClientMaterial) masks(t, n int) []int32 {
	masks := make([]int32, n)
	m.readMasks(masks, t)
	return masks
}

// readMasks is masks into a row that is there.
func (m *ClientMaterial) readMasks(masks []int32, t int) {
	ring.ReadInts(ring.NewStream(m.seed, "masks", uint64(t)), masks)
}

// open turns the answers into the client's shares of the accumulators.
func (c *Client) open(b *clientBatch) error {
	p := c.plan
	for _, cp := range b.convs {
		for _, m := range b.materials {
			m.tensors[cp.layer+1] = make([]int32, cp.layout.Out())
		}
		shares := b.tensors(cp.layer + 1)
		receive := func(i int) ([]byte, error) {
			msg := make([]byte, cp.layout.AnswerSize(i))
			return msg, c.conn.Recv(msg)
		}
		decrypt := func(i int, msg []byte) (struct{}, error) {
			return struct{}{}, cp.layout.Open(shares, i, msg, c.secret)
		}
		done := func(int, struct{}) error { return nil }
		if err := pipeline(cp.layout.Answers(), receive, decrypt, done); err != nil {
			return fmt.Errorf("protocol: answers: layer %d: %w", cp.layer, err)
		}
		c.meter.received("answers", cp.layer)
	}
	for i := range p.shape.Layers {
		if l := &p.shape.Layers[i]; l.Public() && p.moduli[i+1].guard > 0 {
			for _, m := range b.materials {
				m.tensors[i+1] = p.public(i, m.tensors)
			}
		}
	}
	return nil
}

// receiveUploads passes on the uploads of one layer after the other.
func (s *session) receiveUploads(p *preparation) error {
	var uniform [seedSize]byte
	if err := s.conn.Recv(uniform[:]); err != nil {
		return fmt.Errorf("protocol: upload seed: %w", err)
	}
	s.meter.received("upload seed", Session)
	buf := make([]byte, rlwe.CiphertextSize)
	for _, cp := range p.batch.convs {
		cts := make([]rlwe.Ciphertext, cp.layout.Uploads())
		for i := range cts {
			if err := s.conn.Recv(buf); err != nil {
				return fmt.Errorf("protocol: uploads: %w", err)
			}
			if err := cts[i].Parse(buf, &uniform, cp.firstUpload+uint64(i)); err != nil {
				return fmt.Errorf("protocol: uploads: layer %d: %w", cp.layer, err)
			}
		}
		s.meter.received("uploads", cp.layer)
		p.uploads <- cts
	}
	return nil
}

// answer computes and sends the answers of one layer after the other.
func (s *session) answer(p *preparation) error {
	receive := func(int) ([]rlwe.Ciphertext, error) {
		cts, ok := <-p.uploads
		if !ok {
			return nil, p.failure()
		}
		return cts, nil
	}
	compute := func(i int, cts []rlwe.Ciphertext) ([][]byte, error) { return s.answerLayer(i, cts, p) }
	send := func(i int, answers [][]byte) error {
		for _, a := range answers {
			if err := s.conn.Post(a); err != nil {
				return fmt.Errorf("protocol: answers: %w", err)
			}
		}
		s.meter.sent("answers", p.batch.convs[i].layer)
		return nil
	}
	if err := pipeline(len(p.batch.convs), receive, compute, send); err != nil {
		return err
	}
	return s.conn.Flush()
}

func (s *session) answerLayer(conv int, cts []rlwe.Ciphertext, p *preparation) ([][]byte, error) {
	cp := p.batch.convs[conv]
	answers := make([][]byte, cp.layout.Answers())
	shares := make([][]int32, len(p.materials))
	for i := range shares {
		shares[i] = make([]int32, cp.layout.Out())
	}
	var starts []int
	for i := 0; i < len(answers); i += cp.layout.Together(i) {
		starts = append(starts, i)
	}
	err := parallel(len(starts), func(k int) error {
		first := starts[k]
		outputs := make([]linear.Output, cp.layout.Together(first))
		for j := range outputs {
			outputs[j] = p.output(&cp, first+j)
			answers[first+j] = outputs[j].Dst
		}
		cp.layout.Answer(outputs, shares, first, cts, p.weights[conv], s.client)
		return nil
	})
	return answers, err
}

// output is where answer i of a layer goes.
func (p *preparation) output(cp *convPlan, i int) linear.Output {
	index := cp.firstAnswer + uint64(i)
	out := linear.Output{
		Dst:   make([]byte, cp.layout.AnswerSize(i)),
		Fresh: ring.NewStream(p.fresh, "fresh zero", index),
	}
	first, count := cp.layout.ImagesOf(i)
	for j := range count {
		out.Masks = append(out.Masks, ring.NewStream(p.masks[first+j], "reshare", index))
	}
	return out
}
