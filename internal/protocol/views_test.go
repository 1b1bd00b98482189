package protocol

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"testing"

	"dorcas/internal/garble"
	"dorcas/internal/ot"
	"dorcas/internal/wire"
	"dorcas/internal/wire/wiretest"
	"dorcas/nn"
)

// view is what crossed the wire in one direction, step by step.
type view map[stepKey][]byte

// views runs one preparation and one inference and returns what each party
// received. A nil seed is a random one.
func views(t *testing.T, m *nn.Model, x []int32, client, server *[32]byte) (toServer, toClient view) {
	t.Helper()
	return batchViews(t, m, 1, x, client, server)
}

// batchViews is views of a preparation of n, of which the last is used.
func batchViews(t *testing.T, m *nn.Model, n int, x []int32, client, server *[32]byte) (toServer, toClient view) {
	t.Helper()
	return viewsBy(t, m, ot.SoftSpoken4, n, x, client, server)
}

// viewsBy is batchViews with a method of transfers.
func viewsBy(t *testing.T, m *nn.Model, method ot.Method, n int, x []int32, client, server *[32]byte) (toServer, toClient view) {
	t.Helper()
	s, err := NewServer(m)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	rec := wiretest.Record(a)
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(context.Background(), wire.New(b), &ServeOptions{InsecureSeed: server})
	}()
	c, err := Connect(t.Context(), wire.New(rec), &ClientOptions{InsecureSeed: client, Transfers: method})
	if err != nil {
		t.Fatal(err)
	}
	materials, err := c.PrepareBatch(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Infer(t.Context(), materials[n-1], x); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	sent, received := rec.Take()
	return split(t, c.Plan(), n, sent, true), split(t, c.Plan(), n, received, false)
}

// stepsWith returns the messages of a session with a preparation of n and one
// inference.
func (p *Plan) stepsWith(t *testing.T, n int) []Step {
	t.Helper()
	b, err := p.Batch(n)
	if err != nil {
		t.Fatal(err)
	}
	steps := Plan{shape: p.shape, bytes: p.bytes, moduli: p.moduli, convs: b.convs, stages: p.stages, levels: p.levels, ots: p.ots, method: p.method}
	steps.planSteps()
	i := slices.IndexFunc(steps.steps, func(s Step) bool { return s.Phase == Offline })
	j := slices.IndexFunc(steps.steps, func(s Step) bool { return s.Phase == Online })
	return slices.Concat(steps.steps[:i], b.steps, steps.steps[j:])
}

// split cuts a direction's bytes into the payloads of its steps.
func split(t *testing.T, p *Plan, n int, raw []byte, toServer bool) view {
	t.Helper()
	v := view{}
	for _, s := range p.stepsWith(t, n) {
		if s.ToServer != toServer {
			continue
		}
		k := stepKey{s.Name, s.Phase, s.Layer}
		for i := range s.Frames {
			n := int(raw[1]) | int(raw[2])<<8 | int(raw[3])<<16 | int(raw[4])<<24
			v[k] = append(v[k], raw[wire.Overhead:wire.Overhead+n]...)
			if s.Name == "tables" {
				st := p.stageOf(s.Layer)
				k := stepKey{"sums", s.Phase, s.Layer}
				v[k] = append(v[k], st.chunks[i].sums(st.mask, raw[wire.Overhead:][:n])...)
			}
			raw = raw[wire.Overhead+n:]
		}
	}
	return v
}

// sums returns the rows of the sums in a chunk's frame.
func (ch *chunk) sums(bits int, frame []byte) (rows []byte) {
	for _, b := range ch.batches() {
		frame = frame[garble.TableSize(b.circuit, b.n):]
		rows = append(rows, frame[:b.sumSize(bits)]...)
		frame = frame[b.sumSize(bits):]
	}
	return rows
}

func (p *Plan) stageOf(layer int) *stagePlan {
	for _, st := range p.stages {
		if st.layer == layer {
			return st
		}
	}
	return nil
}

// skew returns how many standard deviations the histogram of bytes is from
// that of uniform ones.
func skew(b []byte) float64 {
	var count [256]float64
	for _, v := range b {
		count[v]++
	}
	expect, chi := float64(len(b))/256, 0.0
	for _, n := range count {
		chi += (n - expect) * (n - expect) / expect
	}
	return (chi - 255) / math.Sqrt(2*255)
}

// uniform fails the test if bytes are not: false alarms are rarer than 10^-9.
func uniform(t *testing.T, what string, b []byte) {
	t.Helper()
	if len(b) < 256*5 {
		t.Fatalf("%s: %d bytes are too few to judge", what, len(b))
	}
	if s := skew(b); s > 9 {
		t.Errorf("%s: %.1f standard deviations from uniform", what, s)
	}
}

func xor(a, b []byte) []byte {
	d := make([]byte, len(a))
	for i := range d {
		d[i] = a[i] ^ b[i]
	}
	return d
}

