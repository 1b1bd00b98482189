package ot

import (
	"bytes"
	"testing"
)

// TestExpandTree compares one tree with the definition of u and v, and checks
// that the columns of its neighbours stay as they are.
func TestExpandTree(t *testing.T) {
	for _, k := range depths {
		d := newDealer(k, 30)
		for _, n := range []int{16, 32, stride} {
			cols := bytes.Repeat([]byte{0xa5}, (k+1)*stride)
			sum := make([]byte, n)
			streams := leafStreams(d.ctx, d.leaves[:1<<k])
			expandTree(cols, sum, streams)
			slow := &slowClient{d: d}
			all, v := make(bitsOf, 8*n), make([]bitsOf, k)
			for x := 1; x < 1<<k; x++ {
				r := slow.streamBits(d.leaves[x], 8*n)
				all.xor(r)
				for b := range k {
					if v[b] == nil {
						v[b] = make(bitsOf, 8*n)
					}
					if x>>b&1 == 1 {
						v[b].xor(r)
					}
				}
			}
			if !bytes.Equal(sum, all.bytes()) {
				t.Errorf("k=%d, n=%d: the sum of the leaves is wrong", k, n)
			}
			for b := range k {
				if !bytes.Equal(cols[b*stride:][:n], v[b].bytes()) {
					t.Errorf("k=%d, n=%d: column %d is wrong", k, n, b)
				}
			}
			for b := range k + 1 {
				rest := cols[b*stride:][:stride]
				if b < k {
					rest = rest[n:]
				}
				if len(bytes.Trim(rest, "\xa5")) != 0 {
					t.Errorf("k=%d, n=%d: wrote past column %d", k, n, b)
				}
			}
		}
	}
}
