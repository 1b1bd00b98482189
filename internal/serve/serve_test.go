package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"dorcas/internal/wire"
	"dorcas/transport"
)

// log keeps events for a test to look at.
type log struct {
	mu     sync.Mutex
	events []Event
}

func (l *log) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// of returns the events of one kind.
func (l *log) of(kind Kind) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Event
	for _, e := range l.events {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

// start runs a server on loopback until the test ends, and then checks that no
// goroutine is left.
func start(t *testing.T, scheme string, s *Server) (dial func() *wire.Conn) {
	t.Helper()
	before := runtime.NumGoroutine()
	var listen transport.ListenOptions
	var options transport.DialOptions
	if scheme == "tls" {
		certificate, err := transport.SelfSigned()
		if err != nil {
			t.Fatal(err)
		}
		listen.Certificate, options.Pin = certificate, transport.Fingerprint(certificate)
	}
	l, err := transport.Listen(scheme+"://127.0.0.1:0", &listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		eventually(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= before })
	})
	return func() *wire.Conn {
		conn, err := transport.Dial(t.Context(), scheme+"://"+l.Addr().String(), &options)
		if err != nil {
			t.Fatal(err)
		}
		return wire.New(conn)
	}
}

func eventually(t *testing.T, problem string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error(problem)
}

// echo sends every frame of 100 bytes back until the client goes.
func echo(ctx context.Context, conn net.Conn) error {
	c := wire.New(conn)
	defer c.Bind(ctx)()
	p := make([]byte, 100)
	for {
		if err := c.Recv(p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := c.Send(p); err != nil {
			return err
		}
	}
}

// ask sends a frame to an echo server and checks what comes back.
func ask(c *wire.Conn, content byte) error {
	p := make([]byte, 100)
	p[99] = content
	if err := c.Send(p); err != nil {
		return err
	}
	p[99]++
	if err := c.Recv(p); err != nil {
		return err
	}
	if p[99] != content {
		return fmt.Errorf("got %d back for %d", p[99], content)
	}
	return nil
}

func TestManyClients(t *testing.T) {
	const clients, rounds = 100, 20
	var seen log
	s := New(echo, &Options{MaxSessions: clients, Notify: seen.add})
	dial := start(t, "tcp", s)
	conns := make([]*wire.Conn, clients)
	for i := range conns {
		conns[i] = dial()
	}
	var all sync.WaitGroup
	for i, c := range conns {
		all.Go(func() {
			for j := range rounds {
				if err := ask(c, byte(i+j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if stats := s.Stats(); stats.Open != clients {
		t.Errorf("%d sessions are open, want %d", stats.Open, clients)
	}
	for _, c := range conns {
		c.Close()
	}
	eventually(t, "sessions stay open", func() bool { return len(seen.of(Closed)) == clients })
	bytes := int64(rounds * (100 + wire.Overhead))
	if got, want := s.Stats(), (Stats{Total: clients, Sent: clients * bytes, Received: clients * bytes}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	sessions := map[int64]bool{}
	for _, e := range seen.of(Closed) {
		sessions[e.Session] = true
		if e.Sent != bytes || e.Received != bytes || e.Duration <= 0 || e.Remote == nil {
			t.Errorf("event %+v, want %d bytes each way", e, bytes)
		}
	}
	if len(sessions) != clients || len(seen.of(Opened)) != clients {
		t.Errorf("%d sessions closed and %d opened, want %d", len(sessions), len(seen.of(Opened)), clients)
	}
}

// TestBusy fills the server; what is too much gets the code, and the next
// after somebody has left gets in.
func TestBusy(t *testing.T) {
	for _, scheme := range []string{"tcp", "tls"} {
		t.Run(scheme, func(t *testing.T) {
			var seen log
			s := New(echo, &Options{MaxSessions: 2, Notify: seen.add})
			dial := start(t, scheme, s)
			a, b := dial(), dial()
			defer b.Close()
			if err := errors.Join(ask(a, 1), ask(b, 2)); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				c := dial()
				var peer *wire.PeerError
				if err := ask(c, 3); !errors.As(err, &peer) || peer.Code != wire.CodeBusy {
					t.Errorf("a third client got %v", err)
				}
				c.Close()
			}
			if refused := seen.of(Refused); len(refused) != 3 || !strings.Contains(refused[0].Err.Error(), "busy") {
				t.Errorf("refused: %+v", refused)
			}
			a.Close()
			eventually(t, "the place stays taken", func() bool { return len(s.slots) == 1 })
			d := dial()
			defer d.Close()
			if err := errors.Join(ask(d, 4), ask(b, 5)); err != nil {
				t.Error(err)
			}
			if stats := s.Stats(); stats.Total != 3 || stats.Refused != 3 || stats.Failed != 0 {
				t.Errorf("stats %+v", stats)
			}
		})
	}
}

// TestClientGone has clients leave in mid-frame, by an orderly end and by a
// reset; others notice nothing.
func TestClientGone(t *testing.T) {
	var seen log
	s := New(echo, &Options{Notify: seen.add})
	l, err := transport.Listen("tcp://127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l) }()
	url := "tcp://" + l.Addr().String()
	conn, err := transport.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	bystander := wire.New(conn)
	for i := range 10 {
		conn, err := transport.Dial(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte{0, 100, 0, 0, 0, 1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "bytes are lost", func() bool { return s.Stats().Received >= int64(8*(i+1)+i*105) })
		conn.(*net.TCPConn).SetLinger(-(i % 2)) // 0 resets
		conn.Close()
		if err := ask(bystander, byte(i)); err != nil {
			t.Error(err)
		}
	}
	eventually(t, "sessions stay open", func() bool { return len(seen.of(Failed)) == 10 })
	for _, e := range seen.of(Failed) {
		if !errors.Is(e.Err, io.ErrUnexpectedEOF) {
			t.Errorf("session %d: %v", e.Session, e.Err)
		}
	}
	bystander.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if stats := s.Stats(); stats.Failed != 10 || stats.Open != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestPanic(t *testing.T) {
	var seen log
	s := New(func(ctx context.Context, conn net.Conn) error {
		p := make([]byte, 1)
		if _, err := conn.Read(p); err != nil {
			return err
		}
		p[p[0]+1] = 0 // the client's first byte is 0
		return nil
	}, &Options{Notify: seen.add})
	dial := start(t, "tcp", s)
	for range 3 {
		c := dial()
		if err := ask(c, 1); err == nil {
			t.Error("an answer came from a handler that panics")
		}
		c.Close()
	}
	eventually(t, "sessions stay open", func() bool { return len(seen.of(Failed)) == 3 })
	for _, e := range seen.of(Failed) {
		var panicked *PanicError
		if !errors.As(e.Err, &panicked) || !strings.Contains(e.Err.Error(), "index out of range") ||
			!strings.Contains(string(panicked.Stack), "TestPanic") {
			t.Errorf("session %d: %v", e.Session, e.Err)
		}
	}
}

func TestKinds(t *testing.T) {
	for kind, want := range map[Kind]string{0: "kind 0", Opened: "opened", AcceptFailed: "accept failed", 6: "kind 6"} {
		if kind.String() != want {
			t.Errorf("kind %d is called %q, want %q", uint8(kind), kind, want)
		}
	}
}
