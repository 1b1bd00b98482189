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
	extendCost = 37  // both parties, one after the other
	checkCost  = 7.5 // the same, for each output of an iteration
	takeCost   = 13  // either party; both at once
	farCost    = 5   // more of the same when the table leaves a level 2 cache far behind
)

// Choose returns the quickest way to n correlations, of which the session has none yet: a
// class, or Extension. Use of it is LOCAL: it is an estimate from typical speeds,
// and no more. Its result is AGREED: one party asks, for a link that it knows or guesses, the class goes
// into what both hash as their plan, and the other party takes any class
// whose Memory it can afford. Two parties that ask for themselves need not agree.
func Choose(n int, link Link) Class {
	best, least := Extension, estimate(Extension, n, link)
	for c := Class10; c <= Class13; c++ {
		if e := estimate(c, n, link); e < least {
			best, least = c, e
		}
	}
	return best
}

// estimate returns the nanoseconds from the first byte of the client to the last
// correlation of both.
func estimate(c Class, n int, link Link) float64 {
	if n <= 0 {
		return 0
	}
	if c == Extension {
		return extensionTime(n, link)
	}
	p := c.plan()
	take := float64(takeCost)
	if c == Class13 {
		take += farCost
	}
	refills := c.Refills(0, n)
	t := extensionTime(p.extended(), link) + float64(link.Trip.Nanoseconds())/2
	if p.start.trees > 0 {
		t += float64(p.start.out())*checkCost + float64(p.main.seeds())*takeCost
	}
	t += float64(refills) * float64(p.main.out()) * checkCost
	t += take * float64(n+(refills-1)*p.main.seeds())
	bytes := p.refill(true) + (refills-1)*p.refill(false)
	return t + sendTime(bytes, link.Down)
}

// extensionTime is that of Extends of n correlations altogether.
func extensionTime(n int, link Link) float64 {
	bytes := n / MaxExtend * ExtendSize(MaxExtend)
	if rest := n % MaxExtend; rest > 0 {
		bytes += ExtendSize(rest)
	}
	return extendCost*float64(n) + sendTime(bytes, link.Up) + float64(link.Trip.Nanoseconds())/2
}

func sendTime(bytes int, rate float64) float64 {
	if rate <= 0 {
		return 0
	}
	return float64(bytes) / rate * 1e9
}
