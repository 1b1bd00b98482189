package garble

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/impl/impltest"
)

func randomBlocks(rng *rand.Rand, n int) []block.Block {
	out := make([]block.Block, n)
	for i := range out {
		out[i] = block.Block{Lo: rng.Uint64(), Hi: rng.Uint64()}
	}
	return out
}

// named circuits: every kind that the protocol garbles.
func stages() map[string]*circuit.Circuit {
	relu := circuit.Stage{Share: circuit.Share{Width: 22, Guard: 2}, Shift: 7, Func: circuit.Relu, Bits: 8}
	rounded := relu
	rounded.Rounded = true
	identity := relu
	identity.Func, identity.Signed = circuit.Identity, true
	square := relu
	square.Func, square.Mid, square.Shift2 = circuit.Square, 8, 8
	return map[string]*circuit.Circuit{
		"relu":        relu.Fused(),
		"rounded":     rounded.Fused(),
		"identity":    identity.Fused(),
		"square":      square.Fused(),
		"reconstruct": relu.Reconstruct(),
		"max":         relu.Max(3),
		"pool":        relu.Pool(4),
		"open":        circuit.Open(circuit.Share{Width: 22, Guard: 2}),
		"argmax":      circuit.ArgMax(circuit.Share{Width: 22, Guard: 2}, 10),
		"constants":   constants(),
	}
}

// constants has constant outputs, an input for an output, and outputs twice.
func constants() *circuit.Circuit {
	b := circuit.NewBuilder(2)
	x, y := b.Input(0), b.Input(1)
	return b.Build(circuit.False, circuit.True, x, x.Not(), b.And(x, y), b.And(x, y), b.Or(x, y))
}

// randomCircuit builds a circuit of up to 8 inputs and 60 nodes.
func randomCircuit(rng *rand.Rand) *circuit.Circuit {
	inputs := 1 + rng.IntN(8)
	b := circuit.NewBuilder(inputs)
	lits := []circuit.Lit{circuit.True}
	for i := range inputs {
		lits = append(lits, b.Input(i))
	}
	pick := func() circuit.Lit { return lits[rng.IntN(len(lits))] ^ circuit.Lit(rng.IntN(2)) }
	for range rng.IntN(60) {
		switch rng.IntN(3) {
		case 0:
			lits = append(lits, b.Xor(pick(), pick()))
		case 1:
			lits = append(lits, b.And(pick(), pick()))
		case 2:
			lits = append(lits, b.Mux(pick(), pick(), pick()))
		}
	}
	outs := make([]circuit.Lit, 1+rng.IntN(8))
	for i := range outs {
		outs[i] = pick()
	}
	return b.Build(outs...)
}

// session is what the two parties hold of one batch.
type session struct {
	delta    block.Block
	tweak    Tweak
	zero     []block.Block // of the inputs
	active   []block.Block
	bits     [][]bool // inputs, by instance
	outZero  []block.Block
	outLabel []block.Block
	table    []byte
}

// garbled garbles and evaluates n instances of c on random inputs.
func garbled(rng *rand.Rand, c *circuit.Circuit, n int, scratch *Scratch) *session {
	s := &session{
		delta:    randomBlocks(rng, 1)[0],
		tweak:    Tweak{randomBlocks(rng, 1)[0], rng.Uint64() >> 1},
		zero:     randomBlocks(rng, c.Inputs*n),
		outZero:  randomBlocks(rng, len(c.Outputs)*n), // to be overwritten
		outLabel: randomBlocks(rng, len(c.Outputs)*n),
		table:    make([]byte, TableSize(c, n)),
	}
	s.delta.Lo |= 1
	s.active = make([]block.Block, len(s.zero))
	s.bits = make([][]bool, n)
	for j := range s.bits {
		s.bits[j] = make([]bool, c.Inputs)
		for i := range s.bits[j] {
			bit := rng.Uint64() & 1
			s.bits[j][i] = bit == 1
			s.active[i*n+j] = s.zero[i*n+j].Xor(s.delta.And(bit))
		}
	}
	Garble(c, n, s.delta, s.tweak, s.zero, s.outZero, s.table, scratch)
	Evaluate(c, n, s.tweak, s.active, s.outLabel, s.table, scratch)
	return s
}

