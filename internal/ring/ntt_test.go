package ring

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"testing"

	"dorcas/internal/impl/impltest"
)

var bigQ = big.NewInt(Q)

// edges are the values at which carries and reductions go wrong.
func edges() []uint64 {
	v := []uint64{0, 1, 2, Q - 1, Q - 2, Q / 2, Q/2 + 1}
	for k := 2; k < LogQ; k++ {
		v = append(v, 1<<k-1, 1<<k, 1<<k+1)
	}
	return v
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func randomPoly(r *rand.Rand) *Poly {
	p := new(Poly)
	for i := range p {
		p[i] = r.Uint64N(Q)
	}
	return p
}

// edgePoly mixes the edge values in random order.
func edgePoly(r *rand.Rand) *Poly {
	p, e := new(Poly), edges()
	for i := range p {
		p[i] = e[r.IntN(len(e))]
	}
	return p
}

func constantPoly(v uint64) *Poly {
	p := new(Poly)
	for i := range p {
		p[i] = v
	}
	return p
}

// schoolbook multiplies mod X^N+1 and Q by the definition.
func schoolbook(a, b *Poly) *Poly {
	sum := make([]big.Int, N)
	var t, x, y big.Int
	for i := range a {
		if a[i] == 0 {
			continue
		}
		x.SetUint64(a[i])
		for j := range b {
			t.Mul(&x, y.SetUint64(b[j]))
			if i+j < N {
				sum[i+j].Add(&sum[i+j], &t)
			} else {
				sum[i+j-N].Sub(&sum[i+j-N], &t)
			}
		}
	}
	dst := new(Poly)
	for i := range sum {
		dst[i] = sum[i].Mod(&sum[i], bigQ).Uint64()
	}
	return dst
}

func TestModulus(t *testing.T) {
	if Q != 1125899906826241 || !bigQ.ProbablyPrime(40) || Q%(2*N) != 1 {
		t.Fatal("Q is not the prime 2^50 − 2^14 + 1 ≡ 1 mod 2N")
	}
	root := big.NewInt(psi)
	if root.Exp(root, big.NewInt(N), bigQ).Cmp(big.NewInt(Q-1)) != 0 {
		t.Fatal("psi^N ≠ −1")
	}
	for x, step, k := uint64(psi), mulMod(psi, psi), 1; k < 2*N; k += 2 {
		if x < psi {
			t.Fatal("psi is not the least of the primitive roots")
		}
		x = mulMod(x, step)
	}
}

func TestReductions(t *testing.T) {
	words := append(edges(), Q, Q+1, 2*Q-1, 1<<63, ^uint64(0), ^uint64(0)-1, 1<<LogQ-1, 1<<LogQ)
	for k := LogQ; k < 64; k++ {
		words = append(words, 1<<k-1, 1<<k, 1<<k+1, (1<<k)/Q*Q, (1<<k)/Q*Q-1)
	}
	mod := func(v uint64) uint64 { return v % Q }
	for _, x := range words {
		if got := fold(x); mod(got) != mod(x) || got >= 1<<50+1<<28 {
			t.Fatalf("fold(%d) = %d", x, got)
		}
		if got := reduceOnce(fold(x)); got != mod(x) {
			t.Fatalf("reduceOnce(fold(%d)) = %d, want %d", x, got, mod(x))
		}
		for _, w := range edges() {
			hi, lo := bits.Mul64(x, w)
			_, want := bits.Div64(hi%Q, lo, Q)
			if got := newFactor(w).mul(x); mod(got) != want || got >= 2*Q || got > Q+x>>14 {
				t.Fatalf("%d·%d = %d, want %d", x, w, got, want)
			}
			if x < Q && mulMod(x, w) != want {
				t.Fatalf("%d·%d = %d, want %d", x, w, mulMod(x, w), want)
			}
		}
	}
	hi, lo := uint64(1<<36-1), ^uint64(0) // the largest number below 2^100
	if _, want := bits.Div64(hi, lo, Q); reduceProduct(hi, lo) != want {
		t.Fatal("reduceProduct of 2^100 − 1")
	}
}

func TestAddSub(t *testing.T) { impltest.Each(t, kernels, testAddSub) }

func testAddSub(t *testing.T) {
	e := edges()
	for shift := range e {
		var a, b, sum, diff Poly
		for i := range a {
			a[i], b[i] = e[i%len(e)], e[(i+shift)%len(e)]
		}
		sum.Add(&a, &b)
		diff.Sub(&a, &b)
		for i := range a {
			if sum[i] != (a[i]+b[i])%Q || diff[i] != (a[i]+Q-b[i])%Q {
				t.Fatalf("%d ± %d = %d, %d", a[i], b[i], sum[i], diff[i])
			}
		}
		var ntt NTT
		if ntt.Add((*NTT)(&a), (*NTT)(&b)); ntt != NTT(sum) {
			t.Fatal("NTT.Add differs from Poly.Add")
		}
		if ntt.Sub((*NTT)(&a), (*NTT)(&b)); ntt != NTT(diff) {
			t.Fatal("NTT.Sub differs from Poly.Sub")
		}
	}
}

// kronecker multiplies by one product of integers, with 111 bits or more to a
// coefficient; 128 are taken.
func kronecker(a, b *Poly) *Poly {
	pack := func(p *Poly) *big.Int {
		buf := make([]byte, 16*N)
		for i, v := range p {
			binary.BigEndian.PutUint64(buf[16*(N-i)-8:], v)
		}
		return new(big.Int).SetBytes(buf)
	}
	buf := new(big.Int).Mul(pack(a), pack(b)).FillBytes(make([]byte, 32*N))
	at := func(i int) *big.Int { return new(big.Int).SetBytes(buf[16*(2*N-1-i):][:16]) }
	dst := new(Poly)
	for i := range dst {
		x := at(i)
		dst[i] = x.Sub(x, at(i+N)).Mod(x, bigQ).Uint64()
	}
	return dst
}

func product(a, b *Poly) *Poly {
	var x, y NTT
	dst := new(Poly)
	Forward(&x, a)
	Forward(&y, b)
	x.Mul(&x, &y)
	Inverse(dst, &x)
	return dst
}

func TestProduct(t *testing.T) { impltest.Each(t, kernels, testProduct) }

func testProduct(t *testing.T) {
	r := newRand(1)
	top, monomial := constantPoly(Q-1), new(Poly)
	monomial[N-1] = 1
	cases := []struct {
		name string
		a, b *Poly
	}{
		{"largest", top, top},
		{"largest by edges", edgePoly(r), top},
		{"monomial", monomial, edgePoly(r)},
		{"zero", new(Poly), randomPoly(r)},
	}
	for range 10 {
		cases = append(cases, struct {
			name string
			a, b *Poly
		}{"random by edges", randomPoly(r), edgePoly(r)})
	}
	for _, c := range cases {
		if *product(c.a, c.b) != *kronecker(c.a, c.b) {
			t.Fatalf("%s: product differs from that of integers", c.name)
		}
	}
}

// TestProductSchoolbook takes the definition itself.
func TestProductSchoolbook(t *testing.T) { impltest.Each(t, kernels, testProductSchoolbook) }

func testProductSchoolbook(t *testing.T) {
	r := newRand(11)
	a, b := edgePoly(r), edgePoly(r)
	if testing.Short() {
		clear(a[100 : N-100])
	}
	if want := schoolbook(a, b); *product(a, b) != *want || *kronecker(a, b) != *want {
		t.Fatal("product differs from the schoolbook's")
	}
}

// TestForwardValues evaluates at single roots, in the order that NTT states.
func TestForwardValues(t *testing.T) { impltest.Each(t, kernels, testForwardValues) }

func testForwardValues(t *testing.T) {
	r := newRand(2)
	for _, p := range []*Poly{randomPoly(r), edgePoly(r), constantPoly(Q - 1)} {
		var v NTT
		Forward(&v, p)
		for _, j := range []int{0, 1, 2, 3, 4, 7, 8, 15, 16, 100, 1023, 1024, 1025, 2046, 2047} {
			e := 2*(bits.Reverse16(uint16(j))>>(16-LogN)) + 1
			root := new(big.Int).Exp(big.NewInt(psi), big.NewInt(int64(e)), bigQ)
			sum, c := new(big.Int), new(big.Int)
			for i := N - 1; i >= 0; i-- {
				sum.Mul(sum, root).Add(sum, c.SetUint64(p[i])).Mod(sum, bigQ)
			}
			if sum.Uint64() != v[j] {
				t.Fatalf("value %d is %d, want %d", j, v[j], sum)
			}
		}
	}
}

func TestInverse(t *testing.T) { impltest.Each(t, kernels, testInverse) }

func testInverse(t *testing.T) {
	r := newRand(3)
	cases := []*Poly{new(Poly), constantPoly(Q - 1), constantPoly(1)}
	for range 50 {
		cases = append(cases, randomPoly(r), edgePoly(r))
	}
	for _, e := range edges() {
		p := new(Poly)
		p[0], p[N-1], p[1000] = e, Q-1, e
		cases = append(cases, p)
	}
	// Blocks of the largest value beside blocks of 0, either first, take each
	// layer to the ends of its range.
	for size := 1; size < N; size *= 2 {
		p, q := new(Poly), new(Poly)
		for i := range p {
			if i&size != 0 {
				p[i] = Q - 1
			} else {
				q[i] = Q - 1
			}
		}
		cases = append(cases, p, q)
	}
	for _, p := range cases {
		var v NTT
		var back Poly
		Forward(&v, p)
		Inverse(&back, &v)
		if back != *p {
			t.Fatal("Inverse(Forward(p)) ≠ p")
		}
		Inverse(&back, (*NTT)(p))
		Forward(&v, &back)
		if Poly(v) != *p {
			t.Fatal("Forward(Inverse(v)) ≠ v")
		}
		for i := range v {
			if v[i] >= Q || back[i] >= Q {
				t.Fatal("value not below Q")
			}
		}
	}
}

func TestAliasing(t *testing.T) { impltest.Each(t, kernels, testAliasing) }

func testAliasing(t *testing.T) {
	r := newRand(4)
	a, b := randomPoly(r), randomPoly(r)
	var x, y, want NTT
	Forward(&x, a)
	Forward(&y, b)

	p := *a
	if Forward((*NTT)(&p), &p); NTT(p) != x {
		t.Error("Forward in place")
	}
	if Inverse(&p, (*NTT)(&p)); p != *a {
		t.Error("Inverse in place")
	}
	for _, op := range []struct {
		name string
		do   func(p, a, b *NTT)
	}{{"Add", (*NTT).Add}, {"Sub", (*NTT).Sub}, {"Mul", (*NTT).Mul}} {
		op.do(&want, &x, &y)
		left, right := x, y
		op.do(&left, &left, &y)
		op.do(&right, &x, &right)
		if left != want || right != want {
			t.Errorf("%s with dst = operand", op.name)
		}
		op.do(&want, &x, &x)
		same := x
		op.do(&same, &same, &same)
		if same != want {
			t.Errorf("%s with all the same", op.name)
		}
	}
}

func TestAcc(t *testing.T) { impltest.Each(t, kernels, testAcc) }

func testAcc(t *testing.T) {
	r := newRand(5)
	var acc Acc
	var x, y, sum, product, got NTT
	for range 20 {
		x, y = NTT(*edgePoly(r)), NTT(*randomPoly(r))
		acc.MulAdd(&x, &y)
		product.Mul(&x, &y)
		sum.Add(&sum, &product)
	}
	for range 2 { // Reduce leaves the sum as it is
		if acc.Reduce(&got); got != sum {
			t.Fatal("sum of products differs from Mul and Add")
		}
	}
	if acc.Zero(); acc != (Acc{}) {
		t.Fatal("Zero leaves a sum")
	}
}

// TestAccFull fills the words, then goes on: an Acc has no limit of its own.
func TestAccFull(t *testing.T) { impltest.Each(t, kernels, testAccFull) }

func testAccFull(t *testing.T) {
	top := NTT(*constantPoly(Q - 1))
	hi, lo := bits.Mul64(Q-1, Q-1)
	var acc Acc
	acc.terms = maxLazy - 1
	for i := range acc.lo {
		acc.lo[i], acc.hi[i] = (maxLazy-1)*(lo&mask52), (maxLazy-1)*(hi<<12|lo>>52)
	}
	for n := uint64(maxLazy); n < maxLazy+3; n++ { // (−1)²·n = n
		acc.MulAdd(&top, &top)
		var got NTT
		if acc.Reduce(&got); got != NTT(*constantPoly(n)) {
			t.Fatalf("sum of %d products is %d", n, got[0])
		}
	}
	if acc.terms != 3 {
		t.Fatalf("%d products since the reduction, want 3", acc.terms)
	}
	for i := range acc.lo { // the largest lower half that one product has
		if acc.lo[i] > maxLazy*mask52 {
			t.Fatal("lower half out of range")
		}
	}
}

// TestReduceEdges puts edge words into both halves.
func TestReduceEdges(t *testing.T) { impltest.Each(t, kernels, testReduceEdges) }

func testReduceEdges(t *testing.T) {
	limbs := append(edges(), ^uint64(0), 1<<63, 1<<62-1, Q, 2*Q, 1<<60, maxLazy*mask52, maxLazy<<48)
	for shift := range limbs {
		var acc Acc
		for i := range acc.lo {
			acc.lo[i], acc.hi[i] = limbs[i%len(limbs)], limbs[(i+shift)%len(limbs)]
		}
		var got NTT
		acc.Reduce(&got)
		for i := range got {
			_, want := bits.Div64(acc.hi[i]>>12%Q, acc.hi[i]<<52, Q)
			if want = (want + acc.lo[i]%Q) % Q; got[i] != want {
				t.Fatalf("(%d, %d) mod Q = %d, want %d", acc.hi[i], acc.lo[i], got[i], want)
			}
		}
	}
}
