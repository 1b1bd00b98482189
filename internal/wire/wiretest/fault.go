package wiretest

import (
	"bytes"
	"io"
	"math/rand/v2"
	"sync"
)

// Kind is a way in which a connection fails.
type Kind uint8

// The kinds. Truncate and Close differ for the writer only: the peer sees the
// stream end.
const (
	Truncate Kind = iota // the stream ends at byte At; the writer is told that all went well
	Close                // the connection is closed at byte At; the writer gets io.ErrClosedPipe
	Flip                 // bit Bit of byte At is flipped
	Insert               // Len random bytes come before byte At
)

// String returns the kind's name.
func (k Kind) String() string { return [...]string{"truncate", "close", "flip", "insert"}[k] }

// Fault is one failure of one direction of a connection.
type Fault struct {
	Kind Kind
	At   int64  // counts the bytes written, from 0
	Bit  uint8  // for Flip: 0 to 7
	Len  int    // for Insert
	Seed uint64 // for Insert: where the random bytes come from
}

// Inject returns rw with the fault in what is written to it. A stream shorter
// than At passes unharmed.
func Inject(rw io.ReadWriteCloser, f Fault) io.ReadWriteCloser {
	return &faulty{ReadWriteCloser: rw, fault: f}
}

type faulty struct {
	io.ReadWriteCloser
	fault Fault
	mu    sync.Mutex
	pos   int64
}

// Write passes p on, with the fault if it falls within p.
func (f *faulty) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.fault.At - f.pos // within p if 0 ≤ at < len(p)
	f.pos += int64(len(p))
	if at >= int64(len(p)) {
		return f.ReadWriteCloser.Write(p)
	}
	switch f.fault.Kind {
	case Truncate, Close:
		return f.cut(p, at)
	}
	if at < 0 {
		return f.ReadWriteCloser.Write(p)
	}
	q := bytes.Clone(p) // a Writer must not change the caller's bytes
	if f.fault.Kind == Flip {
		q[at] ^= 1 << (f.fault.Bit % 8)
	} else {
		q = append(append(q[:at:at], noise(f.fault.Seed, f.fault.Len)...), p[at:]...)
	}
	if _, err := f.ReadWriteCloser.Write(q); err != nil {
		return 0, err
	}
	return len(p), nil
}

// cut ends the stream after p[:at]; at is negative if it has ended before.
func (f *faulty) cut(p []byte, at int64) (int, error) {
	if at > 0 {
		if n, err := f.ReadWriteCloser.Write(p[:at]); err != nil {
			return n, err
		}
	}
	if at >= 0 {
		f.ReadWriteCloser.Close()
	}
	if f.fault.Kind == Truncate {
		return len(p), nil
	}
	return int(max(at, 0)), io.ErrClosedPipe
}

func noise(seed uint64, n int) []byte {
	src := rand.New(rand.NewPCG(seed, 0))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(src.Uint32())
	}
	return p
}