// check compares every label with the bit that the circuit gives in the clear.
func (s *session) check(c *circuit.Circuit) error {
	n := len(s.bits)
	for j := range s.bits {
		for i, bit := range c.Eval(s.bits[j]) {
			zero, got := s.outZero[i*n+j], s.outLabel[i*n+j]
			want := zero
			if bit {
				want = zero.Xor(s.delta)
			}
			if got != want {
				return fmt.Errorf("n=%d: instance %d: output %d has no label of %v", n, j, i, bit)
			}
			if got.Bit()^zero.Bit() == 1 != bit {
				return fmt.Errorf("n=%d: instance %d: output %d has the wrong colour", n, j, i)
			}
		}
	}
	return nil
}

func TestStages(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 1))
		for name, c := range stages() {
			t.Run(name, func(t *testing.T) {
				var scratch Scratch
				for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, 136, 255, 256, 257, 264, 520} {
					if c.Ands*n > 20000 {
						break
					}
					if err := garbled(rng, c, n, &scratch).check(c); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	})
}

func TestRandomCircuits(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(2, 2))
		var scratch Scratch
		for range 200 {
			c := randomCircuit(rng)
			if err := garbled(rng, c, 1+rng.IntN(20), &scratch).check(c); err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
		}
	})
}

// TestTable follows the definition of half gates, one instance at a time, with
// the key counters of the contract: it pins the layout of the table.
func TestTable(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 3))
		c := stages()["rounded"]
		for _, n := range []int{1, 8, 11, 130} {
			s := garbled(rng, c, n, new(Scratch))
			for j := range n {
				if got, want := instance(s.table, c, n, j), tableOracle(s, c, n, j); !bytes.Equal(got, want) {
					t.Fatalf("n=%d: table of instance %d differs", n, j)
				}
			}
		}
	})
}

// each runs f with the free gates in every implementation, then with the And
// gates in every implementation.
func each(t *testing.T, f func(t *testing.T)) {
	t.Run("free", func(t *testing.T) { impltest.Each(t, freeGates, f) })
	t.Run("and", func(t *testing.T) { impltest.Each(t, andGates, f) })
	t.Run("sums", func(t *testing.T) { impltest.Each(t, sumGates, f) })
}

// instance returns the entries of one instance.
func instance(table []byte, c *circuit.Circuit, n, j int) (out []byte) {
	for k := range c.Ands {
		out = append(out, table[(k*n+j)*32:][:32]...)
	}
	return out
}

func tableOracle(s *session, c *circuit.Circuit, n, j int) (table []byte) {
	hash := func(k, half int, x block.Block) block.Block {
		perHalf := (n + 7) / 8
		key := s.tweak.Start
		key.Lo ^= s.tweak.Next + uint64((2*k+half)*perHalf+j/8)
		x.Lo ^= uint64(j % 8)
		dst := []block.Block{x}
		block.HashBatch(dst, dst, []block.Block{key}, 1)
		return dst[0]
	}
	zero := make([]block.Block, c.Slots)
	for i := range c.Inputs {
		zero[i] = s.zero[i*n+j]
	}
	k := 0
	for _, g := range c.Gates {
		a, b := zero[g.A], zero[g.B]
		switch g.Op {
		case circuit.Xor:
			zero[g.Out] = a.Xor(b)
		case circuit.Xnor:
			zero[g.Out] = a.Xor(b).Xor(s.delta)
		case circuit.Not:
			zero[g.Out] = a.Xor(s.delta)
		case circuit.And:
			ha0, ha1 := hash(k, 0, a), hash(k, 0, a.Xor(s.delta))
			hb0, hb1 := hash(k, 1, b), hash(k, 1, b.Xor(s.delta))
			tg := ha0.Xor(ha1)
			if b.Bit() == 1 {
				tg = tg.Xor(s.delta)
			}
			te := hb0.Xor(hb1).Xor(a)
			// The label of 0 = a ∧ b by evaluating with a of 0 and the b that has
			// colour 0.
			out := ha0
			if a.Bit() == 1 {
				out = out.Xor(tg)
			}
			if b.Bit() == 0 {
				out = out.Xor(hb0)
			} else {
				out = out.Xor(hb1)
			}
			zero[g.Out] = out
			entry := make([]byte, 32)
			tg.Put(entry)
			te.Put(entry[16:])
			table = append(table, entry...)
			k++
		}
	}
	return table
}

