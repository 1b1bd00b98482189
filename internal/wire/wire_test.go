package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"dorcas/internal/wire"
	"dorcas/internal/wire/wiretest"
)

// edges are the lengths around which a frame changes its way through the
// buffers of 16384 bytes.
var edges = []int{0, 1, 4, 5, 16378, 16379, 16380, 16383, 16384, 16385, 32768, 100_000}

func random(n int) []byte {
	src := rand.New(rand.NewPCG(1, uint64(n)))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(src.Uint32())
	}
	return p
}

// frame is the format once more, built by hand.
func frame(kind byte, p []byte) []byte {
	f := append([]byte{kind}, binary.LittleEndian.AppendUint32(nil, uint32(len(p)))...)
	return append(f, p...)
}

// stream is a connection that yields fixed bytes and takes any.
type stream struct{ in, out bytes.Buffer }

func (s *stream) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *stream) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s *stream) Close() error                { return nil }

func reader(p []byte) *wire.Conn { return wire.New(&stream{in: *bytes.NewBuffer(p)}) }

func TestFormat(t *testing.T) {
	var s stream
	c := wire.New(&s)
	c.Send([]byte{7, 8, 9})
	c.Send(nil)
	if s.out.Len() != 0 {
		t.Fatalf("%d bytes were written before Flush", s.out.Len())
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	want := []byte{0, 3, 0, 0, 0, 7, 8, 9, 0, 0, 0, 0, 0}
	if !bytes.Equal(s.out.Bytes(), want) {
		t.Fatalf("wrote %v, want %v", s.out.Bytes(), want)
	}
	s = stream{}
	wire.New(&s).Fail(wire.CodeBusy)
	if want := []byte{1, 1, 0, 0, 0, 4}; !bytes.Equal(s.out.Bytes(), want) {
		t.Fatalf("Fail wrote %v, want %v", s.out.Bytes(), want)
	}
}

// TestRoundTrip sends every pair of edge lengths one after the other, over a
// pipe that delivers exactly what was written.
func TestRoundTrip(t *testing.T) {
	a, b := wiretest.Pipe()
	recorded := wiretest.Record(a)
	var want []byte
	clientErr, serverErr := wiretest.Meet(recorded, b, func(c *wire.Conn) error {
		for _, n := range edges {
			for _, m := range edges {
				for _, p := range [][]byte{random(n), random(m)} {
					if err := c.Send(p); err != nil {
						return err
					}
					want = append(want, frame(0, p)...)
				}
			}
		}
		return c.Flush()
	}, func(c *wire.Conn) error {
		for _, n := range edges {
			for _, m := range edges {
				p, q := make([]byte, n), []byte(nil)
				if err := c.Recv(p); err != nil {
					return err
				}
				q, err := c.RecvMax(m)
				if err != nil {
					return err
				}
				if !bytes.Equal(p, random(n)) || !bytes.Equal(q, random(m)) {
					return fmt.Errorf("frames of %d and %d bytes changed on their way", n, m)
				}
			}
		}
		return nil
	})
	if clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	if sent, received := recorded.Take(); !bytes.Equal(sent, want) || len(received) != 0 {
		t.Fatal("the bytes on the wire are not the frames one after the other")
	}
}

func TestRecvErrors(t *testing.T) {
	data := frame(0, []byte("abcd"))
	cases := []struct {
		name  string
		bytes []byte
		want  string
		is    error
	}{
		{"longer", frame(0, []byte("abcde")), "expected a data frame of 4 bytes, got one of 5 bytes", nil},
		{"shorter", frame(0, []byte("abc")), "expected a data frame of 4 bytes, got one of 3 bytes", nil},
		{"huge", []byte{0, 255, 255, 255, 255}, "got one of 4294967295 bytes", nil},
		{"kind", frame(2, []byte("abcd")), "got one of kind 2 and 4 bytes", nil},
		{"long error frame", frame(1, []byte("ab")), "got one of kind 1 and 2 bytes", nil},
		{"empty error frame", frame(1, nil), "got one of kind 1 and 0 bytes", nil},
		{"error frame", frame(1, []byte{3}), "ended the session: model", nil},
		{"unknown code", frame(1, []byte{77}), "ended the session: code 77", nil},
		{"code zero", frame(1, []byte{0}), "ended the session: code 0", nil},
		{"error frame cut", frame(1, []byte{3})[:5], "within a frame", io.ErrUnexpectedEOF},
		{"nothing", nil, "closed the connection", io.EOF},
		{"head cut", data[:1], "within a frame", io.ErrUnexpectedEOF},
		{"head only", data[:5], "within a frame", io.ErrUnexpectedEOF},
		{"payload cut", data[:8], "within a frame", io.ErrUnexpectedEOF},
	}
	recv := map[string]func(*wire.Conn) error{
		"Recv":    func(c *wire.Conn) error { return c.Recv(make([]byte, 4)) },
		"RecvMax": func(c *wire.Conn) error { _, err := c.RecvMax(4); return err },
	}
	for _, tc := range cases {
		for name, recv := range recv {
			if name == "RecvMax" && tc.name == "shorter" {
				continue
			}
			t.Run(name+"/"+tc.name, func(t *testing.T) {
				c := reader(append(bytes.Clone(tc.bytes), data...)[:len(tc.bytes)])
				err := recv(c)
				want := strings.Replace(tc.want, "expected a data frame of 4", "expected a data frame of at most 4", strings.Count(name, "Max"))
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want %q", err, want)
				}
				for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} {
					if errors.Is(err, end) != (tc.is == end) {
						t.Errorf("%v: errors.Is %v is %v", err, end, tc.is != end)
					}
				}
				if again := recv(c); again != err {
					t.Errorf("the next error was %v, want the same", again)
				}
			})
		}
	}
	var peer *wire.PeerError
	if err := reader(frame(1, []byte{4})).Recv(nil); !errors.As(err, &peer) || peer.Code != wire.CodeBusy {
		t.Errorf("error %v, want a PeerError with code busy", err)
	}
}

