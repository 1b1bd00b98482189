package dorcas

import (
	"context"
	"fmt"
	"io"

	"dorcas/internal/protocol"
	"dorcas/internal/wire"
	"dorcas/nn"
)

// Client is one session with a Server. Its methods may be called from several
// goroutines; they take turns. After an error from the session (a lost
// connection, a peer that breaks the protocol, an ended context) every
// further call fails: open a new one.
type Client struct {
	client *protocol.Client
	count  func() wire.Count
}

// ClientOptions configure a Client; nil is good.
type ClientOptions struct {
	// PlanHash is the hash of the only plan that the client accepts: the
	// session then fails unless the server runs that very network shape.
	PlanHash *[32]byte
	// Transfers is the method of oblivious transfers to use; 0 means the one that is
	// estimated to be the quickest over Link and that the server affords.
	Transfers Transfers
	// Link is the connection, as far as known; nil means that it is guessed from
	// the time of a round trip.
	Link *Link
	// Inferences is how many are expected in the session, 0 for one.
	Inferences int
}

// ErrModel reports that the server runs another network than the client asks
// for.
var ErrModel = protocol.ErrModel

// NewClient opens a session over rw, which it owns from now on, also when it
// fails: it learns the network's public shape and makes keys.
func NewClient(ctx context.Context, rw io.ReadWriteCloser, opt *ClientOptions) (*Client, error) {
	conn := wire.New(rw)
	var o protocol.ClientOptions
	if opt != nil {
		o = protocol.ClientOptions{Expect: opt.PlanHash, Transfers: opt.Transfers, Link: opt.Link, Inferences: opt.Inferences}
	}
	c, err := protocol.Connect(ctx, conn, &o)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &Client{client: c, count: conn.Count}, nil
}

// Shape returns the public shape of the server's network: what input it
// takes, how an image becomes that, and the names of its classes.
func (c *Client) Shape() *nn.Shape { return c.client.Plan().Shape() }

// Plan returns what a session costs and how it runs.
func (c *Client) Plan() *Plan { return c.client.Plan() }

// SetupStats returns what opening the session cost.
func (c *Client) SetupStats() []StepStats { return c.client.SetupStats() }

// Material is what a client prepares, before it knows its input, for one
// inference of its session.
type Material struct {
	material *protocol.ClientMaterial
}

// Stats returns what the preparation cost: that of a whole batch, if it was one.
func (m *Material) Stats() []StepStats { return m.material.Stats() }

// Prepare makes material for one inference: most of the work, without the
// input.
func (c *Client) Prepare(ctx context.Context) (*Material, error) {
	m, err := c.client.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	return &Material{m}, nil
}

// PrepareBatch makes material for n inferences in one exchange, 1 ≤ n ≤
// Plan().MaxBatch(). Images share ciphertexts, so that small layers cost far
// fewer bytes; Plan().Batch(n) says how many. Each material is like one from
// Prepare, and serves once.
func (c *Client) PrepareBatch(ctx context.Context, n int) ([]*Material, error) {
	batch, err := c.client.PrepareBatch(ctx, n)
	if err != nil {
		return nil, err
	}
	all := make([]*Material, n)
	for i, m := range batch {
		all[i] = &Material{m}
	}
	return all, nil
}

// Result is what an inference tells the client.
type Result struct {
	// Index is the first of the classes with the largest score, Label its
	// name if the model has names.
	Index int
	Label string
	// Scores are the network's real outputs, with its final softmax if it
	// has one; Outputs are the integers that they come from. Both are nil if
	// the server reveals the label only.
	Scores  []float64
	Outputs []int32
	// Top are the indices of the three largest scores, where the server
	// reveals them and no more.
	Top []int
	// Offline and Online are what the two phases cost.
	Offline, Online []StepStats
}

// Infer classifies preprocessed values, CHW, Shape().Input.Dims.Len() of
// them: it prepares, then runs.
func (c *Client) Infer(ctx context.Context, x []float32) (*Result, error) {
	m, err := c.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	return c.InferPrepared(ctx, m, x)
}

// InferPrepared is Infer with material from Prepare. Material serves once,
// whether or not the call succeeds.
func (c *Client) InferPrepared(ctx context.Context, m *Material, x []float32) (*Result, error) {
	in := &c.Shape().Input
	if len(x) != in.Dims.Len() {
		return nil, fmt.Errorf("dorcas: input: have %d values, the network takes %s = %d", len(x), in.Dims, in.Dims.Len())
	}
	q := make([]int32, len(x))
	in.Quantize(q, x)
	return c.InferIntegers(ctx, m, q)
}

// InferIntegers is InferPrepared with an input that is quantised already.
func (c *Client) InferIntegers(ctx context.Context, m *Material, x []int32) (*Result, error) {
	r, online, err := c.client.Infer(ctx, m.material, x)
	if err != nil {
		return nil, err
	}
	out := NewResult(c.Shape(), r)
	out.Offline, out.Online = m.Stats(), online
	return out, nil
}

// NewResult reads integers, as an inference or nn.Model.Run yields them, as
// scores and a label.
func NewResult(s *nn.Shape, r nn.Result) *Result {
	out := &Result{Index: r.Index, Outputs: r.Outputs, Top: r.Top}
	if r.Outputs != nil {
		out.Scores = s.Output.Scores(r.Outputs)
	}
	if r.Index < len(s.Record.Labels) {
		out.Label = s.Record.Labels[r.Index]
	}
	return out
}

// Count returns the bytes that the session has sent and received so far, and
// its round trips.
func (c *Client) Count() (sent, received int64, rounds int) {
	n := c.count()
	return n.Sent, n.Received, n.Rounds
}

// Close takes leave of the server and closes the connection.
func (c *Client) Close() error { return c.client.Close() }