// TestGolden pins the bytes of a table: they travel.
func TestGolden(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(4, 4))
		s := garbled(rng, stages()["relu"], 19, new(Scratch))
		const want = "b562bdd81832680d1efa525098ebac06aa1f1cdfb5e122ba80bc0a9728cfa2ed"
		if sum := sha256.Sum256(s.table); hex.EncodeToString(sum[:]) != want {
			t.Errorf("SHA-256 of the table is %x", sum)
		}
	})
}

// TestInputsKept: both parties may read their input labels again afterwards.
func TestInputsKept(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(6, 6))
		c, n := stages()["relu"], 9
		s := garbled(rng, c, n, new(Scratch))
		for i, zero := range s.zero {
			bit := uint64(0)
			if s.bits[i%n][i/n] {
				bit = 1
			}
			if s.active[i] != zero.Xor(s.delta.And(bit)) {
				t.Fatalf("input label %d changed", i)
			}
		}
	})
}

// TestWrongTable: any byte of the table may be wrong; the output is then some
// block, and nothing else happens.
func TestWrongTable(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 7))
		c, n := stages()["relu"], 3
		s := garbled(rng, c, n, new(Scratch))
		good := append([]block.Block(nil), s.outLabel...)
		changed := 0
		for range 300 {
			bad := bytes.Clone(s.table)
			bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
			Evaluate(c, n, s.tweak, s.active, s.outLabel, bad, new(Scratch))
			for i := range good {
				if good[i] != s.outLabel[i] {
					changed++
					break
				}
			}
		}
		// An evaluator reads a block of an entry if a colour is set: half of them.
		if changed < 75 || changed > 225 {
			t.Errorf("%d of 300 wrong tables change the output", changed)
		}
	})
}

func FuzzEvaluate(f *testing.F) {
	c := constants()
	f.Add([]byte{1}, uint64(3))
	f.Fuzz(func(t *testing.T, wrong []byte, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 8))
		s := garbled(rng, c, 5, new(Scratch))
		copy(s.table, wrong)
		Evaluate(c, 5, s.tweak, s.active, s.outLabel, s.table, new(Scratch))
	})
}

func TestMisusePanics(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 9))
		c, n := constants(), 4
		s := garbled(rng, c, n, new(Scratch))
		even := s.delta
		even.Lo &^= 1
		last := Tweak{Next: -Keys(c, n) + 1}
		for name, f := range map[string]func(){
			"even delta":  func() { Garble(c, n, even, s.tweak, s.zero, s.outZero, s.table, new(Scratch)) },
			"inputs":      func() { Garble(c, n, s.delta, s.tweak, s.zero[1:], s.outZero, s.table, new(Scratch)) },
			"outputs":     func() { Evaluate(c, n, s.tweak, s.active, s.outLabel[1:], s.table, new(Scratch)) },
			"short table": func() { Evaluate(c, n, s.tweak, s.active, s.outLabel, s.table[1:], new(Scratch)) },
			"counters":    func() { Evaluate(c, n, last, s.active, s.outLabel, s.table, new(Scratch)) },
		} {
			t.Run(name, func(t *testing.T) {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				f()
			})
		}
	})
}

// TestNoAllocation: what a batch allocates, generic AES aside, is nothing.
func TestNoAllocation(t *testing.T) {
	generic := len(andGates.Impls()) - 1
	impltest.Each(t, andGates, func(t *testing.T) {
		scratch := new(Scratch)
		if andGates.Use() == generic {
			scratch.hash = func(dst, src, keys []block.Block, per int) { copy(dst, src) }
		}
		testNoAllocation(t, scratch)
	})
}

func testNoAllocation(t *testing.T, scratch *Scratch) {
	rng := rand.New(rand.NewPCG(10, 10))
	c, n := stages()["relu"], 130
	s := garbled(rng, c, n, scratch)
	if got := testing.AllocsPerRun(3, func() {
		Garble(c, n, s.delta, s.tweak, s.zero, s.outZero, s.table, scratch)
		Evaluate(c, n, s.tweak, s.active, s.outLabel, s.table, scratch)
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
