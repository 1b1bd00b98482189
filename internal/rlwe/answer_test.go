package rlwe

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dorcas/internal/ring"
)

// workload is weights of one output: terms polynomials of sparse coefficients.
type workload struct {
	AnswerParams
	name    string
	taps    int               // over all terms
	weight  func(i int) int32 // of tap i
	samples int               // coefficients compared by the long test
}

func workloads() []workload {
	r := rand.New(rand.NewPCG(1, 1))
	nine := func(int) int32 { return r.Int32N(512) - 256 }
	sign := func(v int32) func(int) int32 {
		return func(int) int32 { return v * (1 - 2*r.Int32N(2)) }
	}
	return []workload{
		{AnswerParams{28, 2, 13, 4}, "2000 taps of 9 bits", 2000, nine, 1 << 20},
		{AnswerParams{28, 2, 14, 4}, "2000 largest taps of 9 bits", 2000, sign(255), 1 << 17},
		{AnswerParams{28, 4, 13, 4}, "4 guard bits, norm at its bound", 1024, sign(256), 1 << 18},
		{AnswerParams{28, 1, 13, 4}, "1 guard bit, norm at its bound", 1024, sign(256), 1 << 18},
		{AnswerParams{20, 2, 11, 2}, "20 bits, norm at its bound", 1024, sign(64), 1 << 17},
		{AnswerParams{22, 1, 12, 2}, "22 bits, 1 guard bit", 800, sign(127), 1 << 17},
		{AnswerParams{8, 3, 0, 1}, "8 bits, one tap", 1, sign(1), 1 << 15},
		{AnswerParams{30, 2, 5, 1}, "30 bits", 64, sign(4), 1 << 15},
	}
}

// weights spreads the taps over the terms, one term's taps at random places.
func (w workload) weights(r *rand.Rand) [][]int32 {
	dst := make([][]int32, w.Terms)
	for i := range dst {
		dst[i] = make([]int32, ring.N)
	}
	for i := range w.taps {
		dst[i%w.Terms][i/w.Terms*(ring.N*w.Terms/w.taps)] = w.weight(i)
	}
	for i := range dst {
		r.Shuffle(ring.N, func(a, b int) { dst[i][a], dst[i][b] = dst[i][b], dst[i][a] })
	}
	return dst
}

// addProduct adds w·m mod X^N+1 to dst, by integers mod 2^32.
func addProduct(dst *[ring.N]uint32, w []int32, m []uint32) {
	for i, c := range w {
		if c == 0 {
			continue
		}
		for j, v := range m[:ring.N-i] {
			dst[i+j] += uint32(c) * v
		}
		for j, v := range m[ring.N-i:] {
			dst[j] -= uint32(c) * v
		}
	}
}

// errors collects how far shares and phases were off.
type errors struct {
	epsilon map[int]int // by value
	largest float64     // |noise|
	squares float64
	count   int
}

// compare runs one answer and compares the shares with the integers want.
func (e *errors) compare(t *testing.T, p *party, a AnswerParams, sum *Sum, wanted []int32, want *[ring.N]uint32, seed *[32]byte, index uint64) {
	t.Helper()
	server, again, client := make([]uint32, len(wanted)), make([]uint32, len(wanted)), make([]uint32, len(wanted))
	answer := make([]byte, a.Size(len(wanted)))
	a.reshare(answer, server, sum, p.pk, wanted, ring.NewStream(seed, "fresh", index), ring.NewStream(seed, "mask", index))
	a.RedoShare(again, ring.NewStream(seed, "mask", index))
	if !slices.Equal(server, again) {
		t.Fatal("RedoShare differs from Reshare")
	}
	if err := a.Open(client, answer, p.sk, wanted); err != nil {
		t.Fatal(err)
	}
	var phases, r [ring.N]uint64
	if err := a.open((*ring.Poly)(&phases), answer, p.sk, wanted); err != nil {
		t.Fatal(err)
	}
	ring.Uniform(r[:len(wanted)], ring.NewStream(seed, "mask", index))
	var exact ring.Poly
	encode(&exact, want[:], a.T)

	mask := uint32(1<<(a.T+a.Guard) - 1)
	for i, k := range wanted {
		y := want[k] & uint32(1<<a.T-1)
		total := client[i] + server[i]
		if got := (total + 1<<(a.Guard-1)) & mask >> a.Guard; got != y {
			t.Fatalf("coefficient %d: shares give %d, want %d", k, got, y)
		}
		epsilon := int(int32((total-y<<a.Guard)<<(32-a.T-a.Guard)) >> (32 - a.T - a.Guard))
		e.epsilon[epsilon]++
		n := float64(signed((phases[i] + r[i] + ring.Q - exact[k]) % ring.Q))
		e.largest = max(e.largest, math.Abs(n))
		e.squares += n * n
		e.count++
	}
}

func upTo(n int) []int32 {
	dst := make([]int32, n)
	for i := range dst {
		dst[i] = int32(i)
	}
	return dst
}

// TestReshare compares shares with integers, epsilon with its range, and the
// noise with its bound and its predicted variance.
func TestReshare(t *testing.T) {
	for n, w := range workloads() {
		t.Run(w.name, func(t *testing.T) {
			if err := w.Check(); err != nil {
				t.Fatal(err)
			}
			samples := w.samples
			if testing.Short() {
				samples = min(samples, 1<<13)
			}
			p := newParty(t, uint64(10+n))
			e := errors{epsilon: map[int]int{}}
			seed := [32]byte{2, byte(n)}
			ct := make([]Ciphertext, w.Terms)
			plain := make([]ring.NTT, w.Terms)
			for round := uint64(0); e.count < samples; round++ {
				var want [ring.N]uint32
				var sum Sum
				weights := w.weights(p.random)
				for i := range ct {
					m := p.message(w.T)
					p.upload(t, &ct[i], m, w.T, &seed, round*uint64(w.Terms)+uint64(i))
					EncodePlain(&plain[i], weights[i])
					sum.MulAdd(&ct[i], &plain[i])
					addProduct(&want, weights[i], m)
				}
				e.compare(t, p, w.AnswerParams, &sum, upTo(ring.N), &want, &seed, round)
			}
			e.report(t, w.AnswerParams)
		})
	}
}

