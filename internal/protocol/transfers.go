package protocol

import (
	"fmt"
	"sync"
	"time"

	"dorcas/internal/ot"
	"dorcas/internal/wire"
)

// How the transfers of a session are made is the only part of a plan that does not follow
// from the network: the client proposes a method, for it knows its link, and the server
// takes any that it can afford. The plan that both hash has it.

// DefaultTransferMemory is what a server lets one session keep for silent
// transfer, unless its options say otherwise. LOCAL
const DefaultTransferMemory = 64 << 20

// errTransfers reports a method that there is not, or that a server cannot afford.
func errTransfers(m ot.Method, p *Plan, memory int64) error {
	if !m.Valid() {
		return fmt.Errorf("protocol: the client proposes %v, of which nothing is known here", m)
	}
	if need := int64(m.Memory(p.ots)); need > memory {
		return fmt.Errorf("protocol: the client proposes transfers by %v, which take %d bytes of memory, at most %d here", m, need, memory)
	}
	return nil
}

// variants are the plans of one network with all methods, as far as anybody asked.
type variants struct {
	sync.Mutex
	plans map[ot.Method]*Plan
}

// With returns the plan of the same network with another method of transfers.
func (p *Plan) With(m ot.Method) (*Plan, error) {
	if !m.Valid() {
		return nil, fmt.Errorf("protocol: plan: %v is none of transfers", m)
	}
	p.variants.Lock()
	defer p.variants.Unlock()
	if q := p.variants.plans[m]; q != nil {
		return q, nil
	}
	q := &Plan{
		shape: p.shape, bytes: p.bytes, moduli: p.moduli, convs: p.convs, stages: p.stages, levels: p.levels,
		ots: p.ots, keys: p.keys, frames: p.frames, method: m, hash: p.hash, variants: p.variants,
	}
	q.planSteps()
	var err error
	if q.agreed, err = q.digest(); err != nil {
		return nil, err
	}
	if q.single, err = newBatch(q, 1, q.convs); err != nil {
		return nil, err
	}
	p.variants.plans[m] = q
	return q, nil
}

// Transfers returns the method of transfers.
func (p *Plan) Transfers() ot.Method { return p.method }

// Choose returns the plan with a method that is as quick as any over a link for a number of
// inferences in one session, among those that keep at most memory bytes.
func (p *Plan) Choose(inferences int, link ot.Link, memory int64) (*Plan, error) {
	load := ot.Load{N: p.ots, Times: max(1, inferences)}
	for _, s := range p.steps {
		switch {
		case s.Phase != Offline || s.Name == "transfers" || s.Name == "refills":
		case s.ToServer:
			load.Up += s.Bytes
		default:
			load.Down += s.Bytes
		}
	}
	return p.With(ot.Choose(load, link, int(memory)))
}

// silent returns the class of silent transfer, if the plan has it.
func (p *Plan) silent() (ot.Class, bool) {
	c := p.method.Class()
	return c, c != ot.Extension
}

// refills returns how many messages of silent transfer a preparation of n inferences needs,
// the first of which has a number, counted from 0: what others before it left serves first.
func (p *Plan) refills(number uint32, n int) int {
	c, ok := p.silent()
	if !ok {
		return 0
	}
	ots, yield := uint64(p.ots), uint64(c.Yield())
	all := func(inferences uint64) uint64 { return (inferences*ots + yield - 1) / yield }
	return int(all(uint64(number)+uint64(n)) - all(uint64(number)))
}

// Preparation returns the messages of the preparation of a number, counted from 0. With silent
// transfer it differs from that in Steps, which is the first.
func (p *Plan) Preparation(number uint32) []Step { return p.preparation(p.steps, number, 1) }

// Preparation returns the messages of the preparation whose first inference has a number, counted
// from 0. With silent transfer it differs from that in Steps, which is the first.
func (b *Batch) Preparation(first uint32) []Step { return b.plan.preparation(b.steps, first, b.n) }

func (p *Plan) preparation(first []Step, number uint32, n int) []Step {
	var steps []Step
	for _, s := range first {
		if s.Phase != Offline {
			continue
		}
		if s.Name == "refills" && number > 0 {
			s.Frames = p.refills(number, n)
			c, _ := p.silent()
			s.Bytes = int64(s.Frames) * int64(c.RefillSize(false)+wire.Overhead)
			if s.Frames == 0 {
				continue
			}
		}
		steps = append(steps, s)
	}
	return steps
}

// planTransfers lists the messages of the transfers of the first preparation, of n inferences.
func (p *Plan) planTransfers(n int) {
	if c, ok := p.silent(); ok {
		refills := p.refills(0, n)
		p.step("refills", Offline, Session, false, refills, int64(c.RefillSize(true)+(refills-1)*c.RefillSize(false)))
		return
	}
	extend := int64(0)
	for i := range p.otPieces() {
		extend += int64(p.method.ExtendSize(p.otPiece(i)))
	}
	p.step("transfers", Offline, Session, true, n*p.otPieces(), int64(n)*extend)
}

// guess returns a link from the time of one round trip on it: nobody told us
// more. Links within a machine, a building and beyond differ by the trip. LOCAL
func guess(trip time.Duration) ot.Link {
	rate := 100e6 / 8
	switch {
	case trip < 500*time.Microsecond:
		rate = 0
	case trip < 3*time.Millisecond:
		rate = 1e9 / 8
	}
	return ot.Link{Up: rate, Down: rate, Trip: trip}
}
