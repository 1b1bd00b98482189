package ot

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"dorcas/internal/block"
)

var depths = []int{1, 2, 4, 8}

func testSeed(i uint64) *[32]byte {
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], i)
	copy(s[8:], "a seed for tests only")
	return &s
}

func testRandom(i uint64) *rand.Rand { return rand.New(rand.NewChaCha8(*testSeed(i))) }

// A dealer hands out what an honest set-up ends with, so that the extension can be
// tested without one: random leaves for the client, and for the server the same
// without its own, in the server's order.
type dealer struct {
	k      int
	ctx    *context
	delta  block.Block
	leaves []block.Block // the client's: leaf x of tree i at i·2^k + x
}

func newDealer(k int, seed uint64) *dealer {
	r := testRandom(seed)
	d := &dealer{k: k, ctx: newContext(k, testSeed(seed))}
	d.delta = block.Block{Lo: r.Uint64() | 1, Hi: r.Uint64()}
	d.leaves = make([]block.Block, kappa/k<<k)
	for i := range d.leaves {
		d.leaves[i] = block.Block{Lo: r.Uint64(), Hi: r.Uint64()}
	}
	return d
}

func (d *dealer) alpha(i int) int { return alphaOf(d.delta, d.k, i) }

// alphaOf is the value of tree i's bits of Δ.
func alphaOf(delta block.Block, k, i int) int {
	a := 0
	for b := range k {
		a |= int(deltaBit(delta, i*k+b)) << b
	}
	return a
}

func (d *dealer) receiver() *Receiver { return newReceiver(d.ctx, d.k, d.leaves) }

func (d *dealer) sender() *Sender {
	known := make([]block.Block, len(d.leaves))
	for i := range kappa / d.k {
		for y := 1; y < 1<<d.k; y++ {
			known[i<<d.k+y] = d.leaves[i<<d.k+(y^d.alpha(i))]
		}
	}
	return newSender(d.ctx, d.k, d.delta, known)
}

// A batch is the outcome of one Extend on both sides.
type batch struct {
	m, k    []block.Block
	choices []byte
	msg     []byte
}

func (b *batch) choice(i int) uint64 { return uint64(b.choices[i/8]>>(i%8)) & 1 }

func receive(r *Receiver, n int) *batch {
	b := &batch{
		m:       make([]block.Block, n),
		k:       make([]block.Block, n),
		choices: make([]byte, (n+7)/8),
		msg:     make([]byte, extendSize(r.k, n)),
	}
	r.Extend(b.m, b.choices, b.msg)
	return b
}

// extend runs one Extend and compares it with the definition.
func extend(t *testing.T, r *Receiver, s *Sender, n int) *batch {
	t.Helper()
	b := receive(r, n)
	if err := s.Extend(b.k, b.msg); err != nil {
		t.Fatalf("n=%d: %v", n, err)
	}
	b.verify(t, s.Delta())
	return b
}

func (b *batch) verify(t *testing.T, delta block.Block) {
	t.Helper()
	for i := range b.m {
		if b.m[i] != b.k[i].Xor(delta.And(b.choice(i))) {
			t.Fatalf("n=%d: correlation %d does not hold", len(b.m), i)
		}
	}
	if n := len(b.m); n%8 != 0 && b.choices[n/8]>>(n%8) != 0 {
		t.Errorf("n=%d: bits past the last choice are not zero", n)
	}
}

