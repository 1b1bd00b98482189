package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"dorcas/internal/wire"
	"dorcas/internal/wire/wiretest"
)

func TestCount(t *testing.T) {
	a, b := wiretest.Pipe()
	var client, server, setup wire.Count
	clientErr, serverErr := wiretest.Meet(a, b, func(c *wire.Conn) error {
		p := make([]byte, 10)
		err := errors.Join(c.Send(p), c.Send(p), c.Recv(p), c.Recv(p)) // one round, two frames each way
		setup = c.Count()
		err = errors.Join(err, c.Send(p), c.Recv(p), c.Send(nil), c.Flush())
		client = c.Count()
		return err
	}, func(c *wire.Conn) error {
		p := make([]byte, 10)
		err := errors.Join(c.Recv(p), c.Recv(p), c.Send(p), c.Send(p), c.Recv(p), c.Send(p), c.Recv(nil))
		server = c.Count()
		return err
	})
	if clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	if want := (wire.Count{Sent: 30, Received: 30, Rounds: 1}); setup != want {
		t.Errorf("after the first round %v, want %v", setup, want)
	}
	if want := (wire.Count{Sent: 50, Received: 45, Rounds: 2}); client != want {
		t.Errorf("client counted %v, want %v", client, want)
	}
	if want := (wire.Count{Sent: 45, Received: 50, Rounds: 2}); server != want {
		t.Errorf("server counted %v, want %v", server, want)
	}
	if got, want := client.Sub(setup), (wire.Count{Sent: 20, Received: 15, Rounds: 1}); got != want {
		t.Errorf("difference %v, want %v", got, want)
	}
}

// TestBothWays has each party send and receive at the same time, more than
// any buffer holds, with the counts read by a third goroutine.
func TestBothWays(t *testing.T) {
	const frames, size = 50, 40_000
	party := func(c *wire.Conn) error {
		done := make(chan error, 1)
		go func() {
			p := random(size)
			for range frames {
				if err := c.Send(p); err != nil {
					done <- err
					return
				}
			}
			done <- c.Flush()
		}()
		stop := make(chan struct{})
		var watch sync.WaitGroup
		watch.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					c.Count()
				}
			}
		})
		defer watch.Wait()
		defer close(stop)
		p := make([]byte, size)
		for range frames {
			if err := c.Recv(p); err != nil {
				return err
			}
			if !bytes.Equal(p, random(size)) {
				return errors.New("frame changed")
			}
		}
		return <-done
	}
	a, b := wiretest.Pipe()
	if ea, eb := wiretest.Meet(a, b, party, party); ea != nil || eb != nil {
		t.Fatal(ea, eb)
	}
}

func BenchmarkFrames(b *testing.B) {
	for _, n := range []int{16, 1024, 1 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := wire.New(&loop{})
			p := make([]byte, n)
			b.SetBytes(int64(n))
			for b.Loop() {
				c.Send(p)
				c.Recv(p)
			}
		})
	}
}
