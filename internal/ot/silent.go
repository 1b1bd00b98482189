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
// seeds of the next, which may come before the others are used up.

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
	plan   silentPlan
	ctx    [32]byte
	count  uint64 // iterations so far
	left   int    // outputs of the queue that are to be taken
	first  []block.Block
	queue  []*iteration // in order; the seeds of the next are the last one's
	spare  *iteration   // used up
	tagger tagger
	room   []block.Block // for a tree of the first in the queue, which is taken piece by piece
	buf    []block.Block // for any other tree
	delta  block.Block   // of the server
	leaves func(f *forest, dst []block.Block, tree int)
}

// An iteration stretches its seeds.
type iteration struct {
	seeds  []block.Block
	forest forest
	code   code
	yield  int           // outputs in front of the seeds of the next iteration
	left   int           // those of them that are to be taken
	next   int           // the next tree
	rest   []block.Block // outputs of the last tree that were not yet taken
}

// newSilent returns the state before the first Refill, with seeds of which the
// extension must fill the first extended().
func newSilent(plan silentPlan, e *expander) silent {
	var numbers [7 * 8]byte
	for i, n := range []int{plan.start.trees, plan.start.logK, plan.start.depth,
		plan.main.trees, plan.main.logK, plan.main.depth, int(e.batch)} {
		binary.LittleEndian.PutUint64(numbers[8*i:], uint64(n))
	}
	tree := max(plan.main.leaves(), plan.start.leaves())
	return silent{
		plan:  plan,
		ctx:   digest(labelSilent, e.ctx[:], numbers[:]),
		first: make([]block.Block, plan.extended()),
		room:  make([]block.Block, tree),
		buf:   make([]block.Block, tree),
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
	s.leaves = (*forest).puncture
	labels := s.first
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
	q.leaves = func(f *forest, dst []block.Block, tree int) { f.grow(dst, tree, nil) }
	q.delta = s.delta
	labels := q.first
	if err := s.Extend(labels, msg); err != nil {
		return nil, err
	}
	for i := range labels {
		labels[i].Lo &^= 1
	}
	return q, nil
}

// Left returns the number of correlations that can be taken without another Refill.
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
func (s *silent) begin(p lpn) *iteration {
	it := s.spare
	if s.spare = nil; it == nil {
		it = new(iteration)
	}
	if cap(it.seeds) < p.seeds() {
		it.seeds = make([]block.Block, max(p.seeds(), s.plan.main.seeds()))
	}
	it.seeds = it.seeds[:p.seeds()]
	if s.count == 0 {
		copy(it.seeds, s.first)
		s.first = nil
	} else {
		s.last(it.seeds, s.queue[len(s.queue)-1])
		s.drop()
	}
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], s.count)
	ctx := digest(labelSilent, s.ctx[:], number[:])
	s.count++
	key := digest(labelCode, ctx[:])
	it.code.key.setKey((*[16]byte)(key[:]))
	it.forest.delta = s.delta
	it.forest.begin(p, &ctx, it.seeds[p.secret():])
	it.yield, it.left, it.next, it.rest = 0, 0, 0, nil
	s.queue = append(s.queue, it)
	return it
}

// finish lets the outputs of the main iteration that began last be taken, but those that
// are seeds of the next.
func (s *silent) finish(it *iteration) {
	it.left, it.yield = s.plan.yield(), s.plan.yield()
	s.left += it.left
}

// drop takes the first iterations off the queue as long as nothing is left of them
// and nothing depends on them.
func (s *silent) drop() {
	for len(s.queue) > 0 && s.queue[0].left == 0 {
		s.spare = s.queue[0]
		s.queue = append(s.queue[:0], s.queue[1:]...)
	}
}

// last fills dst with the outputs of an iteration that are seeds of the next.
func (s *silent) last(dst []block.Block, it *iteration) {
	at := it.yield
	size := it.forest.leaves()
	for t := at / size; len(dst) > 0; t++ {
		if at%size == 0 && len(dst) >= size {
			s.tree(dst[:size], it, t)
			dst, at = dst[size:], at+size
			continue
		}
		s.tree(s.buf[:size], it, t)
		n := copy(dst, s.buf[at%size:size])
		dst, at = dst[n:], at+n
	}
}

// produce fills dst with the next outputs of the first iteration of the queue.
func (s *silent) produce(dst []block.Block, it *iteration) {
	size := it.forest.leaves()
	for len(dst) > 0 {
		if len(it.rest) == 0 && len(dst) >= size {
			s.tree(dst[:size], it, it.next)
			it.next++
			dst = dst[size:]
			continue
		}
		if len(it.rest) == 0 {
			it.rest = s.room[:size]
			s.tree(it.rest, it, it.next)
			it.next++
		}
		n := copy(dst, it.rest)
		dst, it.rest = dst[n:], it.rest[n:]
	}
}

// tree sets dst to the outputs of a tree.
func (s *silent) tree(dst []block.Block, it *iteration, tree int) {
	s.leaves(&it.forest, dst, tree)
	it.code.add(dst, it.seeds[:it.forest.secret()], tree<<it.forest.depth)
}

// take fills labels with outputs.
func (s *silent) take(labels []block.Block) {
	if len(labels) > s.left {
		panic("ot: silent: more correlations than are left")
	}
	s.left -= len(labels)
	for len(labels) > 0 {
		if len(s.queue) > 1 {
			s.drop()
		}
		it := s.queue[0]
		n := min(len(labels), it.left)
		it.left -= n
		s.produce(labels[:n], it)
		labels = labels[n:]
	}
}

// Refill makes the class's Yield of correlations and writes the message for the client,
// RefillSize() bytes. Another size panics. What earlier Refills made stays to be taken first.
func (s *SilentSender) Refill(msg []byte) {
	if len(msg) != s.RefillSize() {
		panic("ot: silent: refill: the message has the wrong size")
	}
	var it *iteration
	for _, p := range s.stages() {
		it = s.begin(p)
		it.forest.write(msg[:p.size()], &s.tagger, s.buf)
		msg = msg[p.size():]
	}
	s.finish(it)
}

// Take fills labels with the next K_i, whose bit 0 is 0. More than Left() panic.
func (s *SilentSender) Take(labels []block.Block) { s.take(labels) }

// Refill takes the server's message. After an error, which means that the message
// has the wrong size or that the check failed, nothing can be taken and every
// further Refill returns an error: the session must end. What earlier Refills made stays
// to be taken first.
func (r *SilentReceiver) Refill(msg []byte) error {
	err := errDead
	if !r.dead {
		err = fmt.Errorf("message is %d bytes, want %d", len(msg), r.RefillSize())
		if len(msg) == r.RefillSize() {
			err = r.refill(msg)
		}
	}
	if err != nil {
		r.dead, r.left = true, 0
		return fmt.Errorf("ot: silent: refill: %w", err)
	}
	return nil
}

func (r *SilentReceiver) refill(msg []byte) error {
	var it *iteration
	for _, p := range r.stages() {
		it = r.begin(p)
		sum := it.forest.read(msg[:p.size()], &r.tagger, r.buf)
		msg = msg[p.size()-len(sum):]
		if subtle.ConstantTimeCompare(sum[:], msg[:len(sum)]) != 1 {
			return errInconsistent
		}
		msg = msg[len(sum):]
	}
	r.finish(it)
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