func (e *errors) report(t *testing.T, a AnswerParams) {
	t.Helper()
	t.Logf("ε: %v; largest noise %.3f of the bound over %d coefficients",
		e.epsilon, e.largest/float64(a.budget()), e.count)
	for v := range e.epsilon {
		if v < -1 || v > 1 || v == 1 && a.Guard == 1 {
			t.Errorf("ε = %d", v)
		}
	}
	if e.epsilon[0] == e.count {
		t.Error("ε is never different from 0: the test sees no rounding")
	}
	if e.largest >= float64(a.budget()) || e.largest < float64(a.budget())/4 {
		t.Errorf("largest noise %.0f, bound %d", e.largest, a.budget())
	}
	// The cut of c0 is uniform beside the terms that variance counts.
	b0, b1 := a.Bits(ring.N)
	hi, lo := a.variance(ring.LogQ - b1)
	v := (float64(hi)*0x1p64+float64(lo))/(100*tailFactor) + math.Exp2(float64(2*(ring.LogQ-b0)))/12
	if got := e.squares / float64(e.count); got > v*1.02 || got < v/4 {
		t.Errorf("variance of the noise is %.3f of the predicted", got/v)
	}
}

// TestWanted sends few coefficients, each in its own way of balancing.
func TestWanted(t *testing.T) {
	p := newParty(t, 30)
	a := AnswerParams{T: 18, Guard: 2, NormBits: 8, Terms: 1}
	seed := [32]byte{3}
	m, w := p.message(a.T), make([]int32, ring.N)
	for i := range w {
		w[i] = p.random.Int32N(9) - 4
	}
	var ct Ciphertext
	var plain ring.NTT
	var sum Sum
	var want [ring.N]uint32
	p.upload(t, &ct, m, a.T, &seed, 0)
	EncodePlain(&plain, w)
	sum.MulAdd(&ct, &plain)
	addProduct(&want, w, m)
	e := errors{epsilon: map[int]int{}}
	for i, wanted := range [][]int32{{}, {0}, {ring.N - 1}, {5, 77, 78, 1024}, upTo(129), upTo(1000), upTo(ring.N)} {
		e.compare(t, p, a, &sum, wanted, &want, &seed, uint64(i))
	}
	for v := range e.epsilon {
		if v < -1 || v > 1 {
			t.Errorf("ε = %d", v)
		}
	}
	for _, wanted := range [][]int32{{1, 1}, {2, 1}, {-1}, {ring.N}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("wanted = %v does not panic", wanted)
				}
			}()
			a.checkWanted(len(wanted), wanted)
		}()
	}
}

func TestOpenRefuses(t *testing.T) {
	p := newParty(t, 31)
	a := AnswerParams{T: 28, Guard: 2, NormBits: 14, Terms: 1} // keeps 37 bits of c1, so that Q−1 < (2^37−1)·2^13
	wanted := upTo(3)
	b0, b1 := a.Bits(3)
	good := make([]byte, a.Size(3))
	with := func(i int, b byte) []byte {
		src := slices.Clone(good)
		src[i] = b
		return src
	}
	large, values := slices.Clone(good), make([]uint64, ring.N)
	values[1] = 1<<b1 - 1
	ring.PackBits(large[:ring.PackedSize(ring.N, b1)], values, b1)
	if values[1]<<(ring.LogQ-b1) < ring.Q || 3*b0%8 == 0 {
		t.Fatal("parameters do not reach the cases")
	}
	cases := []struct {
		name, err string
		src       []byte
	}{
		{"zeros", "", good},
		{"empty", "bytes, want", nil},
		{"short", "bytes, want", good[1:]},
		{"long", "bytes, want", append(slices.Clone(good), 0)},
		{"value", "value 1 is not below the modulus", large},
		{"spare bits", "spare bits", with(len(good)-1, 0x80)},
	}
	for _, c := range cases {
		err := a.Open(make([]uint32, 3), c.src, p.sk, wanted)
		if (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), "rlwe: answer: ") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	p := newParty(f, 32)
	a := AnswerParams{T: 28, Guard: 2, NormBits: 14, Terms: 1}
	f.Add([]byte{}, uint16(0), uint16(3))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff}, uint16(0), uint16(3))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff}, uint16(9476), uint16(2000))
	f.Fuzz(func(t *testing.T, data []byte, shift, n uint16) {
		wanted := upTo(int(n) % (ring.N + 1))
		if size := a.Size(len(wanted)); len(data) > 0 && len(data) < size {
			whole := make([]byte, size)
			copy(whole[int(shift)%size:], data)
			data = whole
		}
		share := make([]uint32, len(wanted))
		if a.Open(share, data, p.sk, wanted) != nil {
			return
		}
		for _, v := range share {
			if v >= 1<<(a.T+a.Guard) {
				t.Fatalf("share %d is too large", v)
			}
		}
	})
}

// reshare is Reshare with masks from one stream.
func (p AnswerParams) reshare(dst []byte, share []uint32, sum *Sum, pk *PublicKey, wanted []int32, fresh, mask *ring.Stream) {
	var masks ring.Poly
	ring.Uniform(masks[:len(wanted)], mask)
	p.Reshare(dst, share, sum, pk, wanted, fresh, &masks)
}
