package ot

import (
	"bytes"
	"fmt"
	"testing"

	"dorcas/internal/block"
)

// TestInconsistentCorrections: a client whose corrections of one tree are wrong in
// some rows passes exactly if it guesses that tree's bits of Δ; with errors in
// several trees it must guess all of them.
func TestInconsistentCorrections(t *testing.T) {
	row := func(rows ...int) func(int) bool {
		return func(r int) bool {
			for _, x := range rows {
				if x == r {
					return true
				}
			}
			return false
		}
	}
	const n = 300 // 128 mask rows and 384 others
	for _, c := range []struct {
		name string
		k    int
		rows func(row int) bool
	}{
		{"one row", 1, row(200)},
		{"one row", 2, row(128)},
		{"one row", 4, row(511)},
		{"padding row", 2, row(128 + n)},
		{"mask row", 2, row(5)},
		{"mask row and another", 2, row(5, 133)},
		{"every row", 2, func(int) bool { return true }},
		{"every third row", 4, func(r int) bool { return r%3 == 0 }},
		{"a whole block", 2, func(r int) bool { return r/128 == 2 }},
	} {
		t.Run(fmt.Sprintf("%s/k=%d", c.name, c.k), func(t *testing.T) {
			d := newDealer(c.k, 40)
			for _, tree := range []int{1, kappa/c.k - 1} {
				for guess := range 1 << c.k {
					if testing.Short() && guess%3 != d.alpha(tree)%3 {
						continue
					}
					client, s := &slowClient{d: d}, d.sender()
					msg, u, v := client.extend(n, lie{
						wrong: func(i, r int) bool { return i == tree && c.rows(r) },
						guess: func(int) int { return guess },
					})
					labels := make([]block.Block, n)
					err := s.Extend(labels, msg)
					if lucky := guess == d.alpha(tree); (err == nil) != lucky {
						t.Fatalf("tree %d, guess %d of α=%d: error %v", tree, guess, d.alpha(tree), err)
					}
					if err == nil {
						verifyLie(t, d, labels, u, v, func(i, r int) bool { return i == tree && c.rows(r) })
					}
				}
			}
		})
	}
}

// verifyLie checks what an accepted lie does to the server's labels: they are off
// by α in the wrong rows of the wrong trees, which the lucky client knows.
func verifyLie(t *testing.T, d *dealer, labels []block.Block, u bitsOf, v []bitsOf, wrong func(i, r int) bool) {
	t.Helper()
	for i, got := range labels {
		r := 128 + i
		for j := range kappa {
			bit := u[r]
			if wrong(j/d.k, r) {
				bit ^= 1
			}
			want := uint64(v[j][r] ^ bit&byte(deltaBit(d.delta, j)))
			if deltaBit(got, j) != want {
				t.Fatalf("label %d, bit %d is not what the lie predicts", i, j)
			}
		}
	}
}

// TestLiesInSeveralTrees: every tree that is wrong must be guessed.
func TestLiesInSeveralTrees(t *testing.T) {
	const k, n = 2, 100
	d := newDealer(k, 41)
	for mask := range 8 { // which of three guesses are right
		client, s := &slowClient{d: d}, d.sender()
		msg, _, _ := client.extend(n, lie{
			wrong: func(i, r int) bool { return i >= 7 && i < 10 && (r+i)%5 == 0 },
			guess: func(i int) int {
				if i < 7 || i >= 10 || mask>>(i-7)&1 == 1 {
					return d.alpha(i)
				}
				return d.alpha(i) ^ 2
			},
		})
		if err := s.Extend(make([]block.Block, n), msg); (err == nil) != (mask == 7) {
			t.Errorf("right guesses %03b: error %v", mask, err)
		}
	}
}

// TestLieInLaterPiece: an error of the last piece, and one of the first piece that
// a mask row is meant to hide, are judged as in a short Extend.
func TestLieInLaterPiece(t *testing.T) {
	const k, n = 4, pieceRows + 5
	for _, wrongRow := range []int{128 + n - 1, 128 + 17} {
		if testing.Short() && wrongRow < n {
			continue
		}
		d := newDealer(k, 42)
		for _, guess := range []int{d.alpha(3), d.alpha(3) ^ 1} {
			client, s := &slowClient{d: d}, d.sender()
			msg, _, _ := client.extend(n, lie{
				wrong: func(i, r int) bool { return i == 3 && (r == wrongRow || r == 64) },
				guess: func(int) int { return guess },
			})
			err := s.Extend(make([]block.Block, n), msg)
			if (err == nil) != (guess == d.alpha(3)) {
				t.Errorf("row %d, guess %d of α=%d: error %v", wrongRow, guess, d.alpha(3), err)
			}
		}
	}
}

// TestLieAboutFirstTree: if all trees but the first agree on other bits, the first
// is the liar, and bit 0 of its α is no secret. With k = 1 nothing else is in it:
// the client has merely chosen its bits.
func TestLieAboutFirstTree(t *testing.T) {
	const n = 200
	for _, k := range []int{1, 2, 4} {
		d := newDealer(k, 43)
		wrong := func(i, r int) bool { return i > 0 && r%3 == 0 }
		passed := 0
		for guess := 1; guess < 1<<k; guess += 2 {
			client, s := &slowClient{d: d}, d.sender()
			msg, u, v := client.extend(n, lie{wrong: wrong, guess: func(int) int { return guess }, shift: true})
			labels := make([]block.Block, n)
			if err := s.Extend(labels, msg); err == nil {
				passed++
				verifyLie(t, d, labels, u, v, wrong)
			}
		}
		if passed != 1 {
			t.Errorf("k=%d: %d of %d odd guesses passed, want 1", k, passed, 1<<(k-1))
		}
	}
}