// viewModel is large enough that every message has enough bytes to judge.
// Weights are random, from the seed, or all zero.
func viewModel(seed uint64, zero bool) *nn.Model {
	b := newBuilder(5, nn.Dims{C: 4, H: 24, W: 24}, 8, true)
	b.rng = rand.New(rand.NewPCG(seed, 2))
	pool := square(2, 2, 0)
	t := b.relu(b.conv(0, 8, square(3, 1, 1)), &pool)
	t = b.relu(b.conv(t, 8, square(3, 1, 1)), nil)
	m := b.finish(b.dense(t, 10), nn.RevealScores)
	// One shape for all weights: the widest that they may need.
	for i := range m.Layers {
		l := &m.Layers[i]
		if l.Conv != nil {
			l.Conv.NormBits = 14
			if zero {
				clear(m.Weights[i].W)
				clear(m.Weights[i].Bias)
			}
		}
		if l.Activate != nil {
			l.Activate.Width, l.Activate.Shift = 24, 9
		}
	}
	m.Output.Width = 26
	return m
}

// TestServerSees checks that all that depends on the client's input and masks
// looks uniform to a server with a fixed seed, for inputs as different as can
// be, and so do the differences of two runs.
func TestServerSees(t *testing.T) {
	m := viewModel(1, false)
	seed := [32]byte{1}
	low, high := make([]int32, 4*24*24), make([]int32, 4*24*24)
	for i := range low {
		low[i], high[i] = -128, 127
	}
	first, _ := views(t, m, low, nil, &seed)
	second, _ := views(t, m, low, nil, &seed)
	third, _ := views(t, m, high, nil, &seed)
	for _, k := range []stepKey{
		{"uploads", Offline, 0}, {"uploads", Offline, 2}, {"transfers", Offline, Session},
		{"offsets", Online, 1}, {"offsets", Online, 3}, {"input", Online, Session}, {"results", Online, 1}, {"results", Online, 3},
	} {
		uniform(t, k.name, first[k])
		uniform(t, k.name+", other input", third[k])
		uniform(t, k.name+", difference of two runs on one input", xor(first[k], second[k]))
		uniform(t, k.name+", difference of two inputs", xor(first[k], third[k]))
	}
}

// TestClientSees checks that all that depends on the server's weights looks
// uniform to a client with a fixed seed, for no weights and random ones, and
// so do the differences of two runs.
func TestClientSees(t *testing.T) {
	zero, random := viewModel(1, true), viewModel(2, false)
	seed := [32]byte{2}
	x := make([]int32, 4*24*24)
	_, first := views(t, zero, x, &seed, nil)
	_, second := views(t, zero, x, &seed, nil)
	_, third := views(t, random, x, &seed, nil)
	for _, k := range []stepKey{
		{"answers", Offline, 0}, {"answers", Offline, 2}, {"tables", Offline, 1}, {"tables", Offline, 3},
		{"sums", Offline, 1}, {"sums", Offline, 3}, {"labels", Online, 1}, {"labels", Online, 3},
	} {
		uniform(t, k.name, first[k])
		uniform(t, k.name+", other weights", third[k])
		uniform(t, k.name+", difference of two runs with the same weights", xor(first[k], second[k]))
		uniform(t, k.name+", difference of two models", xor(first[k], third[k]))
	}
}

// TestResultsAreUnderPads checks that the client, which knows its masks r',
// cannot read the results z - r' that it evaluates: what it sends differs
// from them by bits that look uniform.
func TestResultsAreUnderPads(t *testing.T) {
	m := viewModel(1, false)
	s, err := NewServer(m)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	rec := wiretest.Record(a)
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), wire.New(b), nil) }()
	c, err := Connect(t.Context(), wire.New(rec), nil)
	if err != nil {
		t.Fatal(err)
	}
	material, err := c.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m1, m3 := material.masks(2, 8*12*12), material.masks(4, 8*12*12)
	masks, x := map[int][]int32{2: m1, 4: m3}, make([]int32, 4*24*24)
	if _, _, err := c.Infer(t.Context(), material, x); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	sent, _ := rec.Take()
	got := split(t, c.Plan(), 1, sent, true)
	clear, err := m.RunAll(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range c.plan.stages {
		if st.mask == 0 {
			continue
		}
		plain := clear[st.layer+1]
		for i, r := range masks[st.layer+1] {
			plain[i] -= r
		}
		uniform(t, "results against z - r'", xor(packed(plain, st.mask), got[stepKey{"results", Online, st.layer}]))
	}
}

// TestViewsCanFail shows that the statistic sees what it should: the input in
// the clear, and a mask used for two inputs.
func TestViewsCanFail(t *testing.T) {
	m := viewModel(1, false)
	client, server := [32]byte{3}, [32]byte{4}
	x, y := make([]int32, 4*24*24), make([]int32, 4*24*24)
	for i := range y {
		y[i] = 1
	}
	first, _ := views(t, m, x, &client, &server)
	second, _ := views(t, m, y, &client, &server)
	k := stepKey{"input", Online, Session}
	if s := skew(xor(first[k], second[k])); s < 100 {
		t.Errorf("two inputs under one mask look uniform: %.1f", s)
	}
	if !bytes.Equal(first[stepKey{"uploads", Offline, 0}], second[stepKey{"uploads", Offline, 0}]) {
		t.Error("the same seeds give other masks")
	}
}
