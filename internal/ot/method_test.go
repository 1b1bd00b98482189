package ot

import "testing"

func TestMethods(t *testing.T) {
	for _, m := range Methods() {
		if got, err := ParseMethod(m.String()); got != m || err != nil {
			t.Errorf("%v: %v, %v", m, got, err)
		}
	}
	valid := 0
	for m := range 256 {
		if Method(m).Valid() {
			valid++
			continue
		}
		if _, err := ParseMethod(Method(m).String()); err == nil {
			t.Errorf("method %d has a name", m)
		}
		if !panics(func() { Method(m).ExtendSize(1) }) {
			t.Errorf("method %d: no panic", m)
		}
	}
	if valid != len(Methods()) {
		t.Errorf("%d methods are valid, %d are listed", valid, len(Methods()))
	}
}

// TestMethodSessions runs whole sessions through the public API.
func TestMethodSessions(t *testing.T) {
	for i, m := range Methods() {
		if m > Silent10 && (testing.Short() || !fastKernels()) {
			continue
		}
		session := testSeed(uint64(400 + i))
		rs, msg1 := NewReceiver(m, session)
		ss, msg2, err := NewSender(m, session, msg1)
		if err != nil {
			t.Fatal(err)
		}
		recv, msg3, err := rs.Finish(msg2)
		if err != nil {
			t.Fatal(err)
		}
		if len(msg3) != m.Msg3Size() {
			t.Errorf("%v: message 3 is %d bytes, want %d", m, len(msg3), m.Msg3Size())
		}
		send, err := ss.Finish(msg3)
		if err != nil {
			t.Fatal(err)
		}
		b := receive(recv, 1000)
		if len(b.msg) != m.ExtendSize(1000) {
			t.Errorf("%v: an extension of %d bytes, want %d", m, len(b.msg), m.ExtendSize(1000))
		}
		if err := send.Extend(b.k, b.msg); err != nil {
			t.Fatalf("%v: %v", m, err)
		}
		b.verify(t, send.Delta())
		if m.Class() == Extension {
			continue
		}
		start := make([]byte, m.Class().StartSize())
		r := recv.NewSilent(m.Class(), start)
		s, err := send.NewSilent(m.Class(), start)
		if err != nil {
			t.Fatal(err)
		}
		refill(t, r, s)
		take(r, s, 1000).verify(t, send.Delta())
	}
}
