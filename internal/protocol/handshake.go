package protocol

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"dorcas/internal/block"
	"dorcas/internal/ot"
	"dorcas/internal/ring"
	"dorcas/internal/rlwe"
	"dorcas/internal/wire"
	"dorcas/nn"
)

// magic opens every session.
const magic = "dorcas"

// maxShape bounds the public shape that a client accepts. LOCAL
const maxShape = 16 << 20

// ErrModel reports that the server runs another network than the client asks
// for.
var ErrModel = errors.New("protocol: the server runs another model")

// errVersion reports a peer of another version.
var errVersion = errors.New("protocol: the peer speaks another version")

// The handshake agrees on the plan and makes the keys of the session.
//
//	client → server   hello: version, nonce
//	server → client   hello: version, nonce, memory for silent transfer; shape of the network
//	client → server   hash of the plan, method of transfers, public key, base transfers (1)
//	server → client   base transfers (2), start of the garbling keys
//	client → server   punctured trees (3); first seeds of silent transfer, if that is the method
//
// The common half of the public key and everything in the transfers is bound
// to both nonces.
func (c *Client) handshake(opt *ClientOptions) error {
	nonce := child(&c.seed, "nonce", 0)
	if err := c.conn.Send(hello(nonce)); err != nil {
		return fmt.Errorf("protocol: hello: %w", err)
	}
	c.meter.sent("hello", Session)
	var reply [greetingSize]byte
	start := time.Now()
	if err := c.conn.Recv(reply[:]); err != nil {
		return fmt.Errorf("protocol: hello: %w", err)
	}
	trip := time.Since(start)
	if err := checkHello(reply[:]); err != nil {
		return err
	}
	shape, err := c.conn.RecvMax(maxShape)
	if err != nil {
		return fmt.Errorf("protocol: shape: %w", err)
	}
	if c.plan, err = parsePlan(shape); err != nil {
		return err
	}
	if opt.Expect != nil && *opt.Expect != c.plan.hash {
		return fmt.Errorf("%w: its plan is %x, expected %x", ErrModel, c.plan.hash[:8], opt.Expect[:8])
	}
	c.meter.received("shape", Session)
	if err := c.propose(opt, trip, binary.LittleEndian.Uint64(reply[helloSize:])); err != nil {
		return err
	}
	return c.keys(sessionID(hello(nonce), reply[:]))
}

// propose puts a method of transfers into the plan: one that the server, which has so
// much memory, will take, unless the options ask for another.
func (c *Client) propose(opt *ClientOptions, trip time.Duration, memory uint64) (err error) {
	if opt.Transfers != 0 {
		if c.plan, err = c.plan.With(opt.Transfers); err != nil {
			return err
		}
		if need := uint64(opt.Transfers.Memory(c.plan.ots)); need > memory {
			return fmt.Errorf("protocol: transfers by %v take %d bytes of the server's memory, of which it has %d for them", opt.Transfers, need, memory)
		}
		return nil
	}
	link := guess(trip)
	if opt.Link != nil {
		link = *opt.Link
	}
	c.plan, err = c.plan.Choose(opt.Inferences, link, int64(min(memory, 1<<40)))
	return err
}

func parsePlan(shape []byte) (*Plan, error) {
	s, err := nn.ParseShape(shape)
	if err != nil {
		return nil, fmt.Errorf("protocol: shape: %w", err)
	}
	return NewPlan(s)
}

// keys is the second half of the handshake, at the client.
func (c *Client) keys(session *[32]byte) error {
	c.secret = rlwe.NewSecretKey(ring.NewStream(&c.seed, "secret key", 0))
	setup, transfer := ot.NewReceiverSeeded(c.plan.method, session, child(&c.seed, "transfers", 0))
	msg := append(make([]byte, 0, keysSize), c.plan.agreed[:]...)
	msg = append(msg, byte(c.plan.method))
	msg = msg[:33+rlwe.PublicKeySize]
	c.secret.PublicKey(msg[33:], session, ring.NewStream(&c.seed, "public key", 0))
	if err := c.conn.Send(append(msg, transfer...)); err != nil {
		return fmt.Errorf("protocol: keys: %w", err)
	}
	c.meter.sent("keys", Session)
	reply := make([]byte, replySize)
	if err := c.conn.Recv(reply); err != nil {
		return fmt.Errorf("protocol: base transfers: %w", err)
	}
	c.start = block.Get(reply[ot.Msg2Size:])
	c.meter.received("base transfers", Session)
	receiver, trees, err := setup.Finish(reply[:ot.Msg2Size])
	if err != nil {
		return fmt.Errorf("protocol: base transfers: %w", err)
	}
	c.receiver = receiver
	if err := c.conn.Send(trees); err != nil {
		return fmt.Errorf("protocol: punctured trees: %w", err)
	}
	c.meter.sent("punctured trees", Session)
	if err := c.startSilent(); err != nil {
		return err
	}
	return c.conn.Flush()
}

