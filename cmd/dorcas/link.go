package main

import (
	"fmt"
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

// lan and wan are the links that inspect always shows.
var lan = link{"LAN: 1 Gbit/s, 1 ms", 1e9, 0.001}

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

// What one of each takes, both parties together: estimates from this
// project's benchmarks on one core of a 2024 server without vector code.
const (
	perCiphertext = 110e-6 // encrypt and parse, or re-share and open
	perProduct    = 9e-6
	perAnd        = 110e-9 // garble and evaluate
	perOT         = 90e-9
	setupCompute  = 0.03
	// The online phase looks at labels of so many bytes a second.
	onlineBytes = 200e6
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
	offline, online := 0.0, 0.0
	for _, l := range p.Layers() {
		offline += float64(l.Ciphertexts)*perCiphertext + float64(l.Products)*perProduct + float64(l.OTs)*perOT
		offline += float64(l.Ands) * perAnd * 0.5
		online += float64(l.Ands) * perAnd * 0.5
	}
	costs := []phaseCost{
		{Phase: dorcas.Setup, Compute: setupCompute}, {Phase: dorcas.Offline, Compute: offline}, {Phase: dorcas.Online, Compute: online},
	}
	for i := range costs {
		c := &costs[i]
		c.ToServer, c.ToClient = p.Bytes(c.Phase)
		c.Rounds = p.Rounds(c.Phase)
	}
	costs[2].Compute += float64(costs[2].ToClient+costs[2].ToServer) / onlineBytes
	return costs
}

// seconds predicts the time of a phase over the link.
func (l link) seconds(c phaseCost) float64 {
	return float64(c.ToServer+c.ToClient)*8/l.BitsPerS + float64(c.Rounds)*l.RoundTrip + c.Compute
}

func (l link) String() string {
	return fmt.Sprintf("%s: %g Mbit/s, %g ms", l.Name, l.BitsPerS/1e6, l.RoundTrip*1e3)
}
