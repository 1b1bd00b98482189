package protocol

import (
	"sync"

	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/garble"
)

// engine garbles or evaluates one batch: its gates, and the sums of its outputs.
type engine struct {
	gates func(c *circuit.Circuit, n int, t garble.Tweak, in, out []block.Block, table []byte)
	sums  func(s *circuit.Sum, n int, t garble.Tweak, labels []block.Block, values []uint32, table []byte)
}

// workspace is the memory that one chunk is garbled or evaluated in. It is
// used again: fresh memory costs more than the work on it.
type workspace struct {
	labels []block.Block // of all inputs: first of the client's share, then of the server's
	words  []block.Block // between the batches of a max-pool stage
	rows   []block.Block // the same for rows, where there are any
	window []block.Block // inputs of a batch of windows
	out    []block.Block
	values []uint32 // pads or masked results, in the order of the batches
	bits   []byte   // bit strings
	frame  []byte
	garble garble.Scratch
}

// grow returns a slice of n elements in the memory of *p, or in new memory.
func grow[T any](p *[]T, n int) []T {
	if cap(*p) < n {
		*p = make([]T, n)
	}
	return (*p)[:n]
}

// rows is memory for rows of some length, of all sessions of a server. Whatever
// leaves it is overwritten first.
type rows[T any] struct{ sync.Pool }

// get returns a row of n elements, to be Put back.
func (r *rows[T]) get(n int) *[]T {
	row, _ := r.Get().(*[]T)
	if row == nil {
		row = new([]T)
	}
	*row = grow(row, n)
	return row
}

// loans are rows of numbers that serve one inference and go back together: memory
// used again, since an inference would take megabytes of fresh one online.
type loans struct {
	pool *rows[int32]
	rows []*[]int32
}

// take returns a row of n numbers, of any value.
func (l *loans) take(n int) []int32 {
	row := l.pool.get(n)
	l.rows = append(l.rows, row)
	return *row
}

// end gives all rows back.
func (l *loans) end() {
	for _, row := range l.rows {
		l.pool.Put(row)
	}
	l.rows = nil
}

// run drives a chunk's batches through an engine. in has the labels of the client's
// share, then of the server's; the values of the sums are
// in the workspace, before or afterwards; it returns the labels of the opened
// bits. frame has the tables and sums of the batches in order, then colours.
func (ch *chunk) run(ws *workspace, in []block.Block, bits int, frame []byte, t garble.Tweak, e engine) []block.Block {
	t.Next += ch.firstKey
	next := func(size int) []byte {
		part := frame[:size]
		frame = frame[size:]
		return part
	}
	if ch.direct != nil {
		b := batch{ch.direct, ch.instances}
		return b.run(ws, in, ws.values[:ch.values], bits, next, t, e)
	}
	words := grow(&ws.words, len(ch.reconstruct.Outputs)*ch.elements)
	e.gates(ch.reconstruct, ch.elements, t, in, words, next(garble.TableSize(ch.reconstruct, ch.elements)))
	t.Next += garble.Keys(ch.reconstruct, ch.elements)
	count := ch.elements
	if ch.rows != nil {
		words, count = ch.runRows(ws, words, next, &t, e), ch.rowWords
	}
	values := ws.values[:ch.values]
	for i := range ch.pools {
		p := &ch.pools[i]
		b := p.batch()
		b.run(ws, p.gathered(ws, words, count, b.n), values[:b.n], bits, next, t, e)
		t.Next += b.keys()
		values = values[b.n:]
	}
	return nil
}

// runRows returns the words of rows.
func (ch *chunk) runRows(ws *workspace, words []block.Block, next func(int) []byte, t *garble.Tweak, e engine) []block.Block {
	bits := len(words) / ch.elements
	rows := grow(&ws.rows, bits*ch.rowWords)
	first := 0
	for i := range ch.rows {
		p := &ch.rows[i]
		b := p.batch()
		out := b.run(ws, p.gathered(ws, words, ch.elements, b.n), nil, 0, next, *t, e)
		t.Next += b.keys()
		for k := range bits {
			copy(rows[k*ch.rowWords+first:], out[k*b.n:][:b.n])
		}
		first += b.n
	}
	return rows
}

// run runs one batch and its sums, if it has any. It returns the labels of the
// outputs.
func (b *batch) run(ws *workspace, in []block.Block, values []uint32, bits int, next func(int) []byte, t garble.Tweak, e engine) []block.Block {
	out := grow(&ws.out, len(b.circuit.Outputs)*b.n)
	e.gates(b.circuit, b.n, t, in, out, next(garble.TableSize(b.circuit, b.n)))
	if b.circuit.Sum != nil {
		t.Next += garble.Keys(b.circuit, b.n)
		e.sums(b.circuit.Sum, b.n, t, out, values, next(b.sumSize(bits)))
	}
	return out
}

// gathered lines up the words of every window, from so many in all.
func (p *pool) gathered(ws *workspace, words []block.Block, count, n int) []block.Block {
	bits := len(words) / count
	in := grow(&ws.window, p.size*bits*n)
	rest := in
	for k := range p.size {
		for b := range bits {
			row := words[b*count:][:count]
			for w := range n {
				rest[w] = row[p.gather[w*p.size+k]]
			}
			rest = rest[n:]
		}
	}
	return in
}

// scatter writes the values of the chunk's sums, in the order of its batches, to the
// elements of the output tensor.
func (ch *chunk) scatter(dst []int32, values []uint32) {
	for _, o := range ch.outs {
		for i, e := range o.elements {
			dst[e] = int32(values[i])
		}
		values = values[len(o.elements):]
	}
}
