package rlwe

import (
	"math"
	"slices"
	"testing"

	"dorcas/internal/ring"
)

// The tests here look at what the client gets, for several weights under one
// key and the same uploads.

const buckets = 256

// statistic returns how many standard deviations the chi-square of the values'
// high bits is above its mean; values are uniform in [0, Q) if honest.
func statistic(values []uint64) float64 {
	var count [buckets]float64
	for _, v := range values {
		count[v>>(ring.LogQ-8)]++
	}
	sum, expected := 0.0, float64(len(values))/buckets
	for _, c := range count {
		sum += (c - expected) * (c - expected) / expected
	}
	return (sum - (buckets - 1)) / math.Sqrt(2*(buckets-1))
}

func checkUniform(t *testing.T, what string, values []uint64) {
	t.Helper()
	if len(values) < 20*buckets {
		t.Fatalf("%s: only %d values", what, len(values))
	}
	if s := statistic(values); math.Abs(s) > 6 {
		t.Errorf("%s: chi-square is %.1f standard deviations off", what, s)
	}
}

// view is what the client sees of the answers for one set of weights: c1 halves,
// c0 as sent, phases, its own shares; and c1 less the product of the weights
// and the uploads' uniform halves, which a client can form that guesses right.
type view struct{ c1, sent, phase, share, residual []uint64 }

const viewAnswers = 24

var viewParams = AnswerParams{T: 20, Guard: 2, NormBits: 9, Terms: 2}

// look makes viewAnswers answers of the same sum.
func look(t *testing.T, p *party, pk *PublicKey, cts []Ciphertext, weights [][]int32, seed byte) *view {
	t.Helper()
	var sum Sum
	var plain, hidden ring.NTT
	for i := range cts {
		EncodePlain(&plain, weights[i])
		sum.MulAdd(&cts[i], &plain)
	}
	var guess ring.Poly
	sum.a1.Reduce(&hidden)
	ring.Inverse(&guess, &hidden)

	a, wanted := viewParams, upTo(ring.N)
	fresh := ring.NewStream(&[32]byte{seed}, "fresh", 0)
	mask := ring.NewStream(&[32]byte{seed}, "mask", 0)
	answer, share := make([]byte, a.Size(ring.N)), make([]uint32, ring.N)
	b0, b1 := a.Bits(ring.N)
	cut := ring.PackedSize(ring.N, b1)
	v := new(view)
	for range viewAnswers {
		a.reshare(answer, share, &sum, pk, wanted, fresh, mask)
		var c1, sent, phase ring.Poly
		if restoreBits(c1[:], answer[:cut], b1) != nil || restoreBits(sent[:], answer[cut:], b0) != nil ||
			a.open(&phase, answer, p.sk, wanted) != nil || a.Open(share, answer, p.sk, wanted) != nil {
			t.Fatal("answer does not open")
		}
		v.c1 = append(v.c1, c1[:]...)
		v.sent = append(v.sent, sent[:]...)
		v.phase = append(v.phase, phase[:]...)
		c1.Sub(&c1, &guess)
		v.residual = append(v.residual, c1[:]...)
		for _, s := range share {
			v.share = append(v.share, uint64(s)<<(ring.LogQ-a.T-a.Guard))
		}
	}
	return v
}

func difference(a, b []uint64) []uint64 {
	dst := make([]uint64, len(a))
	for i := range a {
		dst[i] = (a[i] + ring.Q - b[i]) % ring.Q
	}
	return dst
}

// views sets up one client and returns the answers for four sets of weights:
// two at random, their like but for one weight, and all zero.
func views(t *testing.T, pk func(*party) *PublicKey) map[string]*view {
	p := newParty(t, 40)
	seed := [32]byte{4}
	cts := make([]Ciphertext, viewParams.Terms)
	for i := range cts {
		p.upload(t, &cts[i], p.message(viewParams.T), viewParams.T, &seed, uint64(i))
	}
	random := func() [][]int32 {
		w := make([][]int32, len(cts))
		for i := range w {
			w[i] = make([]int32, ring.N)
			for j := range 500 {
				w[i][4*j] = p.random.Int32N(31) - 15
			}
		}
		return w
	}
	first, second := random(), random()
	near := [][]int32{slices.Clone(first[0]), slices.Clone(first[1])}
	near[0][0]++
	zero := [][]int32{make([]int32, ring.N), make([]int32, ring.N)}
	return map[string]*view{
		"first":  look(t, p, pk(p), cts, first, 1),
		"second": look(t, p, pk(p), cts, second, 2),
		"near":   look(t, p, pk(p), cts, near, 3),
		"zero":   look(t, p, pk(p), cts, zero, 4),
	}
}

