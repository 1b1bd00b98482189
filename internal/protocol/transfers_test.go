package protocol

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"dorcas/internal/ot"
	"dorcas/internal/wire"
	"dorcas/internal/wire/wiretest"
)

// atClient and atServer are the bytes to the server and to the client of a party's step.
func atClient(s StepStats) (int64, int64) { return s.Sent, s.Received }

func atServer(s StepStats) (int64, int64) { return s.Received, s.Sent }

// TestMethods runs some inferences by every method of transfers, compares them with the network in
// the clear and their bytes and rounds with the plan, at both parties.
func TestMethods(t *testing.T) {
	for _, m := range ot.Methods() {
		if testing.Short() && m > ot.Silent10 {
			continue
		}
		t.Run(m.String(), func(t *testing.T) {
			b := networks[1].build()
			c, seen := meetBy(t, &b.m, m)
			if got := c.Plan().Transfers(); got != m {
				t.Fatalf("the plan has %v", got)
			}
			comparePredicted(t, phaseSteps(c.Plan(), Setup), c.SetupStats(), atClient)
			for i := range uint32(3) {
				prepareAndInfer(t, c, b, i)
			}
			batch, stats := prepareBatch(t, c, b, 3)
			comparePredicted(t, batch.Preparation(3), stats, atClient)
			c.Close()
			time.Sleep(20 * time.Millisecond)
			comparePredicted(t, batch.Preparation(3), seen.phases[7], atServer)
			comparePredicted(t, phaseSteps(c.Plan(), Setup), seen.phases[0], atServer)
			for i := range uint32(3) {
				comparePredicted(t, c.Plan().Preparation(i), seen.phases[1+2*i], atServer)
			}
		})
	}
}

func phaseSteps(p *Plan, phase Phase) []Step {
	return slices.DeleteFunc(p.Steps(), func(s Step) bool { return s.Phase != phase })
}

// prepareAndInfer makes material number i and uses it.
func prepareAndInfer(t *testing.T, c *Client, b *builder, i uint32) {
	t.Helper()
	m, err := c.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	comparePredicted(t, c.Plan().Preparation(i), m.Stats(), atClient)
	rounds := 0
	for _, s := range m.Stats() {
		rounds += s.Rounds
	}
	if want := c.Plan().Rounds(Offline); rounds != want {
		t.Errorf("preparation %d: %d rounds, predicted %d", i, rounds, want)
	}
	x := b.input()
	got, online, err := c.Infer(t.Context(), m, x)
	if err != nil {
		t.Fatal(err)
	}
	comparePredicted(t, phaseSteps(c.Plan(), Online), online, atClient)
	want, err := b.m.Run(x)
	if err != nil {
		t.Fatal(err)
	}
	if got.Index != want.Index || !slices.Equal(got.Outputs, want.Outputs) {
		t.Fatalf("inference %d: private result %v, in the clear %v", i, got, want)
	}
}

