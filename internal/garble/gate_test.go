package garble

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/impl/impltest"
)

// aliases are the ways in which the rows of a gate may share memory.
var aliases = map[string]func(dst, a, b []block.Block) (d, x, y []block.Block){
	"apart":   func(dst, a, b []block.Block) (d, x, y []block.Block) { return dst, a, b },
	"dst = a": func(dst, a, b []block.Block) (d, x, y []block.Block) { return a, a, b },
	"dst = b": func(dst, a, b []block.Block) (d, x, y []block.Block) { return b, a, b },
	"a = b":   func(dst, a, b []block.Block) (d, x, y []block.Block) { return dst, a, a },
	"all":     func(dst, a, b []block.Block) (d, x, y []block.Block) { return a, a, a },
}

// gates are single gates over rows, with a table.
type gateFunc func(s *Scratch, dst, a, b []block.Block, table []byte, delta, start block.Block, keys, after [2]uint64)

var (
	andFuncs = map[string]gateFunc{
		"garble": (*Scratch).garbleAnd,
		"evaluate": func(s *Scratch, dst, a, b []block.Block, table []byte, delta, start block.Block, keys, after [2]uint64) {
			s.evaluateAnd(dst, a, b, table, start, keys, after)
		},
	}
	freeFuncs = map[string]gateFunc{
		"xor": func(_ *Scratch, dst, a, b []block.Block, _ []byte, delta, _ block.Block, _, _ [2]uint64) {
			free(circuit.Xor, dst, a, b, delta)
		},
		"xnor": func(_ *Scratch, dst, a, b []block.Block, _ []byte, delta, _ block.Block, _, _ [2]uint64) {
			free(circuit.Xnor, dst, a, b, delta)
		},
		"not": func(_ *Scratch, dst, a, b []block.Block, _ []byte, delta, _ block.Block, _, _ [2]uint64) {
			free(circuit.Not, dst, a, a, delta)
		},
	}
)

// TestGatesAgainstGeneric runs every number of instances up to a few groups and
// around the tile, every aliasing, and counters that carry, beside the generic
// gates. Nothing past the rows may change.
func TestGatesAgainstGeneric(t *testing.T) {
	lengths := []int{tile - 9, tile - 8, tile - 1, tile}
	for n := range 140 {
		lengths = append(lengths, n)
	}
	impltest.Each(t, andGates, func(t *testing.T) {
		for name, f := range andFuncs {
			for _, n := range lengths {
				compareGate(t, name, f, n)
			}
		}
	})
	impltest.Each(t, freeGates, func(t *testing.T) {
		for name, f := range freeFuncs {
			for _, n := range lengths {
				compareGate(t, name, f, n)
			}
		}
	})
}

func compareGate(t *testing.T, name string, f gateFunc, n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(n), 20))
	for alias, share := range aliases {
		var rows [3][]block.Block
		for i := range rows {
			rows[i] = randomBlocks(rng, n+1)
		}
		if n > 0 { // edge labels
			rows[1][0], rows[2][n-1] = block.Block{}, block.Block{Lo: ^uint64(0), Hi: ^uint64(0)}
		}
		table := make([]byte, n*entrySize+1)
		for i := range table {
			table[i] = byte(rng.Uint32())
		}
		delta, start := randomBlocks(rng, 1)[0], randomBlocks(rng, 1)[0]
		delta.Lo |= 1
		keys := [2]uint64{rng.Uint64(), 0xfffffffd}
		after := [2]uint64{rng.Uint64(), ^uint64(5)}
		want := [3][]block.Block{slices.Clone(rows[0]), slices.Clone(rows[1]), slices.Clone(rows[2])}
		wantTable := bytes.Clone(table)
		generic(func() {
			d, x, y := share(want[0][:n], want[1][:n], want[2][:n])
			f(new(Scratch), d, x, y, wantTable[:n*entrySize], delta, start, keys, after)
		})
		d, x, y := share(rows[0][:n], rows[1][:n], rows[2][:n])
		f(new(Scratch), d, x, y, table[:n*entrySize], delta, start, keys, after)
		for i := range rows {
			if !slices.Equal(rows[i], want[i]) {
				t.Fatalf("%s, n=%d, %s: row %d differs", name, n, alias, i)
			}
		}
		if !bytes.Equal(table, wantTable) {
			t.Fatalf("%s, n=%d, %s: table differs", name, n, alias)
		}
	}
}

// generic runs f with the generic gates.
func generic(f func()) {
	impltest.Generic(andGates, func() { impltest.Generic(freeGates, f) })
}

// TestScratchKeepsNoKeys: a Scratch may hold keys made ahead for the counters
// that a batch left off at. A batch that starts there, with the same Start or
// another, gets the table that a new Scratch gives.
func TestScratchKeepsNoKeys(t *testing.T) {
	impltest.Each(t, andGates, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(22, 22))
		c := stages()["rounded"]
		for _, n := range []int{8, 13, 80} {
			var scratch Scratch
			s := garbled(rng, c, n, &scratch)
			for _, start := range []block.Block{s.tweak.Start, randomBlocks(rng, 1)[0]} {
				Garble(c, n, s.delta, s.tweak, s.zero, s.outZero, s.table, &scratch)
				next := Tweak{start, s.tweak.Next + Keys(c, n)}
				got, want := make([]byte, len(s.table)), make([]byte, len(s.table))
				Garble(c, n, s.delta, next, s.zero, s.outZero, got, &scratch)
				Garble(c, n, s.delta, next, s.zero, s.outZero, want, new(Scratch))
				if !bytes.Equal(got, want) {
					t.Errorf("n=%d: table depends on the Scratch", n)
				}
			}
		}
	})
}

// TestAccumulated garbles 10^5 And gates, each from what the last one left, and
// compares one hash of all tables and labels.
func TestAccumulated(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(21, 21))
		row := randomBlocks(rng, 3*40)
		table := make([]byte, 40*entrySize)
		delta := block.Block{Lo: 0x123456789abcdef1, Hi: 3}
		var s Scratch
		sum := sha256.New()
		for gates := 0; gates < 100_000; {
			n := gates % 41
			if n == 0 {
				n = 40
			}
			keys := [2]uint64{uint64(gates), ^uint64(gates)}
			a, b, dst := row[:n], row[40:][:n], row[80:][:n]
			s.garbleAnd(dst, a, b, table[:n*entrySize], delta, row[gates%120], keys, keys)
			free(circuit.Xnor, a, a, dst, delta)
			s.evaluateAnd(b, b, dst, table[:n*entrySize], row[gates%120], keys, keys)
			sum.Write(table)
			gates += n
		}
		for _, b := range row {
			var p [block.Size]byte
			b.Put(p[:])
			sum.Write(p[:])
		}
		const want = "4906adffef5a4014"
		if got := hex.EncodeToString(sum.Sum(nil)[:8]); got != want {
			t.Errorf("accumulated hash %s, want %s", got, want)
		}
	})
}
