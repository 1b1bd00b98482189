package protocol

import (
	"runtime"

	"dorcas/internal/block"
)

// LayerCost is what one layer costs by the plan, before anything runs.
type LayerCost struct {
	Layer       int   `json:"layer"` // as in Step
	Width       int   `json:"width"` // bits of the accumulator
	Ciphertexts int   `json:"ciphertexts"`
	Products    int   `json:"products"`
	Ands        int   `json:"and_gates"`
	OTs         int   `json:"ots"`
	ToServer    int64 `json:"client_to_server_bytes"`
	ToClient    int64 `json:"server_to_client_bytes"`
}

// Layers returns the cost of every layer that sends anything, the output
// last. Messages of the session as a whole are in Steps only.
func (p *Plan) Layers() []LayerCost {
	costs := make([]LayerCost, len(p.shape.Layers)+1)
	for i := range costs {
		costs[i].Layer = i
	}
	for _, c := range p.convs {
		costs[c.layer].Width = p.moduli[c.layer+1].width
		costs[c.layer].Ciphertexts = c.layout.Uploads() + c.layout.Answers()
		costs[c.layer].Products = c.layout.Products()
	}
	for _, st := range p.stages {
		costs[st.layer].Width = st.share.Width - st.share.Guard
		costs[st.layer].Ands = st.ands
		costs[st.layer].OTs = st.ots
	}
	for _, s := range p.steps {
		switch {
		case s.Layer == Session:
		case s.ToServer:
			costs[s.Layer].ToServer += s.Bytes
		default:
			costs[s.Layer].ToClient += s.Bytes
		}
	}
	sent := costs[:0]
	for _, c := range costs {
		if c.ToServer+c.ToClient > 0 {
			sent = append(sent, c)
		}
	}
	return sent
}

// Bytes returns the bytes of a phase in each direction.
func (p *Plan) Bytes(phase Phase) (toServer, toClient int64) { return sumSteps(p.steps, phase) }

func sumSteps(steps []Step, phase Phase) (toServer, toClient int64) {
	for _, s := range steps {
		switch {
		case s.Phase != phase:
		case s.ToServer:
			toServer += s.Bytes
		default:
			toClient += s.Bytes
		}
	}
	return toServer, toClient
}

// Ands returns the AND gates of one inference.
func (p *Plan) Ands() int {
	n := 0
	for _, st := range p.stages {
		n += st.ands
	}
	return n
}

// OTs returns the correlations of one inference.
func (p *Plan) OTs() int { return p.ots }

// Memory returns the bytes that one prepared inference takes at the client,
// and the most that its preparation takes at the server, weights aside:
// messages that wait, labels made ahead, and the chunks in hand. The state of
// silent transfer, which a session has once, is in both.
func (p *Plan) Memory() (client, server int64) {
	client = int64(p.ots)*block.Size + int64(p.method.Memory(p.ots))
	for _, s := range p.steps {
		if s.Name == "tables" {
			client += s.Bytes
		}
	}
	server = p.waiting(p.convs, p.steps)
	waiting, working := int64(0), int64(0)
	for _, st := range p.stages {
		for i := range st.chunks {
			ch := &st.chunks[i]
			waiting = max(waiting, 2*block.Size*int64(ch.ots)+int64(ch.frame))
			working = max(working, ch.memory())
		}
	}
	cores := int64(runtime.GOMAXPROCS(0))
	server += waiting*(int64(ahead())+cores) + working*cores + block.Size*int64(min(p.ots, (piecesAhead+2)*otPiece))
	return client, server
}

// memory returns the bytes of the workspace of a chunk.
func (ch *chunk) memory() int64 {
	labels := ch.opened + ch.values/4
	outputs := 0
	for _, b := range ch.batches() {
		labels += b.circuit.Slots * min(b.n, chunkInstances) / 2 // of the engine, which works on tiles
		outputs = max(outputs, len(b.circuit.Outputs)*b.n)
	}
	labels += outputs
	if ch.reconstruct != nil {
		words := ch.elements + ch.rowWords
		for _, ps := range [][]pool{ch.rows, ch.pools} {
			for i := range ps {
				words += len(ps[i].gather)
			}
		}
		labels += len(ch.reconstruct.Outputs) * words
	}
	return int64(labels) * block.Size
}
