package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dorcas/internal/wire"
	"dorcas/internal/wire/wiretest"
)

// The tests of this file run on a fake clock, over pipes. A goroutine that is
// left fails them.

// pipes is a listener in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func listen() *pipes {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := wiretest.Pipe()
	select {
	case p.conns <- server:
	case <-p.closed:
		client.Close()
	}
	return client
}

// bubble runs a server and a client on a fake clock, and returns the event of
// the end of the only session and how long it lasted.
func bubble(t *testing.T, handler Handler, client func(net.Conn)) Event {
	t.Helper()
	var seen log
	synctest.Test(t, func(t *testing.T) {
		l := listen()
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { New(handler, &Options{Notify: seen.add}).Run(ctx, l) })
		conn := l.dial()
		client(conn)
		cancel()
		all.Wait()
		conn.Close()
	})
	ends := append(seen.of(Closed), seen.of(Failed)...)
	if len(ends) != 1 {
		t.Fatalf("%d sessions ended, want 1", len(ends))
	}
	return ends[0]
}

func check(t *testing.T, e Event, want string, after time.Duration) {
	t.Helper()
	message := ""
	if e.Err != nil {
		message = e.Err.Error()
	}
	if (want == "") != (e.Err == nil) || !strings.Contains(message, want) || e.Duration != after {
		t.Errorf("error %v after %v, want %q after %v", e.Err, e.Duration, want, after)
	}
	var timeout net.Error
	if e.Err != nil && (!errors.As(e.Err, &timeout) || !timeout.Timeout()) {
		t.Errorf("%v is not a time-out", e.Err)
	}
}

// TestHandshake meets clients that do not finish what they begin with.
func TestHandshake(t *testing.T) {
	handler := func(_ context.Context, conn net.Conn) error {
		_, err := io.ReadFull(conn, make([]byte, 100))
		return err
	}
	speaksFirst := func(ctx context.Context, conn net.Conn) error {
		if _, err := conn.Write([]byte{1}); err != nil {
			return err
		}
		return handler(ctx, conn)
	}
	cases := []struct {
		name    string
		handler Handler
		client  func(net.Conn)
	}{
		{"silent", handler, func(net.Conn) { time.Sleep(time.Minute) }},
		{"slow", handler, func(conn net.Conn) {
			for {
				if _, err := conn.Write([]byte{1}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}},
		{"silent once greeted", speaksFirst, func(conn net.Conn) {
			conn.Read(make([]byte, 1))
			time.Sleep(time.Minute)
		}},
		{"does not read", speaksFirst, func(net.Conn) { time.Sleep(time.Minute) }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			check(t, bubble(t, tc.handler, tc.client), "no handshake within 10s", 10*time.Second)
		})
	}
}

// greet does the handshake of a session.
func greet(conn net.Conn) error {
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return err
	}
	_, err := conn.Write([]byte{1})
	return err
}

func greeted(conn net.Conn) {
	conn.Write([]byte{1})
	conn.Read(make([]byte, 1))
}

func TestIdle(t *testing.T) {
	const size = 10 * chunk
	cases := []struct {
		name    string
		handler func(net.Conn) error // after the handshake
		client  func(net.Conn)
		want    string
		after   time.Duration
	}{
		{
			"silent client",
			func(conn net.Conn) error { _, err := conn.Read(make([]byte, 1)); return err },
			func(net.Conn) { time.Sleep(time.Hour) },
			"idle for 2m0s", 2 * time.Minute,
		}, {
			"client that does not read",
			func(conn net.Conn) error { _, err := conn.Write(make([]byte, size)); return err },
			func(net.Conn) { time.Sleep(time.Hour) },
			"idle for 2m0s", 2 * time.Minute,
		}, {
			"client that reads slowly",
			func(conn net.Conn) error { _, err := conn.Write(make([]byte, size)); return err },
			func(conn net.Conn) {
				for range size / chunk {
					time.Sleep(119 * time.Second)
					io.ReadFull(conn, make([]byte, chunk))
				}
			},
			"", size / chunk * 119 * time.Second,
		}, {
			"client that writes slowly",
			func(conn net.Conn) error { _, err := io.ReadFull(conn, make([]byte, 10)); return err },
			func(conn net.Conn) {
				for range 10 {
					time.Sleep(119 * time.Second)
					conn.Write([]byte{1})
				}
			},
			"", 10 * 119 * time.Second,
		}, {
			"server that computes for long",
			func(conn net.Conn) error { time.Sleep(time.Hour); return greet(conn) },
			greeted,
			"", time.Hour,
		}, {
			"server that writes for long while it reads",
			func(conn net.Conn) error {
				wrote := make(chan error, 1)
				go func() { _, err := conn.Write(make([]byte, size)); wrote <- err }()
				_, err := conn.Read(make([]byte, 1))
				return errors.Join(err, <-wrote)
			},
			func(conn net.Conn) {
				for range size / chunk {
					time.Sleep(time.Minute)
					io.ReadFull(conn, make([]byte, chunk))
				}
				conn.Write([]byte{1})
			},
			"", size / chunk * time.Minute,
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			e := bubble(t, func(_ context.Context, conn net.Conn) error {
				if err := greet(conn); err != nil {
					return err
				}
				return tc.handler(conn)
			}, func(conn net.Conn) {
				greeted(conn)
				tc.client(conn)
			})
			check(t, e, tc.want, tc.after)
		})
	}
}

