package protocol

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

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
//	server → client   hello: version, nonce; shape of the network
//	client → server   hash of the plan, public key, base transfers (1)
//	server → client   base transfers (2), start of the garbling keys
//	client → server   punctured trees (3)
//
// The common half of the public key and everything in the transfers is bound
// to both nonces.
func (c *Client) handshake(expect *[32]byte) error {
	nonce := child(&c.seed, "nonce", 0)
	if err := c.conn.Send(hello(nonce)); err != nil {
		return fmt.Errorf("protocol: hello: %w", err)
	}
	c.meter.sent("hello", Session)
	var reply [helloSize]byte
	if err := c.conn.Recv(reply[:]); err != nil {
		return fmt.Errorf("protocol: hello: %w", err)
	}
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
	if expect != nil && *expect != c.plan.hash {
		return fmt.Errorf("%w: its plan is %x, expected %x", ErrModel, c.plan.hash[:8], expect[:8])
	}
	c.meter.received("shape", Session)
	return c.keys(sessionID(hello(nonce), reply[:]))
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
	setup, transfer := ot.NewReceiverSeeded(session, child(&c.seed, "transfers", 0))
	msg := append(make([]byte, 0, keysSize), c.plan.hash[:]...)
	msg = msg[:32+rlwe.PublicKeySize]
	c.secret.PublicKey(msg[32:], session, ring.NewStream(&c.seed, "public key", 0))
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
	own := hello(child(&s.seed, "nonce", 0))
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
	if subtle.ConstantTimeCompare(msg[:32], s.plan.hash[:]) != 1 {
		return fmt.Errorf("%w: the client's plan is %x, ours %x", ErrModel, msg[:8], s.plan.hash[:8])
	}
	pk, err := rlwe.ParsePublicKey(msg[32:32+rlwe.PublicKeySize], id)
	if err != nil {
		return fmt.Errorf("protocol: keys: %w", err)
	}
	s.client = pk
	setup, transfer, err := ot.NewSenderSeeded(id, child(&s.seed, "transfers", 0), msg[32+rlwe.PublicKeySize:])
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
	trees := make([]byte, ot.Msg3Size)
	if err := s.conn.Recv(trees); err != nil {
		return fmt.Errorf("protocol: punctured trees: %w", err)
	}
	if s.sender, err = setup.Finish(trees); err != nil {
		return fmt.Errorf("protocol: punctured trees: %w", err)
	}
	s.meter.received("punctured trees", Session)
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
