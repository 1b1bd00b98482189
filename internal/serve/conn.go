package serve

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// chunk is how much of a Write has to pass within the idle time-out, and so
// with it the least rate that a peer may read at. LOCAL.
const chunk = 256 << 10

// conn is a session's connection. Each Read and Write sets the deadline of
// both directions: a peer that is taking what we send is not idle, though
// another goroutine waits for it to say something. A deadline counts within a
// call only, and so never while we compute.
//
// Until the handler has first answered something that it read, the deadline
// is that of the handshake and stays where it is: a client that sends a byte
// now and then does not move it. An answer means that the handler has
// accepted what the client began with. The handshake of TLS is part of it,
// since it happens in the first Read or Write.
type conn struct {
	net.Conn
	server *Server
	opened time.Time

	asked, answered atomic.Bool // the peer sent something; we did, thereafter
	sent, received  atomic.Int64
}

func newConn(raw net.Conn, s *Server) *conn {
	return &conn{Conn: raw, server: s, opened: time.Now()}
}

// extend moves the deadline on.
func (c *conn) extend() {
	if c.answered.Load() {
		c.SetDeadline(time.Now().Add(c.server.opt.Idle))
	} else {
		c.SetDeadline(c.opened.Add(c.server.opt.Handshake))
	}
}

// Read reads, and fails if nothing comes in time.
func (c *conn) Read(p []byte) (int, error) {
	c.extend()
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.asked.Store(true)
		c.received.Add(int64(n))
		c.server.received.Add(int64(n))
	}
	return n, c.explain(err)
}

// Write writes, and fails if the peer does not take a chunk in time.
func (c *conn) Write(p []byte) (n int, err error) {
	if c.asked.Load() {
		c.answered.Store(true)
	}
	for first := true; first || len(p) > 0; first = false {
		c.extend()
		wrote, err := c.Conn.Write(p[:min(chunk, len(p))])
		p, n = p[wrote:], n+wrote
		c.sent.Add(int64(wrote))
		c.server.sent.Add(int64(wrote))
		if err != nil {
			return n, c.explain(err)
		}
	}
	return n, nil
}

// CloseWrite tells the peer that no more is coming, if the connection can.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// explain says which time-out it was.
func (c *conn) explain(err error) error {
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case c.answered.Load():
		return fmt.Errorf("serve: the peer was idle for %v: %w", c.server.opt.Idle, err)
	}
	return fmt.Errorf("serve: no handshake within %v: %w", c.server.opt.Handshake, err)
}
