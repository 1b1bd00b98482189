package protocol

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"dorcas/internal/block"
	"dorcas/internal/ot"
	"dorcas/internal/rlwe"
	"dorcas/internal/wire"
	"dorcas/nn"
)

// The commands of a client.
const (
	cmdBye = iota
	cmdPrepare
	cmdInfer
	cmdBatch
)

// Client is the client's end of a session. Its methods may be called from
// several goroutines; they take turns.
type Client struct {
	plan     *Plan
	conn     *wire.Conn
	seed     [32]byte
	secret   *rlwe.SecretKey
	receiver *ot.Receiver
	silent   *ot.SilentReceiver // nil if the plan has none
	start    block.Block
	meter    meter
	setup    []StepStats

	background sync.WaitGroup // what sends while the session receives

	turn  sync.Mutex
	next  uint32 // number of the next material
	ended error

	workspaces sync.Pool
	numbers    rows[int32]
	spare      spare
}

// spare is memory of used material and messages, for the next.
type spare struct {
	labels  stack[block.Block]
	frames  stack[byte]
	choices stack[byte]
	msg     []byte
	most    int // materials of the last batch: no more memory is kept
}

// stack is memory of several materials.
type stack[T any] [][]T

// take returns n elements of used or of new memory.
func (s *stack[T]) take(n int) []T {
	var row []T
	if k := len(*s) - 1; k >= 0 {
		row, *s = (*s)[k], (*s)[:k]
	}
	return grow(&row, n)
}

func (s *stack[T]) put(row []T, most int) {
	if len(*s) < most {
		*s = append(*s, row)
	}
}

// ClientMaterial is what the client keeps of one preparation, for one
// inference of its session.
type ClientMaterial struct {
	number  uint32
	used    atomic.Bool
	stats   []StepStats
	seed    *[32]byte     // of the masks
	labels  []block.Block // of the client's bits, in the order of the plan
	frames  []byte        // tables, sums and colours, chunk by chunk
	offsets [][]byte      // of the stages

	loans loans // while it is used

	// While the offline steps last:
	choices []byte
	tensors [][]int32
}

// Stats returns what the preparation cost, step by step: all of it, if it was
// that of a batch.
func (m *ClientMaterial) Stats() []StepStats { return m.stats }

// ClientOptions are for special uses; nil is good.
type ClientOptions struct {
	// Expect is the hash of the only plan that the client accepts.
	Expect *[32]byte
	// Transfers is the method to propose; 0 means that Link decides.
	Transfers ot.Method
	// Link is the connection; nil means a guess from the handshake's round trip.
	Link *ot.Link
	// Inferences is how many are expected in the session, 0 for one: many
	// spread the cost of silent transfer's state.
	Inferences int
	// InsecureSeed replaces the system's randomness.
	InsecureSeed *[32]byte
}

// Connect runs the handshake over conn, which the client owns from now on.
func Connect(ctx context.Context, conn *wire.Conn, opt *ClientOptions) (*Client, error) {
	c := &Client{conn: conn, workspaces: newWorkspaces()}
	rand.Read(c.seed[:])
	if opt == nil {
		opt = &ClientOptions{}
	}
	if opt.InsecureSeed != nil {
		c.seed = *opt.InsecureSeed
	}
	err := c.do(ctx, Setup, func() error { return c.handshake(opt) })
	if err != nil {
		return nil, err
	}
	c.setup = c.meter.steps
	return c, nil
}

// Plan returns what both parties agreed on.
func (c *Client) Plan() *Plan { return c.plan }

// SetupStats returns what the handshake cost, step by step.
func (c *Client) SetupStats() []StepStats { return c.setup }

// do runs one exchange. A failed exchange ends the session.
func (c *Client) do(ctx context.Context, phase Phase, f func() error) error {
	c.turn.Lock()
	defer c.turn.Unlock()
	if c.ended != nil {
		return fmt.Errorf("protocol: the session has ended: %w", c.ended)
	}
	stop := c.conn.Bind(ctx)
	defer stop()
	c.meter.begin(c.conn, phase)
	if err := f(); err != nil {
		c.ended = err
		c.conn.Fail(codeOf(err))
		c.background.Wait()
		return err
	}
	return nil
}

// Prepare makes the material of one inference.
func (c *Client) Prepare(ctx context.Context) (*ClientMaterial, error) {
	ms, err := c.PrepareBatch(ctx, 1)
	if err != nil {
		return nil, err
	}
	return ms[0], nil
}

