package ot

import (
	"crypto/sha256"
	"fmt"

	"dorcas/internal/block"
)

// lpn is a problem of learning parity with regular noise, primal form: of a
// secret of 2^logK bits come trees·2^depth linear samples of codeWeight secret
// bits each, and in every run of 2^depth samples one, at random, is wrong.
type lpn struct{ trees, logK, depth int }

func (p lpn) secret() int { return 1 << p.logK }
func (p lpn) leaves() int { return 1 << p.depth }
func (p lpn) out() int    { return p.trees << p.depth }

// seeds is the number of correlations that go into an iteration: the secret,
// and one for every level of every tree.
func (p lpn) seeds() int { return p.secret() + p.trees*p.depth }

// size is the number of bytes of the message of an iteration: of every tree a
// sum of each level but the first and the sum of its tags, then one digest.
func (p lpn) size() int { return p.trees*p.depth*block.Size + sha256.Size }

// codeWeight is the number of secret bits in a sample. SECURITY.
const codeWeight = 10

// Class is a set of parameters of silent transfer. Greater classes send fewer bytes
// a correlation and need more memory; they pay off for greater counts. AGREED.
type Class int

// The classes are named after the depth of their trees.
const (
	Class10 Class = 10 + iota
	Class11
	Class12
	Class13
)

// classes are the sets of emp-ot's later versions, which weigh the attacks on regular
// noise published up to 2025. Those that older programs have, of 10 million samples
// each, fall short of 128 bits under them: see docs/security.md. SECURITY.
var classes = [...]lpn{
	{trees: 850, logK: 16, depth: 10},
	{trees: 1170, logK: 17, depth: 11},
	{trees: 1520, logK: 18, depth: 12},
	{trees: 1900, logK: 19, depth: 13},
}

// A plan is the sizes of a silent session.
type silentPlan struct {
	start lpn // a smaller iteration that makes the seeds of the first; none if trees is zero
	main  lpn
}

// Valid reports whether c is one of the classes.
func (c Class) Valid() bool { return c >= Class10 && c <= Class13 }

// String returns the name of the class.
func (c Class) String() string {
	if c == Extension {
		return "extension"
	}
	return fmt.Sprintf("silent%d", int(c))
}

func (c Class) plan() silentPlan {
	if !c.Valid() {
		panic("ot: no such class")
	}
	return newSilentPlan(classes[c-Class10], classes[0])
}

// newSilentPlan puts as few trees of small in front of main as make main's
// seeds, unless the extension alone would not have to send twice as much. To leave
// out trees is to keep samples back from an attacker.
func newSilentPlan(main, small lpn) silentPlan {
	if main.seeds() <= 2*small.seeds() {
		return silentPlan{main: main}
	}
	small.trees = (main.seeds() + small.leaves() - 1) >> small.depth
	return silentPlan{start: small, main: main}
}

// extended is the number of correlations that the extension has to make.
func (p silentPlan) extended() int {
	if p.start.trees > 0 {
		return p.start.seeds()
	}
	return p.main.seeds()
}

// refill is the number of bytes of a Refill's message.
func (p silentPlan) refill(first bool) int {
	if first && p.start.trees > 0 {
		return p.start.size() + p.main.size()
	}
	return p.main.size()
}

// yield is the number of correlations of a Refill that are not seeds of the next.
func (p silentPlan) yield() int { return p.main.out() - p.main.seeds() }

// Yield returns the number of correlations that a Refill makes.
func (c Class) Yield() int { return c.plan().yield() }

// StartSize returns the number of bytes that the client sends once, for NewSilent.
func (c Class) StartSize() int { return extendSize(K, c.plan().extended()) }

// RefillSize returns the number of bytes that the server sends for a Refill, the
// first of a session or a later one.
func (c Class) RefillSize(first bool) int { return c.plan().refill(first) }

// Memory returns roughly the number of bytes that a party keeps if it makes at most that
// many Refills before it takes what they yield.
func (c Class) Memory(refills int) int {
	m := c.plan().main
	return (1+max(1, refills))*block.Size*m.seeds() + 4*block.Size*m.leaves()
}

// Refills returns how many Refills it takes to have n correlations, starting
// from left.
func (c Class) Refills(left, n int) int {
	if n <= left {
		return 0
	}
	y := c.Yield()
	return (n - left + y - 1) / y
}
