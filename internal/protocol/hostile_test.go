package protocol

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"dorcas/internal/ot"
	"dorcas/internal/wire"
	"dorcas/internal/wire/wiretest"
	"dorcas/nn"
)

// hostileModel has every kind of message and few bytes.
func hostileModel() *builder {
	b := newBuilder(8, nn.Dims{C: 1, H: 5, W: 5}, 8, false)
	pool := square(2, 2, 0)
	t := b.relu(b.conv(0, 2, square(2, 1, 0)), &pool)
	b.finish(b.dense(t, 3), nn.RevealScores)
	return b
}

// session runs one preparation and one inference over connections that the
// test has its hands in, and returns both parties' errors.
func runSession(t *testing.T, s *Server, x []int32, client, server func(io.ReadWriteCloser) io.ReadWriteCloser) (clientErr, serverErr error) {
	t.Helper()
	return runSessionBy(t, s, ot.SoftSpoken4, x, client, server)
}

// runSessionBy is runSession with a method of transfers.
func runSessionBy(t *testing.T, s *Server, method ot.Method, x []int32, client, server func(io.ReadWriteCloser) io.ReadWriteCloser) (clientErr, serverErr error) {
	t.Helper()
	a, b := net.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := s.Serve(ctx, wire.New(server(b)), nil)
		b.Close()
		done <- err
	}()
	clientErr = func() error {
		c, err := Connect(ctx, wire.New(client(a)), &ClientOptions{Transfers: method})
		if err != nil {
			return err
		}
		m, err := c.Prepare(ctx)
		if err != nil {
			return err
		}
		if _, _, err := c.Infer(ctx, m, x); err != nil {
			return err
		}
		return c.Close()
	}()
	a.Close()
	serverErr = <-done
	if ctx.Err() != nil {
		t.Fatalf("stuck: client %v, server %v", clientErr, serverErr)
	}
	return clientErr, serverErr
}

func straight(rw io.ReadWriteCloser) io.ReadWriteCloser { return rw }

func inject(f wiretest.Fault) func(io.ReadWriteCloser) io.ReadWriteCloser {
	return func(rw io.ReadWriteCloser) io.ReadWriteCloser { return wiretest.Inject(rw, f) }
}

// boundary is where the frames of a step begin in the stream of a direction.
type boundary struct {
	at   int64
	step string
}

func boundaries(p *Plan, toServer bool) []boundary {
	var at []boundary
	pos := int64(0)
	for _, s := range p.Steps() {
		if s.ToServer == toServer {
			at = append(at, boundary{at: pos, step: s.Name})
			pos += s.Bytes
		}
	}
	return at
}

// faultsAt returns what to try at the i-th boundary: over a row of
// boundaries, everything.
func faultsAt(i int, at int64) []wiretest.Fault {
	all := []wiretest.Fault{
		{Kind: wiretest.Truncate, At: at}, {Kind: wiretest.Insert, At: at, Len: 5, Seed: uint64(at)},
		{Kind: wiretest.Truncate, At: at + 3}, {Kind: wiretest.Flip, At: at},
		{Kind: wiretest.Close, At: at + 7}, {Kind: wiretest.Flip, At: at + 4, Bit: 7},
	}
	if testing.Short() {
		return all[i%3*2 : i%3*2+1]
	}
	return all[i%3*2 : i%3*2+2]
}

// TestFaults cuts, closes, and puts random bytes into the stream at, before
// and after every boundary, in both directions. Each ends the session with
// an error at the party that reads it; nobody hangs and nothing stays behind.
func TestFaults(t *testing.T) {
	b := hostileModel()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	x := b.input()
	before := runtime.NumGoroutine()
	for _, toServer := range []bool{true, false} {
		for i, b := range boundaries(s.Plan(), toServer) {
			for _, f := range faultsAt(i, b.at) {
				client, server := inject(f), straight
				if !toServer {
					client, server = straight, inject(f)
				}
				clientErr, serverErr := runSession(t, s, x, client, server)
				reader := serverErr
				if !toServer {
					reader = clientErr
				}
				leaves := toServer && b.step == "request" && f.At == b.at && f.Kind == wiretest.Truncate
				if reader == nil && !leaves {
					t.Errorf("%v at %d, to server %v, %s: no error", f.Kind, f.At, toServer, b.step)
				}
			}
		}
	}
	settle(t, before)
	clientErr, serverErr := runSession(t, s, x, straight, straight)
	if clientErr != nil || serverErr != nil {
		t.Errorf("afterwards: client %v, server %v", clientErr, serverErr)
	}
}

// settle waits until no more goroutines run than before.
func settle(t *testing.T, before int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
}

// TestCorruptPayloads flips bits inside messages: the session ends or the
// result is wrong, but nobody panics or hangs.
func TestCorruptPayloads(t *testing.T) {
	b := hostileModel()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	x := b.input()
	for _, toServer := range []bool{true, false} {
		for _, step := range boundaries(s.Plan(), toServer) {
			f := wiretest.Fault{Kind: wiretest.Flip, At: step.at + wire.Overhead + 1, Bit: 6}
			if toServer {
				runSession(t, s, x, inject(f), straight)
			} else {
				runSession(t, s, x, straight, inject(f))
			}
		}
	}
}

// TestOtherModel connects a client that asks for another plan, and one that
// sends a wrong hash.
func TestOtherModel(t *testing.T) {
	b := hostileModel()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	other := sha256.Sum256([]byte("another plan"))
	x, y := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), wire.New(y), nil) }()
	if _, err := Connect(t.Context(), wire.New(x), &ClientOptions{Expect: &other}); !errors.Is(err, ErrModel) {
		t.Errorf("client that asks for another plan: %v", err)
	}
	x.Close()
	if err := <-done; err == nil {
		t.Error("server: no error")
	}

	hash := boundaries(s.Plan(), true)[1].at + wire.Overhead
	clientErr, serverErr := runSession(t, s, b.input(), inject(wiretest.Fault{Kind: wiretest.Flip, At: hash + 9}), straight)
	if !errors.Is(serverErr, ErrModel) {
		t.Errorf("server, of a wrong hash: %v", serverErr)
	}
	var peer *wire.PeerError
	if !errors.As(clientErr, &peer) || peer.Code != wire.CodeModel {
		t.Errorf("client, of a wrong hash: %v", clientErr)
	}
}

// TestSilence sends frames that promise 4 GiB, and bytes that are no frame.
func TestSilence(t *testing.T) {
	b := hostileModel()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	for _, bytes := range []string{"\x00\xff\xff\xff\xff", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("\x00", 64), ""} {
		x, y := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- s.Serve(context.Background(), wire.New(y), nil) }()
		go io.Copy(io.Discard, x)
		io.WriteString(x, bytes)
		time.Sleep(10 * time.Millisecond)
		x.Close()
		select {
		case err := <-done:
			if err == nil {
				t.Errorf("%q: no error", bytes)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q: the session hangs", bytes)
		}
	}
}

// TestCancel ends the context of either party in the middle of a session.
func TestCancel(t *testing.T) {
	b := networks[1].build()
	s, err := NewServer(&b.m)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for _, delay := range []time.Duration{0, time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond, 60 * time.Millisecond} {
		x, y := net.Pipe()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.Serve(context.Background(), wire.New(y), nil) }()
		time.AfterFunc(delay, cancel)
		c, err := Connect(ctx, wire.New(x), nil)
		for err == nil {
			_, err = c.Prepare(ctx)
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("client after %v: %v", delay, err)
		}
		x.Close()
		<-done
	}
	settle(t, before)
}
