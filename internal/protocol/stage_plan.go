package protocol

import (
	"dorcas/internal/circuit"
	"dorcas/internal/garble"
	"dorcas/nn"
)

const (
	// chunkInstances is how many instances of a circuit are garbled side by
	// side: enough for batches of hashes, few enough for their labels to stay
	// in the cache. AGREED
	chunkInstances = 512
	// chunkElements bounds the elements of a chunk of a max-pool stage, whose
	// chunks are whole channels, unless one channel has more. AGREED
	chunkElements = 1024
)

// stagePlan is one non-linear stage: the last one opens the result.
type stagePlan struct {
	layer  int // index in Shape.Layers, or len(Layers) for the output
	input  int // tensor
	share  circuit.Share
	bias   int32 // what the server adds to its share, see sendLabels
	mask   int   // bits of the output mask of every value; 0 for the output stage
	chunks []chunk
	ands   int
	level  int // stages of one level share a round trip

	firstOT, ots int // correlations, in order
	opened       int // bits that the last stage opens
	keys         uint64
	tables       int64 // bytes of the frames of all chunks
}

// chunk is the unit of garbling, sending and evaluation: some elements of the
// input tensor, and some of the output tensor, through a few batches.
type chunk struct {
	first, elements int // of the input tensor
	opened          int // bits that the last stage opens
	firstOpened     int // index of the first of those
	values          int // elements of the output tensor, of other stages
	firstOT         int // index of the first correlation of the plan
	ots             int
	firstKey        uint64
	frame           int   // bytes of tables, sums and colours
	firstFrame      int64 // where the frame stands at the client
	outs            []outs
	reconstruct     *circuit.Circuit // elements → words, for max-pool; else nil
	rows            []pool           // the largest words of parts of rows, where windows share them; else nil
	rowWords        int              // that rows makes
	pools           []pool           // what the words go through
	direct          *circuit.Circuit // without max-pool
	instances       int              // of direct
}

// outs says which output elements a batch of a chunk yields, in order.
type outs struct{ elements []int32 }

// pool is a batch of windows with equally many elements.
type pool struct {
	circuit *circuit.Circuit
	size    int     // elements of a window
	gather  []int32 // [window][size] → word: of an element of the chunk, or of rows
}

// stageCircuits builds circuits once for each window size.
type stageCircuits struct {
	stage       circuit.Stage
	pools, maxs map[int]*circuit.Circuit
}

func (c *stageCircuits) max(size int) *circuit.Circuit {
	if c.maxs[size] == nil {
		c.maxs[size] = c.stage.Max(size)
	}
	return c.maxs[size]
}

func (c *stageCircuits) pool(size int) *circuit.Circuit {
	if c.pools[size] == nil {
		c.pools[size] = c.stage.Pool(size)
	}
	return c.pools[size]
}

// circuitFunc maps the activations of a model to those of circuits.
var circuitFunc = map[nn.Func]circuit.Func{
	nn.Identity: circuit.Identity,
	nn.Relu:     circuit.Relu,
	nn.Square:   circuit.Square,
	nn.Clip:     circuit.Clip,
	nn.Leaky:    circuit.Leaky,
	nn.Table:    circuit.Table,
}

// newActivateStage plans the stage of an Activate layer.
func newActivateStage(s *nn.Shape, layer int, ms []modulus) *stagePlan {
	l := &s.Layers[layer]
	a, in := l.Activate, l.In[0]
	st := &stagePlan{
		layer: layer,
		input: in,
		share: circuit.Share{Width: a.Width + ms[in].guard, Guard: ms[in].guard},
		mask:  ms[layer+1].width,
	}
	spec := circuit.Stage{
		Share: st.share, Shift: a.Shift, Func: circuitFunc[a.Func], Mid: a.Mid, Shift2: a.Shift2,
		Slope: a.Slope, Lo: a.Lo, Hi: a.Hi, Table: a.Table, Bits: a.Bits, Signed: a.Signed, Rounded: true,
	}
	spec = spec.Searched()
	st.bias = int32(spec.Bias())
	if a.Pool == nil {
		st.directChunks(spec.Fused(), l.Out.Len())
	} else {
		st.poolChunks(&stageCircuits{spec, map[int]*circuit.Circuit{}, map[int]*circuit.Circuit{}}, a.Pool, s.Dims(in), l.Out)
	}
	st.finish()
	return st
}

