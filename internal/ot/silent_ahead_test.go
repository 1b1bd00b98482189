package ot

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"dorcas/internal/block"
)

// TestSilentAhead refills before what is left is taken, once and many times over, and
// gets what it would have got without.
func TestSilentAhead(t *testing.T) {
	for _, p := range insecurePlans {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			const refills = 6
			r, s := insecureSilent(t, p, 12)
			var msgs [][]byte
			want := &batch{}
			for range refills {
				msgs = append(msgs, refill(t, r, s))
				b := take(r, s, p.yield())
				want.k, want.m = append(want.k, b.k...), append(want.m, b.m...)
			}
			for _, ahead := range []int{1, 2, refills} {
				r, s := insecureSilent(t, p, 12)
				var got, theirs []block.Block
				for i := 0; i < refills; {
					for range ahead {
						if msg := refill(t, r, s); !bytes.Equal(msg, msgs[i]) {
							t.Fatalf("%d ahead: another message %d", ahead, i)
						}
						i++
					}
					// Some stay, from every refill but the last.
					n := s.Left()
					if i < refills {
						n -= 9
					}
					for _, n := range []int{5, p.yield()/2 + 1, n - p.yield()/2 - 6} {
						b := take(r, s, n)
						b.verify(t, s.delta)
						got, theirs = append(got, b.k...), append(theirs, b.m...)
					}
				}
				if !slices.Equal(got, want.k) || !slices.Equal(theirs, want.m) {
					t.Errorf("%d ahead: other labels", ahead)
				}
			}
		})
	}
}
