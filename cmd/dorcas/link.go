package main

import (
	"strconv"
	"strings"
	"time"

	"dorcas"
)

// link is a network between the parties.
type link struct {
	Name      string  `json:"link"`
	BitsPerS  float64 `json:"bits_per_second"`
	RoundTrip float64 `json:"round_trip_seconds"`
}

// lan and wan are the links that inspect and the report always show.
var (
	lan = link{"LAN: 1 Gbit/s, 1 ms", 1e9, 0.001}
	wan = link{"WAN: 100 Mbit/s, 40 ms", 1e8, 0.04}
)

// parseLink reads "100mbit,40ms": bandwidth and time of a round trip.
func parseLink(s string) (link, error) {
	l := link{Name: s}
	rate, trip, ok := strings.Cut(strings.ToLower(s), ",")
	unit := 0.0
	for _, u := range []struct {
		suffix string
		bits   float64
	}{{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"bit", 1}} {
		if number, found := strings.CutSuffix(strings.TrimSuffix(rate, "/s"), u.suffix); found {
			rate, unit = strings.TrimSpace(number), u.bits
			break
		}
	}
	bits, err := strconv.ParseFloat(rate, 64)
	d, err2 := time.ParseDuration(strings.TrimSpace(trip))
	if !ok || unit == 0 || err != nil || err2 != nil || !(bits > 0) || bits > 1e15 || d < 0 {
		return l, usagef("--link %q: write bandwidth and round-trip time, like 100mbit,40ms", s)
	}
	l.BitsPerS, l.RoundTrip = bits*unit, d.Seconds()
	return l, nil
}

func (l link) trip() time.Duration { return time.Duration(l.RoundTrip * float64(time.Second)) }

// Seconds of computation: estimates, fitted to loopback runs of four networks
// of 20 000 to 4.4 million gates with both parties on the same two cores of a
// server with AVX-512. They fit those within a fifth.
const (
	setupSeconds    = 0.03
	offlineSeconds  = 0.003
	onlineSeconds   = 0.0007
	perCiphertext   = 30e-6
	perProduct      = 2e-6
	perAndOffline   = 28e-9
	perAndOnline    = 15e-9
	estimatesRestOn = "two cores of a server with AVX-512, shared by both parties"
)

// phaseCost is what a plan predicts of a phase.
type phaseCost struct {
	Phase    dorcas.Phase `json:"phase"`
	ToServer int64        `json:"client_to_server_bytes"`
	ToClient int64        `json:"server_to_client_bytes"`
	Rounds   int          `json:"rounds"`
	// Compute is an estimate, in seconds.
	Compute float64 `json:"compute_seconds"`
}

func phaseCosts(p *dorcas.Plan) []phaseCost {
	offline := offlineSeconds
	for _, l := range p.Layers() {
		offline += float64(l.Ciphertexts)*perCiphertext + float64(l.Products)*perProduct
	}
	offline += float64(p.Ands())*perAndOffline + p.Transfers().Seconds(p.OTs())
	costs := []phaseCost{
		{Phase: dorcas.Setup, Compute: setupSeconds},
		{Phase: dorcas.Offline, Compute: offline},
		{Phase: dorcas.Online, Compute: onlineSeconds + float64(p.Ands())*perAndOnline},
	}
	for i := range costs {
		c := &costs[i]
		c.ToServer, c.ToClient = p.Bytes(c.Phase)
		c.Rounds = p.Rounds(c.Phase)
	}
	return costs
}

// seconds predicts the time of a phase over the link.
func (l link) seconds(c phaseCost) float64 {
	return float64(c.ToServer+c.ToClient)*8/l.BitsPerS + float64(c.Rounds)*l.RoundTrip + c.Compute
}
