package rlwe

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"dorcas/internal/ring"
)

// party holds both sides of a test: the client's key and streams, the server's
// public key.
type party struct {
	sk     *SecretKey
	pk     *PublicKey
	noise  *ring.Stream
	random *rand.Rand
	agreed [32]byte
}

func newParty(t testing.TB, n uint64) *party {
	seed := [32]byte{byte(n)}
	p := &party{
		noise:  ring.NewStream(&seed, "test noise", n),
		random: rand.New(rand.NewPCG(n, 0)),
		agreed: [32]byte{1, byte(n)},
	}
	p.sk = NewSecretKey(p.noise)
	packed := make([]byte, PublicKeySize)
	p.sk.PublicKey(packed, &p.agreed, p.noise)
	var err error
	if p.pk, err = ParsePublicKey(packed, &p.agreed); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *party) message(T int) []uint32 {
	m := make([]uint32, ring.N)
	for i := range m {
		m[i] = uint32(p.random.Uint64() & (1<<T - 1))
	}
	return m
}

// upload encrypts and parses.
func (p *party) upload(t testing.TB, ct *Ciphertext, m []uint32, T int, maskSeed *[32]byte, index uint64) {
	packed := make([]byte, CiphertextSize)
	p.sk.Encrypt(packed, m, T, maskSeed, index, p.noise)
	if err := ct.Parse(packed, maskSeed, index); err != nil {
		t.Fatal(err)
	}
}

// signed returns v as a number in (−Q/2, Q/2).
func signed(v uint64) int64 {
	if v > ring.Q/2 {
		return int64(v) - ring.Q
	}
	return int64(v)
}

func phase(sk *SecretKey, c0, c1 *ring.NTT) *ring.Poly {
	var x ring.NTT
	x.Mul(c1, &sk.s)
	x.Add(&x, c0)
	dst := new(ring.Poly)
	ring.Inverse(dst, &x)
	return dst
}

func TestEncrypt(t *testing.T) {
	p := newParty(t, 1)
	for T := 1; T <= MaxT; T++ {
		var ct Ciphertext
		m := p.message(T)
		m[0], m[1] = 0, uint32(1<<T-1)
		p.upload(t, &ct, m, T, &p.agreed, uint64(T))
		var want, e ring.Poly
		encode(&want, m, T)
		e.Sub(phase(p.sk, &ct.C0, &ct.C1), &want)
		for i, v := range e {
			if s := signed(v); s < -ring.MaxError || s > ring.MaxError {
				t.Fatalf("T = %d: error %d at coefficient %d", T, s, i)
			}
		}
	}
}

func TestEncode(t *testing.T) {
	q := big.NewInt(ring.Q)
	r := rand.New(rand.NewPCG(2, 0))
	for T := 1; T <= MaxT; T++ {
		m := []uint32{0, 1, 2, 1<<(T-1) - 1, 1 << (T - 1), uint32(1<<T - 1), 0xffffffff}
		for range 200 {
			m = append(m, r.Uint32())
		}
		var p ring.Poly
		p[len(m)] = 1
		encode(&p, m, T)
		for i, v := range m {
			// ⌊(2·Q·m + 2^T) / 2^(T+1)⌋
			x := big.NewInt(int64(v) & (1<<T - 1))
			x.Mul(x, q).Lsh(x, 1).Add(x, new(big.Int).Lsh(big.NewInt(1), uint(T)))
			if x.Rsh(x, uint(T+1)); p[i] != x.Uint64() || p[i] >= ring.Q {
				t.Fatalf("T = %d: %d encodes as %d, want %d", T, v, p[i], x)
			}
		}
		if p[len(m)] != 0 {
			t.Fatal("coefficients beyond the message are not 0")
		}
	}
}

