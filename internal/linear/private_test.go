package linear

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
)

// parties is a client and a server without a network between.
type parties struct {
	sk     *rlwe.SecretKey
	pk     *rlwe.PublicKey
	seed   [32]byte
	masks  [32]byte
	public [32]byte
}

func newParties(t testing.TB) *parties {
	p := &parties{seed: [32]byte{1}, masks: [32]byte{2}, public: [32]byte{3}}
	p.sk = rlwe.NewSecretKey(ring.NewStream(&p.seed, "key", 0))
	b := make([]byte, rlwe.PublicKeySize)
	p.sk.PublicKey(b, &p.public, ring.NewStream(&p.seed, "key noise", 0))
	var err error
	if p.pk, err = rlwe.ParsePublicKey(b, &p.public); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *parties) upload(t testing.TB, l *Layout, x [][]int32) []rlwe.Ciphertext {
	cts := make([]rlwe.Ciphertext, l.Uploads())
	m := make([]uint32, ring.N)
	b := make([]byte, rlwe.CiphertextSize)
	for i := range cts {
		l.Pack(m, i, x)
		p.sk.Encrypt(b, m, l.params.T, &p.public, uint64(i), ring.NewStream(&p.seed, "noise", uint64(i)))
		if err := cts[i].Parse(b, &p.public, uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	return cts
}

func (p *parties) fresh(i int) *ring.Stream { return ring.NewStream(&p.masks, "fresh", uint64(i)) }
func (p *parties) mask(i, image int) *ring.Stream {
	return ring.NewStream(&p.masks, "mask", uint64(i)<<8+uint64(image))
}

// imageMasks returns the mask streams of answer i.
func (p *parties) imageMasks(l *Layout, i int) []*ring.Stream {
	image, count := l.ImagesOf(i)
	var masks []*ring.Stream
	for j := range count {
		masks = append(masks, p.mask(i, image+j))
	}
	return masks
}

// output is where answer i goes.
func (p *parties) output(l *Layout, i int) Output {
	return Output{Dst: make([]byte, l.AnswerSize(i)), Fresh: p.fresh(i), Masks: p.imageMasks(l, i)}
}

// answer computes all answers at the same time.
func (p *parties) answer(l *Layout, cts []rlwe.Ciphertext, w *Weights) (answers [][]byte, shares [][]int32) {
	answers = make([][]byte, l.Answers())
	shares = tensors(l)
	var wait sync.WaitGroup
	for i := 0; i < len(answers); {
		var outputs []Output
		first := i
		for range l.Together(i) {
			outputs = append(outputs, p.output(l, i))
			answers[i] = outputs[i-first].Dst
			i++
		}
		wait.Go(func() { l.Answer(outputs, shares, first, cts, w, p.pk) })
	}
	wait.Wait()
	return answers, shares
}

// checkPrivate runs one layer between both parties.
func checkPrivate(t *testing.T, p *parties, g Geometry, params Params, images int, rnd *rand.Rand) {
	t.Helper()
	l, err := NewLayout(g, params, images)
	if err != nil {
		t.Fatal(err)
	}
	x, w := randomTensors(rnd, g, images)
	if err := l.CheckNoise(w); err != nil {
		t.Fatal(err)
	}
	answers, rho := p.answer(l, p.upload(t, l, x), l.NewWeights(w))
	redone, c := tensors(l), tensors(l)
	total := 0
	for i, b := range answers {
		total += len(b)
		image, count := l.ImagesOf(i)
		for j := image; j < image+count; j++ {
			l.RedoShare(redone[j], i, j, p.mask(i, j))
		}
		if err := l.Open(c, i, b, p.sk); err != nil {
			t.Fatal(err)
		}
		if err := l.Open(c, i, b[1:], p.sk); err == nil {
			t.Fatal("short answer opened")
		}
	}
	if total != l.AnswerBytes() {
		t.Errorf("%v: %d bytes of answers, predicted %d", l, total, l.AnswerBytes())
	}
	mask := uint32(1)<<(params.T+params.Guard) - 1
	for k := range x {
		for i, y := range direct(g, x[k], w) {
			c, rho := uint32(c[k][i]), uint32(rho[k][i])
			if rho != uint32(redone[k][i]) {
				t.Fatalf("%v: output %d: share %d, done again %d", l, i, rho, redone[k][i])
			}
			if c&^mask != 0 || rho&^mask != 0 {
				t.Fatalf("%v: output %d: shares above the modulus", l, i)
			}
			if e := (c + rho - uint32(y)<<params.Guard + 1) & mask; e > 2 {
				t.Fatalf("%v: output %d: error %d", l, i, int32(e)-1)
			}
		}
	}
}

func TestPrivate(t *testing.T) {
	p := newParties(t)
	rnd := rand.New(rand.NewPCG(7, 8))
	for _, c := range []struct {
		g      Geometry
		params Params
	}{
		{square(1, 1, 1, 1, 1, 0), Params{8, 2, 9}},
		{square(784, 1, 128, 1, 1, 0), Params{22, 2, 13}},
		{square(1, 28, 5, 5, 2, 1), Params{20, 2, 11}},
		{square(3, 32, 7, 3, 1, 1), Params{20, 3, 11}},
		{square(5, 12, 6, 3, 2, 1), Params{28, 2, 11}},
		{square(2, 50, 2, 3, 1, 1), Params{24, 2, 11}},
		{square(9, 5, 4, 1, 2, 0), Params{16, 1, 10}},
		{square(2, 25, 3, 11, 4, 2), Params{30, 2, 12}},
		{grouped(square(32, 16, 32, 3, 1, 1), 32, 1), Params{20, 1, 11}},
		{grouped(square(24, 8, 48, 3, 2, 1), 24, 1), Params{20, 2, 11}},
		{grouped(square(24, 14, 16, 3, 1, 1), 4, 1), Params{22, 2, 12}},
		{grouped(square(4, 33, 6, 3, 1, 6), 2, 6), Params{22, 2, 12}},
	} {
		t.Run(c.g.String(), func(t *testing.T) {
			checkPrivate(t, p, c.g, c.params, 1, rnd)
			checkPrivate(t, p, c.g, c.params, 3, rnd)
		})
	}
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	for range rounds {
		g := randomGeometry(rnd)
		checkPrivate(t, p, g, Params{18 + rnd.IntN(8), 1 + rnd.IntN(3), 13}, 1+rnd.IntN(4), rnd)
	}
}

func TestAnswerSizes(t *testing.T) {
	for _, c := range sizes[:12] {
		a := sizeParams(c.g).answer(c.g, 3)
		got := answerSizes(a)
		for wanted := 0; wanted <= ring.N; wanted += 1 + wanted/9 {
			if want := a.Size(wanted); got[wanted] != want {
				t.Fatalf("%v: %d wanted: %d bytes, want %d", a, wanted, got[wanted], want)
			}
		}
		if got[ring.N] != a.Size(ring.N) {
			t.Fatalf("%v: wrong size of a full answer", a)
		}
	}
}

func TestCheckNoise(t *testing.T) {
	g := square(4, 5, 2, 2, 1, 0)
	l, err := NewLayout(g, Params{20, 2, 10}, 1)
	if err != nil {
		t.Fatal(err)
	}
	w := make([]int16, 2*16)
	for i := range 16 {
		w[16+i] = 256 * int16(1-2*(i&1)) // 16·2^16 = 4^10
	}
	if err := l.CheckNoise(w); err != nil {
		t.Errorf("the exact norm: %v", err)
	}
	w[0], w[1] = -1024, 0
	if err := l.CheckNoise(w); err != nil {
		t.Errorf("the exact norm in one weight: %v", err)
	}
	w[1] = 1
	if err := l.CheckNoise(w); err == nil {
		t.Error("accepted 4^10 + 1, channel 0")
	}
	w[1], w[20] = 0, 257
	if err := l.CheckNoise(w); err == nil {
		t.Error("accepted a large weight, channel 1")
	}
	all := make([]int16, 1<<16)
	for i := range all {
		all[i] = -1 << 15
	}
	if !normWithin(all, 23) || normWithin(all, 22) {
		t.Error("norm of the smallest int16: want exactly 2^23")
	}
}

// TestNormOfGroups: the bound that rlwe is given covers all kernels that share
// a plaintext.
func TestNormOfGroups(t *testing.T) {
	for _, c := range []struct{ m, extra int }{
		{1, 0}, {2, 1}, {4, 1}, {5, 2}, {16, 2}, {17, 3}, {64, 3}, {65, 4}, {2048, 6},
	} {
		p := Params{T: 20, Guard: 2, NormBits: 10}
		if got := p.answer(square(1, 1, 1, 1, 1, 0), c.m).NormBits; got != 10+c.extra {
			t.Errorf("%d kernels: norm 2^%d, want 2^%d", c.m, got, 10+c.extra)
		}
	}
	// Where one kernel alone fits the noise budget, no answer holds two.
	g := square(64, 1, 64, 1, 1, 0)
	for norm := 31; norm >= 0; norm-- {
		l, err := NewLayout(g, Params{T: 26, Guard: 2, NormBits: norm}, 1)
		if err != nil {
			continue
		}
		if l.Answers() != 64 {
			t.Errorf("norm 2^%d: %d answers, want 64: %v", norm, l.Answers(), l)
		}
		break
	}
}

func TestDeterministic(t *testing.T) {
	for _, c := range sizes {
		a, err := NewLayout(c.g, sizeParams(c.g), 1)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := NewLayout(c.g, sizeParams(c.g), 1)
		if a.String() != b.String() {
			t.Errorf("two layouts of %v differ", c.g)
		}
	}
}

func TestWeightsHidden(t *testing.T) {
	l, _ := NewLayout(square(1, 4, 1, 3, 1, 0), Params{20, 2, 10}, 1)
	w := l.NewWeights([]int16{1, 2, 3, 4, 5, 6, 7, 8, 9})
	for _, s := range []string{fmt.Sprint(w), fmt.Sprintf("%#v", w), fmt.Sprintf("%x", w)} {
		if s != "[redacted]" {
			t.Errorf("weights print as %.40q", s)
		}
	}
	if want := l.Products() * ring.N * 8; w.Bytes() != want {
		t.Errorf("%d bytes of weights, want %d", w.Bytes(), want)
	}
}