// TestStreamAfterError checks that nothing is taken for a frame once frames
// are out of step.
func TestStreamAfterError(t *testing.T) {
	c := reader(append(frame(0, []byte("long")), frame(0, []byte("ok"))...))
	if err := c.Recv(make([]byte, 3)); err == nil {
		t.Fatal("a frame of another length was taken")
	}
	if _, err := c.RecvMax(100); err == nil {
		t.Fatal("a frame was received after an error")
	}
}

// TestCut ends a stream at every byte.
func TestCut(t *testing.T) {
	whole := append(frame(0, random(3)), frame(0, random(20_000))...)
	boundary := map[int]bool{0: true, 8: true}
	for n := range len(whole) {
		if n > 40 && n < len(whole)-40 && n%997 != 0 {
			continue
		}
		a, b := wiretest.Pipe()
		kind := []wiretest.Kind{wiretest.Truncate, wiretest.Close}[n%2]
		_, err := wiretest.Meet(wiretest.Inject(a, wiretest.Fault{Kind: kind, At: int64(n)}), b, func(c *wire.Conn) error {
			c.Send(random(3))
			c.Send(random(20_000))
			return c.Flush()
		}, func(c *wire.Conn) error {
			if err := c.Recv(make([]byte, 3)); err != nil {
				return err
			}
			return c.Recv(make([]byte, 20_000))
		})
		want := io.ErrUnexpectedEOF
		if boundary[n] {
			want = io.EOF
		}
		if !errors.Is(err, want) {
			t.Fatalf("cut at byte %d: %v, want %v", n, err, want)
		}
	}
}

// TestPeersLength checks that memory follows what has arrived, not what a
// frame's length promises.
func TestPeersLength(t *testing.T) {
	promise := append([]byte{0, 0, 0, 0, 64}, random(1000)...) // 1 GiB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := reader(promise).RecvMax(2 << 30 >> 1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Fatalf("%d bytes were allocated for 1000 that arrived", n)
	}
}

// slices records where the connection was asked to read to and write from.
type slices struct {
	src   []byte
	read  map[*byte]int
	wrote map[*byte]int
}

func (s *slices) Read(p []byte) (int, error) {
	n := copy(p, s.src)
	s.src = s.src[n:]
	s.read[&p[0]] = n
	return n, nil
}
func (s *slices) Write(p []byte) (int, error) { s.wrote[&p[0]] = len(p); return len(p), nil }
func (s *slices) Close() error                { return nil }

func TestZeroCopy(t *testing.T) {
	p := random(1 << 20)
	s := &slices{src: frame(0, p), read: map[*byte]int{}, wrote: map[*byte]int{}}
	c := wire.New(s)
	const copied = 16<<10 - wire.Overhead // what fills the buffer
	if err := c.Send(p); err != nil || s.wrote[&p[copied]] != len(p)-copied {
		t.Errorf("%d bytes were written from the caller's slice, want all but %d (%v)", s.wrote[&p[copied]], copied, err)
	}
	q := make([]byte, len(p))
	if err := c.Recv(q); err != nil || !bytes.Equal(p, q) {
		t.Fatal(err)
	}
	direct := 0
	for i := range q {
		direct += s.read[&q[i]]
	}
	if direct < len(q)-2*16384 {
		t.Errorf("%d bytes were read straight into the caller's slice", direct)
	}
}

// loop sends everything back.
type loop struct{ bytes.Buffer }

func (*loop) Close() error { return nil }

func TestNoAllocation(t *testing.T) {
	c := wire.New(&loop{})
	for _, n := range []int{0, 100, 40_000} {
		p := make([]byte, n)
		allocs := testing.AllocsPerRun(100, func() {
			if c.Send(p) != nil || c.Recv(p) != nil {
				t.Fatal("lost a frame")
			}
		})
		if allocs != 0 {
			t.Errorf("%d bytes there and back: %v allocations", n, allocs)
		}
	}
}