// newOutputStage plans the opening of the result.
func newOutputStage(s *nn.Shape, ms []modulus) *stagePlan {
	t := s.Output.Tensor
	guard := ms[t].guard
	st := &stagePlan{
		layer: len(s.Layers),
		input: t,
		share: circuit.Share{Width: s.Output.Width + guard, Guard: guard},
	}
	st.bias = int32(st.share.Bias())
	n := s.Dims(t).Len()
	if k := s.Output.Reveal.Labels(); k > 0 {
		c := circuit.ArgMax(st.share, n)
		if k > 1 {
			c = circuit.Largest(st.share, n, k)
		}
		st.chunks = []chunk{{elements: n, opened: len(c.Outputs), direct: c, instances: 1}}
	} else {
		st.directChunks(circuit.Open(st.share), n)
	}
	st.finish()
	return st
}

// directChunks cuts n elements that all go through one circuit.
func (st *stagePlan) directChunks(c *circuit.Circuit, n int) {
	for first := 0; first < n; first += chunkInstances {
		k := min(chunkInstances, n-first)
		ch := chunk{first: first, elements: k, direct: c, instances: k, outs: []outs{{sequence(first, k)}}}
		if c.Sum == nil {
			ch.opened = k * len(c.Outputs)
		} else {
			ch.values = k
		}
		st.chunks = append(st.chunks, ch)
	}
}

// poolChunks cuts a max-pool stage into groups of channels.
func (st *stagePlan) poolChunks(cs *stageCircuits, w *nn.Window, in, out nn.Dims) {
	plane := in.H * in.W
	per := max(1, chunkElements/plane)
	reconstruct := cs.stage.Reconstruct()
	for c := 0; c < in.C; c += per {
		k := min(per, in.C-c)
		ch := chunk{first: c * plane, elements: k * plane, reconstruct: reconstruct}
		windowGroups(&ch, cs, w, nn.Dims{C: k, H: in.H, W: in.W}, nn.Dims{C: k, H: out.H, W: out.W}, c*out.H*out.W)
		for _, o := range ch.outs {
			ch.values += len(o.elements)
		}
		st.chunks = append(st.chunks, ch)
	}
}

// finish counts what the chunks need.
func (st *stagePlan) finish() {
	for i := range st.chunks {
		ch := &st.chunks[i]
		ch.ots = ch.elements * st.share.Width
		ch.firstKey = st.keys
		ch.firstOpened = st.opened
		st.opened += ch.opened
		ch.frame = byteLen(ch.opened)
		for _, b := range ch.batches() {
			st.keys += b.keys()
			ch.frame += garble.TableSize(b.circuit, b.n) + b.sumSize(st.mask)
			st.ands += b.circuit.Ands * b.n
		}
		st.ots += ch.ots
		st.tables += int64(ch.frame)
	}
}

// batch is a circuit with a number of instances.
type batch struct {
	circuit *circuit.Circuit
	n       int
}

// keys returns the garbling keys that a batch takes.
func (b *batch) keys() uint64 {
	k := garble.Keys(b.circuit, b.n)
	if b.circuit.Sum != nil {
		k += garble.SumKeys(b.circuit.Sum, b.n)
	}
	return k
}

// sumSize returns the bytes of the rows of the sums of a batch, if it has any.
func (b *batch) sumSize(bits int) int {
	if b.circuit.Sum == nil {
		return 0
	}
	return garble.SumSize(b.circuit.Sum, bits, b.n)
}

// batches lists the batches of a chunk in the order of garbling.
func (ch *chunk) batches() []batch {
	if ch.direct != nil {
		return []batch{{ch.direct, ch.instances}}
	}
	bs := []batch{{ch.reconstruct, ch.elements}}
	for _, ps := range [][]pool{ch.rows, ch.pools} {
		for i := range ps {
			bs = append(bs, ps[i].batch())
		}
	}
	return bs
}

func sequence(first, n int) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(first + i)
	}
	return s
}
