// Package wiretest lets the two parties of a protocol meet in a test.
//
// Pipe is the connection they meet on: unbuffered, so that a step in which
// both parties write first hangs in the test and not in production. Meet runs
// both parties; Record keeps what passed, for golden transcripts and for tests
// of what each party sees; Inject breaks the connection at a chosen byte.
// Only tests should use it. Read this file first, then fault.go.
package wiretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"dorcas/internal/wire"
)

// Pipe returns the two ends of an unbuffered connection in memory: a Write
// returns when the other end has read all of it. Ends support deadlines and
// may be used by several goroutines.
func Pipe() (client, server net.Conn) { return net.Pipe() }

// Patience is how long Meet waits. It only has to tell slow from stuck.
const Patience = time.Minute

// ErrStuck is what Meet returns for both parties when its patience is over.
var ErrStuck = errors.New("wiretest: the parties wait for each other")

// Meet runs the two parties concurrently, each on its end of a connection,
// and returns their errors when both have returned. An end is closed when its
// party returns, so that the other one does not wait in vain; when Patience
// is over both are closed, and the errors wrap ErrStuck.
func Meet(a, b io.ReadWriteCloser, client, server func(*wire.Conn) error) (clientErr, serverErr error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	party := func(rw io.ReadWriteCloser, do func(*wire.Conn) error) error {
		c := wire.New(rw)
		defer c.Close()
		defer c.Bind(ctx)()
		err := do(c)
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ErrStuck, err)
		}
		return err
	}
	var both sync.WaitGroup
	both.Go(func() { clientErr = party(a, client) })
	both.Go(func() { serverErr = party(b, server) })
	both.Wait()
	return clientErr, serverErr
}

// Recorder passes everything on and keeps a copy.
type Recorder struct {
	io.ReadWriteCloser
	mu             sync.Mutex
	sent, received bytes.Buffer
}

// Record returns a Recorder of what is written to and read from rw.
func Record(rw io.ReadWriteCloser) *Recorder { return &Recorder{ReadWriteCloser: rw} }

// Read reads from the connection.
func (r *Recorder) Read(p []byte) (int, error) {
	n, err := r.ReadWriteCloser.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.received.Write(p[:n])
	return n, err
}

// Write writes to the connection.
func (r *Recorder) Write(p []byte) (int, error) {
	n, err := r.ReadWriteCloser.Write(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent.Write(p[:n])
	return n, err
}

// Take returns the bytes that passed in each direction since the last Take.
// Bytes still in the buffer of a wire.Conn have not passed: flush it before a
// step's transcript is taken.
func (r *Recorder) Take() (sent, received []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent, received = bytes.Clone(r.sent.Bytes()), bytes.Clone(r.received.Bytes())
	r.sent.Reset()
	r.received.Reset()
	return sent, received
}