// TestFlippedExtension flips single bits all over an extension message.
func TestFlippedExtension(t *testing.T) {
	const n = 200
	for _, k := range depths {
		d := newDealer(k, 50)
		good := receive(d.receiver(), n)
		step := 8*len(good.msg)/40 + 1
		for at := 0; at < 8*len(good.msg); at += step {
			s := d.sender()
			bad := bytes.Clone(good.msg)
			bad[at/8] ^= 1 << (at % 8)
			expectDeath(t, s, n, bad, fmt.Sprintf("k=%d, bit %d", k, at))
			if err := s.Extend(good.k, good.msg); err == nil {
				t.Errorf("k=%d: a dead sender accepts the right message", k)
			}
		}
	}
}

// expectDeath checks that s rejects msg, gives no labels and dies.
func expectDeath(t *testing.T, s *Sender, n int, msg []byte, what string) {
	t.Helper()
	labels := make([]block.Block, n)
	for i := range labels {
		labels[i].Lo = 1
	}
	if err := s.Extend(labels, msg); err == nil {
		t.Errorf("%s: accepted", what)
	}
	for _, l := range labels {
		if l != (block.Block{}) {
			t.Fatalf("%s: a rejected message left labels", what)
		}
	}
	if !s.dead {
		t.Errorf("%s: the sender is alive", what)
	}
}

func TestReplayedExtension(t *testing.T) {
	const n = 256
	d := newDealer(4, 60)
	first := receive(d.receiver(), n)
	t.Run("again", func(t *testing.T) {
		s := d.sender()
		if err := s.Extend(first.k, first.msg); err != nil {
			t.Fatal(err)
		}
		expectDeath(t, s, n, first.msg, "replay")
	})
	t.Run("out of order", func(t *testing.T) {
		r := d.receiver()
		receive(r, n)
		expectDeath(t, d.sender(), n, receive(r, n).msg, "second message first")
	})
	t.Run("other session", func(t *testing.T) {
		other := *d
		other.ctx = newContext(4, testSeed(61))
		expectDeath(t, other.sender(), n, first.msg, "same leaves, other session")
	})
	t.Run("other number", func(t *testing.T) {
		// Both pad to 256, so the sizes agree.
		expectDeath(t, d.sender(), n-1, first.msg, "n differs")
	})
	t.Run("size", func(t *testing.T) {
		for _, size := range []int{0, 47, len(first.msg) - 1} {
			expectDeath(t, d.sender(), n, first.msg[:size], fmt.Sprint(size, " bytes"))
		}
	})
}

// TestFlippedSetUp flips bits of the set-up's messages. A bit of messages 1 and 2
// changes the transcript that all keys depend on, so some later step must fail.
// Message 3 is in TestLyingTrees; here it must also be tied to its session.
func TestFlippedSetUp(t *testing.T) {
	session := testSeed(70)
	run := func(flip1, flip2 int) error {
		rs, msg1 := NewReceiverSeeded(SoftSpoken4, session, testSeed(71))
		if flip1 >= 0 {
			msg1[flip1/8] ^= 1 << (flip1 % 8)
		}
		ss, msg2, err := NewSenderSeeded(SoftSpoken4, session, testSeed(72), msg1)
		if err != nil {
			return err
		}
		if flip2 >= 0 {
			msg2[flip2/8] ^= 1 << (flip2 % 8)
		}
		_, msg3, err := rs.Finish(msg2)
		if err != nil {
			return err
		}
		_, err = ss.Finish(msg3)
		return err
	}
	if err := run(-1, -1); err != nil {
		t.Fatal(err)
	}
	samples := 16
	if testing.Short() {
		samples = 4
	}
	for i := range samples {
		if run(i*8*Msg1Size/samples+i%8, -1) == nil {
			t.Errorf("message 1, sample %d: a flipped bit goes unnoticed", i)
		}
		if run(-1, i*8*Msg2Size/samples+i%8) == nil {
			t.Errorf("message 2, sample %d: a flipped bit goes unnoticed", i)
		}
	}
}

func TestReplayedSetUp(t *testing.T) {
	start := func(session uint64) (*ReceiverSetup, *SenderSetup, []byte) {
		rs, msg1 := NewReceiverSeeded(SoftSpoken4, testSeed(session), testSeed(session+1))
		ss, msg2, err := NewSenderSeeded(SoftSpoken4, testSeed(session), testSeed(session+2), msg1)
		if err != nil {
			t.Fatal(err)
		}
		return rs, ss, msg2
	}
	_, ss1, msg2 := start(80)
	rs2, ss2, _ := start(90)
	_, msg3, err := rs2.Finish(msg2) // the other session's message 2
	if err == nil {
		if _, err = ss2.Finish(msg3); err == nil {
			t.Error("message 2 of another session goes unnoticed")
		}
		if _, err = ss1.Finish(msg3); err == nil {
			t.Error("message 3 of another session is accepted")
		}
	}
}