func TestViewUniform(t *testing.T) {
	all := views(t, func(p *party) *PublicKey { return p.pk })
	for name, v := range all {
		checkUniform(t, name+": c1", v.c1)
		checkUniform(t, name+": c0 as sent", v.sent)
		checkUniform(t, name+": phase", v.phase)
		checkUniform(t, name+": client's share", v.share)
		checkUniform(t, name+": c1 less the product guessed", v.residual)
		for other, w := range all {
			if name < other {
				pair := name + " and " + other
				checkUniform(t, pair+": difference of c1", difference(v.c1, w.c1))
				checkUniform(t, pair+": difference of c0", difference(v.sent, w.sent))
				checkUniform(t, pair+": difference of phases", difference(v.phase, w.phase))
			}
		}
		// Answers of the same weights, one after the other.
		checkUniform(t, name+": difference of following c1", difference(v.c1[ring.N:], v.c1[:len(v.c1)-ring.N]))
		checkUniform(t, name+": difference of following phases", difference(v.phase[ring.N:], v.phase[:len(v.phase)-ring.N]))
	}
}

// TestViewControl shows that the tests above see weights where c1 is not masked:
// under an all-zero key the encryption of zero is only its errors.
func TestViewControl(t *testing.T) {
	all := views(t, func(*party) *PublicKey { return new(PublicKey) })
	for what, values := range map[string][]uint64{
		"c1 less the right guess":    all["first"].residual,
		"c1 of zero weights":         all["zero"].c1,
		"difference of following c1": difference(all["first"].c1[ring.N:], all["first"].c1[:(viewAnswers-1)*ring.N]),
	} {
		if s := statistic(values); s < 1000 {
			t.Errorf("%s looks uniform without the mask: %.1f standard deviations", what, s)
		}
	}
	checkUniform(t, "phases, which R masks all the same", all["first"].phase)
}

// TestStreamsApart: fresh moves c1 and leaves the shares, mask moves the shares
// and c0 and leaves c1.
func TestStreamsApart(t *testing.T) {
	p := newParty(t, 41)
	a, wanted := viewParams, upTo(ring.N)
	_, b1 := a.Bits(ring.N)
	cut := ring.PackedSize(ring.N, b1)
	var sum Sum
	run := func(fresh, mask uint64) (answer []byte, share []uint32) {
		answer, share = make([]byte, a.Size(ring.N)), make([]uint32, ring.N)
		seed := [32]byte{5}
		a.reshare(answer, share, &sum, p.pk, wanted, ring.NewStream(&seed, "fresh", fresh), ring.NewStream(&seed, "mask", mask))
		return answer, share
	}
	base, baseShare := run(0, 0)
	fresh, freshShare := run(1, 0)
	mask, maskShare := run(0, 1)
	if !slices.Equal(baseShare, freshShare) || slices.Equal(base[:cut], fresh[:cut]) || slices.Equal(base[cut:], fresh[cut:]) {
		t.Error("another fresh stream must change both halves and no share")
	}
	if !slices.Equal(base[:cut], mask[:cut]) || slices.Equal(base[cut:], mask[cut:]) || slices.Equal(baseShare, maskShare) {
		t.Error("another mask stream must change c0 and the shares only")
	}
}

// TestRedoSplit: answers that follow each other on one mask stream are redone
// by calls of any length.
func TestRedoSplit(t *testing.T) {
	p := newParty(t, 42)
	a := viewParams
	seed := [32]byte{6}
	fresh, mask := ring.NewStream(&seed, "fresh", 0), ring.NewStream(&seed, "mask", 0)
	var sum Sum
	var want []uint32
	for _, n := range []int{1, 2048, 0, 129, 128, 77} {
		share := make([]uint32, n)
		a.reshare(make([]byte, a.Size(n)), share, &sum, p.pk, upTo(n), fresh, mask)
		want = append(want, share...)
	}
	for _, step := range []int{1, 100, 128, 500, len(want)} {
		mask := ring.NewStream(&seed, "mask", 0)
		got := make([]uint32, len(want))
		for i := 0; i < len(got); i += step {
			a.RedoShare(got[i:min(i+step, len(got))], mask)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("shares redone by %d differ", step)
		}
	}
}
