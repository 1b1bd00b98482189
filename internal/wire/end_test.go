package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"dorcas/internal/wire"
	"dorcas/internal/wire/wiretest"
)

func TestCodes(t *testing.T) {
	want := map[wire.Code]string{
		wire.CodeProtocol: "protocol", wire.CodeVersion: "version", wire.CodeModel: "model",
		wire.CodeBusy: "busy", wire.CodeClosing: "closing", wire.CodeInternal: "internal", 0: "code 0", 255: "code 255",
	}
	for code, name := range want {
		if code.String() != name {
			t.Errorf("code %d is called %q, want %q", uint8(code), code, name)
		}
	}
}

// TestFail checks that the code arrives whatever the peer is doing.
func TestFail(t *testing.T) {
	huge := make([]byte, 8<<20) // more than the kernel's buffers hold
	peers := map[string]func(*wire.Conn) error{
		"receives": func(c *wire.Conn) error { return c.Recv(make([]byte, 9)) },
		"has sent": func(c *wire.Conn) error { c.Send(make([]byte, 100)); return c.Recv(make([]byte, 9)) },
		"sends": func(c *wire.Conn) error {
			if err := c.Send(huge); err != nil {
				return err
			}
			return c.Recv(make([]byte, 9))
		},
		"fails too": func(c *wire.Conn) error {
			c.Fail(wire.CodeProtocol)
			return &wire.PeerError{Code: wire.CodeModel} // it cannot know
		},
	}
	for name, peer := range peers {
		for _, network := range []string{"pipe", "tcp"} {
			t.Run(network+"/"+name, func(t *testing.T) {
				a, b := wiretest.Pipe()
				if network == "tcp" {
					a, b = tcp(t)
				}
				start := time.Now()
				peerErr, err := wiretest.Meet(a, b, peer, func(c *wire.Conn) error {
					if err := c.Fail(wire.CodeModel); err != nil && name != "fails too" {
						return err // the other that fails may be gone before it hears our code
					}
					for _, err := range []error{c.Recv(nil), c.Send(nil), c.Flush()} {
						if !errors.Is(err, io.ErrClosedPipe) {
							return fmt.Errorf("after the failure: %v", err)
						}
					}
					return nil
				})
				var pe *wire.PeerError
				if !errors.As(peerErr, &pe) || pe.Code != wire.CodeModel {
					t.Errorf("the peer got %v", peerErr)
				}
				if err != nil {
					t.Errorf("failing failed: %v", err)
				}
				if d := time.Since(start); d > 800*time.Millisecond {
					t.Errorf("took %v", d)
				}
			})
		}
	}
}

// TestFailTakesTurns checks that frames sent before the failure arrive first.
func TestFailTakesTurns(t *testing.T) {
	a, b := wiretest.Pipe()
	err, _ := wiretest.Meet(a, b, func(c *wire.Conn) error {
		if err := c.Recv(make([]byte, 3)); err != nil {
			return errors.New("lost a frame")
		}
		return c.Recv(nil)
	}, func(c *wire.Conn) error {
		c.Send(make([]byte, 3))
		return c.Fail(wire.CodeInternal)
	})
	var pe *wire.PeerError
	if !errors.As(err, &pe) || pe.Code != wire.CodeInternal {
		t.Error(err)
	}
}

// TestFailDeafPeer checks that a peer that does nothing costs linger at most.
func TestFailDeafPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wiretest.Pipe()
		defer b.Close()
		start := time.Now()
		c := wire.New(a)
		sent := make(chan error)
		go func() { sent <- c.Send(make([]byte, 1<<20)) }()
		synctest.Wait()
		if err := c.Fail(wire.CodeBusy); err == nil {
			t.Error("the code cannot have been sent within a frame")
		}
		if err := <-sent; !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the blocked Send returned %v", err)
		}
		a, b2 := wiretest.Pipe()
		defer b2.Close()
		if err := wire.New(a).Fail(wire.CodeBusy); err == nil {
			t.Error("nobody read the code")
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func TestBind(t *testing.T) {
	cause := errors.New("the user went home")
	calls := map[string]func(*wire.Conn) error{
		"Recv":    func(c *wire.Conn) error { return c.Recv(make([]byte, 1)) },
		"RecvMax": func(c *wire.Conn) error { _, err := c.RecvMax(1); return err },
		"Send":    func(c *wire.Conn) error { return c.Send(make([]byte, 1<<20)) },
		"Flush":   func(c *wire.Conn) error { c.Send(nil); return c.Flush() },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := wiretest.Pipe()
				defer b.Close()
				c := wire.New(a)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer c.Bind(ctx)()
				time.AfterFunc(time.Hour, func() { cancel(cause) })
				for range 2 { // blocked, then too late
					if err := call(c); !errors.Is(err, cause) {
						t.Fatalf("error %v, want the cause", err)
					}
				}
				if _, err := b.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("the peer got %v, want the end of the stream", err)
				}
			})
		})
	}
}

func TestBindStop(t *testing.T) {
	a, b := wiretest.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ea, eb := wiretest.Meet(a, b, func(c *wire.Conn) error {
		c.Bind(ctx)()
		cancel()
		c.Send([]byte{1})
		return c.Flush()
	}, func(c *wire.Conn) error { return c.Recv(make([]byte, 1)) })
	if ea != nil || eb != nil {
		t.Fatal(ea, eb)
	}
}

func TestClose(t *testing.T) {
	a, b := wiretest.Pipe()
	c := wire.New(a)
	blocked := make(chan error)
	go func() { blocked <- c.Recv(make([]byte, 1)) }()
	time.Sleep(10 * time.Millisecond)
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{<-blocked, c.Recv(nil), c.Send(nil)} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("error %v, want io.ErrClosedPipe", err)
		}
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Error("the peer does not see the end")
	}
}

// TestCloseDropsBuffered checks that a closed connection yields no frame that
// had already arrived.
func TestCloseDropsBuffered(t *testing.T) {
	c := reader(append(frame(0, []byte{1}), frame(0, []byte{2})...))
	if err := c.Recv(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := c.Recv(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v, want io.ErrClosedPipe", err)
	}
}

// TestDeadline checks that the connection's own deadlines are let through.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wiretest.Pipe()
		defer b.Close()
		a.SetReadDeadline(time.Now().Add(time.Minute))
		var timeout net.Error
		if err := wire.New(a).Recv(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("error %v, want a time-out", err)
		}
	})
}

// tcp returns the ends of a connection over loopback.
func tcp(t *testing.T) (net.Conn, net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}
