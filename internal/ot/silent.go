package ot

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"dorcas/internal/block"
)

// Silent transfer: Ferret (Yang, Weng, Lan, Zhang, Wang, CCS 2020). Correlations are
// linear: a sum of K's and the sum of their M's are one too. So a code that stretches
// 2^logK correlations to many more makes correlations, whose choice bits would be the
// code's words; one wrong bit in every run of 2^depth of them, at a place that only
// the client knows, makes them pseudo-random by the assumption that learning
// parity with regular noise is hard. The trees make K and M of the noise, and
// are the only thing to send: some hundred bytes for 2^depth correlations.
//
//	client → server   once: an extension, the first seeds        StartSize
//	server → client   per Refill: level and tag sums, a digest   RefillSize
//
// Nothing else is sent. The client checks before it uses anything, and has no way
// to deviate in a Refill, in which it is silent. After a Refill both sides compute
// correlations as they take them, a tree at a time. The last ones of a Refill are the
// seeds of the next.

// SilentReceiver is the client's side of silent transfer. It is not safe for
// concurrent use.
type SilentReceiver struct {
	silent
	dead bool
}

// SilentSender is the server's side of silent transfer. It is not safe for
// concurrent use.
type SilentSender struct {
	silent
}

// A silent is what both sides keep.
type silent struct {
	plan  silentPlan
	ctx   [32]byte
	count uint64 // iterations so far
	left  int

	seeds, spare []block.Block // of the iteration in progress, and room for the next
	forest       forest
	tagger       tagger
	code         code
	next         int           // the next tree
	rest         []block.Block // outputs of the last tree that were not yet taken
	buf          []block.Block // room for a tree
	leaves       func(dst []block.Block, tree int)
}

// newSilent returns the state before the first Refill, with seeds of which the
// extension must fill the first extended().
func newSilent(plan silentPlan, e *expander) silent {
	var numbers [7 * 8]byte
	for i, n := range []int{plan.start.trees, plan.start.logK, plan.start.depth,
		plan.main.trees, plan.main.logK, plan.main.depth, int(e.batch)} {
		binary.LittleEndian.PutUint64(numbers[8*i:], uint64(n))
	}
	n := max(plan.main.seeds(), plan.extended())
	return silent{
		plan:  plan,
		ctx:   digest(labelSilent, e.ctx[:], numbers[:]),
		seeds: make([]block.Block, n),
		spare: make([]block.Block, n),
		buf:   make([]block.Block, max(plan.main.leaves(), plan.start.leaves())),
	}
}

// NewSilent starts silent transfer on the client's side. It writes the message for
// the server, c.StartSize() bytes; another size panics. It takes the place of one
// Extend in the order of Extends.
func (r *Receiver) NewSilent(c Class, msg []byte) *SilentReceiver {
	return r.newSilent(c.plan(), msg)
}

func (r *Receiver) newSilent(plan silentPlan, msg []byte) *SilentReceiver {
	s := &SilentReceiver{silent: newSilent(plan, &r.expander)}
	s.leaves = s.forest.puncture
	labels := s.seeds[:plan.extended()]
	choices := make([]byte, (len(labels)+7)/8)
	r.Extend(labels, choices, msg)
	for i := range labels {
		labels[i].Lo = labels[i].Lo&^1 | uint64(choices[i/8]>>(i%8)&1)
	}
	return s
}

// NewSilent starts silent transfer on the server's side, with the client's message. An
// error is that of Extend: the session must end.
func (s *Sender) NewSilent(c Class, msg []byte) (*SilentSender, error) {
	return s.newSilent(c.plan(), msg)
}

func (s *Sender) newSilent(plan silentPlan, msg []byte) (*SilentSender, error) {
	q := &SilentSender{silent: newSilent(plan, &s.expander)}
	q.leaves = func(dst []block.Block, tree int) { q.forest.grow(dst, tree, nil) }
	q.forest.delta = s.delta
	labels := q.seeds[:plan.extended()]
	if err := s.Extend(labels, msg); err != nil {
		return nil, err
	}
	for i := range labels {
		labels[i].Lo &^= 1
	}
	return q, nil
}

// Left returns the number of correlations that can be taken before the next Refill.
func (s *silent) Left() int { return s.left }

// RefillSize returns the number of bytes of the next Refill's message.
func (s *silent) RefillSize() int { return s.plan.refill(s.count == 0) }

