package ot

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/cloudflare/circl/group"

	"dorcas/internal/block"
)

// The base transfers are the endemic oblivious transfer that Masny and Rindal
// (CCS 2019) build from a one-round key agreement, here Diffie–Hellman in
// ristretto255. For transfer i with choice c, H hashing to the group:
//
//	client → server   A = a·G, one for all transfers
//	server → client   r_0, r_1 with r_c = b·G − H(i, c, r_(1−c)), r_(1−c) random
//	keys              client: a·(r_j + H(i, j, r_(1−j))), j = 0, 1    server: b·A
//
// Whatever the server sends, it knows the logarithm of at most one of the two sums,
// because each r_j enters the hash that shifts the other. All transfers share A;
// McQuoid, Rosulek and Roy (ASIACRYPT 2021) show that such sharing is insecure when
// instances use the same hash, or when keys are the bare group elements: a
// receiver that repeats or mixes messages of several instances then gets related
// keys. Hence the index in H, and a key that is a hash of session, index,
// branch, all of the instance's messages and the shared element.

var ristretto = group.Ristretto255

const (
	labelScalar = "dorcas ot base scalar"
	labelOther  = "dorcas ot base other element"
	labelShift  = "dorcas ot base shift"
	labelKey    = "dorcas ot base key"
)

// A baseSender is the client between messages 1 and 2. It is used once.
type baseSender struct {
	ctx    *context
	secret group.Scalar
	msg    [pointSize]byte
}

func newBaseSender(ctx *context, seed *[32]byte) *baseSender {
	s := &baseSender{ctx: ctx, secret: secretScalar(ctx, seed, kappa)}
	encode(s.msg[:], ristretto.NewElement().MulGen(s.secret))
	return s
}

// keys returns both keys of every transfer from the server's message of Msg2Size
// bytes.
func (s *baseSender) keys(msg2 []byte) (*[kappa][2]block.Block, error) {
	if len(msg2) != Msg2Size {
		return nil, fmt.Errorf("message 2 is %d bytes, want %d", len(msg2), Msg2Size)
	}
	var r [kappa][2]group.Element
	var errs [kappa]error
	parallel(kappa, func(i int) {
		for j := range r[i] {
			r[i][j], errs[i] = decode(msg2[(2*i+j)*pointSize:][:pointSize])
			if errs[i] != nil {
				return
			}
		}
	})
	if err := firstError(&errs); err != nil {
		return nil, err
	}
	var keys [kappa][2]block.Block
	parallel(kappa, func(i int) {
		pair := (*[2 * pointSize]byte)(msg2[i*2*pointSize:])
		keys[i], errs[i] = s.pairKeys(i, &r[i], pair)
	})
	if err := firstError(&errs); err != nil {
		return nil, err
	}
	return &keys, nil
}

// pairKeys returns both keys of transfer i, whose elements r stand encoded in pair.
func (s *baseSender) pairKeys(i int, r *[2]group.Element, pair *[2 * pointSize]byte) (keys [2]block.Block, err error) {
	for j, e := range r {
		other := pair[(1-j)*pointSize:][:pointSize]
		sum := e.Add(e, shift(s.ctx, i, uint64(j), other))
		if sum.IsIdentity() {
			return keys, errors.New("key agreement with the identity")
		}
		keys[j] = baseKey(s.ctx, i, uint64(j), &s.msg, pair, sum.Mul(sum, s.secret))
	}
	return keys, nil
}

func firstError(errs *[kappa]error) error {
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("message 2: transfer %d: %w", i, err)
		}
	}
	return nil
}

// respond is the server's part: it returns the key of the chosen branch of every
// transfer, choice i being bit i of choices, and writes message 2.
func respond(ctx *context, seed *[32]byte, choices block.Block, msg1, msg2 []byte) (*[kappa]block.Block, error) {
	if len(msg1) != Msg1Size {
		return nil, fmt.Errorf("message 1 is %d bytes, want %d", len(msg1), Msg1Size)
	}
	shared, err := decode(msg1)
	if err != nil {
		return nil, fmt.Errorf("message 1: %w", err)
	}
	var keys [kappa]block.Block
	parallel(kappa, func(i int) {
		pair := (*[2 * pointSize]byte)(msg2[i*2*pointSize:])
		b := secretScalar(ctx, seed, i)
		c := deltaBit(choices, i)
		answer(pair, ctx, seed, i, c, b)
		element := ristretto.NewElement().Mul(shared, b)
		keys[i] = baseKey(ctx, i, c, (*[pointSize]byte)(msg1), pair, element)
	})
	return &keys, nil
}

// answer writes r_0 and r_1 of transfer i, in time that does not depend on c.
func answer(pair *[2 * pointSize]byte, ctx *context, seed *[32]byte, i int, c uint64, b group.Scalar) {
	// Hashed from the seed: nobody, this party included, knows its logarithm.
	random := ctx.expand(seed, labelOther, i)
	other := ristretto.HashToElement(random[:], []byte(labelOther))
	var encoded [pointSize]byte
	encode(encoded[:], other)
	chosen := shift(ctx, i, c, encoded[:])
	chosen.Neg(chosen)
	chosen.Add(chosen, ristretto.NewElement().MulGen(b))
	first, second := chosen.Copy(), chosen
	first.CMov(int(c), other)
	second.CMov(int(1-c), other)
	encode(pair[:pointSize], first)
	encode(pair[pointSize:], second)
}

// shift is H of the comment above.
func shift(ctx *context, i int, branch uint64, other []byte) group.Element {
	var msg [len(ctx) + 2 + pointSize]byte
	n := copy(msg[:], ctx[:])
	msg[n], msg[n+1] = byte(i), byte(branch)
	copy(msg[n+2:], other)
	return ristretto.HashToElement(msg[:], []byte(labelShift))
}

func baseKey(ctx *context, i int, branch uint64, msg1 *[pointSize]byte, pair *[2 * pointSize]byte, shared group.Element) block.Block {
	var element [pointSize]byte
	encode(element[:], shared)
	sum := digest(labelKey, ctx[:], []byte{byte(i), byte(branch)}, msg1[:], pair[:], element[:])
	return block.Get(sum[:])
}

// secretScalar is the i-th secret exponent of a party's seed. It is zero with
// probability 2^-252.
func secretScalar(ctx *context, seed *[32]byte, i int) group.Scalar {
	random := ctx.expand(seed, labelScalar, i)
	return ristretto.HashToScalar(random[:], []byte(labelScalar))
}

// encode writes the only encoding of e.
func encode(dst []byte, e group.Element) {
	p, err := e.MarshalBinary()
	if err != nil || copy(dst, p) != pointSize {
		panic("ot: a group element has no encoding")
	}
}

// decode reads a group element. It rejects what encode never writes, and the
// identity.
func decode(p []byte) (group.Element, error) {
	e := ristretto.NewElement()
	if err := e.UnmarshalBinary(p); err != nil {
		return nil, errors.New("invalid group element")
	}
	if e.IsIdentity() {
		return nil, errors.New("group element is the identity")
	}
	return e, nil
}

// parallel calls work for every i < n, spread over the processors: the 128 base
// transfers are most of a session's set-up.
func parallel(n int, work func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				work(i)
			}
		})
	}
	wg.Wait()
}
