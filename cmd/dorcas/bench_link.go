package main

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	// pieceSize is the most that enters a line at once: the depth of its
	// token bucket. LOCAL.
	pieceSize = 8 << 10
	// backlog is how much may wait before a line that is busy, as in the
	// buffers of a socket. LOCAL.
	backlog = 1 << 20
)

// shaped is a connection as it would be over a link: each direction has the
// link's bandwidth, and half its round-trip time passes between the end of a
// piece's transmission and its arrival. What Close finds on the way is lost.
// One goroutine may read while another writes.
//
// It passes for the connection that package dorcas takes, but has no
// deadlines: those of conn would be of the wrong end of the line.
type shaped struct {
	conn     net.Conn
	up, down *line
	closing  sync.Once
	closed   chan struct{}
	result   error // of closing conn
}

// newShaped returns conn over the link. It owns conn from now on.
func newShaped(conn net.Conn, l link) *shaped {
	s := &shaped{conn: conn, closed: make(chan struct{})}
	s.up, s.down = newLine(l, s.closed), newLine(l, s.closed)
	go s.send()
	go s.receive()
	return s
}

// Read returns what has arrived, at least a byte or an error.
func (s *shaped) Read(p []byte) (int, error) { return s.down.take(p) }

// Write returns when p has entered the line, which may be before it arrives:
// an error of the connection is that of a later call.
func (s *shaped) Write(p []byte) (int, error) { return s.up.enter(p) }

// Close closes the connection and ends calls that are blocked.
func (s *shaped) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		s.result = s.conn.Close()
	})
	return s.result
}

// send passes on what comes out of the line towards the peer.
func (s *shaped) send() {
	buf := make([]byte, pieceSize)
	for {
		n, err := s.up.take(buf)
		if err == nil {
			_, err = s.conn.Write(buf[:n])
		}
		if err != nil {
			s.up.end(err)
			return
		}
	}
}

// receive puts what comes from the peer into the line towards us.
func (s *shaped) receive() {
	buf := make([]byte, pieceSize)
	for {
		n, err := s.conn.Read(buf)
		if n > 0 {
			if _, err := s.down.enter(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			s.down.end(err)
			return
		}
	}
}

// line is one direction of a link: a token bucket that sends at a rate, and a
// delay. Times are computed from times, so that the errors of sleeping do not
// add up.
type line struct {
	rate   float64 // bytes a second
	delay  time.Duration
	closed <-chan struct{}

	mu    sync.Mutex
	free  time.Time     // when all that entered is sent
	queue []piece       // on the way
	err   error         // that follows the queue
	some  chan struct{} // has an element if queue or err may have become non-empty
}

// piece is data on the way.
type piece struct {
	data    []byte
	arrives time.Time
}

func newLine(l link, closed <-chan struct{}) *line {
	delay := time.Duration(l.RoundTrip / 2 * float64(time.Second))
	return &line{rate: l.BitsPerS / 8, delay: delay, closed: closed, some: make(chan struct{}, 1)}
}

// enter puts p into the line. It blocks while more than a backlog waits there.
func (l *line) enter(p []byte) (n int, err error) {
	for n < len(p) {
		busy, err := l.push(p[n:min(len(p), n+pieceSize)])
		if err != nil {
			return n, err
		}
		n = min(len(p), n+pieceSize)
		if err := l.sleep(busy - l.sending(backlog)); err != nil {
			return n, err
		}
	}
	return n, nil
}

// push appends a piece, at most pieceSize bytes, and returns for how long the
// line is busy now.
func (l *line) push(p []byte) (busy time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	now := time.Now()
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(l.sending(len(p)))
	l.queue = append(l.queue, piece{append([]byte(nil), p...), l.free.Add(l.delay)})
	l.signal()
	return l.free.Sub(now), nil
}

// take waits for what comes out of the line first.
func (l *line) take(p []byte) (int, error) {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			err := l.err
			l.mu.Unlock()
			if err != nil {
				return 0, err
			}
			select {
			case <-l.some:
				continue
			case <-l.closed:
				return 0, net.ErrClosed
			}
		}
		first := &l.queue[0]
		wait := time.Until(first.arrives)
		if wait <= 0 {
			n := copy(p, first.data)
			if first.data = first.data[n:]; len(first.data) == 0 {
				*first = piece{}
				l.queue = l.queue[1:]
			}
			l.mu.Unlock()
			return n, nil
		}
		l.mu.Unlock()
		if err := l.sleep(wait); err != nil {
			return 0, err
		}
	}
}

// end lets err follow what is on the way.
func (l *line) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	l.signal()
}

func (l *line) signal() {
	select {
	case l.some <- struct{}{}:
	default:
	}
}

// sending is how long the line takes to send n bytes.
func (l *line) sending(n int) time.Duration {
	return time.Duration(float64(n) / l.rate * float64(time.Second))
}

// sleep waits, unless the line is closed before.
func (l *line) sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.closed:
		return net.ErrClosed
	}
}

var _ io.ReadWriteCloser = (*shaped)(nil)
