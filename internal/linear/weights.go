package linear

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
)

// Weights are the weights of one layer in the form that products need: the NTT
// form of every distinct plaintext. Tiles of the same layout share them. They
// print as [redacted].
type Weights struct {
	plain []ring.NTT
}

// Bytes returns the memory that the weights take.
func (w *Weights) Bytes() int { return len(w.plain) * int(unsafe.Sizeof(ring.NTT{})) }

// String hides the values.
func (w *Weights) String() string { return "[redacted]" }

// Format hides the values from every verb.
func (w *Weights) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[redacted]") }

// NewWeights encodes w, in the order [OutC][InC][KH][KW], on all processors.
// It panics on another length; CheckNoise tells whether the values are
// allowed.
func (l *Layout) NewWeights(w []int16) *Weights {
	l.checkWeights(w)
	last := &l.sets[len(l.sets)-1]
	ws := &Weights{plain: make([]ring.NTT, last.first+last.uploads*last.answers)}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(ws.plain)) {
		wait.Go(func() {
			var coeffs [ring.N]int32
			for {
				i := int(next.Add(1)) - 1
				if i >= len(ws.plain) {
					return
				}
				clear(coeffs[:])
				set, upload, answer := l.plaintext(i)
				l.spread(coeffs[:], set, upload, answer, w)
				rlwe.EncodePlain(&ws.plain[i], coeffs[:])
			}
		})
	}
	wait.Wait()
	return ws
}

// plaintext returns what plaintext i is of.
func (l *Layout) plaintext(i int) (set *weightSet, upload, answer int) {
	k := len(l.sets) - 1
	for l.sets[k].first > i {
		k--
	}
	set = &l.sets[k]
	i -= set.first
	return set, i % set.uploads, i / set.uploads
}

func (l *Layout) checkWeights(w []int16) {
	g := &l.geometry
	if len(w) != g.OutC*g.InC*g.KH*g.KW {
		panic("linear: wrong number of weights")
	}
}

// CheckNoise returns an error unless the weights of every output channel have
// a Euclidean norm of at most 2^NormBits; the noise bound of the layout's
// answers rests on it. For the owner of the weights: its time depends on them.
func (l *Layout) CheckNoise(w []int16) error {
	l.checkWeights(w)
	g := &l.geometry
	size := g.InC * g.KH * g.KW
	for k := range g.OutC {
		if !normWithin(w[k*size:(k+1)*size], l.params.NormBits) {
			return fmt.Errorf("linear: weights: output channel %d has a norm above 2^%d", k, l.params.NormBits)
		}
	}
	return nil
}

// normWithin reports whether the sum of the squares is at most 4^bits. At most
// 2^30 squares of at most 2^30 do not overflow.
func normWithin(w []int16, bits int) bool {
	sum := uint64(0)
	for _, v := range w {
		sum += uint64(int64(v) * int64(v))
	}
	return bits >= 31 || sum <= 1<<(2*bits)
}
