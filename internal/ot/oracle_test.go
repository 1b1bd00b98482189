package ot

import (
	"crypto/aes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"dorcas/internal/block"
)

// A slowClient is the client of the extension written from the definitions, bit by
// bit, with field arithmetic of its own. It is the oracle of Receiver, and it
// can lie.
type slowClient struct {
	d     *dealer
	batch uint64
	row   int // rows of the streams that are used up
}

// A lie of the slow client about one Extend. Rows are counted with the mask rows
// first.
type lie struct {
	wrong func(tree, row int) bool // corrections to flip; nil lies nowhere
	guess func(tree int) int       // what it takes α to be in its proof
	shift bool                     // claims u ⊕ (the error of tree 1) as its bits
}

type bitsOf []byte // one bit a byte

// streamBits is the next rows bits of a leaf's stream: the definition of counter mode.
func (c *slowClient) streamBits(leaf block.Block, rows int) bitsOf {
	var key [16]byte
	leaf.Put(key[:])
	a, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	stream := make(bitsOf, 0, rows)
	for at := c.row; at < c.row+rows; at += 128 {
		var counter, out [16]byte
		copy(counter[:8], c.d.ctx[:])
		binary.BigEndian.PutUint64(counter[8:], uint64(at/128))
		a.Encrypt(out[:], counter[:])
		for i := range 128 {
			stream = append(stream, out[i/8]>>(i%8)&1)
		}
	}
	return stream
}

func (b bitsOf) xor(c bitsOf) {
	for i := range b {
		b[i] ^= c[i]
	}
}

func (b bitsOf) bytes() []byte {
	p := make([]byte, (len(b)+7)/8)
	for i, v := range b {
		p[i/8] |= v << (i % 8)
	}
	return p
}

// An element of GHASH's field: bit i of lo and hi is the coefficient of x^i and of
// x^(64+i).
type element struct{ lo, hi uint64 }

func (a element) xor(b element) element { return element{a.lo ^ b.lo, a.hi ^ b.hi} }

// times multiplies modulo x^128 + x^7 + x^2 + x + 1, by Horner's rule.
func (a element) times(b element) (p element) {
	for i := 127; i >= 0; i-- {
		overflow := p.hi >> 63
		p.hi = p.hi<<1 | p.lo>>63
		p.lo = p.lo<<1 ^ 0x87*overflow
		bit := b.lo >> i & 1
		if i >= 64 {
			bit = b.hi >> (i - 64) & 1
		}
		if bit == 1 {
			p = p.xor(a)
		}
	}
	return p
}

// field reads 16 bytes as GHASH does, the most significant bit of a byte first.
func field(p []byte) element {
	return element{
		bits.Reverse64(binary.BigEndian.Uint64(p)),
		bits.Reverse64(binary.BigEndian.Uint64(p[8:])),
	}
}

func (a element) bytes() []byte {
	p := binary.BigEndian.AppendUint64(nil, bits.Reverse64(a.lo))
	return binary.BigEndian.AppendUint64(p, bits.Reverse64(a.hi))
}

// powers returns H^(m+1), …, H^2 for the hash under key.
func powers(key []byte, m int) []element {
	a, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	var h [16]byte
	a.Encrypt(h[:], h[:])
	p := make([]element, m)
	last := field(h[:])
	for i := m - 1; i >= 0; i-- {
		last = last.times(field(h[:]))
		p[i] = last
	}
	return p
}

// columnHash is h of a column: the mask bits as they are and every piece's
// polynomial.
func columnHash(column bitsOf, keys [][]element) []byte {
	p := column.bytes()
	sum := field(p)
	for _, piece := range keys {
		for _, power := range piece {
			p = p[16:]
			sum = sum.xor(field(p).times(power))
		}
	}
	return sum.bytes()
}

