package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dorcas"
	"dorcas/nn"
	"dorcas/transport"
)

// leastSetups is how many sessions are opened, for a median. LOCAL.
const leastSetups = 3

// bench is the client's process: sessions that repeat the same.
type bench struct {
	flags   *benchFlags
	options *dorcas.ClientOptions
	link    *link
	address string
	bar     *progress
	done    atomic.Int64

	name      string
	transfers string // of the session that was opened last
	sessions  []*benchSession
	setups    []setupCost
	elapsed   float64 // of all that counts, in seconds
}

// setupCost is what opening a session took.
type setupCost struct {
	seconds float64
	bytes   int64
}

// benchSession is one client.
type benchSession struct {
	number  uint64
	client  *dorcas.Client
	costs   []benchCost // one a repetition
	answers []benchAnswer
}

// benchCost is what an inference took, the mean of those of a repetition.
type benchCost struct {
	offline, online    float64
	toServer, toClient float64
	rounds             float64
}

// benchAnswer is what an inference gave for input number, to be checked.
type benchAnswer struct {
	number  uint64
	outputs []int32
	index   int
}

// measure opens the sessions one after the other, warms them up, and lets
// them all repeat at the same time.
func (b *bench) measure(ctx context.Context) error {
	defer func() {
		for _, s := range b.sessions {
			s.client.Close()
		}
	}()
	for i := range max(b.flags.clients, leastSetups) {
		client, err := b.open(ctx)
		if err != nil {
			return err
		}
		b.name, b.transfers = client.Shape().Name, client.Plan().Transfers().String()
		if i < b.flags.clients {
			b.sessions = append(b.sessions, &benchSession{number: uint64(i), client: client})
		} else if err := client.Close(); err != nil {
			return err
		}
	}
	err := b.each(ctx, func(ctx context.Context, s *benchSession) error { return s.repeat(ctx, b.flags.batch) })
	if err != nil {
		return err
	}
	stop := func() {}
	if b.flags.profile != "" {
		if stop, err = profileTo(b.flags.profile + ".client"); err != nil {
			return err
		}
	}
	defer stop()
	start := time.Now()
	err = b.each(ctx, func(ctx context.Context, s *benchSession) error {
		s.costs = nil // of the warm-up
		for range b.flags.n {
			if err := s.repeat(ctx, b.flags.batch); err != nil {
				return err
			}
			b.bar.set(int(b.done.Add(int64(b.flags.batch))))
		}
		return nil
	})
	b.elapsed = time.Since(start).Seconds()
	return err
}

// open connects, over the link, and opens a session.
func (b *bench) open(ctx context.Context) (*dorcas.Client, error) {
	start := time.Now()
	conn, err := transport.Dial(ctx, "tcp://"+b.address, nil)
	if err != nil {
		return nil, err
	}
	var over io.ReadWriteCloser = conn
	if b.link != nil {
		// The round trip of connecting.
		select {
		case <-time.After(time.Duration(b.link.RoundTrip * float64(time.Second))):
		case <-ctx.Done():
			conn.Close()
			return nil, context.Cause(ctx)
		}
		over = newShaped(conn, *b.link)
	}
	client, err := dorcas.NewClient(ctx, over, b.options)
	if err != nil {
		return nil, err
	}
	sent, received, _ := client.Count()
	b.setups = append(b.setups, setupCost{time.Since(start).Seconds(), sent + received})
	return client, nil
}

// each runs f for all sessions at once and returns the first error, which
// ends the others.
func (b *bench) each(ctx context.Context, f func(context.Context, *benchSession) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for _, s := range b.sessions {
		all.Go(func() {
			if err := f(ctx, s); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// repeat prepares batch inferences, together as far as the plan lets it, and
// then runs them.
func (s *benchSession) repeat(ctx context.Context, batch int) error {
	input := &s.client.Shape().Input
	sent, received, _ := s.client.Count()
	start := time.Now()
	var materials []*dorcas.Material
	for most := s.client.Plan().MaxBatch(); len(materials) < batch; {
		more, err := s.client.PrepareBatch(ctx, min(batch-len(materials), most))
		if err != nil {
			return err
		}
		materials = append(materials, more...)
	}
	_, _, rounds := s.client.Count()
	prepared := time.Now()
	x := make([]int32, input.Dims.Len())
	for i, m := range materials {
		number := uint64(len(s.answers))
		benchInput(x, input, s.number, number)
		r, err := s.client.InferIntegers(ctx, m, x)
		if err != nil {
			return err
		}
		s.answers = append(s.answers, benchAnswer{number, r.Outputs, r.Index})
		materials[i] = nil
	}
	end := time.Now()
	sent2, received2, rounds2 := s.client.Count()
	n := float64(batch)
	s.costs = append(s.costs, benchCost{
		offline: prepared.Sub(start).Seconds() / n, online: end.Sub(prepared).Seconds() / n,
		toServer: float64(sent2-sent) / n, toClient: float64(received2-received) / n,
		rounds: float64(rounds2-rounds) / n,
	})
	return nil
}

// benchInput makes an input of a session, any integers that the network
// takes. The costs do not depend on them.
func benchInput(x []int32, in *nn.Input, session, number uint64) {
	random := rand.New(rand.NewPCG(session, number))
	lo, hi := nn.Limits(in.Bits, in.Signed)
	for i := range x {
		x[i] = lo + random.Int32N(hi-lo+1)
	}
}

// verify computes all answers that count in the clear.
func (b *bench) verify(r *benchReport) error {
	m, err := benchModel(b.flags.model)
	if err != nil {
		return err
	}
	x := make([]int32, m.Input.Dims.Len())
	for _, s := range b.sessions {
		for _, a := range s.answers[b.flags.batch:] { // those before warmed up
			benchInput(x, &m.Input, s.number, a.number)
			clear, err := m.Run(x)
			if err != nil {
				return fmt.Errorf("in the clear: %w", err)
			}
			r.Inferences++
			if a.index == clear.Index && slices.Equal(a.outputs, clear.Outputs) {
				r.Exact++
			}
			b.bar.set(r.Inferences)
		}
	}
	return nil
}