// prepareBatch prepares n inferences together and runs one of them.
func prepareBatch(t *testing.T, c *Client, b *builder, n int) (*Batch, []StepStats) {
	t.Helper()
	batch, err := c.Plan().Batch(n)
	if err != nil {
		t.Fatal(err)
	}
	ms, err := c.PrepareBatch(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	x := b.input()
	got, _, err := c.Infer(t.Context(), ms[n-1], x)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := b.m.Run(x); err != nil || !slices.Equal(got.Outputs, want.Outputs) {
		t.Fatalf("of a batch: private result %v, in the clear %v, %v", got, want, err)
	}
	return batch, ms[0].Stats()
}

// TestRefills makes as many preparations in one session as need several refills, and one that
// needs several at once. What is left of one refill serves with the next.
func TestRefills(t *testing.T) {
	for _, n := range []struct {
		name         string
		build        func() *builder
		preparations uint32
		short        bool
	}{{"between", benchModel, 14, true}, {"at once", cifarModel, 2, false}} {
		t.Run(n.name, func(t *testing.T) {
			if testing.Short() && !n.short {
				t.Skip("slow")
			}
			b := n.build()
			c, _ := meetBy(t, &b.m, ot.Silent10)
			total := 0
			for i := range n.preparations {
				prepareAndInfer(t, c, b, i)
				total += c.Plan().refills(i, 1)
			}
			want := ot.Class10.Refills(0, int(n.preparations)*c.Plan().OTs())
			prepareBatch(t, c, b, 2)
			if total != want || total < 3 {
				t.Errorf("%d refills, want %d and more than two", total, want)
			}
		})
	}
}

// TestPreparations compares the refills of many preparations with what they take.
func TestPreparations(t *testing.T) {
	p, err := NewPlan(&benchModel().m.Shape)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range ot.Methods() {
		q, err := p.With(m)
		if err != nil {
			t.Fatal(err)
		}
		c, silent := q.silent()
		left := 0
		for i := range uint32(400) {
			want := 0
			if silent {
				want = c.Refills(left, q.ots)
				left += want*c.Yield() - q.ots
			}
			if got := q.refills(i, 1); got != want {
				t.Fatalf("%v: %d refills for preparation %d, want %d", m, got, i, want)
			}
			bytes := int64(0)
			for _, s := range q.Preparation(i) {
				if s.Name == "refills" {
					bytes = s.Bytes
				}
			}
			expect := int64(want) * int64(wire.Overhead)
			for j := range want {
				expect += int64(c.RefillSize(i == 0 && j == 0))
			}
			if bytes != expect {
				t.Fatalf("%v: %d bytes of refills in preparation %d, want %d", m, bytes, i, expect)
			}
		}
		if q.refills(1<<32-2, 1) > 1 && silent && q.ots < c.Yield() {
			t.Errorf("%v: %d refills in the last preparation", m, q.refills(1<<32-2, 1))
		}
	}
}

// TestDishonestTransfers flips bits in what the methods' checks guard: the client's
// extension and first seeds, the server's refills.
func TestDishonestTransfers(t *testing.T) {
	b := networks[1].build()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []ot.Method{ot.SoftSpoken2, ot.SoftSpoken4, ot.SoftSpoken8, ot.Silent10} {
		plan, err := s.Plan().With(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			name     string
			at       int64 // of the frame's payload
			toServer bool
		}{{"punctured trees", int64(m.Msg3Size()) - 9, true}, {"transfers", 9, true}, {"first seeds", 9, true}, {"refills", 9, false}} {
			for _, at := range boundaries(plan, step.toServer) {
				if at.step != step.name {
					continue
				}
				f := inject(wiretest.Fault{Kind: wiretest.Flip, At: at.at + wire.Overhead + step.at, Bit: 6})
				client, server := f, straight
				if !step.toServer {
					client, server = straight, f
				}
				clientErr, serverErr := runSessionBy(t, s, m, b.input(), client, server)
				finds := serverErr
				if !step.toServer {
					finds = clientErr
				}
				if finds == nil || !strings.Contains(finds.Error(), "check failed") {
					t.Errorf("%v, %s: %v", m, step.name, finds)
				}
			}
		}
	}
}

// TestProposals lets clients propose what a server does not know or cannot afford.
func TestProposals(t *testing.T) {
	b := networks[1].build()
	server, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []ot.Method{0, 1, 3, 5, 9, 14, 255} {
		if err := errTransfers(m, server.plan, 1<<40); err == nil || !strings.Contains(err.Error(), "nothing is known") {
			t.Errorf("%v: %v", m, err)
		}
		if _, err := server.plan.With(m); err == nil {
			t.Errorf("%v: there is a plan", m)
		}
	}
	s := &session{Server: server, plan: server.plan, memory: 5 << 20}
	for _, m := range ot.Methods() {
		plan, err := server.plan.With(m)
		if err != nil {
			t.Fatal(err)
		}
		if plan.Hash() != server.plan.Hash() {
			t.Errorf("%v: another network", m)
		}
		err = s.accept(plan.agreed[:], m)
		if big := m.Memory(plan.ots) > 5<<20; big != (err != nil) {
			t.Errorf("%v: %v", m, err)
		}
		s.plan = server.plan
		if m != ot.SoftSpoken4 {
			if err := s.accept(server.plan.agreed[:], m); m.Memory(plan.ots) <= 5<<20 && !errors.Is(err, ErrModel) {
				t.Errorf("%v under the hash of another plan: %v", m, err)
			}
		}
	}
	// The byte on the wire becomes a method that there is not.
	at := boundaries(server.Plan(), true)[1].at + wire.Overhead + 32
	_, err = runSession(t, server, b.input(), inject(wiretest.Fault{Kind: wiretest.Flip, At: at, Bit: 0}), straight)
	if err == nil || !strings.Contains(err.Error(), "nothing is known") {
		t.Errorf("a method that there is not: %v", err)
	}
}

// TestServerMemory connects clients to a server with no memory for silent transfer.
func TestServerMemory(t *testing.T) {
	b := benchModel()
	server, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	slow := &ot.Link{Up: 1e4, Down: 1e8, Trip: time.Millisecond}
	for _, c := range []struct {
		memory int64
		opt    ClientOptions
		silent bool
		fails  string
	}{
		{0, ClientOptions{Link: slow}, true, ""},
		{-1, ClientOptions{Link: slow}, false, ""},
		{-1, ClientOptions{Transfers: ot.Silent11}, true, "of the server's memory"},
		{0, ClientOptions{Transfers: 77}, false, "none of transfers"},
	} {
		x, y := net.Pipe()
		done := make(chan error, 1)
		go func() {
			done <- server.Serve(context.Background(), wire.New(y), &ServeOptions{TransferMemory: c.memory})
		}()
		client, err := Connect(t.Context(), wire.New(x), &c.opt)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("memory %d, %v: %v", c.memory, c.opt.Transfers, err)
			}
			x.Close()
			<-done
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := client.Plan().silent(); ok != c.silent {
			t.Errorf("memory %d: %v", c.memory, client.Plan().Transfers())
		}
		client.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestSilentSees checks that what silent transfer shows either party looks uniform.
func TestSilentSees(t *testing.T) {
	m := viewModel(1, false)
	seed := [32]byte{5}
	x := make([]int32, 4*24*24)
	_, first := viewsBy(t, m, ot.Silent10, 1, x, &seed, nil)
	_, second := viewsBy(t, m, ot.Silent10, 1, x, &seed, nil)
	k := stepKey{"refills", Offline, Session}
	uniform(t, "refills", first[k])
	uniform(t, "refills, difference of two runs", xor(first[k], second[k]))
	seed = [32]byte{6}
	one, _ := viewsBy(t, m, ot.Silent10, 1, x, nil, &seed)
	two, _ := viewsBy(t, m, ot.Silent10, 1, x, nil, &seed)
	for _, k := range []stepKey{{"first seeds", Setup, Session}, {"offsets", Online, 1}, {"results", Online, 1}} {
		uniform(t, k.name, one[k])
		uniform(t, k.name+", difference of two runs", xor(one[k], two[k]))
	}
	if bytes.Equal(first[k], second[k]) {
		t.Error("two servers send the same refill")
	}
}
