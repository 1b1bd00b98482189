package protocol

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"sync"

	"dorcas/internal/garble"
	"dorcas/internal/linear"
	"dorcas/internal/ot"
	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
	"dorcas/nn"
)

// Version is the version of the protocol; peers of different ones part at
// the handshake. AGREED
const Version = 6

// otPiece is how many correlations one message of the extension makes. AGREED
const otPiece = 1 << 15

// Limits of what a plan may ask for: a hostile shape must not exhaust the
// memory of whoever plans it. ResNet-50 has 10^7 activations. LOCAL
const (
	maxActivations = 1 << 25 // that enter stages, windows counted with overlaps
	maxLabels      = 1 << 16 // classes of an arg-max
	maxEntries     = 1 << 15 // of all tables: each is searched for its best circuit
)

// Plan is all that both parties agree on for one network: derived from its
// public shape and the method of transfers alone, immutable.
type Plan struct {
	shape  *nn.Shape
	bytes  []byte // the shape as it travels
	moduli []modulus
	convs  []convPlan
	stages []*stagePlan
	levels [][]*stagePlan // stages that share a round trip
	ots    int
	keys   uint64 // of garbling, per inference
	frames int64  // bytes of the frames of all chunks
	method ot.Method
	steps  []Step
	hash   [32]byte // with SoftSpoken4
	agreed [32]byte // with method
	single *Batch   // of one inference

	variants *variants // of all methods, this one among them

	batching sync.Mutex
	batches  map[int]*onceBatch
}

// convPlan is one secret linear layer.
type convPlan struct {
	layer       int
	layout      *linear.Layout
	firstUpload uint64 // counters of the whole plan
	firstAnswer uint64
}

// NewPlan derives the plan of a network from its public shape.
func NewPlan(s *nn.Shape) (*Plan, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	b, err := s.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("protocol: plan: %w", err)
	}
	if err := checkStages(s); err != nil {
		return nil, err
	}
	p := &Plan{shape: s, bytes: b, method: ot.SoftSpoken4}
	if p.moduli, err = moduli(s); err != nil {
		return nil, err
	}
	if p.convs, err = p.planConvs(1); err != nil {
		return nil, err
	}
	p.planStages()
	p.planSteps()
	if p.hash, err = p.digest(); err != nil {
		return nil, err
	}
	p.agreed = p.hash
	if p.single, err = newBatch(p, 1, p.convs); err != nil {
		return nil, err
	}
	p.variants = &variants{plans: map[ot.Method]*Plan{p.method: p}}
	return p, nil
}

// checkStages keeps the work of planning the stages within limits.
func checkStages(s *nn.Shape) error {
	total := s.Dims(s.Output.Tensor).Len()
	if k := s.Output.Reveal.Labels(); k > 0 && total > maxLabels/(k*k) {
		return fmt.Errorf("protocol: plan: the %d largest of %d scores, at most %d", k, total, maxLabels/(k*k))
	}
	entries := 0
	for i := range s.Layers {
		l := &s.Layers[i]
		if l.Activate == nil {
			continue
		}
		if entries += len(l.Activate.Table); entries > maxEntries {
			return fmt.Errorf("protocol: plan: layer %d %q: more than %d entries of tables in all", i, l.Name, maxEntries)
		}
		n := s.Dims(l.In[0]).Len()
		if w := l.Activate.Pool; w != nil {
			n += l.Out.Len() * w.KH * w.KW
		}
		if total += n; total > maxActivations {
			return fmt.Errorf("protocol: plan: layer %d %q: more than %d activations in all", i, l.Name, maxActivations)
		}
	}
	return nil
}

// Hash identifies the network: equal hashes mean plans that differ in the method of
// transfers at most.
func (p *Plan) Hash() [32]byte { return p.hash }

// Shape returns the public shape of the network; not to be changed.
func (p *Plan) Shape() *nn.Shape { return p.shape }