func TestEncodePlain(t *testing.T) {
	coeffs := []int32{0, 1, -1, 2047, -2048, 1<<31 - 1, -1 << 31}
	var w ring.NTT
	w[100] = 7
	EncodePlain(&w, coeffs)
	var p ring.Poly
	ring.Inverse(&p, &w)
	for i, v := range p {
		want := int64(0)
		if i < len(coeffs) {
			want = int64(coeffs[i])
		}
		if signed(v) != want {
			t.Fatalf("coefficient %d is %d, want %d", i, signed(v), want)
		}
	}
}

// TestUploadDomains: another index, seed or key gives another uniform half, and
// the same ones give the same.
func TestUploadDomains(t *testing.T) {
	p := newParty(t, 3)
	other := p.agreed
	other[31]++
	var a, b, c, again Ciphertext
	m := p.message(20)
	p.upload(t, &a, m, 20, &p.agreed, 0)
	p.upload(t, &b, m, 20, &p.agreed, 1)
	p.upload(t, &c, m, 20, &other, 0)
	p.upload(t, &again, m, 20, &p.agreed, 0)
	if a.C1 == b.C1 || a.C1 == c.C1 || a.C1 == p.pk.a || a.C1 != again.C1 {
		t.Error("uniform halves are not what seed and index say")
	}
	if a.C0 == again.C0 {
		t.Error("two encryptions have the same error")
	}
}

func TestPublicKey(t *testing.T) {
	p := newParty(t, 4)
	nonzero := 0
	for i, v := range phase(p.sk, &p.pk.b, &p.pk.a) {
		if s := signed(v); s < -ring.MaxError || s > ring.MaxError {
			t.Fatalf("error %d at coefficient %d", s, i)
		} else if s != 0 {
			nonzero++
		}
	}
	if nonzero < ring.N/2 {
		t.Errorf("%d coefficients have an error", nonzero)
	}
}

