package protocol

import (
	"dorcas/internal/block"
	"dorcas/internal/ot"
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
	nonceSize   = 32
	helloSize   = 8 + nonceSize // magic, version, nonce
	keysSize    = 32 + rlwe.PublicKeySize + ot.Msg1Size
	replySize   = ot.Msg2Size + block.Size
	requestSize = 1 + 4 // command, number of the material
	seedSize    = 32
)

// step appends a row of frames with the given payload.
func (p *Plan) step(name string, phase Phase, layer int, toServer bool, frames int, payload int64) {
	p.steps = append(p.steps, Step{name, phase, layer, toServer, frames, payload + int64(frames)*wire.Overhead})
}

// planSteps lists every message in order.
func (p *Plan) planSteps() {
	p.step("hello", Setup, Session, true, 1, helloSize)
	p.step("shape", Setup, Session, false, 2, int64(helloSize+len(p.bytes)))
	p.step("keys", Setup, Session, true, 1, keysSize)
	p.step("base transfers", Setup, Session, false, 1, replySize)
	p.step("punctured trees", Setup, Session, true, 1, ot.Msg3Size)

	p.step("request", Offline, Session, true, 1, requestSize)
	extend := int64(0)
	for i := range p.otPieces() {
		extend += int64(ot.ExtendSize(p.otPiece(i)))
	}
	p.step("transfers", Offline, Session, true, p.otPieces(), extend)
	p.step("upload seed", Offline, Session, true, 1, seedSize)
	for _, c := range p.convs {
		p.step("uploads", Offline, c.layer, true, c.layout.Uploads(), int64(c.layout.UploadBytes()))
	}
	for _, c := range p.convs {
		p.step("answers", Offline, c.layer, false, c.layout.Answers(), int64(c.layout.AnswerBytes()))
	}
	for _, st := range p.stages {
		p.step("corrections", Offline, st.layer, true, 1, int64(byteLen(st.shareBits)))
	}
	for _, st := range p.stages {
		p.step("tables", Offline, st.layer, false, len(st.chunks), st.tables+st.padBytes())
	}

	p.step("request", Online, Session, true, 1, requestSize)
	p.step("input", Online, Session, true, 1, int64(byteLen(p.shape.Input.Dims.Len()*p.moduli[0].width)))
	for _, st := range p.stages {
		p.step("labels", Online, st.layer, false, len(st.chunks), int64(st.shareBits)*block.Size)
		if st.mask > 0 {
			p.step("results", Online, st.layer, true, 1, int64(byteLen(st.resultBits)))
		}
	}
}

// padBytes is the length of the output pads of all chunks.
func (st *stagePlan) padBytes() int64 {
	n := int64(0)
	for i := range st.chunks {
		n += int64(byteLen(st.chunks[i].results))
	}
	return n
}

func byteLen(bits int) int { return (bits + 7) / 8 }

// Steps returns every message of a session with one preparation and one
// inference, in order.
func (p *Plan) Steps() []Step { return append([]Step(nil), p.steps...) }

// Rounds returns the round trips of a phase.
func (p *Plan) Rounds(phase Phase) int {
	if phase == Online {
		return len(p.levels)
	}
	return 2
}
