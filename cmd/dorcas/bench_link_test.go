package main

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// shapedPipe returns both ends of a connection, the first over a link. In a
// synctest bubble its times are exact.
func shapedPipe(t *testing.T, l link) (over io.ReadWriteCloser, peer net.Conn) {
	near, far := net.Pipe()
	s := newShaped(near, l)
	t.Cleanup(func() {
		s.Close()
		far.Close()
	})
	return s, far
}

// about reports whether a time is the wanted one but for rounding.
func about(got, want time.Duration) bool { return (got - want).Abs() < 100*time.Microsecond }

// TestLinkRate sends both ways at once: each direction has the whole rate.
func TestLinkRate(t *testing.T) {
	for name, l := range map[string]link{
		"slow":     {BitsPerS: 1e6, RoundTrip: 0.2},
		"wide":     {BitsPerS: 1e8, RoundTrip: 0.04},
		"no delay": {BitsPerS: 1e9},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				over, peer := shapedPipe(t, l)
				const n = 3 << 20
				sent := make([]byte, n)
				rand.NewChaCha8([32]byte{1}).Read(sent)
				start := time.Now()
				arrived := make(chan time.Duration, 2)
				for _, way := range []struct {
					w io.Writer
					r io.Reader
				}{{over, peer}, {peer, over}} {
					go func() {
						if _, err := way.w.Write(sent); err != nil {
							t.Error(err)
						}
					}()
					go func() {
						got := make([]byte, n)
						if _, err := io.ReadFull(way.r, got); err != nil || !bytes.Equal(got, sent) {
							t.Errorf("other bytes arrived, or %v", err)
						}
						arrived <- time.Since(start)
					}()
				}
				want := time.Duration((n*8/l.BitsPerS + l.RoundTrip/2) * float64(time.Second))
				for range 2 {
					if got := <-arrived; !about(got, want) {
						t.Errorf("%d bytes took %v, want %v", n, got, want)
					}
				}
			})
		})
	}
}

// TestLinkDelay sends back and forth, and then many pieces in a row, which
// share a delay.
func TestLinkDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over, peer := shapedPipe(t, link{BitsPerS: 1e12, RoundTrip: 0.04})
		go func() {
			io.CopyN(peer, peer, 5)
			io.Copy(io.Discard, peer)
		}()
		b := []byte{0}
		start := time.Now()
		for range 5 {
			over.Write(b)
			if _, err := over.Read(b); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(start); !about(got, 200*time.Millisecond) {
			t.Errorf("5 round trips took %v", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		over, peer := shapedPipe(t, link{BitsPerS: 1e12, RoundTrip: 0.04})
		start := time.Now()
		for i := range 10 {
			over.Write(make([]byte, 100))
			if got := time.Since(start); got != time.Duration(i)*time.Millisecond {
				t.Fatalf("a write waited: it is %v", got)
			}
			time.Sleep(time.Millisecond)
		}
		io.ReadFull(peer, make([]byte, 1000))
		if got := time.Since(start); !about(got, 29*time.Millisecond) {
			t.Errorf("the last of 10 pieces came after %v, want 9 ms + 20 ms", got)
		}
	})
}

// TestLinkBacklog fills the line: a Write returns when all but the backlog is
// sent, whether or not the peer reads, and the idle line saves up no rate.
func TestLinkBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over, _ := shapedPipe(t, link{BitsPerS: 8 << 20, RoundTrip: 0.1}) // 1 MiB a second
		for range 2 {
			start := time.Now()
			over.Write(make([]byte, 3<<20))
			if got := time.Since(start); !about(got, 2*time.Second) {
				t.Errorf("3 MiB at 1 MiB/s kept the writer for %v", got)
			}
			time.Sleep(time.Minute)
		}
	})
}

// TestLinkEnds closes the connection at either end.
func TestLinkEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over, peer := shapedPipe(t, link{BitsPerS: 1e6, RoundTrip: 1})
		go func() {
			peer.Write([]byte("last"))
			peer.Close()
		}()
		start := time.Now()
		if got, err := io.ReadAll(over); string(got) != "last" || err != nil || !about(time.Since(start), 500*time.Millisecond+32*time.Microsecond) {
			t.Errorf("read %q, %v after %v", got, err, time.Since(start))
		}
		var err error
		for range 3 {
			_, err = over.Write([]byte("x"))
			time.Sleep(time.Second)
		}
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("a write to nobody: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		over, _ := shapedPipe(t, link{BitsPerS: 1000, RoundTrip: 1})
		errs := make(chan error, 2)
		go func() {
			_, err := over.Write(make([]byte, 2<<20))
			errs <- err
		}()
		go func() {
			_, err := over.Read(make([]byte, 1))
			errs <- err
		}()
		time.Sleep(time.Second)
		if err := over.Close(); err != nil || over.Close() != err {
			t.Errorf("close: %v", err)
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				t.Errorf("a blocked call got %v", err)
			}
		}
	})
}

// TestLinkTCP is the same with real time. A busy machine makes it late now and
// then, so that the best of a few runs must be within 20 %; none may be early.
func TestLinkTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const n = 1 << 20
	go func() {
		for {
			peer, err := l.Accept()
			if err != nil {
				return
			}
			io.CopyN(peer, peer, n)
			peer.Close()
		}
	}()
	const want = n*8/1e8 + 0.02 // the way back overlaps with the way there
	best := time.Hour
	for range 5 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		over := newShaped(conn, link{BitsPerS: 1e8, RoundTrip: 0.02})
		start := time.Now()
		go over.Write(make([]byte, n))
		if _, err := io.ReadFull(over, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
		over.Close()
		if best.Seconds() < 1.2*want {
			break
		}
	}
	if got := best.Seconds(); got < 0.95*want || got > 1.2*want {
		t.Errorf("an echo of %d bytes took %.4f s, want %.4f", n, got, want)
	}
}