// TestGolden fixes the bytes of every message and share for other
// implementations of the kernels to meet.
func TestGolden(t *testing.T) {
	h := sha256.New()
	p := newParty(t, 6)
	packed := make([]byte, PublicKeySize)
	p.sk.PublicKey(packed, &p.agreed, p.noise)
	h.Write(packed)
	fresh, mask := ring.NewStream(&p.agreed, "fresh", 0), ring.NewStream(&p.agreed, "mask", 0)
	for i, a := range []AnswerParams{{20, 2, 11, 2}, {22, 1, 12, 2}, {28, 4, 13, 2}} {
		var ct Ciphertext
		var plain ring.NTT
		var sum Sum
		coeffs := make([]int32, ring.N)
		for n := range uint64(2) {
			p.sk.Encrypt(packed, p.message(a.T), a.T, &p.agreed, n, p.noise)
			h.Write(packed)
			if err := ct.Parse(packed, &p.agreed, n); err != nil {
				t.Fatal(err)
			}
			for j := range coeffs {
				coeffs[j] = p.random.Int32N(31) - 15
			}
			EncodePlain(&plain, coeffs)
			sum.MulAdd(&ct, &plain)
		}
		wanted := upTo(1000 * i)
		answer, share := make([]byte, a.Size(len(wanted))), make([]uint32, len(wanted))
		a.reshare(answer, share, &sum, p.pk, wanted, fresh, mask)
		h.Write(answer)
		binary.Write(h, binary.LittleEndian, share)
		if err := a.Open(share, answer, p.sk, wanted); err != nil {
			t.Fatal(err)
		}
		binary.Write(h, binary.LittleEndian, share)
	}
	const want = "f524358e666c612bf7f2f7b04f8e96772014b0b570a325e71a5a59992eb197e2"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestRedacted(t *testing.T) {
	p := newParty(t, 5)
	for _, text := range []string{
		fmt.Sprint(p.sk), fmt.Sprint(*p.sk), p.sk.String(),
		fmt.Sprintf("%v %+v %#v %x %d %s", p.sk, p.sk, p.sk, p.sk, *p.sk, p.sk),
	} {
		if strings.ReplaceAll(strings.ReplaceAll(text, "[redacted]", ""), " ", "") != "" {
			t.Errorf("a secret key prints as %.60q", text)
		}
	}
}

// valueNotBelow returns bytes of PublicKeySize with value i set to v.
func valueNotBelow(i int, v uint64) []byte {
	var x [ring.N]uint64
	x[i] = v
	packed := make([]byte, PublicKeySize)
	ring.PackBits(packed, x[:], ring.LogQ)
	return packed
}

func TestParse(t *testing.T) {
	cases := []struct {
		name string
		src  []byte
		err  string
	}{
		{"largest value", valueNotBelow(3, ring.Q-1), ""},
		{"Q", valueNotBelow(0, ring.Q), "value 0 is not below the modulus"},
		{"Q last", valueNotBelow(ring.N-1, ring.Q), "value 2047 is not below the modulus"},
		{"all ones", bytes.Repeat([]byte{0xff}, PublicKeySize), "value 0 is not below the modulus"},
		{"empty", nil, "0 bytes, want 12800"},
		{"short", make([]byte, PublicKeySize-1), "12799 bytes, want 12800"},
		{"long", make([]byte, PublicKeySize+1), "12801 bytes, want 12800"},
	}
	check := func(what, name, want string, err error) {
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != "rlwe: "+what+": "+want) {
			t.Errorf("%s, %s: error %v, want %q", what, name, err, want)
		}
	}
	for _, c := range cases {
		var ct Ciphertext
		check("ciphertext", c.name, c.err, ct.Parse(c.src, new([32]byte), 0))
		pk, err := ParsePublicKey(c.src, new([32]byte))
		check("public key", c.name, c.err, err)
		if (pk == nil) != (err != nil) {
			t.Errorf("%s: a key and an error, or neither", c.name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{}, uint16(0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f}, uint16(0))
	f.Add(valueNotBelow(9, ring.Q-1), uint16(0))
	f.Add([]byte{1, 0xc0, 0xff, 0xff, 0xff, 0xff, 0x03}, uint16(0)) // Q
	f.Fuzz(func(t *testing.T, data []byte, shift uint16) {
		// Most inputs get the right length, so that values are reached.
		if len(data) > 0 && len(data) < PublicKeySize {
			whole := make([]byte, PublicKeySize)
			copy(whole[int(shift)%PublicKeySize:], data)
			data = whole
		}
		var ct Ciphertext
		err := ct.Parse(data, new([32]byte), 0)
		if _, err2 := ParsePublicKey(data, new([32]byte)); (err == nil) != (err2 == nil) {
			t.Fatalf("ciphertext: %v, public key: %v", err, err2)
		}
		if err != nil {
			return
		}
		again := make([]byte, CiphertextSize)
		for _, v := range ct.C0 {
			if v >= ring.Q {
				t.Fatal("accepted a value not below Q")
			}
		}
		if ring.PackBits(again, ct.C0[:], ring.LogQ); !bytes.Equal(again, data) {
			t.Fatal("accepted bytes are not canonical")
		}
	})
}

// TestMulAddAll: many products at once are the sum of single ones.
func TestMulAddAll(t *testing.T) {
	p := newParty(t, 77)
	cts, ws := make([]Ciphertext, 5), make([]ring.NTT, 5)
	packed := make([]byte, CiphertextSize)
	for i := range cts {
		p.sk.Encrypt(packed, p.message(20), 20, &p.agreed, uint64(i), p.noise)
		if err := cts[i].Parse(packed, &p.agreed, uint64(i)); err != nil {
			t.Fatal(err)
		}
		EncodePlain(&ws[i], []int32{int32(i), -7, 1 << i})
	}
	for n := range len(cts) + 1 {
		var one, all Sum
		for i := range n {
			one.MulAdd(&cts[i], &ws[i])
		}
		all.MulAddAll(cts[:n], ws[:n])
		if one != all {
			t.Fatalf("%d products at once differ from one after the other", n)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for too few plaintexts")
		}
	}()
	new(Sum).MulAddAll(cts, ws[:4])
}