// PrepareBatch makes the material of n inferences in one exchange, 1 ≤ n ≤
// MaxBatch of the plan.
func (c *Client) PrepareBatch(ctx context.Context, n int) ([]*ClientMaterial, error) {
	b, err := c.plan.Batch(n)
	if err != nil {
		return nil, err
	}
	p := &clientBatch{Batch: b}
	err = c.do(ctx, Offline, func() error {
		if !c.plan.hasKeys(c.next, n) {
			return fmt.Errorf("protocol: prepare: %w", errSpent)
		}
		for range n {
			m := &ClientMaterial{number: c.next, seed: child(&c.seed, "material", uint64(c.next))}
			p.materials = append(p.materials, m)
			c.next++
		}
		c.spare.most = n
		if err := c.askForBatch(b, p.materials[0].number); err != nil {
			return err
		}
		if err := c.exchange(p); err != nil {
			return err
		}
		for _, m := range p.materials {
			c.findOffsets(m)
			m.stats = c.meter.steps
			c.spare.choices.put(m.choices, n)
			m.choices, m.tensors = nil, nil
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p.materials, nil
}

// clientBatch is a preparation at the client, while it lasts.
type clientBatch struct {
	refills chan []byte // of silent transfer
	*Batch
	materials []*ClientMaterial
}

// tensors returns a tensor of all materials.
func (b *clientBatch) tensors(t int) [][]int32 {
	var all [][]int32
	for _, m := range b.materials {
		all = append(all, m.tensors[t])
	}
	return all
}

// exchange runs the offline steps: what goes to the server and what comes from
// it are independent, and travel at the same time.
func (c *Client) exchange(b *clientBatch) error {
	c.maskTensors(b)
	b.refills = make(chan []byte, c.plan.refills(b.materials[0].number, b.n))
	sides := []func(*clientBatch) error{c.send}
	if c.silent != nil {
		sides = append(sides, c.takeSilent)
	}
	done := make(chan error, len(sides))
	for _, side := range sides {
		c.background.Go(func() {
			err := side(b)
			done <- err
			if err != nil {
				c.conn.Fail(codeOf(err)) // so that nobody waits for what will not come
			}
		})
	}
	err := inOrder(b, c.receiveRefills, c.open, c.receiveTables)
	var told *wire.PeerError
	if errors.As(err, &told) {
		return err // what else fails comes of it
	}
	for range sides {
		if err == nil {
			err = <-done
			continue
		}
		select {
		case failed := <-done: // before the rest, which may come of it
			err = cmp.Or(failed, err)
		default:
		}
	}
	return err
}

// send is all that a preparation sends.
func (c *Client) send(b *clientBatch) error {
	if err := inOrder(b, c.upload, c.extend); err != nil {
		return err
	}
	return c.conn.Flush()
}

// inOrder runs steps until one fails.
func inOrder[T any](t T, steps ...func(T) error) error {
	for _, step := range steps {
		if err := step(t); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) command(cmd byte, number uint32) error {
	msg := binary.LittleEndian.AppendUint32([]byte{cmd}, number)
	if err := c.conn.Send(msg); err != nil {
		return fmt.Errorf("protocol: request: %w", err)
	}
	c.meter.sent("request", Session)
	return nil
}

// Infer runs the network on x with material made by this client. Every
// material serves once, whether or not the inference succeeds.
func (c *Client) Infer(ctx context.Context, m *ClientMaterial, x []int32) (nn.Result, []StepStats, error) {
	var r nn.Result
	in := &c.plan.shape.Input
	if err := checkInput(in, x); err != nil {
		return r, nil, err
	}
	if m.used.Swap(true) {
		return r, nil, fmt.Errorf("protocol: material %d was used before", m.number)
	}
	var stats []StepStats
	err := c.do(ctx, Online, func() error {
		if err := c.command(cmdInfer, m.number); err != nil {
			return err
		}
		if err := c.sendInput(m, x); err != nil {
			return err
		}
		m.loans = loans{pool: &c.numbers}
		defer m.loans.end()
		var err error
		r, err = c.evaluate(m)
		stats = c.meter.steps
		c.spare.labels.put(m.labels, c.spare.most)
		c.spare.frames.put(m.frames, c.spare.most)
		return err
	})
	m.labels, m.frames, m.offsets, m.seed = nil, nil, nil, nil
	return r, stats, err
}

func checkInput(in *nn.Input, x []int32) error {
	if len(x) != in.Dims.Len() {
		return fmt.Errorf("protocol: input: have %d values, the network takes %d", len(x), in.Dims.Len())
	}
	lo, hi := nn.Limits(in.Bits, in.Signed)
	for _, v := range x {
		if v < lo || v > hi {
			return fmt.Errorf("protocol: input: a value is outside %d to %d", lo, hi)
		}
	}
	return nil
}

// Close ends the session.
func (c *Client) Close() error {
	err := c.do(context.Background(), Online, func() error {
		if err := c.command(cmdBye, 0); err != nil {
			return err
		}
		return c.conn.Flush()
	})
	if closed := c.conn.Close(); err == nil {
		err = closed
	}
	return err
}
