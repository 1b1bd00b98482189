package protocol

import (
	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/garble"
)

// engine garbles or evaluates one batch.
type engine func(c *circuit.Circuit, n int, t garble.Tweak, in, out []block.Block, table []byte)

// workspace is the memory that one chunk is garbled or evaluated in. It is
// used again: fresh memory costs more than the work on it.
type workspace struct {
	labels []block.Block // of all inputs, see split
	words  []block.Block // between the batches of a max-pool stage
	window []block.Block // inputs of a batch of windows
	out    []block.Block
	bits   []byte // bit strings
	pads   []byte
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

// split returns the three parts of the labels of a chunk: of the client's
// share, of the masks and of the server's share. They lie in memory such that
// the first batch finds its inputs in a row.
func (ch *chunk) split(st *stagePlan, ws *workspace) (client, masks, server []block.Block) {
	shares := ch.elements * st.share.Width
	m := ch.ots - shares
	all := grow(&ws.labels, 2*shares+m)
	if ch.direct != nil {
		return all[:shares], all[shares:][:m], all[shares+m:]
	}
	return all[m:][:shares], all[:m], all[m+shares:]
}

// run drives a chunk's batches through an engine and returns the labels of
// its results, in the workspace, whose labels are filled in. table has the tables of the
// batches in order.
func (ch *chunk) run(st *stagePlan, ws *workspace, table []byte, t garble.Tweak, do engine) []block.Block {
	t.Next += ch.firstKey
	out := grow(&ws.out, ch.results)
	_, masks, _ := ch.split(st, ws)
	all := ws.labels[:ch.ots+ch.elements*st.share.Width]
	if ch.direct != nil {
		do(ch.direct, ch.instances, t, all, out, table)
		return out
	}
	words := grow(&ws.words, len(ch.reconstruct.Outputs)*ch.elements)
	size := garble.TableSize(ch.reconstruct, ch.elements)
	do(ch.reconstruct, ch.elements, t, all[len(masks):], words, table[:size])
	t.Next += garble.Keys(ch.reconstruct, ch.elements)
	table = table[size:]
	rest := out
	for i := range ch.pools {
		p := &ch.pools[i]
		n := len(p.gather) / p.size
		in := p.gathered(ws, words, ch.elements, n, masks[:st.mask*n])
		size := garble.TableSize(p.circuit, n)
		do(p.circuit, n, t, in, rest[:st.mask*n], table[:size])
		t.Next += garble.Keys(p.circuit, n)
		table, masks, rest = table[size:], masks[st.mask*n:], rest[st.mask*n:]
	}
	return out
}

// gathered lines up the words of every window, then the labels of the masks.
func (p *pool) gathered(ws *workspace, words []block.Block, elements, n int, masks []block.Block) []block.Block {
	bits := len(words) / elements
	in := grow(&ws.window, p.size*bits*n+len(masks))
	rest := in
	for k := range p.size {
		for b := range bits {
			row := words[b*elements:][:elements]
			for w := range n {
				rest[w] = row[p.gather[w*p.size+k]]
			}
			rest = rest[n:]
		}
	}
	copy(rest, masks)
	return in
}