// stages are the iterations of the next Refill.
func (s *silent) stages() []lpn {
	if s.count == 0 && s.plan.start.trees > 0 {
		return []lpn{s.plan.start, s.plan.main}
	}
	return []lpn{s.plan.main}
}

// begin starts an iteration with seeds that the extension or the last iteration made.
func (s *silent) begin(p lpn) {
	if s.count > 0 {
		s.produce(s.spare[:p.seeds()])
		s.seeds, s.spare = s.spare, s.seeds
	}
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], s.count)
	ctx := digest(labelSilent, s.ctx[:], number[:])
	s.count++
	key := digest(labelCode, ctx[:])
	s.code.key.setKey((*[16]byte)(key[:]))
	s.forest.begin(p, &ctx, s.seeds[p.secret():p.seeds()])
	s.next, s.rest = 0, nil
}

// produce fills dst with the next outputs of the iteration.
func (s *silent) produce(dst []block.Block) {
	for len(dst) > 0 {
		if len(s.rest) == 0 && len(dst) >= s.forest.leaves() {
			n := s.forest.leaves()
			s.tree(dst[:n])
			dst = dst[n:]
			continue
		}
		if len(s.rest) == 0 {
			s.rest = s.buf[:s.forest.leaves()]
			s.tree(s.rest)
		}
		n := copy(dst, s.rest)
		dst, s.rest = dst[n:], s.rest[n:]
	}
}

// tree sets dst to the outputs of the next tree.
func (s *silent) tree(dst []block.Block) {
	s.leaves(dst, s.next)
	s.code.add(dst, s.seeds[:s.forest.secret()], s.next<<s.forest.depth)
	s.next++
}

// take fills labels with outputs.
func (s *silent) take(labels []block.Block) {
	if len(labels) > s.left {
		panic("ot: silent: more correlations than are left")
	}
	s.left -= len(labels)
	s.produce(labels)
}

// Refill makes the class's Yield of correlations and writes the message for the client,
// RefillSize() bytes. Another size panics, and so does a Refill while there are
// correlations left.
func (s *SilentSender) Refill(msg []byte) {
	if len(msg) != s.RefillSize() || s.left > 0 {
		panic("ot: silent: refill: wrong size, or too early")
	}
	for _, p := range s.stages() {
		s.begin(p)
		s.forest.write(msg[:p.size()], &s.tagger, s.buf)
		msg = msg[p.size():]
	}
	s.left = s.plan.yield()
}

// Take fills labels with the next K_i, whose bit 0 is 0. More than Left() panic.
func (s *SilentSender) Take(labels []block.Block) { s.take(labels) }

// Refill takes the server's message. After an error, which means that the message
// has the wrong size or that the check failed, nothing can be taken and every
// further Refill returns an error: the session must end. A Refill while there are
// correlations left panics.
func (r *SilentReceiver) Refill(msg []byte) error {
	if r.left > 0 {
		panic("ot: silent: refill: too early")
	}
	err := errDead
	if !r.dead {
		err = fmt.Errorf("message is %d bytes, want %d", len(msg), r.RefillSize())
		if len(msg) == r.RefillSize() {
			err = r.refill(msg)
		}
	}
	if err != nil {
		r.dead = true
		return fmt.Errorf("ot: silent: refill: %w", err)
	}
	r.left = r.plan.yield()
	return nil
}

func (r *SilentReceiver) refill(msg []byte) error {
	for _, p := range r.stages() {
		r.begin(p)
		sum := r.forest.read(msg[:p.size()], &r.tagger, r.buf)
		msg = msg[p.size()-len(sum):]
		if subtle.ConstantTimeCompare(sum[:], msg[:len(sum)]) != 1 {
			return errInconsistent
		}
		msg = msg[len(sum):]
	}
	return nil
}

// Take fills labels with the next M_i and choices with their choice bits: bit i mod
// 8 of choices[i div 8], which is also bit 0 of M_i. choices must have ⌈n/8⌉ bytes, of
// which the bits past n become zero. More than Left() panic.
func (r *SilentReceiver) Take(labels []block.Block, choices []byte) {
	if len(choices) != (len(labels)+7)/8 {
		panic("ot: silent: take: a buffer has the wrong size")
	}
	r.take(labels)
	colours(choices, labels)
}

// String hides the secrets.
func (r *SilentReceiver) String() string { return "[redacted]" }

// String hides the secrets.
func (s *SilentSender) String() string { return "[redacted]" }
