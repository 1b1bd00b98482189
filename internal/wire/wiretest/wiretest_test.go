package wiretest_test

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dorcas/internal/wire"
	"dorcas/internal/wire/wiretest"
)

// TestBothWriteFirst checks the property that the pipe is for.
func TestBothWriteFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		party := func(c *wire.Conn) error {
			if err := c.Send([]byte("after you")); err != nil {
				return err
			}
			if err := c.Flush(); err != nil {
				return err
			}
			return c.Recv(make([]byte, 9))
		}
		a, b := wiretest.Pipe()
		ea, eb := wiretest.Meet(a, b, party, party)
		if !errors.Is(ea, wiretest.ErrStuck) || !errors.Is(eb, wiretest.ErrStuck) {
			t.Errorf("errors %v and %v, want both stuck", ea, eb)
		}
		if time.Since(start) != wiretest.Patience {
			t.Errorf("took %v", time.Since(start))
		}
	})
}

func TestMeetCloses(t *testing.T) {
	a, b := wiretest.Pipe()
	gone := errors.New("gone")
	ea, eb := wiretest.Meet(a, b,
		func(*wire.Conn) error { return gone },
		func(c *wire.Conn) error { return c.Recv(make([]byte, 1)) })
	if ea != gone || !errors.Is(eb, io.EOF) {
		t.Error(ea, eb)
	}
}

func TestRecorder(t *testing.T) {
	a, b := wiretest.Pipe()
	r := wiretest.Record(a)
	var wrote sync.WaitGroup
	wrote.Go(func() { io.WriteString(r, "question") })
	io.ReadFull(b, make([]byte, 8))
	wrote.Wait()
	go io.WriteString(b, "answer")
	io.ReadFull(r, make([]byte, 6))
	b.Close()
	io.WriteString(r, "lost")
	for _, want := range []string{"question/answer", "/"} {
		sent, received := r.Take()
		if got := string(sent) + "/" + string(received); got != want {
			t.Errorf("recorded %q, want %q", got, want)
		}
	}
}

type sink struct {
	bytes.Buffer
	closed bool
}

func (s *sink) Close() error { s.closed = true; return nil }

// TestInject writes one text in pieces of every length.
func TestInject(t *testing.T) {
	const text = "abcdefgh"
	cases := []struct {
		fault wiretest.Fault
		want  string
		ends  bool
	}{
		{wiretest.Fault{Kind: wiretest.Truncate, At: 0}, "", true},
		{wiretest.Fault{Kind: wiretest.Truncate, At: 3}, "abc", true},
		{wiretest.Fault{Kind: wiretest.Close, At: 0}, "", true},
		{wiretest.Fault{Kind: wiretest.Close, At: 5}, "abcde", true},
		{wiretest.Fault{Kind: wiretest.Close, At: 8}, text, false},
		{wiretest.Fault{Kind: wiretest.Flip, At: 0}, "`bcdefgh", false},
		{wiretest.Fault{Kind: wiretest.Flip, At: 7, Bit: 5}, "abcdefgH", false},
		{wiretest.Fault{Kind: wiretest.Flip, At: 8}, text, false},
		{wiretest.Fault{Kind: wiretest.Insert, At: 0, Len: 2}, "**abcdefgh", false},
		{wiretest.Fault{Kind: wiretest.Insert, At: 7, Len: 3, Seed: 9}, "abcdefg***h", false},
	}
	for _, tc := range cases {
		for piece := 1; piece <= len(text); piece++ {
			var s sink
			rw := wiretest.Inject(&s, tc.fault)
			var err error
			for rest := []byte(text); len(rest) > 0 && err == nil; {
				n := min(piece, len(rest))
				var wrote int
				if wrote, err = rw.Write(rest[:n]); err == nil && wrote != n {
					t.Fatalf("%v: wrote %d of %d without an error", tc.fault, wrote, n)
				}
				rest = rest[n:]
			}
			if wantErr := tc.fault.Kind == wiretest.Close && tc.ends; (err != nil) != wantErr {
				t.Errorf("%v in pieces of %d: error %v", tc.fault, piece, err)
			}
			if s.closed != tc.ends {
				t.Errorf("%v in pieces of %d: closed %v", tc.fault, piece, s.closed)
			}
			if !matches(s.String(), tc.want) {
				t.Errorf("%v in pieces of %d: %q, want %q", tc.fault, piece, &s.Buffer, tc.want)
			}
		}
	}
}

// matches compares with a pattern in which a star is any byte.
func matches(s, pattern string) bool {
	if len(s) != len(pattern) {
		return false
	}
	for i := range len(s) {
		if pattern[i] != '*' && pattern[i] != s[i] {
			return false
		}
	}
	return true
}
