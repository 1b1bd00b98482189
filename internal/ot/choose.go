package ot

import "time"

// Extension, the zero Class, stands for Extend alone: no silent transfer.
const Extension Class = 0

// Link is what Choose has to know of a connection.
type Link struct {
	Up, Down float64       // bytes per second, client to server and back; 0 is no limit
	Trip     time.Duration // of a round trip
}

// What one correlation costs, in nanoseconds of one core with vector kernels. LOCAL.
const (
	extend2Cost = 26  // both parties, one after the other, k = 2
	extend4Cost = 37  // k = 4
	extend8Cost = 200 // k = 8
	checkCost   = 7.5 // the same, for each output of an iteration
	takeCost    = 13  // either party; both at once
	farCost     = 5   // more of the same when the table leaves a level 2 cache far behind
)

// Choose returns the quickest method for n correlations, as many as that times over, in a
// session that has none yet, among the methods whose Memory for n is at most memory. Use of
// it is LOCAL: it is an estimate from typical speeds, and no more. Its result is AGREED: the
// client asks, for a link that it knows or guesses, proposes the method, and both hash it as
// a part of their plan. Two parties that ask for themselves need not agree.
func Choose(n, times int, link Link, memory int) Method {
	best, least := SoftSpoken4, SoftSpoken4.Seconds(n*times, link)
	for _, m := range Methods() {
		if m.Memory(n) > memory {
			continue
		}
		if s := m.Seconds(n*times, link); s < least {
			best, least = m, s
		}
	}
	return best
}

// Seconds estimates the time for the first n correlations of a session, from the first byte
// of the client to the last correlation of both; with the zero Link, that of computing.
func (m Method) Seconds(n int, link Link) float64 {
	if n <= 0 {
		return 0
	}
	c := m.Class()
	if c == Extension {
		return 1e-9 * extensionTime(m.depth(), n, link)
	}
	p := c.plan()
	take := float64(takeCost)
	if c == Class13 {
		take += farCost
	}
	refills := c.Refills(0, n)
	t := extensionTime(K, p.extended(), link) + float64(link.Trip.Nanoseconds())/2
	if p.start.trees > 0 {
		t += float64(p.start.out())*checkCost + float64(p.main.seeds())*takeCost
	}
	t += float64(refills) * float64(p.main.out()) * checkCost
	t += take * float64(n+(refills-1)*p.main.seeds())
	bytes := p.refill(true) + (refills-1)*p.refill(false)
	return 1e-9 * (t + sendTime(bytes, link.Down))
}

// extensionTime is that of Extends of n correlations altogether.
func extensionTime(k, n int, link Link) float64 {
	bytes := n / MaxExtend * extendSize(k, MaxExtend)
	if rest := n % MaxExtend; rest > 0 {
		bytes += extendSize(k, rest)
	}
	cost := map[int]float64{2: extend2Cost, 4: extend4Cost, 8: extend8Cost}[k]
	return cost*float64(n) + sendTime(bytes, link.Up) + float64(link.Trip.Nanoseconds())/2
}

func sendTime(bytes int, rate float64) float64 {
	if rate <= 0 {
		return 0
	}
	return float64(bytes) / rate * 1e9
}
