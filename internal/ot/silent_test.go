package ot

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/impl/impltest"
)

// Plans for tests only: far too small to be secure.
var insecurePlans = []silentPlan{
	{main: lpn{trees: 40, logK: 6, depth: 4}},
	{main: lpn{trees: 5, logK: 9, depth: 11}},
	{start: lpn{trees: 40, logK: 5, depth: 5}, main: lpn{trees: 60, logK: 9, depth: 6}},
}

func insecureSilent(t testing.TB, p silentPlan, seed uint64) (*SilentReceiver, *SilentSender) {
	t.Helper()
	d := newDealer(K, seed)
	msg := make([]byte, extendSize(K, p.extended()))
	r := d.receiver().newSilent(p, msg)
	s, err := d.sender().newSilent(p, msg)
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

func refill(t testing.TB, r *SilentReceiver, s *SilentSender) []byte {
	t.Helper()
	msg := make([]byte, s.RefillSize())
	s.Refill(msg)
	if err := r.Refill(msg); err != nil {
		t.Fatal(err)
	}
	return msg
}

func take(r *SilentReceiver, s *SilentSender, n int) *batch {
	b := &batch{m: make([]block.Block, n), k: make([]block.Block, n), choices: make([]byte, (n+7)/8)}
	r.Take(b.m, b.choices)
	s.Take(b.k)
	return b
}

func TestSilent(t *testing.T) {
	for _, p := range insecurePlans {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			r, s := insecureSilent(t, p, 7)
			seen := map[block.Block]bool{}
			for range 3 {
				if n := r.RefillSize(); n != s.RefillSize() || n != p.refill(r.count == 0) {
					t.Fatalf("the next message is to be %d bytes", n)
				}
				refill(t, r, s)
				for _, n := range []int{0, 1, 7, 63, 64, p.yield() - 135} {
					b := take(r, s, n)
					b.verify(t, s.delta)
					for i := range b.k {
						if b.k[i].Bit() != 0 || b.m[i].Bit() != b.choice(i) {
							t.Fatal("bit 0 of a label is not its colour")
						}
						if seen[b.k[i]] {
							t.Fatal("a label comes twice")
						}
						seen[b.k[i]] = true
					}
				}
				if r.Left() != 0 || s.Left() != 0 {
					t.Fatalf("%d and %d are left of %d", r.Left(), s.Left(), p.yield())
				}
			}
		})
	}
}

// TestSilentDefinition computes one iteration from the extension's correlations by
// the definition of the code and of the noise: the server's labels, and from them and
// the paths the client's.
func TestSilentDefinition(t *testing.T) {
	p := silentPlan{main: lpn{trees: 30, logK: 5, depth: 3}}
	r, s := insecureSilent(t, p, 8)
	table := slices.Clone(s.first[:p.main.secret()])
	base := slices.Clone(s.first[p.main.secret():p.main.seeds()])
	mine := slices.Clone(r.first[p.main.secret():p.main.seeds()])
	refill(t, r, s)
	server, client := &s.queue[0].forest, &r.queue[0].forest
	got := take(r, s, p.yield())
	d := &forestDealer{lpn: p.main, ctx: server.ctx, delta: s.delta, k: base}
	_, want := d.slowMessage(nil)
	key := digest(labelCode, server.ctx[:])
	slowEncode(want, table, slowRows((*[16]byte)(key[:]), 0, p.main.out()))
	if !slices.Equal(got.k, want[:p.yield()]) {
		t.Error("the server's labels are not the definition's")
	}
	noise := 0
	for tree := range p.main.trees {
		path := 0
		for l := range p.main.depth {
			path |= int(1^mine[tree*p.main.depth+l].Bit()) << l
		}
		if int(client.paths[tree]) != path {
			t.Errorf("tree %d: the path is not the complement of the choice bits", tree)
		}
		noise |= 1 << path
	}
	if noise != 0xff {
		t.Errorf("of 8 places of the noise only those of %08b occur", noise)
	}
}

// TestSilentClasses runs the real parameters.
func TestSilentClasses(t *testing.T) {
	for c := Class10; c <= Class13; c++ {
		if c > Class10 && (testing.Short() || !fastKernels()) {
			continue
		}
		t.Run(c.String(), func(t *testing.T) {
			recv, send := setUp(t, K, 200)
			msg := make([]byte, c.StartSize())
			r := recv.NewSilent(c, msg)
			s, err := send.NewSilent(c, msg)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				if n := len(refill(t, r, s)); n != c.RefillSize(i == 0) {
					t.Errorf("a message of %d bytes, want %d", n, c.RefillSize(i == 0))
				}
				if r.Left() != c.Yield() || s.Left() != c.Yield() {
					t.Error("the yield is wrong")
				}
				first := take(r, s, 10001)
				first.verify(t, send.Delta())
				ones := 0
				for j := range first.m {
					ones += int(first.choice(j))
				}
				if ones < 4600 || ones > 5400 { // 8 standard deviations
					t.Errorf("%d of 10001 choice bits are 1", ones)
				}
				r.skip(c.Yield() - 20002)
				s.skip(c.Yield() - 20002)
				take(r, s, 10001).verify(t, send.Delta())
			}
			extend(t, recv, send, 300) // which goes on as ever
		})
	}
}

