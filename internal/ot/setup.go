package ot

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"dorcas/internal/block"
)

// The set-up of a session. The server's bits of Δ choose among the client's base
// keys, so the client is the sender of the base transfers:
//
//	client → server   A                                         32 B
//	server → client   r_0, r_1 for each of 128 base transfers   8192 B
//	client → server   sums of the trees' levels, sums and hash
//	                  of the tags                               Method.Msg3Size
//
// session is the hash of both parties' nonces; everything that is hashed depends
// on it.

var errInconsistent = errors.New("consistency check failed")

var errFinished = errors.New("set-up is over")

const labelDelta = "dorcas ot delta"

// ReceiverSetup is the client after message 1.
type ReceiverSetup struct {
	k    int
	ctx  *context
	base *baseSender // nil after Finish
}

// SenderSetup is the server after message 2.
type SenderSetup struct {
	k     int
	ctx   *context
	delta block.Block
	keys  *[kappa]block.Block // nil after Finish
}

// NewReceiver starts the client's set-up of an agreed method. It returns message 1, Msg1Size bytes.
func NewReceiver(m Method, session *[32]byte) (*ReceiverSetup, []byte) {
	return NewReceiverSeeded(m, session, freshSeed())
}

// NewReceiverSeeded is NewReceiver with all its random choices expanded from seed.
// A seed that is not secret and uniform, or serves twice, makes the set-up insecure.
func NewReceiverSeeded(m Method, session, seed *[32]byte) (*ReceiverSetup, []byte) {
	return newReceiverSetup(m.depth(), session, seed)
}

func newReceiverSetup(k int, session, seed *[32]byte) (*ReceiverSetup, []byte) {
	ctx := newContext(k, session)
	base := newBaseSender(ctx, seed)
	return &ReceiverSetup{k: k, ctx: ctx, base: base}, slices.Clone(base.msg[:])
}

// NewSender starts the server's set-up of an agreed method with a random Δ. It returns message 2,
// Msg2Size bytes, or an error that names what is wrong with message 1.
func NewSender(m Method, session *[32]byte, msg1 []byte) (*SenderSetup, []byte, error) {
	return NewSenderSeeded(m, session, freshSeed(), msg1)
}

// NewSenderSeeded is NewSender with all its random choices, Δ included, expanded
// from seed. A seed that is not secret and uniform, or serves twice, makes the
// set-up insecure.
func NewSenderSeeded(m Method, session, seed *[32]byte, msg1 []byte) (*SenderSetup, []byte, error) {
	return newSenderSetup(m.depth(), session, seed, msg1)
}

func newSenderSetup(k int, session, seed *[32]byte, msg1 []byte) (*SenderSetup, []byte, error) {
	ctx := newContext(k, session)
	random := ctx.expand(seed, labelDelta, 0)
	delta := block.Get(random[:])
	delta.Lo |= 1
	msg2 := make([]byte, Msg2Size)
	choices := block.Block{Lo: ^delta.Lo, Hi: ^delta.Hi}
	keys, err := respond(ctx, seed, choices, msg1, msg2)
	if err != nil {
		return nil, nil, fmt.Errorf("ot: set-up: %w", err)
	}
	return &SenderSetup{k: k, ctx: ctx, delta: delta, keys: keys}, msg2, nil
}

// Finish takes message 2 and returns the client's side of the session with message
// 3, the method's Msg3Size, or an error that names what is wrong with message 2. It can be
// called once, whatever it returns.
func (r *ReceiverSetup) Finish(msg2 []byte) (*Receiver, []byte, error) {
	base := r.base
	if base == nil {
		return nil, nil, fmt.Errorf("ot: set-up: %w", errFinished)
	}
	r.base = nil
	keys, err := base.keys(msg2)
	if err != nil {
		return nil, nil, fmt.Errorf("ot: set-up: %w", err)
	}
	msg3 := make([]byte, msg3Size(r.k))
	leaves := grow(r.ctx, r.k, keys, msg3)
	return newReceiver(r.ctx, r.k, leaves), msg3, nil
}

// Finish takes message 3 and returns the server's side of the session, or an error:
// the message has the wrong size or its check failed, and the session must end.
// It can be called once, whatever it returns.
func (s *SenderSetup) Finish(msg3 []byte) (*Sender, error) {
	keys := s.keys
	if keys == nil {
		return nil, fmt.Errorf("ot: set-up: %w", errFinished)
	}
	s.keys = nil
	leaves, err := puncture(s.ctx, s.k, s.delta, keys, msg3)
	if err != nil {
		return nil, fmt.Errorf("ot: set-up: %w", err)
	}
	return newSender(s.ctx, s.k, s.delta, leaves), nil
}

func freshSeed() *[32]byte {
	var seed [32]byte
	rand.Read(seed[:]) // never fails: it ends the program instead
	return &seed
}

// String hides the secrets.
func (r *ReceiverSetup) String() string { return "[redacted]" }

// String hides the secrets.
func (s *SenderSetup) String() string { return "[redacted]" }