// setUp runs a seeded set-up of depth k.
func setUp(t testing.TB, k int, seed uint64) (*Receiver, *Sender) {
	t.Helper()
	session := testSeed(seed)
	rs, msg1 := newReceiverSetup(k, session, testSeed(seed+1))
	ss, msg2, err := newSenderSetup(k, session, testSeed(seed+2), msg1)
	if err != nil {
		t.Fatal(err)
	}
	r, msg3, err := rs.Finish(msg2)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ss.Finish(msg3)
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

func TestSession(t *testing.T) {
	for _, k := range depths {
		t.Run(fmt.Sprint("k=", k), func(t *testing.T) {
			r, s := setUp(t, k, 10)
			if s.Delta().Bit() != 1 {
				t.Error("bit 0 of Δ is not 1")
			}
			for _, n := range []int{1, 129, 300} {
				extend(t, r, s, n)
			}
		})
	}
}

func TestPublicSession(t *testing.T) {
	var session [32]byte
	rs, msg1 := NewReceiver(SoftSpoken4, &session)
	ss, msg2, err := NewSender(SoftSpoken4, &session, msg1)
	if err != nil {
		t.Fatal(err)
	}
	r, msg3, err := rs.Finish(msg2)
	if err != nil {
		t.Fatal(err)
	}
	if len(msg1) != Msg1Size || len(msg2) != Msg2Size || len(msg3) != SoftSpoken4.Msg3Size() {
		t.Errorf("messages of %d, %d, %d bytes, want %d, %d, %d",
			len(msg1), len(msg2), len(msg3), Msg1Size, Msg2Size, SoftSpoken4.Msg3Size())
	}
	s, err := ss.Finish(msg3)
	if err != nil {
		t.Fatal(err)
	}
	b := extend(t, r, s, 1000)
	if len(b.msg) != SoftSpoken4.ExtendSize(1000) {
		t.Errorf("extension of %d bytes, want %d", len(b.msg), SoftSpoken4.ExtendSize(1000))
	}
	if _, _, err := rs.Finish(msg2); err == nil {
		t.Error("the client's set-up can be finished twice")
	}
	if _, err := ss.Finish(msg3); err == nil {
		t.Error("the server's set-up can be finished twice")
	}
	ss2, _, err := NewSender(SoftSpoken4, &session, msg1)
	if err != nil {
		t.Fatal(err)
	}
	if ss2.delta == s.delta {
		t.Error("two sessions have the same Δ")
	}
}

func TestExtendSizes(t *testing.T) {
	for _, c := range []struct{ k, n, want int }{
		{4, 1, 31*32 + 48},
		{4, 128, 31*32 + 48},
		{4, 129, 31*48 + 48},
		{2, 1, 63*32 + 48},
		{1, 1, 127*32 + 48},
		{8, 100_000, 15*(100_096+128)/8 + 48},
		{4, MaxExtend, 31*(MaxExtend+128)/8 + 48},
	} {
		if got := extendSize(c.k, c.n); got != c.want {
			t.Errorf("k=%d, n=%d: %d bytes, want %d", c.k, c.n, got, c.want)
		}
	}
}

// TestExtend covers the edges of padding and of pieces, one Extend after another
// in one session.
func TestExtend(t *testing.T) {
	sizes := []int{1, 7, 8, 127, 128, 129, pieceRows - 1, pieceRows, pieceRows + 1, 100_000, 1}
	for _, k := range depths {
		if testing.Short() && k == 8 {
			sizes = []int{1, 128, 129, pieceRows + 1}
		}
		t.Run(fmt.Sprint("k=", k), func(t *testing.T) {
			d := newDealer(k, uint64(k))
			r, s := d.receiver(), d.sender()
			seen := make(map[block.Block]bool)
			for _, n := range sizes {
				b := extend(t, r, s, n)
				for i := range b.k[:min(n, 300)] {
					if seen[b.k[i]] {
						t.Fatalf("n=%d: label %d repeats: a stream was used twice", n, i)
					}
					seen[b.k[i]] = true
				}
			}
		})
	}
}

func TestLargestExtend(t *testing.T) {
	d := newDealer(4, 77)
	extend(t, d.receiver(), d.sender(), MaxExtend)
}

func TestChoicesAreBalanced(t *testing.T) {
	const n = 100_000
	for _, k := range []int{1, 4} {
		b := receive(newDealer(k, 3).receiver(), n)
		ones, same := 0, 0
		for i := range n {
			ones += int(b.choice(i))
			same += int(b.choice(i) ^ b.choice((i+1)%n) ^ 1)
		}
		// Six standard deviations of 158.
		for what, count := range map[string]int{"ones": ones, "equal neighbours": same} {
			if count < n/2-950 || count > n/2+950 {
				t.Errorf("k=%d: %d %s of %d", k, count, what, n)
			}
		}
	}
}

func TestExtendPanicsOnWrongBuffers(t *testing.T) {
	d := newDealer(4, 5)
	r, s := d.receiver(), d.sender()
	labels := make([]block.Block, 9)
	for name, f := range map[string]func(){
		"no labels":       func() { r.Extend(nil, nil, make([]byte, 48)) },
		"too many":        func() { SoftSpoken4.ExtendSize(MaxExtend + 1) },
		"short choices":   func() { r.Extend(labels, make([]byte, 1), make([]byte, SoftSpoken4.ExtendSize(9))) },
		"short message":   func() { r.Extend(labels, make([]byte, 2), make([]byte, SoftSpoken4.ExtendSize(9)-1)) },
		"server, no rows": func() { s.Extend(nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestSecretsAreRedacted(t *testing.T) {
	r, s := newDealer(4, 6).receiver(), newDealer(4, 6).sender()
	rs, msg1 := NewReceiverSeeded(SoftSpoken4, testSeed(1), testSeed(2))
	ss, _, err := NewSenderSeeded(SoftSpoken4, testSeed(1), testSeed(3), msg1)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{r, s, rs, ss} {
		for _, format := range []string{"%v", "%+v", "%s"} {
			if got := fmt.Sprintf(format, v); !strings.Contains(got, "redacted") || len(got) > 20 {
				t.Errorf("%T prints as %.40s", v, got)
			}
		}
	}
}

func TestExtendAllocatesByThePieceOnly(t *testing.T) {
	d := newDealer(4, 8)
	r, s := d.receiver(), d.sender()
	b := receive(r, 2*pieceRows)
	if err := s.Extend(b.k, b.msg); err != nil {
		t.Fatal(err)
	}
	// Per piece: one cipher, its GCM, the hash and its string of zeros.
	if n := testing.AllocsPerRun(5, func() { r.Extend(b.m, b.choices, b.msg) }); n > 14 {
		t.Errorf("%v allocations for two pieces", n)
	}
}