// handshake at the server.
func (s *session) handshake() error {
	var greeting [helloSize]byte
	if err := s.conn.Recv(greeting[:]); err != nil {
		return fmt.Errorf("protocol: hello: %w", err)
	}
	if err := checkHello(greeting[:]); err != nil {
		return err
	}
	s.meter.received("hello", Session)
	own := binary.LittleEndian.AppendUint64(hello(child(&s.seed, "nonce", 0)), uint64(s.memory))
	if err := s.conn.Send(own); err != nil {
		return fmt.Errorf("protocol: hello: %w", err)
	}
	if err := s.conn.Send(s.plan.bytes); err != nil {
		return fmt.Errorf("protocol: shape: %w", err)
	}
	s.meter.sent("shape", Session)
	return s.keys(sessionID(greeting[:], own))
}

func (s *session) keys(id *[32]byte) error {
	msg := make([]byte, keysSize)
	if err := s.conn.Recv(msg); err != nil {
		return fmt.Errorf("protocol: keys: %w", err)
	}
	if err := s.accept(msg[:32], ot.Method(msg[32])); err != nil {
		return err
	}
	pk, err := rlwe.ParsePublicKey(msg[33:33+rlwe.PublicKeySize], id)
	if err != nil {
		return fmt.Errorf("protocol: keys: %w", err)
	}
	s.client = pk
	setup, transfer, err := ot.NewSenderSeeded(s.plan.method, id, child(&s.seed, "transfers", 0), msg[33+rlwe.PublicKeySize:])
	if err != nil {
		return fmt.Errorf("protocol: keys: %w", err)
	}
	s.meter.received("keys", Session)
	s.start = *randomBlock(&s.seed, "garbling keys")
	reply := append(make([]byte, 0, replySize), transfer...)
	reply = append(reply, make([]byte, block.Size)...)
	s.start.Put(reply[ot.Msg2Size:])
	if err := s.conn.Send(reply); err != nil {
		return fmt.Errorf("protocol: base transfers: %w", err)
	}
	s.meter.sent("base transfers", Session)
	trees := make([]byte, s.plan.method.Msg3Size())
	if err := s.conn.Recv(trees); err != nil {
		return fmt.Errorf("protocol: punctured trees: %w", err)
	}
	if s.sender, err = setup.Finish(trees); err != nil {
		return fmt.Errorf("protocol: punctured trees: %w", err)
	}
	s.meter.received("punctured trees", Session)
	return s.startSilent()
}

// accept takes the client's method of transfers into the plan and compares the hashes.
func (s *session) accept(hash []byte, m ot.Method) error {
	if err := errTransfers(m, s.plan, s.memory); err != nil {
		return err
	}
	plan, err := s.plan.With(m)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(hash, plan.agreed[:]) != 1 {
		return fmt.Errorf("%w: the client's plan is %x, ours %x", ErrModel, hash[:8], plan.agreed[:8])
	}
	s.plan = plan
	return nil
}

func hello(nonce *[32]byte) []byte {
	b := append(make([]byte, 0, helloSize), magic...)
	b = binary.LittleEndian.AppendUint16(b, Version)
	return append(b, nonce[:]...)
}

func checkHello(b []byte) error {
	if string(b[:len(magic)]) != magic {
		return errors.New("protocol: hello: the peer does not speak this protocol")
	}
	if v := binary.LittleEndian.Uint16(b[len(magic):]); v != Version {
		return fmt.Errorf("%w: it has %d, we have %d", errVersion, v, Version)
	}
	return nil
}

// sessionID is what both parties bind their keys to; neither chooses it.
func sessionID(client, server []byte) *[32]byte {
	h := sha256.New()
	h.Write([]byte("dorcas session"))
	h.Write(client)
	h.Write(server)
	return (*[32]byte)(h.Sum(nil))
}

func randomBlock(seed *[32]byte, label string) *block.Block {
	var b [1]block.Block
	block.Expand(b[:], seed, label, 0)
	return &b[0]
}

// codeOf maps an error of ours to what the peer may know of it.
func codeOf(err error) wire.Code {
	switch {
	case errors.Is(err, ErrModel):
		return wire.CodeModel
	case errors.Is(err, errVersion):
		return wire.CodeVersion
	}
	return wire.CodeProtocol
}
