package protocol

import (
	"dorcas/internal/block"
	"dorcas/internal/circuit"
	"dorcas/internal/garble"
)

// engine garbles or evaluates one batch.
type engine func(c *circuit.Circuit, n int, t garble.Tweak, in, out []block.Block, table []byte)

// run drives a chunk's batches through an engine and returns the labels of
// its results. client holds the labels of the client's bits in the order of
// the plan (shares, then masks batch by batch), server those of the server's
// share; table has the tables of the batches in order.
func (ch *chunk) run(st *stagePlan, client, server []block.Block, table []byte, t garble.Tweak, do engine) []block.Block {
	t.Next += ch.firstKey
	out := make([]block.Block, ch.results)
	if ch.direct != nil {
		in := append(append(make([]block.Block, 0, len(client)+len(server)), client...), server...)
		do(ch.direct, ch.instances, t, in, out, table)
		return out
	}
	shares := ch.elements * st.share.Width
	in := append(append(make([]block.Block, 0, shares+len(server)), client[:shares]...), server...)
	words := make([]block.Block, len(ch.reconstruct.Outputs)*ch.elements)
	size := garble.TableSize(ch.reconstruct, ch.elements)
	do(ch.reconstruct, ch.elements, t, in, words, table[:size])
	t.Next += garble.Keys(ch.reconstruct, ch.elements)
	table, client = table[size:], client[shares:]
	rest := out
	for i := range ch.pools {
		p := &ch.pools[i]
		n := len(p.gather) / p.size
		in := p.gathered(words, ch.elements, n, client[:st.mask*n])
		size := garble.TableSize(p.circuit, n)
		do(p.circuit, n, t, in, rest[:st.mask*n], table[:size])
		t.Next += garble.Keys(p.circuit, n)
		table, client, rest = table[size:], client[st.mask*n:], rest[st.mask*n:]
	}
	return out
}

// gathered lines up the words of every window, then the labels of the masks.
func (p *pool) gathered(words []block.Block, elements, n int, masks []block.Block) []block.Block {
	bits := len(words) / elements
	in := make([]block.Block, 0, p.size*bits*n+len(masks))
	for k := range p.size {
		for b := range bits {
			for w := range n {
				in = append(in, words[b*elements+int(p.gather[w*p.size+k])])
			}
		}
	}
	return append(in, masks...)
}

// values reads the result bits of a chunk, a bit a byte, into the elements of
// the output tensor.
func (ch *chunk) values(dst []int32, bits []byte, mask int) {
	for _, o := range ch.outs {
		for _, e := range o.elements {
			dst[e] = 0
		}
		for j := range mask {
			for _, e := range o.elements {
				dst[e] |= int32(bits[0]) << j
				bits = bits[1:]
			}
		}
	}
}
