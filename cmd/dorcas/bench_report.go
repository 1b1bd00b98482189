package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
)

// benchReport is what bench prints. Seconds, bytes and rounds are medians, of
// one inference unless they say otherwise.
type benchReport struct {
	Model        string  `json:"model"`
	N            int     `json:"n"` // repetitions of each client
	Batch        int     `json:"batch"`
	Clients      int     `json:"clients"`
	Link         *link   `json:"link"` // null: loopback as it is
	Cores        int     `json:"cores"`
	Transfers    string  `json:"transfers"`
	Inferences   int     `json:"inferences"` // of all clients
	Exact        int     `json:"exact"`      // equal to the clear network in every integer
	Setup        float64 `json:"setup_seconds"`
	SetupBytes   int64   `json:"setup_bytes"` // both directions
	Offline      float64 `json:"offline_seconds"`
	Online       float64 `json:"online_seconds"`
	Total        float64 `json:"total_seconds"`
	ToServer     int64   `json:"client_to_server_bytes"`
	ToClient     int64   `json:"server_to_client_bytes"`
	RoundsOnline int     `json:"rounds_online"`
	Throughput   float64 `json:"throughput_per_second"` // all clients together
	LatencyP50   float64 `json:"latency_p50_seconds"`
	LatencyP95   float64 `json:"latency_p95_seconds"`
	ClientPeak   *int64  `json:"client_peak_bytes"`
	ServerPeak   *int64  `json:"server_peak_bytes"`
}

// report sums up what was measured, without the peaks and the check.
func (b *bench) report() *benchReport {
	var costs []benchCost
	for _, s := range b.sessions {
		costs = append(costs, s.costs...)
	}
	of := func(f func(benchCost) float64) float64 { return quantile(costs, 0.5, f) }
	total := func(c benchCost) float64 { return c.offline + c.online }
	return &benchReport{
		Model: b.name, N: b.flags.n, Batch: b.flags.batch, Clients: b.flags.clients, Link: b.link, Cores: runtime.GOMAXPROCS(0), Transfers: b.transfers,
		Setup:        quantile(b.setups, 0.5, func(s setupCost) float64 { return s.seconds }),
		SetupBytes:   int64(quantile(b.setups, 0.5, func(s setupCost) float64 { return float64(s.bytes) })),
		Offline:      of(func(c benchCost) float64 { return c.offline }),
		Online:       of(func(c benchCost) float64 { return c.online }),
		Total:        of(total),
		ToServer:     int64(math.Round(of(func(c benchCost) float64 { return c.toServer }))),
		ToClient:     int64(math.Round(of(func(c benchCost) float64 { return c.toClient }))),
		RoundsOnline: int(math.Round(of(func(c benchCost) float64 { return c.rounds }))),
		Throughput:   float64(len(costs)*b.flags.batch) / b.elapsed,
		LatencyP50:   of(total),
		LatencyP95:   quantile(costs, 0.95, total),
	}
}

// quantile returns the q-quantile of f over all, 0 ≤ q ≤ 1, between the two
// nearest values in proportion. There is at least one.
func quantile[T any](all []T, q float64, f func(T) float64) float64 {
	v := make([]float64, len(all))
	for i, a := range all {
		v[i] = f(a)
	}
	slices.Sort(v)
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 == len(v) {
		return v[i]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// check returns an error if a private answer was not that of the clear network.
func (r *benchReport) check() error {
	if r.Exact != r.Inferences {
		return fmt.Errorf("%d of %d answers differ from the clear network: this is a bug", r.Inferences-r.Exact, r.Inferences)
	}
	return nil
}

func (r *benchReport) write(w io.Writer, g *globals) error {
	if g.json {
		return writeJSON(w, r)
	}
	over := "loopback"
	if r.Link != nil {
		over = r.Link.Name
	}
	fmt.Fprintf(w, "%s over %s, %d cores for both processes; %d of %d answers equal the clear network in every integer\n\n",
		printable(r.Model), over, r.Cores, r.Exact, r.Inferences)
	t := newTable(1, "", "time", "bytes", "rounds")
	t.add("set-up, a session", seconds(r.Setup), size(r.SetupBytes), "")
	t.blank()
	t.add("offline, an inference", seconds(r.Offline), "", "")
	t.add("online", seconds(r.Online), "", count(r.RoundsOnline))
	t.add("both", seconds(r.Total), size(r.ToServer+r.ToClient), "")
	t.add("  client to server", "", size(r.ToServer), "")
	t.add("  server to client", "", size(r.ToClient), "")
	if err := t.write(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\ntransfers       %s\n", r.Transfers)
	fmt.Fprintf(w, "clients         %d, together %.3g inferences/s\n", r.Clients, r.Throughput)
	fmt.Fprintf(w, "latency         %s median, %s 95th percentile\n", seconds(r.LatencyP50), seconds(r.LatencyP95))
	_, err := fmt.Fprintf(w, "peak memory     client %s, server %s\n", peakSize(r.ClientPeak), peakSize(r.ServerPeak))
	return err
}

func peakSize(n *int64) string {
	if n == nil {
		return "unknown"
	}
	return size(*n)
}
