package protocol

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"dorcas/internal/linear"
	"dorcas/internal/rlwe"
)

// Several inferences can be prepared in one exchange: their masks share
// ciphertexts, image beside image, and the messages of the rest follow one
// another. What comes of it are separate materials, with masks, labels and pads
// of their own.
//
//	client → server   number of the first material
//	client → server   how many, hash of the plan of such a batch

// Batch is the plan of a preparation of several inferences: it follows from the
// plan of one and their number. Immutable.
type Batch struct {
	plan  *Plan
	n     int
	convs []convPlan
	steps []Step
	hash  [32]byte
}

// batchMemory bounds what a server holds of one batch while it prepares it, as if
// its inferences were prepared apart. A server may allow less. AGREED
const batchMemory = 1 << 30

// batchSize is the length of the message that asks for a batch.
const batchSize = 1 + 32

// MaxBatch returns the most inferences that can be prepared together, at
// least 1.
func (p *Plan) MaxBatch() int {
	return int(min(linear.MaxImages, max(1, batchMemory/max(1, p.waiting(p.convs, p.steps)))))
}

// Batch returns the plan of n inferences prepared together, 1 ≤ n ≤ MaxBatch.
func (p *Plan) Batch(n int) (*Batch, error) {
	if n < 1 || n > p.MaxBatch() {
		return nil, fmt.Errorf("protocol: batch: %d inferences, want 1 to %d", n, p.MaxBatch())
	}
	if n == 1 {
		return p.single, nil
	}
	p.batching.Lock()
	if p.batches == nil {
		p.batches = map[int]*onceBatch{}
	}
	o := p.batches[n]
	if o == nil {
		o = new(onceBatch)
		p.batches[n] = o
	}
	p.batching.Unlock()
	o.once.Do(func() {
		var convs []convPlan
		if convs, o.err = p.planConvs(n); o.err == nil {
			o.batch, o.err = newBatch(p, n, convs)
		}
	})
	return o.batch, o.err
}

// onceBatch is the plan of a batch as soon as anybody has asked for it.
type onceBatch struct {
	once  sync.Once
	batch *Batch
	err   error
}

func newBatch(p *Plan, n int, convs []convPlan) (*Batch, error) {
	b := &Batch{plan: p, n: n, convs: convs}
	steps := Plan{shape: p.shape, convs: b.convs, stages: p.stages, ots: p.ots, method: p.method}
	steps.offlineSteps(n)
	b.steps = steps.steps
	var err error
	b.hash, err = b.digest()
	return b, err
}

// digest hashes all that the parties must agree on beside the plan of one
// inference.
func (b *Batch) digest() ([32]byte, error) {
	text, err := json.Marshal(struct {
		Plan    [32]byte
		N       int
		Layouts []string
		Steps   []Step
	}{b.plan.agreed, b.n, layoutNames(b.convs), b.steps})
	if err != nil {
		return [32]byte{}, fmt.Errorf("protocol: batch: %w", err)
	}
	return sha256.Sum256(text), nil
}

// Steps returns every message of the preparation, in order.
func (b *Batch) Steps() []Step { return append([]Step(nil), b.steps...) }

// Bytes returns the bytes of the preparation in each direction, of all its
// inferences together.
func (b *Batch) Bytes() (toServer, toClient int64) { return sumSteps(b.steps, Offline) }

// Memory is Plan.Memory of a batch: of all its inferences together.
func (b *Batch) Memory() (client, server int64) {
	client, server = b.plan.Memory()
	state := int64(b.plan.method.Memory(b.plan.ots))
	client = (client-state)*int64(b.n) + int64(b.plan.method.Memory(b.n*b.plan.ots))
	return client, server - b.plan.waiting(b.plan.convs, b.plan.steps) + b.plan.waiting(b.convs, b.steps)
}

// waiting returns the bytes of the messages of a preparation that may wait at
// the server: those that it gets, those that it sends from what it got, and the
// state of silent transfer.
func (p *Plan) waiting(convs []convPlan, steps []Step) int64 {
	n := int64(0)
	for _, s := range steps {
		if s.Phase == Offline && (s.Name == "transfers" || s.Name == "answers") {
			n += s.Bytes
		}
		if c, ok := p.silent(); ok && s.Name == "refills" {
			n += int64(c.Memory(s.Frames))
		}
	}
	for _, c := range convs {
		n += 2 * int64(c.layout.Uploads()) * 8 * rlwe.CiphertextSize / 5
	}
	return n
}

// askForBatch opens the preparation of several inferences.
func (c *Client) askForBatch(b *Batch, first uint32) error {
	if b.n == 1 {
		return c.command(cmdPrepare, first)
	}
	if err := c.command(cmdBatch, first); err != nil {
		return err
	}
	if err := c.conn.Send(append([]byte{byte(b.n)}, b.hash[:]...)); err != nil {
		return fmt.Errorf("protocol: batch: %w", err)
	}
	c.meter.sent("batch", Session)
	return nil
}

// receiveBatch returns the batch that the client asks for.
func (s *session) receiveBatch() (*Batch, error) {
	var msg [batchSize]byte
	if err := s.conn.Recv(msg[:]); err != nil {
		return nil, fmt.Errorf("protocol: batch: %w", err)
	}
	s.meter.received("batch", Session)
	if msg[0] < 2 {
		return nil, fmt.Errorf("protocol: batch: of %d inferences", msg[0])
	}
	if need := int64(msg[0]) * s.plan.waiting(s.plan.convs, s.plan.steps); need > s.batches {
		return nil, fmt.Errorf("protocol: batch: %d inferences take %d bytes of memory, at most %d here", msg[0], need, s.batches)
	}
	b, err := s.plan.Batch(int(msg[0]))
	if err != nil {
		return nil, err
	}
	if b.hash != [32]byte(msg[1:]) {
		return nil, fmt.Errorf("protocol: batch: %w: its plan of %d inferences is another", ErrModel, b.n)
	}
	return b, nil
}

// weightsFor returns the weights as the layouts of a batch take them. All
// batches share the memory that the weights of one inference left; what
// finds no room is encoded at each use.
func (s *Server) weightsFor(b *Batch) []*linear.Weights {
	s.encoding.Lock()
	defer s.encoding.Unlock()
	if w := s.weights[b.n]; w != nil {
		return w
	}
	var all []*linear.Weights
	for _, c := range b.convs {
		w := c.layout.NewWeightsWithin(s.model.Weights[c.layer].W, s.room)
		s.room -= w.Bytes()
		all = append(all, w)
	}
	s.weights[b.n] = all
	return all
}
