// Package wire sends and receives framed, counted messages over one
// connection.
//
// It is the bottom of the protocol: two parties that have agreed on a plan
// know the length of every frame before it arrives, so a Recv names the
// length it wants and anything else is an error. A frame is
//
//	kind     1 byte    0 data, 1 error
//	length   4 bytes   little-endian, of the payload
//	payload
//
// A length that the peer sent is compared, and never used to allocate. An
// error frame carries one Code; it is the last frame of its direction, and
// all that a party ever learns of why its peer broke off.
//
// The package knows no cryptography: it neither encrypts nor authenticates,
// which is the work of the connection it is given (package transport). Code
// that computes takes and returns slices and should not use it: only the
// protocol's steps hold a Conn. Read this file first, then end.go for how a
// session ends.
package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// Overhead is the number of bytes that a frame has besides its payload.
const Overhead = 5

// The kinds of frame. AGREED.
const (
	kindData  = 0
	kindError = 1
)

// bufferSize is the size of each direction's buffer: that of a TLS record, so
// that a full buffer is one record. Of payloads that do not fit only as much is
// copied as fills the buffer; it and the rest go out in one write where the
// connection can do that (writev). LOCAL.
const bufferSize = 16 << 10

// Conn is one end of a framed connection. One goroutine may send while
// another receives; the counts may be read by any.
type Conn struct {
	rw io.ReadWriteCloser

	sending sync.Mutex // guards the next four
	out     []byte     // not written yet, at most bufferSize
	rows    [2][]byte
	writing net.Buffers // part of rows
	failed  error       // of an earlier write

	receiving sync.Mutex // guards r, got, broken
	r         *bufio.Reader
	got       [Overhead]byte
	broken    error // the first error of a Recv: there is no frame after it

	why    atomic.Pointer[error] // why this side ended the connection
	closed sync.Once
	result error // of closing rw

	sent, received, rounds atomic.Int64
	asked                  atomic.Bool // sent since the last Recv
}

// New returns a Conn over rw, which it owns from now on.
func New(rw io.ReadWriteCloser) *Conn {
	return &Conn{
		rw: rw,
		r:  bufio.NewReaderSize(rw, bufferSize),
	}
}

// Send sends p as one data frame; p may be empty and has at most 2^32 − 1
// bytes. Short frames wait in a buffer until Flush, or until the next Recv
// that finds no Send under way. p may be reused when Send returns.
func (c *Conn) Send(p []byte) error {
	if err := c.Post(p); err != nil {
		return err
	}
	c.asked.Store(true)
	return nil
}

// Post is Send for a frame beside an exchange that goes on in the other
// direction: the next Recv does not wait for an answer to it, so it neither
// flushes nor counts a round. Who posts, flushes.
func (c *Conn) Post(p []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	if err := c.write(kindData, p); err != nil {
		return c.fault("send", err)
	}
	return nil
}

// Flush writes out what Send has buffered.
func (c *Conn) Flush() error {
	c.sending.Lock()
	defer c.sending.Unlock()
	if c.why.Load() != nil {
		return c.fault("flush", io.ErrClosedPipe)
	}
	if err := c.flush(nil); err != nil {
		return c.fault("flush", err)
	}
	return nil
}

// flush writes what is buffered, then p. It needs sending held.
func (c *Conn) flush(p []byte) error {
	if c.failed != nil || len(c.out)+len(p) == 0 {
		return c.failed
	}
	c.rows = [2][]byte{c.out, p}
	c.writing = c.rows[:1+min(len(p), 1)]
	_, c.failed = c.writing.WriteTo(c.rw)
	c.out, c.rows = c.out[:0], [2][]byte{}
	return c.failed
}

// write needs sending held.
func (c *Conn) write(kind byte, p []byte) error {
	if uint64(len(p)) > math.MaxUint32 {
		return fmt.Errorf("a payload of %d bytes does not fit in a frame", len(p))
	}
	if c.why.Load() != nil && kind != kindError {
		return io.ErrClosedPipe
	}
	if c.out == nil {
		c.out = make([]byte, 0, bufferSize)
	}
	if len(c.out)+Overhead > bufferSize {
		if err := c.flush(nil); err != nil {
			return err
		}
	}
	c.out = append(c.out, kind)
	c.out = binary.LittleEndian.AppendUint32(c.out, uint32(len(p)))
	fits := min(len(p), bufferSize-len(c.out))
	c.out = append(c.out, p[:fits]...)
	if c.failed != nil {
		return c.failed
	}
	if fits < len(p) {
		if err := c.flush(p[fits:]); err != nil {
			return err
		}
	}
	c.sent.Add(int64(Overhead + len(p)))
	return nil
}

