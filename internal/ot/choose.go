package ot

import (
	"math"
	"time"
)

// Extension, the zero Class, stands for Extend alone: no silent transfer.
const Extension Class = 0

// Link is what Choose has to know of a connection.
type Link struct {
	Up, Down float64       // bytes per second, client to server and back; 0 is no limit
	Trip     time.Duration // of a round trip
}

// What one correlation costs, in nanoseconds of one core with vector kernels. LOCAL.
const (
	extend2Cost = 15  // both parties, one after the other, k = 2: twice the bytes are hashed
	extend4Cost = 12  // k = 4
	extend8Cost = 39  // k = 8
	checkCost   = 7.5 // the same, for each output of an iteration
	takeCost    = 9   // either party; both at once
	farCost     = 8   // more of the same when the table leaves a level 2 cache far behind
)

// Load is what a session makes transfers for: N correlations, as many as that Times over, and
// what else travels meanwhile, in bytes for N correlations. The rest is not waited for, since
// all of it is a stream: labels are used as they come.
type Load struct {
	N, Times int
	Up, Down int64
}

// slack is how much slower than the quickest a method may be that sends less. LOCAL
const slack = 1.005

// Choose returns a method for a session that has no correlations yet, among those whose Memory for
// N is at most memory: of the quickest, which are estimated to differ by less than slack, the one that
// sends the least. Use of it is LOCAL: it is an estimate
// from typical speeds, and no more. Its result is AGREED: the client asks, for a link that
// it knows or guesses, proposes the method, and both hash it as a part of their plan. Two
// parties that ask for themselves need not agree.
func Choose(load Load, link Link, memory int) Method {
	if load.N*load.Times <= 0 {
		return SoftSpoken4
	}
	least := math.Inf(1)
	for _, m := range Methods() {
		if m.Memory(load.N) <= memory {
			least = min(least, m.seconds(load, link))
		}
	}
	best, bytes := SoftSpoken4, math.MaxInt
	for _, m := range Methods() {
		if m.Memory(load.N) > memory || m.seconds(load, link) > slack*least {
			continue
		}
		if n := m.bytes(load.N * load.Times); n < bytes {
			best, bytes = m, n
		}
	}
	return best
}

// Seconds estimates the computation for the first n correlations of a session, of both parties,
// one after the other where one waits for the other.
func (m Method) Seconds(n int) float64 {
	return m.seconds(Load{N: n, Times: 1}, Link{})
}

// seconds estimates the time from the first byte of a session's transfers to its last label. The
// link's directions are used at once. Computing is not counted as hidden behind the
// link: on busy processors it is not.
func (m Method) seconds(load Load, link Link) float64 {
	n := load.N * load.Times
	if n <= 0 {
		return 0
	}
	up, down := float64(load.Up)*float64(load.Times), float64(load.Down)*float64(load.Times)
	trip := float64(link.Trip.Nanoseconds())
	c := m.Class()
	if c == Extension {
		k := m.depth()
		t := extendCost(k)*float64(n) + max(sendTime(up+float64(extendBytes(k, n)), link.Up), sendTime(down, link.Down))
		return 1e-9 * (t + trip/2)
	}
	p := c.plan()
	take := float64(takeCost)
	if c == Class13 {
		take += farCost
	}
	// The first refill comes before everything, the others between.
	first := extendCost(K)*float64(p.extended()) + sendTime(float64(extendBytes(K, p.extended())), link.Up) + trip
	if p.start.trees > 0 {
		first += float64(p.start.out())*checkCost + float64(p.main.seeds())*takeCost
	}
	refill := float64(p.main.out()) * checkCost
	first += refill + sendTime(float64(p.refill(true)), link.Down)
	later := float64(c.Refills(0, n) - 1)
	rest := take*float64(n) + later*(refill+take*float64(p.main.seeds()))
	down += later * float64(p.refill(false))
	return 1e-9 * (first + rest + max(sendTime(up, link.Up), sendTime(down, link.Down)))
}

// bytes returns what n correlations send, both ways.
func (m Method) bytes(n int) int {
	c := m.Class()
	if c == Extension {
		return extendBytes(m.depth(), n)
	}
	return c.StartSize() + c.RefillSize(true) + (c.Refills(0, n)-1)*c.RefillSize(false)
}

func extendCost(k int) float64 {
	switch k {
	case 2:
		return extend2Cost
	case 8:
		return extend8Cost
	}
	return extend4Cost
}

// extendBytes is the size of Extends of n correlations altogether.
func extendBytes(k, n int) int {
	bytes := n / MaxExtend * extendSize(k, MaxExtend)
	if rest := n % MaxExtend; rest > 0 {
		bytes += extendSize(k, rest)
	}
	return bytes
}

func sendTime(bytes, rate float64) float64 {
	if rate <= 0 {
		return 0
	}
	return bytes / rate * 1e9
}
