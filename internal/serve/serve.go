// Package serve runs a handler for every client of a listener, within limits.
//
// It stands above the protocol: the handler speaks it, and this package knows
// only that clients are many, slow, hostile or gone. It bounds how many
// sessions there are at once and how long each waits for its peer, keeps a
// handler's panic to its own session, and ends them all in an orderly way. It
// prints nothing; a program learns what happens through Options.Notify. A
// program with a single connection does not need it. Read this file first,
// then conn.go for the time-outs.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"dorcas/internal/wire"
)

// Handler serves one client. It returns when the session is over; conn is
// closed then. ctx is done when the session has to end at once, with
// ErrGrace as the cause. The deadlines of conn are this package's. Goroutines
// that a handler starts must end before it does, and must not panic.
type Handler func(ctx context.Context, conn net.Conn) error

// ErrGrace is the cause of the end of sessions that were still open when the
// grace period was over.
var ErrGrace = errors.New("serve: shutting down, and the grace period is over")

// Options are the limits. Zero means the default.
type Options struct {
	// MaxSessions is how many sessions may be open at once, default 64. A
	// further client is told that the server is busy.
	MaxSessions int
	// Handshake bounds the time from accepting a client to the first answer
	// that the handler writes it, default 10 s.
	Handshake time.Duration
	// Idle bounds the time that a Read or a Write waits for the peer without
	// a byte passing, default 2 min. Time in which the handler does neither
	// does not count; a handler that computes for longer while one of its
	// goroutines is in a Read needs a larger value.
	Idle time.Duration
	// Grace is how long open sessions may go on once Run's ctx is done,
	// default 30 s; negative means not at all.
	Grace time.Duration
	// Notify is called for every event, by several goroutines at once.
	Notify func(Event)
}

// Stats are running totals.
type Stats struct {
	Open   int64 // sessions at the moment
	Total  int64 // sessions ever opened
	Failed int64 // of those, how many ended with an error
	// Refused clients never became a session.
	Refused int64
	// Sent and Received are the bytes of all sessions, before encryption.
	Sent, Received int64
}

// Server serves the clients of one or more listeners.
type Server struct {
	handler  Handler
	opt      Options
	slots    chan struct{} // one element a session
	refusals chan struct{} // one element a client being told no

	open, total, failed, refused, sent, received atomic.Int64
}

// maxRefusals is how many clients are told no at once, each within a second
// or so. Those beyond it are cut off without a word, since a flood of clients
// must not become one of goroutines. LOCAL.
const maxRefusals = 64

// New returns a Server. It starts nothing.
func New(handler Handler, opt *Options) *Server {
	s := &Server{handler: handler, refusals: make(chan struct{}, maxRefusals)}
	if opt != nil {
		s.opt = *opt
	}
	if s.opt.MaxSessions <= 0 {
		s.opt.MaxSessions = 64
	}
	setDefault(&s.opt.Handshake, 10*time.Second)
	setDefault(&s.opt.Idle, 2*time.Minute)
	setDefault(&s.opt.Grace, 30*time.Second)
	if s.opt.Notify == nil {
		s.opt.Notify = func(Event) {}
	}
	s.slots = make(chan struct{}, s.opt.MaxSessions)
	return s
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// Stats returns the totals so far.
func (s *Server) Stats() Stats {
	return Stats{s.open.Load(), s.total.Load(), s.failed.Load(), s.refused.Load(), s.sent.Load(), s.received.Load()}
}

// Run accepts clients until ctx is done. Then it closes the listener, lets
// the sessions go on for the grace period, closes their connections, and
// returns nil when the last handler has returned. It returns an error if the
// listener was closed by somebody else, likewise after the last session.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	sessions, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)

	var all sync.WaitGroup
	err := s.accept(ctx, l, func(conn net.Conn) { s.admit(ctx, sessions, conn, &all) })
	timer := time.AfterFunc(s.opt.Grace, func() { end(ErrGrace) })
	defer timer.Stop()
	all.Wait()
	return err
}

// accept passes on connections until ctx is done or the listener closed.
func (s *Server) accept(ctx context.Context, l net.Listener, admit func(net.Conn)) error {
	const longest = time.Second
	pause := time.Millisecond
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = time.Millisecond
			admit(conn)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("serve: accept: %w", err)
		default:
			// Out of file descriptors, a client that left the queue: it
			// passes, and a server that gave up would not come back.
			s.opt.Notify(Event{Kind: AcceptFailed, Err: err})
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, longest)
		}
	}
}

// admit starts a session, or a refusal, and does not wait for it.
func (s *Server) admit(ctx, sessions context.Context, conn net.Conn, all *sync.WaitGroup) {
	code := wire.CodeClosing
	if ctx.Err() == nil {
		select {
		case s.slots <- struct{}{}:
			all.Go(func() {
				defer func() { <-s.slots }()
				s.session(sessions, conn)
			})
			return
		default:
			code = wire.CodeBusy
		}
	}
	s.refused.Add(1)
	s.opt.Notify(Event{Kind: Refused, Remote: conn.RemoteAddr(), Err: fmt.Errorf("serve: refused: %s", code)})
	select {
	case s.refusals <- struct{}{}:
		all.Go(func() {
			defer func() { <-s.refusals }()
			wire.New(conn).Fail(code)
		})
	default:
		conn.Close()
	}
}

// session runs the handler for one client.
func (s *Server) session(ctx context.Context, raw net.Conn) {
	conn := newConn(raw, s)
	event := Event{Kind: Opened, Session: s.total.Add(1), Remote: raw.RemoteAddr()}
	s.open.Add(1)
	s.opt.Notify(event)

	stop := context.AfterFunc(ctx, func() { conn.Close() })
	event.Kind, event.Err = Closed, s.call(ctx, conn)
	if event.Err != nil && ctx.Err() != nil {
		event.Err = fmt.Errorf("%w: %w", context.Cause(ctx), event.Err)
	}
	stop()
	conn.Close()

	s.open.Add(-1)
	if event.Err != nil {
		s.failed.Add(1)
		event.Kind = Failed
	}
	event.Duration = time.Since(conn.opened)
	event.Sent, event.Received = conn.sent.Load(), conn.received.Load()
	s.opt.Notify(event)
}

// call turns a panic of the handler into an error.
func (s *Server) call(ctx context.Context, conn net.Conn) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return s.handler(ctx, conn)
}