// extend returns the message, the choice bits and the columns, mask rows first.
func (c *slowClient) extend(n int, l lie) (msg []byte, u bitsOf, v []bitsOf) {
	k, rows := c.d.k, padded(n)+128
	trees := kappa / k
	us := make([]bitsOf, trees)
	for i := range trees {
		us[i] = make(bitsOf, rows)
		first := len(v)
		for range k {
			v = append(v, make(bitsOf, rows))
		}
		for x := range 1 << k {
			r := c.streamBits(c.d.leaves[i<<k+x], rows)
			us[i].xor(r)
			for b := range k {
				if x>>b&1 == 1 {
					v[first+b].xor(r)
				}
			}
		}
	}
	u = us[0]
	errs := make([]bitsOf, trees)
	for i := range errs {
		errs[i] = make(bitsOf, rows)
		for row := range rows {
			if l.wrong != nil && l.wrong(i, row) {
				errs[i][row] = 1
			}
		}
		us[i].xor(errs[i])
	}
	us[0].xor(errs[0]) // tree 0 sends nothing
	msg, keys := c.challenges(n, us)
	msg = append(msg, c.proof(msg, n, u, v, errs, keys, l)...)
	c.row += rows
	c.batch++
	return msg, u, v
}

// challenges writes the corrections and derives each piece's powers of H.
func (c *slowClient) challenges(n int, us []bitsOf) (msg []byte, keys [][]element) {
	state := c.firstState(n)
	for row := 0; row < padded(n); row += 8192 {
		end := min(row+8192, padded(n))
		from := row + 128
		if row == 0 {
			from = 0
		}
		piece := []byte{}
		for _, ui := range us[1:] {
			e := slices.Clone(ui[from : end+128])
			e.xor(us[0][from : end+128])
			piece = append(piece, e.bytes()...)
		}
		state = sha256.Sum256(slices.Concat([]byte("dorcas ot challenge"), state[:], piece))
		keys = append(keys, powers(state[:16], (end-row)/128))
		msg = append(msg, piece...)
	}
	return msg, keys
}

func (c *slowClient) firstState(n int) [32]byte {
	in := append([]byte{16}, "dorcas ot extend"...)
	in = append(in, c.d.ctx[:]...)
	in = binary.LittleEndian.AppendUint64(in, c.batch)
	in = binary.LittleEndian.AppendUint64(in, uint64(n))
	return sha256.Sum256(in)
}

func (c *slowClient) proof(msg []byte, n int, u bitsOf, v, errs []bitsOf, keys [][]element, l lie) []byte {
	k := c.d.k
	claim := slices.Clone(u)
	if l.shift {
		claim.xor(errs[1])
	}
	proof := columnHash(claim, keys)
	columns := []byte{}
	for j, column := range v {
		h := columnHash(column, keys)
		// The tree's own bits differ from the claimed ones by off.
		off := slices.Clone(errs[j/k])
		if l.shift {
			off.xor(errs[1])
		}
		if l.guess != nil && l.guess(j/k)>>(j%k)&1 == 1 {
			for i, b := range columnHash(off, keys) {
				h[i] ^= b
			}
		}
		columns = append(columns, h...)
	}
	state := c.lastState(msg, n)
	sum := sha256.Sum256(slices.Concat([]byte("dorcas ot proof"), state[:], proof, columns))
	return append(proof, sum[:]...)
}

// lastState repeats the chain of digests over a message without its proof.
func (c *slowClient) lastState(msg []byte, n int) [32]byte {
	state := c.firstState(n)
	for row := 0; row < padded(n); row += 8192 {
		rows := min(8192, padded(n)-row)
		if row == 0 {
			rows += 128
		}
		size := (kappa/c.d.k - 1) * rows / 8
		state = sha256.Sum256(slices.Concat([]byte("dorcas ot challenge"), state[:], msg[:size]))
		msg = msg[size:]
	}
	return state
}

func TestReceiverAgainstOracle(t *testing.T) {
	for _, k := range depths {
		t.Run(fmt.Sprint("k=", k), func(t *testing.T) {
			d := newDealer(k, 20+uint64(k))
			slow, fast := &slowClient{d: d}, d.receiver()
			sizes := []int{1, 130, 300}
			if k == 4 {
				sizes = append(sizes, pieceRows+5)
			}
			for _, n := range sizes {
				msg, u, v := slow.extend(n, lie{})
				b := receive(fast, n)
				if !slices.Equal(msg, b.msg) {
					t.Fatalf("n=%d: the messages differ", n)
				}
				for i := range n {
					var want block.Block
					for j := range 64 {
						want.Lo |= uint64(v[j][128+i]) << j
						want.Hi |= uint64(v[64+j][128+i]) << j
					}
					if b.m[i] != want || b.choice(i) != uint64(u[128+i]) {
						t.Fatalf("n=%d: label or choice %d differs", n, i)
					}
				}
			}
		})
	}
}