// TestDrain ends the server while sessions are open: one that ends within the
// grace period, and one that does not and is closed.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen log
		cause := make(chan error, 1)
		s := New(func(ctx context.Context, conn net.Conn) error {
			err := greet(conn)
			if err == nil {
				_, err = conn.Read(make([]byte, 1))
			}
			if err != nil {
				cause <- context.Cause(ctx)
			}
			return err
		}, &Options{Grace: time.Minute, Notify: seen.add})
		l := listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, l) }()
		quick, stuck := l.dial(), l.dial()
		greeted(quick)
		greeted(stuck)
		start := time.Now()
		cancel()
		synctest.Wait()
		if _, err := l.dial().Write([]byte{1}); err == nil {
			t.Error("a client got in after the end")
		}
		time.Sleep(10 * time.Second)
		quick.Write([]byte{1})
		synctest.Wait()
		if closed := seen.of(Closed); len(closed) != 1 || closed[0].Duration != 10*time.Second {
			t.Errorf("closed: %+v", closed)
		}
		if err := <-done; err != nil || time.Since(start) != time.Minute {
			t.Errorf("Run returned %v after %v", err, time.Since(start))
		}
		if failed := seen.of(Failed); len(failed) != 1 || !errors.Is(failed[0].Err, ErrGrace) {
			t.Errorf("failed: %+v", failed)
		}
		if err := <-cause; err != ErrGrace {
			t.Errorf("the handler's context ended with %v", err)
		}
		if _, err := stuck.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the client got %v", err)
		}
	})
}

// TestNoGrace ends the server with no session open, and with one and no grace.
func TestNoGrace(t *testing.T) {
	for _, grace := range []time.Duration{-1, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			s := New(func(_ context.Context, conn net.Conn) error {
				greet(conn)
				return greet(conn)
			}, &Options{Grace: grace})
			l := listen()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- s.Run(ctx, l) }()
			if grace < 0 {
				greeted(l.dial())
			}
			start := time.Now()
			cancel()
			if err := <-done; err != nil || time.Since(start) != 0 {
				t.Errorf("grace %v: Run returned %v after %v", grace, err, time.Since(start))
			}
		})
	}
}

// TestFlood lets many silent clients in at once: those who can be neither
// served nor told no in an orderly way are cut off at once.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(func(ctx context.Context, _ net.Conn) error { <-ctx.Done(); return nil }, &Options{MaxSessions: 1})
		l := listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, l) }()
		const extra = 30
		var conns []net.Conn
		for range 1 + maxRefusals + extra {
			conns = append(conns, l.dial())
		}
		synctest.Wait()
		cut := 0
		for _, conn := range conns[1:] {
			conn.SetReadDeadline(time.Now().Add(time.Nanosecond))
			if n, err := conn.Read(make([]byte, 100)); n == 0 && err == io.EOF {
				cut++
			}
		}
		if cut != extra {
			t.Errorf("%d clients were cut off, want %d", cut, extra)
		}
		if stats := s.Stats(); stats.Total != 1 || stats.Refused != maxRefusals+extra {
			t.Errorf("stats %+v", stats)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// flaky is a listener that fails a few times before each connection.
type flaky struct {
	*pipes
	left int
}

var errFlaky = errors.New("too many open files")

func (f *flaky) Accept() (net.Conn, error) {
	if f.left > 0 {
		f.left--
		return nil, errFlaky
	}
	f.left = 12
	return f.pipes.Accept()
}

// TestAcceptFails checks that passing failures are waited out, and a closed
// listener is not.
func TestAcceptFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen log
		s := New(func(_ context.Context, conn net.Conn) error { return greet(conn) }, &Options{Notify: seen.add})
		l := &flaky{pipes: listen(), left: 12}
		done := make(chan error, 1)
		go func() { done <- s.Run(t.Context(), l) }()
		start := time.Now()
		for range 2 {
			conn := l.dial()
			greeted(conn)
			conn.Close()
		}
		if d := time.Since(start); d < 4*time.Second || d > 12*time.Second {
			t.Errorf("24 failures took %v", d)
		}
		l.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Run returned %v, want that the listener is closed", err)
		}
		failed := seen.of(AcceptFailed)
		if len(failed) < 24 || failed[0].Err != errFlaky || len(seen.of(Closed)) != 2 {
			t.Errorf("%d failures, %d sessions", len(failed), len(seen.of(Closed)))
		}
	})
}

// TestFailThrough checks that a handler's error frame gets through the
// session's connection.
func TestFailThrough(t *testing.T) {
	e := bubble(t, func(_ context.Context, conn net.Conn) error {
		return wire.New(conn).Fail(wire.CodeModel)
	}, func(conn net.Conn) {
		var peer *wire.PeerError
		if err := wire.New(conn).Recv(nil); !errors.As(err, &peer) || peer.Code != wire.CodeModel {
			t.Errorf("the client got %v", err)
		}
	})
	if e.Err != nil {
		t.Error(e.Err)
	}
}
