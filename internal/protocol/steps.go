package protocol

import (
	"dorcas/internal/block"
	"dorcas/internal/ot"
	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
	"dorcas/internal/wire"
)

// Phase is a part of a session.
type Phase string

// The phases: once per session, and twice per inference.
const (
	Setup   Phase = "setup"
	Offline Phase = "offline"
	Online  Phase = "online"
)

// Session marks a step that belongs to no layer.
const Session = -1

// Step is a message of the protocol, or a row of them, with its length on the
// wire, frame headers included.
type Step struct {
	Name     string `json:"name"`
	Phase    Phase  `json:"phase"`
	Layer    int    `json:"layer"` // index in Shape.Layers, len(Layers) for the output, or Session
	ToServer bool   `json:"to_server"`
	Frames   int    `json:"frames"`
	Bytes    int64  `json:"bytes"`
}

// Lengths of single messages, in bytes.
const (
	nonceSize    = 32
	helloSize    = 8 + nonceSize                             // magic, version, nonce
	greetingSize = helloSize + 8                             // the server's: and the memory that it has for silent transfer
	keysSize     = 32 + 1 + rlwe.PublicKeySize + ot.Msg1Size // hash of the plan, method of transfers
	replySize    = ot.Msg2Size + block.Size
	requestSize  = 1 + 4 // command, number of the material
	seedSize     = 32
)

// step appends a row of frames with the given payload.
func (p *Plan) step(name string, phase Phase, layer int, toServer bool, frames int, payload int64) {
	p.steps = append(p.steps, Step{name, phase, layer, toServer, frames, payload + int64(frames)*wire.Overhead})
}

// planSteps lists every message in order.
func (p *Plan) planSteps() {
	p.step("hello", Setup, Session, true, 1, helloSize)
	p.step("shape", Setup, Session, false, 2, int64(greetingSize+len(p.bytes)))
	p.step("keys", Setup, Session, true, 1, keysSize)
	p.step("base transfers", Setup, Session, false, 1, replySize)
	p.step("punctured trees", Setup, Session, true, 1, int64(p.method.Msg3Size()))
	if c, ok := p.silent(); ok {
		p.step("first seeds", Setup, Session, true, 1, int64(c.StartSize()))
	}

	p.offlineSteps(1)

	p.step("request", Online, Session, true, 1, requestSize)
	p.step("input", Online, Session, true, 1, int64(byteLen(p.shape.Input.Dims.Len()*p.moduli[0].width)))
	for _, level := range p.levels {
		for _, st := range level {
			p.step("offsets", Online, st.layer, true, 1, int64(p.offsetSize(st)))
		}
		for _, st := range level {
			p.step("labels", Online, st.layer, false, len(st.chunks), int64(st.ots)*block.Size)
		}
		for _, st := range level {
			if st.mask > 0 {
				p.step("results", Online, st.layer, true, 1, int64(p.resultSize(st)))
			}
		}
	}
}

// offlineSteps lists the messages of the preparation of n inferences.
func (p *Plan) offlineSteps(n int) {
	p.step("request", Offline, Session, true, 1, requestSize)
	if n > 1 {
		p.step("batch", Offline, Session, true, 1, batchSize)
	}
	p.step("upload seed", Offline, Session, true, 1, seedSize)
	for _, c := range p.convs {
		p.step("uploads", Offline, c.layer, true, c.layout.Uploads(), int64(c.layout.UploadBytes()))
	}
	p.planTransfers(n)
	for _, c := range p.convs {
		p.step("answers", Offline, c.layer, false, c.layout.Answers(), int64(c.layout.AnswerBytes()))
	}
	for range n {
		for _, st := range p.stages {
			p.step("tables", Offline, st.layer, false, len(st.chunks), st.tables)
		}
	}
}

// offsetSize is the length of the message that moves the shares of a stage's
// input to the bits that the client has labels of.
func (p *Plan) offsetSize(st *stagePlan) int {
	return ring.PackedSize(p.shape.Dims(st.input).Len(), st.share.Width)
}

// resultSize is the length of the message of the results of a stage.
func (p *Plan) resultSize(st *stagePlan) int {
	return ring.PackedSize(p.shape.Dims(st.layer+1).Len(), st.mask)
}

func byteLen(bits int) int { return (bits + 7) / 8 }

// Steps returns every message of a session with one preparation and one
// inference, in order.
func (p *Plan) Steps() []Step { return append([]Step(nil), p.steps...) }

// Rounds returns the round trips of a phase.
func (p *Plan) Rounds(phase Phase) int {
	switch phase {
	case Setup:
		return 2
	case Offline:
		return 1
	}
	return len(p.levels)
}
