package linear

import (
	"fmt"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"unsafe"

	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
)

// WeightBytes bounds what the weights of one model should take; NewWeights
// holds a single layer to it. GAZELLE's network for CIFAR-10 takes 66 MiB, all
// of ResNet-18 would take 2.6 GiB. LOCAL
const WeightBytes = 1 << 30

// Weights are the weights of one layer in the form that products need: the NTT
// form of every distinct plaintext. Tiles of the same layout share them. Where
// memory is short, some plaintexts are not held but made anew for every
// product. They print as [redacted].
type Weights struct {
	w     []int16    // as NewWeights got them
	plain []ring.NTT // the plaintexts held
	sets  []held
}

// held says which plaintexts of a set are held: the first n, from place first,
// or all as words.
type held struct {
	first, n int
	scalars  [][ring.Columns]uint64
}

// Bytes returns the memory that the plaintexts held take.
func (w *Weights) Bytes() int {
	n := len(w.plain) * plaintextSize
	for i := range w.sets {
		n += len(w.sets[i].scalars) * wordsSize
	}
	return n
}

const (
	plaintextSize = int(unsafe.Sizeof(ring.NTT{}))
	wordsSize     = int(unsafe.Sizeof([ring.Columns]uint64{}))
)

// String hides the values.
func (w *Weights) String() string { return "[redacted]" }

// Format hides the values from every verb.
func (w *Weights) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[redacted]") }

// NewWeights encodes w, in the order [OutC][InC/Groups][KH][KW], on all processors,
// within WeightBytes. It keeps w, which must not change. It panics on another
// length; CheckNoise tells whether the values are allowed.
func (l *Layout) NewWeights(w []int16) *Weights { return l.NewWeightsWithin(w, WeightBytes) }

// NewWeightsWithin is NewWeights with plaintexts of at most room bytes held;
// an answer none of whose plaintexts are held takes two to three times as long.
// To bound a model, give each layer what the layers before it left.
func (l *Layout) NewWeightsWithin(w []int16, room int) *Weights {
	l.checkWeights(w)
	ws := &Weights{w: w}
	scalars := make([][][ring.Columns]uint64, len(l.sets))
	for k := range l.sets {
		if n := l.scalarBytes(k); l.scalar(k) && n <= room {
			scalars[k] = l.scalars(w)
			room -= n
		}
	}
	ws.sets, ws.plain = l.hold(max(room, 0)/plaintextSize, scalars)
	l.encodeAll(ws)
	return ws
}

// encodeAll encodes the plaintexts that are held, on all processors.
func (l *Layout) encodeAll(ws *Weights) {
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
				k := 0
				for i-ws.sets[k].first >= ws.sets[k].n || i < ws.sets[k].first {
					k++
				}
				l.encode(&ws.plain[i], &coeffs, k, i-ws.sets[k].first, ws.w)
			}
		})
	}
	wait.Wait()
}

// hold chooses up to n plaintexts to be held, those first that most tiles use,
// beside the sets that are held as words.
func (l *Layout) hold(n int, words [][][ring.Columns]uint64) ([]held, []ring.NTT) {
	uses := make([]int, len(l.sets))
	for i := range l.tiles {
		uses[l.tiles[i].set]++
	}
	order := make([]int, len(l.sets))
	for k := range order {
		order[k] = k
	}
	sort.SliceStable(order, func(i, j int) bool { return uses[order[i]] > uses[order[j]] })
	sets, first := make([]held, len(l.sets)), 0
	for _, k := range order {
		sets[k].first, sets[k].scalars = first, words[k]
		if words[k] == nil {
			sets[k].n = min(l.plaintexts(k), max(0, n-first))
		}
		first += sets[k].n
	}
	return sets, make([]ring.NTT, first)
}

// plaintexts returns the number of plaintexts of set k.
func (l *Layout) plaintexts(k int) int { return int(l.starts[k][l.sets[k].answers]) }

// encode sets dst to plaintext i of set k; coeffs is scratch.
func (l *Layout) encode(dst *ring.NTT, coeffs *[ring.N]int32, k, i int, w []int16) {
	set, starts := &l.sets[k], l.starts[k]
	answer := sort.Search(set.answers, func(a int) bool { return int(starts[a+1]) > i })
	first, _ := l.view.group.sources(&set.cut, answer, l.geometry.OutC)
	clear(coeffs[:])
	l.spread(coeffs[:], set, first+i-int(starts[answer]), answer, w)
	rlwe.EncodePlain(dst, coeffs[:])
}

// addProducts adds to the sum of s the products of cts with the plaintexts of
// an answer of set k: those held in one go, the others as they are encoded.
func (w *Weights) addProducts(l *Layout, k, answer int, cts []rlwe.Ciphertext, s *scratch) {
	h, first := &w.sets[k], int(l.starts[k][answer])
	n := max(0, min(len(cts), h.n-first))
	s.sums[0].MulAddAll(cts[:n], w.plain[h.first+min(first, h.n):][:n])
	for i := n; i < len(cts); i++ {
		l.encode(&s.plain, &s.coeffs, k, first+i, w.w)
		s.sums[0].MulAdd(&cts[i], &s.plain)
	}
}

func (l *Layout) checkWeights(w []int16) {
	g := &l.geometry
	if len(w) != g.OutC*g.taps() {
		panic("linear: wrong number of weights")
	}
}

// CheckNoise returns an error unless the weights of every output channel have
// a Euclidean norm of at most 2^NormBits; the noise bound of the layout's
// answers rests on it. For the owner of the weights: its time depends on them.
func (l *Layout) CheckNoise(w []int16) error {
	l.checkWeights(w)
	g := &l.geometry
	size := g.taps()
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