// planConvs plans the secret linear layers of a batch of images.
func (p *Plan) planConvs(images int) ([]convPlan, error) {
	var convs []convPlan
	uploads, answers := uint64(0), uint64(0)
	for i := range p.shape.Layers {
		l := &p.shape.Layers[i]
		if l.Conv == nil {
			continue
		}
		m := p.moduli[i+1]
		layout, err := linear.NewLayout(geometry(p.shape.Dims(l.In[0]), l), linear.Params{
			T: m.width, Guard: m.guard, NormBits: l.Conv.NormBits,
		}, images)
		if err != nil {
			return nil, fmt.Errorf("protocol: plan: layer %d %q: %w", i, l.Name, err)
		}
		convs = append(convs, convPlan{i, layout, uploads, answers})
		uploads += uint64(layout.Uploads())
		answers += uint64(layout.Answers())
	}
	return convs, nil
}

func geometry(in nn.Dims, l *nn.Layer) linear.Geometry {
	w := l.Conv.Window
	return linear.Geometry{
		InC: in.C, InH: in.H, InW: in.W, OutC: l.Out.C, KH: w.KH, KW: w.KW,
		StrideH: w.StrideH, StrideW: w.StrideW,
		PadTop: w.Pad.Top, PadLeft: w.Pad.Left, PadBottom: w.Pad.Bottom, PadRight: w.Pad.Right,
		Groups: l.Conv.Groups, DilH: w.DilH, DilW: w.DilW,
	}
}

// planStages plans the non-linear stages in the order of their rounds.
func (p *Plan) planStages() {
	s := p.shape
	level := make([]int, len(s.Layers)+1)
	for i := range s.Layers {
		l := &s.Layers[i]
		for _, t := range l.In {
			level[i+1] = max(level[i+1], level[t])
		}
		if l.Activate == nil {
			continue
		}
		st := newActivateStage(s, i, p.moduli)
		st.level = level[i+1]
		p.addStage(st)
		level[i+1]++
	}
	out := newOutputStage(s, p.moduli)
	out.level = len(p.levels)
	p.addStage(out)
	for _, stages := range p.levels {
		for _, st := range stages {
			st.firstOT = p.ots
			p.ots += st.ots
			first := st.firstOT
			for i := range st.chunks {
				st.chunks[i].firstOT = first
				first += st.chunks[i].ots
				st.chunks[i].firstKey += p.keys
				st.chunks[i].firstFrame = p.frames
				p.frames += int64(st.chunks[i].frame)
			}
			p.keys += st.keys
			p.stages = append(p.stages, st)
		}
	}
}

func (p *Plan) addStage(st *stagePlan) {
	for len(p.levels) <= st.level {
		p.levels = append(p.levels, nil)
	}
	p.levels[st.level] = append(p.levels[st.level], st)
}

// errSpent reports a session that has used up its garbling keys.
var errSpent = errors.New("the session has no garbling keys left: open a new one")

// hasKeys reports whether the garbling keys of n materials from this number on
// are within the 2^64 that a session has.
func (p *Plan) hasKeys(number uint32, n int) bool {
	hi, _ := bits.Mul64(uint64(number)+uint64(n), p.keys)
	return uint64(number)+uint64(n) < 1<<32 && hi == 0
}

// otPieces returns the number of messages of the extension for one inference
// and the correlations that message i makes.
func (p *Plan) otPieces() int { return (p.ots + otPiece - 1) / otPiece }

func (p *Plan) otPiece(i int) int { return min(otPiece, p.ots-i*otPiece) }

// digest hashes everything that both parties must agree on: the constants,
// the shape, and the derived steps with their lengths.
func (p *Plan) digest() ([32]byte, error) {
	b, err := json.Marshal(struct {
		Version                                int
		Degree, Modulus                        uint64
		CiphertextSize, OTMethod, KeyBatch     int
		ChunkInstances, ChunkElements, OTPiece int
		Shape                                  json.RawMessage
		Layouts                                []string
		Steps                                  []Step
		OTs                                    int
		Keys                                   uint64
	}{
		Version, ring.N, ring.Q, rlwe.CiphertextSize, int(p.method), garble.KeyBatch, chunkInstances, chunkElements, otPiece,
		p.bytes, layoutNames(p.convs), p.steps, p.ots, p.keys,
	})
	if err != nil {
		return [32]byte{}, fmt.Errorf("protocol: plan: %w", err)
	}
	return sha256.Sum256(b), nil
}

// layoutNames returns what tells the layouts from others.
func layoutNames(convs []convPlan) []string {
	var names []string
	for _, c := range convs {
		names = append(names, c.layout.String())
	}
	return names
}
