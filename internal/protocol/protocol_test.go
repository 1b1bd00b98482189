package protocol

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"dorcas/internal/ot"
	"dorcas/internal/wire"
	"dorcas/nn"
)

// meet runs a server for m and returns a client of it; both are on an
// unbuffered pipe. The test fails unless the server's session ends well.
func meet(t *testing.T, m *nn.Model) (*Client, *observer) {
	t.Helper()
	return meetBy(t, m, ot.SoftSpoken4)
}

// meetBy is meet with a method of transfers, or 0 for the client's choice.
func meetBy(t *testing.T, m *nn.Model, method ot.Method) (*Client, *observer) {
	t.Helper()
	server, err := NewServer(m)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	seen := &observer{}
	done := make(chan error, 1)
	go func() {
		done <- server.Serve(context.Background(), wire.New(b), &ServeOptions{Observe: seen.observe})
	}()
	c, err := Connect(t.Context(), wire.New(a), &ClientOptions{Transfers: method})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("server: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("server: the session does not end")
		}
	})
	return c, seen
}

// observer collects what the server's session reports; read it after the
// client's call that waited for the phase.
type observer struct{ phases [][]StepStats }

func (o *observer) observe(_ Phase, s []StepStats) { o.phases = append(o.phases, s) }

// TestTwin compares private inferences with the network in the clear.
func TestTwin(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			b := n.build()
			c, _ := meet(t, &b.m)
			for range 3 {
				x := b.input()
				want, err := b.m.Run(x)
				if err != nil {
					t.Fatal(err)
				}
				m, err := c.Prepare(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got, _, err := c.Infer(t.Context(), m, x)
				if err != nil {
					t.Fatal(err)
				}
				if got.Index != want.Index || !slices.Equal(got.Outputs, want.Outputs) || !slices.Equal(got.Top, want.Top) {
					t.Fatalf("private result %v, in the clear %v", got, want)
				}
			}
		})
	}
}

// TestPredicted compares counted bytes and rounds with predicted ones, step
// by step, at both parties.
func TestPredicted(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			b := n.build()
			c, seen := meet(t, &b.m)
			m, err := c.Prepare(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, online, err := c.Infer(t.Context(), m, b.input())
			if err != nil {
				t.Fatal(err)
			}
			client := slices.Concat(c.SetupStats(), m.Stats(), online)
			comparePredicted(t, c.Plan().Steps(), client, func(s StepStats) (int64, int64) { return s.Sent, s.Received })
			for phase, stats := range map[Phase][]StepStats{Offline: m.Stats(), Online: online} {
				rounds := 0
				for _, s := range stats {
					rounds += s.Rounds
				}
				if want := c.Plan().Rounds(phase); rounds != want {
					t.Errorf("%s: %d rounds, predicted %d", phase, rounds, want)
				}
			}
			c.Close()
			time.Sleep(20 * time.Millisecond)
			server := slices.Concat(seen.phases...)
			comparePredicted(t, c.Plan().Steps(), server, func(s StepStats) (int64, int64) { return s.Received, s.Sent })
		})
	}
}

type stepKey struct {
	name  string
	phase Phase
	layer int
}

func comparePredicted(t *testing.T, steps []Step, stats []StepStats, bytes func(StepStats) (toServer, toClient int64)) {
	t.Helper()
	type pair struct{ toServer, toClient int64 }
	want, got := map[stepKey]pair{}, map[stepKey]pair{}
	for _, s := range steps {
		k := stepKey{s.Name, s.Phase, s.Layer}
		v := want[k]
		if s.ToServer {
			v.toServer += s.Bytes
		} else {
			v.toClient += s.Bytes
		}
		want[k] = v
	}
	for _, s := range stats {
		k := stepKey{s.Name, s.Phase, s.Layer}
		v := got[k]
		a, b := bytes(s)
		got[k] = pair{v.toServer + a, v.toClient + b}
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%v: %v bytes to the server and the client, predicted %v", k, got[k], v)
		}
	}
	for k, v := range got {
		if _, ok := want[k]; !ok && v != (pair{}) {
			t.Errorf("%v: %v bytes, none predicted", k, v)
		}
	}
}

// TestMaterialServesOnce asks for the same material twice, at the client and
// at the server.
func TestMaterialServesOnce(t *testing.T) {
	b := networks[0].build()
	server, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	x, y := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- server.Serve(context.Background(), wire.New(y), nil) }()
	c, err := Connect(t.Context(), wire.New(x), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stolen := &ClientMaterial{number: m.number, seed: m.seed, labels: m.labels, frames: m.frames, offsets: m.offsets}
	if _, _, err := c.Infer(t.Context(), m, b.input()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Infer(t.Context(), m, b.input()); err == nil {
		t.Fatal("the client used material twice")
	}
	if _, _, err := c.Infer(t.Context(), stolen, b.input()); err == nil {
		t.Fatal("the server used material twice")
	}
	if err := <-done; err == nil {
		t.Fatal("the server's session went on")
	}
}

// TestManyMaterials prepares several inferences in several sessions of one
// server at once, and uses them in another order.
func TestManyMaterials(t *testing.T) {
	b := networks[1].build()
	server, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	inputs := [][]int32{b.input(), b.input(), b.input()}
	var wg sync.WaitGroup
	for range 3 {
		x, y := net.Pipe()
		wg.Go(func() {
			if err := server.Serve(context.Background(), wire.New(y), nil); err != nil {
				t.Errorf("server: %v", err)
			}
		})
		wg.Go(func() { manyMaterials(t, &b.m, wire.New(x), inputs) })
	}
	wg.Wait()
}

func manyMaterials(t *testing.T, m *nn.Model, conn *wire.Conn, inputs [][]int32) {
	c, err := Connect(t.Context(), conn, nil)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	var ms []*ClientMaterial
	for range inputs {
		material, err := c.Prepare(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		ms = append(ms, material)
	}
	for i := len(ms) - 1; i >= 0; i-- {
		got, _, err := c.Infer(t.Context(), ms[i], inputs[i])
		if err != nil {
			t.Error(err)
			return
		}
		if want, _ := m.Run(inputs[i]); !slices.Equal(got.Outputs, want.Outputs) {
			t.Errorf("material %d: private %v, clear %v", i, got.Outputs, want.Outputs)
		}
	}
}
