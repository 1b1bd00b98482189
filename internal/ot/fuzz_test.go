package ot

import (
	"bytes"
	"testing"

	"dorcas/internal/block"
)

// FuzzMessage1: a server answers or returns an error, and answers only what is one
// group element.
func FuzzMessage1(f *testing.F) {
	_, good := NewReceiverSeeded(SoftSpoken4, testSeed(1), testSeed(2))
	f.Add(good)
	f.Add(good[:31])
	for _, p := range badPoints() {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		_, msg2, err := NewSenderSeeded(SoftSpoken4, testSeed(1), testSeed(3), p)
		if err != nil {
			return
		}
		if e, err := decode(p); err != nil || !bytes.Equal(mustEncode(e), p) || len(msg2) != Msg2Size {
			t.Error("answers what is no message")
		}
	})
}

// FuzzMessage2 lays p over a good message, so that its elements are reached.
func FuzzMessage2(f *testing.F) {
	start, msg1 := NewReceiverSeeded(SoftSpoken4, testSeed(1), testSeed(2))
	server, good, err := NewSenderSeeded(SoftSpoken4, testSeed(1), testSeed(3), msg1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, 0, true)
	f.Add(good, 0, false)
	f.Add(good[:100], 0, false)
	for _, p := range badPoints() {
		f.Add(p, 32*7, true)
	}
	f.Fuzz(func(t *testing.T, p []byte, at int, over bool) {
		msg := p
		if over {
			msg = bytes.Clone(good)
			copy(msg[max(0, min(at, len(msg))):], p)
		}
		rs, ss := *start, *server
		_, msg3, err := rs.Finish(msg)
		if err != nil {
			return
		}
		if _, err := ss.Finish(msg3); (err == nil) != bytes.Equal(msg, good) {
			t.Errorf("error %v", err)
		}
	})
}

// FuzzMessage3: what is accepted extends consistently with the honest client.
func FuzzMessage3(f *testing.F) {
	rs, msg1 := NewReceiverSeeded(SoftSpoken4, testSeed(1), testSeed(2))
	server, msg2, err := NewSenderSeeded(SoftSpoken4, testSeed(1), testSeed(3), msg1)
	if err != nil {
		f.Fatal(err)
	}
	r, good, err := rs.Finish(msg2)
	if err != nil {
		f.Fatal(err)
	}
	const n = 130
	b := receive(r, n)
	f.Add([]byte{}, 0, true)
	f.Add(good, 0, false)
	f.Add(good[1:], 0, false)
	f.Add([]byte{1}, 0, true)
	f.Add([]byte{1}, 16, true)
	f.Add([]byte{1}, SoftSpoken4.Msg3Size()-1, true)
	f.Fuzz(func(t *testing.T, p []byte, at int, over bool) {
		msg := p
		if over {
			msg = bytes.Clone(good)
			copy(msg[max(0, min(at, len(msg))):], p)
		}
		ss := *server
		s, err := ss.Finish(msg)
		if err != nil {
			return
		}
		if err := s.Extend(b.k, b.msg); err != nil {
			t.Fatal("accepted, but the extension fails")
		}
		b.verify(t, s.Delta())
	})
}

// FuzzExtension: only the honest message is accepted.
func FuzzExtension(f *testing.F) {
	const n = 130
	d := newDealer(4, 110)
	good := receive(d.receiver(), n).msg
	f.Add([]byte{}, 0, true)
	f.Add(good, 0, false)
	f.Add(good[:1], 0, false)
	f.Add([]byte{1, 2, 3}, 50, true)
	f.Add([]byte{1}, len(good)-1, true)
	f.Fuzz(func(t *testing.T, p []byte, at int, over bool) {
		msg := p
		if over {
			msg = bytes.Clone(good)
			copy(msg[max(0, min(at, len(msg))):], p)
		}
		err := d.sender().Extend(make([]block.Block, n), msg)
		if (err == nil) != bytes.Equal(msg, good) {
			t.Errorf("error %v", err)
		}
	})
}