// Recv reads the next frame into p. It must be a data frame of exactly len(p)
// bytes: any other is an error that names both, an error frame a *PeerError.
// The error wraps io.EOF if the peer went away between two frames and
// io.ErrUnexpectedEOF if it did so within one. No frame can be received after
// an error: every later call returns the same.
func (c *Conn) Recv(p []byte) error {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	n, err := c.next()
	if err != nil {
		return err
	}
	if n != int64(len(p)) {
		return c.breakOff(fmt.Errorf("expected a data frame of %d bytes, got one of %d bytes", len(p), n))
	}
	if _, err := io.ReadFull(c.r, p); err != nil {
		return c.breakOff(midFrame(err))
	}
	c.received.Add(Overhead + n)
	return nil
}

// RecvMax returns the payload of the next frame, which must be a data frame
// of at most max bytes; otherwise it is as Recv. It is for the few frames
// whose length the plan does not fix, those of the handshake. Memory grows
// with what has arrived and not with what the frame's length promises.
func (c *Conn) RecvMax(max int) ([]byte, error) {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	n, err := c.next()
	if err != nil {
		return nil, err
	}
	if n > int64(max) {
		return nil, c.breakOff(fmt.Errorf("expected a data frame of at most %d bytes, got one of %d bytes", max, n))
	}
	p, err := io.ReadAll(io.LimitReader(c.r, n))
	if err == nil && int64(len(p)) < n {
		err = io.EOF
	}
	if err != nil {
		return nil, c.breakOff(midFrame(err))
	}
	c.received.Add(Overhead + n)
	return p, nil
}

// next flushes, counts the round, and reads the head of a data frame. It
// returns the length of the payload that follows. It needs receiving held.
func (c *Conn) next() (int64, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	if c.why.Load() != nil {
		return 0, c.breakOff(io.ErrClosedPipe)
	}
	if c.asked.Swap(false) {
		c.rounds.Add(1)
		if c.sending.TryLock() {
			err := c.flush(nil)
			c.sending.Unlock()
			if err != nil {
				return 0, c.breakOff(err)
			}
		}
	}
	if n, err := io.ReadFull(c.r, c.got[:]); err != nil {
		if n > 0 {
			err = midFrame(err)
		}
		return 0, c.breakOff(err)
	}
	n := int64(binary.LittleEndian.Uint32(c.got[1:]))
	switch kind := c.got[0]; {
	case kind == kindData:
		return n, nil
	case kind == kindError && n == 1:
		code, err := c.r.ReadByte()
		if err != nil {
			return 0, c.breakOff(midFrame(err))
		}
		c.received.Add(Overhead + 1)
		return 0, c.breakOff(&PeerError{Code(code)})
	default:
		return 0, c.breakOff(fmt.Errorf("expected a data frame, got one of kind %d and %d bytes", kind, n))
	}
}

// breakOff makes err the result of this and every later Recv. It needs
// receiving held.
func (c *Conn) breakOff(err error) error {
	c.broken = c.fault("recv", err)
	return c.broken
}

// fault says what failed, and that it is our doing if this side ended the
// connection.
func (c *Conn) fault(what string, err error) error {
	if why := c.why.Load(); why != nil {
		return fmt.Errorf("wire: %s: %w", what, *why)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("wire: %s: the peer closed the connection: %w", what, err)
	}
	return fmt.Errorf("wire: %s: %w", what, err)
}

// midFrame makes the ways in which a peer goes away wrap
// io.ErrUnexpectedEOF.
func midFrame(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the peer went away within a frame: %w", io.ErrUnexpectedEOF)
	case errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("the peer went away within a frame: %w: %w", io.ErrUnexpectedEOF, err)
	}
	return err
}

// Count is a running total.
type Count struct {
	// Sent and Received are bytes of whole frames, Overhead included. A
	// frame counts as sent once Send has taken it.
	Sent, Received int64
	// Rounds is how often this side waited for the peer's reaction: the
	// number of Recv that came after at least one Send since the previous.
	Rounds int
}

// Sub returns what was added since an earlier count.
func (n Count) Sub(earlier Count) Count {
	return Count{n.Sent - earlier.Sent, n.Received - earlier.Received, n.Rounds - earlier.Rounds}
}

// Count returns the totals so far.
func (c *Conn) Count() Count {
	return Count{Sent: c.sent.Load(), Received: c.received.Load(), Rounds: int(c.rounds.Load())}
}
