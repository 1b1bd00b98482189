package protocol

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"dorcas/internal/ring"
	"dorcas/internal/wire"
	"dorcas/internal/wire/wiretest"
)

// TestBatchTwin prepares batches, a single one between them, and uses their
// materials in another order: every result is that of the network in the clear.
func TestBatchTwin(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			b := n.build()
			c, _ := meet(t, &b.m)
			var ms []*ClientMaterial
			for _, n := range []int{3, 1, 2} {
				batch, err := c.PrepareBatch(t.Context(), n)
				if err != nil {
					t.Fatal(err)
				}
				if len(batch) != n {
					t.Fatalf("%d materials, want %d", len(batch), n)
				}
				ms = append(ms, batch...)
			}
			for _, i := range []int{2, 5, 3, 0, 4, 1} {
				x := b.input()
				want, err := b.m.Run(x)
				if err != nil {
					t.Fatal(err)
				}
				got, _, err := c.Infer(t.Context(), ms[i], x)
				if err != nil {
					t.Fatal(err)
				}
				if got.Index != want.Index || !slices.Equal(got.Outputs, want.Outputs) {
					t.Fatalf("material %d: private result %v, in the clear %v", i, got, want)
				}
			}
		})
	}
}

// TestBatchPredicted compares counted bytes and rounds of a batch with
// predicted ones, at both parties, and its bytes with those of as many
// preparations.
func TestBatchPredicted(t *testing.T) {
	const n = 5
	for _, net := range networks {
		t.Run(net.name, func(t *testing.T) {
			b := net.build()
			c, seen := meet(t, &b.m)
			ms, err := c.PrepareBatch(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			batch, err := c.Plan().Batch(n)
			if err != nil {
				t.Fatal(err)
			}
			rounds := 0
			for _, s := range ms[0].Stats() {
				rounds += s.Rounds
			}
			if rounds != 1 {
				t.Errorf("%d rounds, want 1", rounds)
			}
			comparePredicted(t, batch.steps, ms[0].Stats(), func(s StepStats) (int64, int64) { return s.Sent, s.Received })
			c.Close()
			time.Sleep(20 * time.Millisecond)
			comparePredicted(t, batch.steps, seen.phases[1], func(s StepStats) (int64, int64) { return s.Received, s.Sent })

			up, down := batch.Bytes()
			oneUp, oneDown := c.Plan().Bytes(Offline)
			if overhead := int64(batchSize + wire.Overhead); up > n*oneUp+overhead || down > n*oneDown {
				t.Errorf("%d and %d bytes together, %d and %d apart", up, down, n*oneUp, n*oneDown)
			}
			client, server := batch.Memory()
			if one, oneServer := c.Plan().Memory(); client != n*one || server < oneServer {
				t.Errorf("memory %d and %d bytes, of one %d and %d", client, server, one, oneServer)
			}
		})
	}
}

// TestBatchPlans: the plan of a batch is determined, another number is another
// plan, and impossible numbers are refused.
func TestBatchPlans(t *testing.T) {
	first, again := mustPlan(t, networks[1].build()), mustPlan(t, networks[1].build())
	seen := map[[32]byte]int{first.hash: 0}
	for n := 1; n <= 6; n++ {
		a, err := first.Batch(n)
		if err != nil {
			t.Fatal(err)
		}
		b, err := again.Batch(n)
		if err != nil {
			t.Fatal(err)
		}
		if a.hash != b.hash {
			t.Errorf("%d: two plans of one batch differ", n)
		}
		if m, ok := seen[a.hash]; ok {
			t.Errorf("batches of %d and %d have the same plan", n, m)
		}
		seen[a.hash] = n
	}
	for _, n := range []int{0, -1, first.MaxBatch() + 1, 1 << 40} {
		if _, err := first.Batch(n); err == nil {
			t.Errorf("%d inferences: no error", n)
		}
	}
	large := mustPlan(t, networks[1].build())
	large.steps = append(large.steps, Step{Name: "transfers", Phase: Offline, Bytes: batchMemory / 3})
	if got := large.MaxBatch(); got != 2 {
		t.Errorf("batches of %d where three fill the memory", got)
	}
	large.steps = append(large.steps, Step{Name: "answers", Phase: Offline, Bytes: 1 << 60})
	if got := large.MaxBatch(); got != 1 {
		t.Errorf("batches of %d where one is too large", got)
	}
}

func mustPlan(t *testing.T, b *builder) *Plan {
	t.Helper()
	p, err := NewPlan(&b.m.Shape)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBatchHostile sends requests for batches that the server must refuse.
func TestBatchHostile(t *testing.T) {
	b := hostileModel()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	two, err := s.plan.Batch(2)
	if err != nil {
		t.Fatal(err)
	}
	request := func(n byte, hash [32]byte) []byte { return append([]byte{n}, hash[:]...) }
	for name, msg := range map[string][]byte{
		"none":           request(0, two.hash),
		"one":            request(1, two.hash),
		"too many":       request(255, two.hash),
		"another number": request(3, two.hash),
		"another plan":   request(2, s.plan.hash),
		"short":          request(2, two.hash)[:batchSize-1],
		"empty":          {},
	} {
		x, y := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- s.Serve(context.Background(), wire.New(y), nil) }()
		c, err := Connect(t.Context(), wire.New(x), &ClientOptions{Transfers: s.plan.method})
		if err != nil {
			t.Fatal(err)
		}
		err = c.do(t.Context(), Offline, func() error {
			if err := c.command(cmdBatch, 0); err != nil {
				return err
			}
			if err := c.conn.Send(msg); err != nil {
				return err
			}
			var reply [1]byte
			return c.conn.Recv(reply[:])
		})
		if err == nil {
			t.Errorf("%s: the client went on", name)
		}
		if err := <-done; err == nil {
			t.Errorf("%s: the server went on", name)
		} else if name == "another plan" && !errors.Is(err, ErrModel) {
			t.Errorf("%s: %v", name, err)
		}
	}
	settle(t, before)
}

// TestBatchFaults breaks off and corrupts a batch at every boundary of its
// messages: an error at both parties, and nothing hangs.
func TestBatchFaults(t *testing.T) {
	b := hostileModel()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	setup, _ := s.plan.Bytes(Setup)
	batch, err := s.plan.Batch(3)
	if err != nil {
		t.Fatal(err)
	}
	at := setup
	for i, step := range batch.steps {
		if !step.ToServer {
			continue
		}
		for _, f := range faultsAt(i, at) {
			x, y := net.Pipe()
			done := make(chan error, 1)
			go func() { done <- s.Serve(context.Background(), wire.New(y), nil) }()
			c, err := Connect(t.Context(), wire.New(wiretest.Inject(x, f)), &ClientOptions{Transfers: s.plan.method})
			if err == nil {
				if _, err = c.PrepareBatch(t.Context(), 3); err == nil {
					t.Errorf("%v at %d, %s: the client got material", f.Kind, f.At, step.Name)
				}
			}
			x.Close()
			if err := <-done; err == nil && step.Name != "request" {
				t.Errorf("%v at %d, %s: the server went on", f.Kind, f.At, step.Name)
			}
		}
		at += step.Bytes
	}
	settle(t, before)
}

// TestBatchMasks: materials of one batch have nothing in common.
func TestBatchMasks(t *testing.T) {
	b := networks[1].build()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	p := s.plan
	two, err := p.Batch(2)
	if err != nil {
		t.Fatal(err)
	}
	var rho [2][]int32
	for i := range rho {
		m := &serverMaterial{number: uint32(i), seed: &[32]byte{byte(i + 1)}, batch: two, image: i}
		rho[i] = make([]int32, two.convs[0].layout.Out())
		m.redoShare(rho[i], two.convs[0].layer)
	}
	equal := 0
	for i := range rho[0] {
		if rho[0][i] == rho[1][i] {
			equal++
		}
	}
	if equal > len(rho[0])/16+4 {
		t.Errorf("%d of %d shares of two images are equal", equal, len(rho[0]))
	}
}

// TestRoomForWeights: sizes of batches share the memory of weights, and what
// finds none gives the same results.
func TestRoomForWeights(t *testing.T) {
	b := networks[1].build()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	one := s.WeightBytes()
	if one == 0 || one%(8*ring.N) != 0 {
		t.Fatalf("%d bytes of weights", one)
	}
	s.room = 8 * ring.N
	x, y := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), wire.New(y), nil) }()
	c, err := Connect(t.Context(), wire.New(x), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, 3, 2} {
		ms, err := c.PrepareBatch(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		in := b.input()
		got, _, err := c.Infer(t.Context(), ms[n-1], in)
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := b.m.Run(in); !slices.Equal(got.Outputs, want.Outputs) {
			t.Error(fmt.Sprint("batch of ", n), "differs from the clear network")
		}
	}
	if s.room != 0 {
		t.Errorf("%d bytes left of one plaintext's", s.room)
	}
	c.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestBatchMemory: a server takes the batches that it can afford and no others.
func TestBatchMemory(t *testing.T) {
	b := networks[0].build()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	one := s.plan.waiting(s.plan.convs, s.plan.steps)
	for memory, most := range map[int64]int{-1: 1, 1: 1, 2 * one: 2, 4*one - 1: 3, 0: 4} {
		for n := 1; n <= 4; n++ {
			x, y := net.Pipe()
			done := make(chan error, 1)
			go func() { done <- s.Serve(context.Background(), wire.New(y), &ServeOptions{BatchMemory: memory}) }()
			c, err := Connect(t.Context(), wire.New(x), &ClientOptions{Transfers: s.plan.method})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.PrepareBatch(t.Context(), n); (err == nil) != (n <= most) {
				t.Errorf("a batch of %d with %d bytes: %v", n, memory, err)
			}
			c.Close()
			<-done
		}
	}
}