// TestSilentTakeAllocates nothing with the vector kernels. The generic one
// makes an AES object of the standard library for every key.
func TestSilentTakeAllocates(t *testing.T) {
	generic := len(silentTrees.Impls()) - 1
	impltest.Each(t, silentTrees, func(t *testing.T) {
		p := silentPlan{main: lpn{trees: 400, logK: 9, depth: 6}}
		r, s := insecureSilent(t, p, 13)
		refill(t, r, s)
		labels, choices := make([]block.Block, 100), make([]byte, 13)
		for name, f := range map[string]func(){
			"client": func() { r.Take(labels, choices) },
			"server": func() { s.Take(labels) },
		} {
			if n := testing.AllocsPerRun(100, f); n != 0 && silentTrees.Use() != generic {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}

// fastKernels reports whether more than the generic kernels are there.
func fastKernels() bool { return len(silentTrees.Impls()) > 1 && silentTrees.Impls()[0].Available }

// skip takes n correlations and throws them away, whole trees without making them.
func (s *silent) skip(n int) {
	it := s.queue[len(s.queue)-1]
	s.left -= n
	it.left -= n
	drop := min(n, len(it.rest))
	it.rest, n = it.rest[drop:], n-drop
	it.next += n / it.forest.leaves()
	s.produce(make([]block.Block, n%it.forest.leaves()), it)
}

func TestClassSizes(t *testing.T) {
	for _, c := range []struct {
		class                      Class
		yield, start, first, later int
	}{
		{Class10, 870400 - 65536 - 8500, 31*9280 + 48, 850*160 + 32, 850*160 + 32},
		{Class11, 2396160 - 131072 - 12870, 31*18016 + 48, 1170*176 + 32, 1170*176 + 32},
		{Class12, 6225920 - 262144 - 18240, 31*8560 + 48, 274*160 + 32 + 1520*192 + 32, 1520*192 + 32},
		{Class13, 15564800 - 524288 - 24700, 31*8880 + 48, 537*160 + 32 + 1900*208 + 32, 1900*208 + 32},
	} {
		if got := c.class.Yield(); got != c.yield {
			t.Errorf("%v: yield %d, want %d", c.class, got, c.yield)
		}
		if got := c.class.StartSize(); got != c.start {
			t.Errorf("%v: start of %d bytes, want %d", c.class, got, c.start)
		}
		if a, b := c.class.RefillSize(true), c.class.RefillSize(false); a != c.first || b != c.later {
			t.Errorf("%v: refills of %d and %d bytes, want %d and %d", c.class, a, b, c.first, c.later)
		}
		y := c.yield
		for _, r := range [][3]int{{0, 0, 0}, {0, 1, 1}, {5, 5, 0}, {5, 6, 1}, {0, y, 1}, {0, y + 1, 2}, {7, 2*y + 7, 2}} {
			if got := c.class.Refills(r[0], r[1]); got != r[2] {
				t.Errorf("%v: %d refills for %d with %d left, want %d", c.class, got, r[1], r[0], r[2])
			}
		}
		for _, p := range []lpn{c.class.plan().start, c.class.plan().main} {
			if p.logK > fieldBits || p.trees > 0 && p.depth < 2 {
				t.Errorf("%v: the kernels cannot do %+v", c.class, p)
			}
		}
	}
}

// TestSilentFlips flips bits all over a later Refill and over the start.
func TestSilentFlips(t *testing.T) {
	p := insecurePlans[2]
	d := newDealer(K, 9)
	start := make([]byte, extendSize(K, p.extended()))
	d.receiver().newSilent(p, start)
	for at := 0; at < 8*len(start); at += 8*len(start)/20 + 1 {
		bad := bytes.Clone(start)
		bad[at/8] ^= 1 << (at % 8)
		if _, err := d.sender().newSilent(p, bad); err == nil {
			t.Errorf("start, bit %d: accepted", at)
		}
	}
	for at := range 60 {
		r, s := insecureSilent(t, p, 9)
		if at%2 == 0 {
			refill(t, r, s)
			take(r, s, p.yield())
		}
		msg := make([]byte, s.RefillSize())
		s.Refill(msg)
		good := bytes.Clone(msg)
		bit := at * (8*len(msg) - 1) / 59
		msg[bit/8] ^= 1 << (bit % 8)
		expectSilentDeath(t, r, msg, fmt.Sprint("bit ", bit))
		if r.Refill(good) == nil {
			t.Errorf("bit %d: a dead receiver accepts the right message", bit)
		}
	}
}

func expectSilentDeath(t *testing.T, r *SilentReceiver, msg []byte, what string) {
	t.Helper()
	if err := r.Refill(msg); err == nil || !strings.HasPrefix(err.Error(), "ot: silent: refill: ") {
		t.Errorf("%s: error %v", what, err)
	}
	if r.Left() != 0 || !r.dead {
		t.Errorf("%s: the receiver is alive", what)
	}
}

func TestSilentReplay(t *testing.T) {
	p := insecurePlans[0]
	r, s := insecureSilent(t, p, 10)
	first := refill(t, r, s)
	take(r, s, p.yield())
	expectSilentDeath(t, r, first, "replay")
	r, s = insecureSilent(t, p, 10)
	for _, size := range []int{0, 1, s.RefillSize() - 1, s.RefillSize() + 1} {
		r, _ := insecureSilent(t, p, 10)
		expectSilentDeath(t, r, make([]byte, size), fmt.Sprint(size, " bytes"))
	}
	refill(t, r, s)
	take(r, s, p.yield())
	s.Refill(make([]byte, s.RefillSize()))
	msg := make([]byte, s.RefillSize())
	s.Refill(msg)
	expectSilentDeath(t, r, msg, "second message first")
}

func TestSilentMisuse(t *testing.T) {
	p := insecurePlans[0]
	r, s := insecureSilent(t, p, 11)
	one := make([]block.Block, 1)
	for name, f := range map[string]func(){
		"server takes before a refill": func() { s.Take(one) },
		"client takes before a refill": func() { r.Take(one, make([]byte, 1)) },
		"room for choices":             func() { r.Take(nil, make([]byte, 1)) },
		"size of a refill":             func() { s.Refill(make([]byte, 3)) },
		"no class":                     func() { Class(9).Yield() },
		"no class either":              func() { Class(14).StartSize() },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
	refill(t, r, s)
	if !panics(func() { s.Take(make([]block.Block, p.yield()+1)) }) {
		t.Error("takes too much: no panic")
	}
	take(r, s, p.yield()).verify(t, s.delta)
}

func panics(f func()) (p bool) {
	defer func() { p = recover() != nil }()
	f()
	return false
}

// TestSilentGolden fixes every message and output for fixed seeds, for every
// implementation of the kernels.
func TestSilentGolden(t *testing.T) {
	impltest.Each(t, silentTrees, func(t *testing.T) {
		var out bytes.Buffer
		record := func(name string, p []byte) { fmt.Fprintf(&out, "%s %x\n", name, sha256.Sum256(p)) }
		plans := slices.Clone(insecurePlans)
		if !testing.Short() {
			plans = append(plans, Class10.plan()) // the last one
		}
		for i, p := range plans {
			recv, send := setUp(t, K, 300)
			start := make([]byte, extendSize(K, p.extended()))
			r := recv.newSilent(p, start)
			s, err := send.newSilent(p, start)
			if err != nil {
				t.Fatal(err)
			}
			record(fmt.Sprintf("plan-%d-start", i), start)
			for j := range 2 - i/len(insecurePlans) {
				record(fmt.Sprintf("plan-%d-refill-%d", i, j), refill(t, r, s))
				b := take(r, s, p.yield())
				record(fmt.Sprintf("plan-%d-choices-%d", i, j), b.choices)
				record(fmt.Sprintf("plan-%d-labels-%d", i, j), blockBytes(b.m))
				record(fmt.Sprintf("plan-%d-zero-labels-%d", i, j), blockBytes(b.k))
			}
		}
		file := filepath.Join("testdata", "silent.golden")
		if *update && !testing.Short() {
			if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if testing.Short() {
			want = want[:min(len(want), out.Len())]
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Errorf("the transcript has changed; -update rewrites it\ngot\n%swant\n%s", out.Bytes(), want)
		}
	})
}

func FuzzSilentRefill(f *testing.F) {
	p := silentPlan{main: lpn{trees: 20, logK: 4, depth: 3}}
	r, s := insecureSilent(f, p, 12)
	good := make([]byte, s.RefillSize())
	s.Refill(good)
	if err := r.Refill(good); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[1:])
	f.Add([]byte{})
	f.Add(append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1))
	f.Fuzz(func(t *testing.T, msg []byte) {
		r, _ := insecureSilent(t, p, 12)
		err := r.Refill(msg)
		if (err == nil) != bytes.Equal(msg, good) {
			t.Errorf("error %v", err)
		}
		if (err != nil) != (r.Left() == 0) {
			t.Error("something is left after an error")
		}
	})
}
