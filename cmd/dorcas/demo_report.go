package main

import (
	"fmt"
	"io"
	"sort"

	"dorcas"
)

// demoReport is what demo prints; sums are over all images.
type demoReport struct {
	Images    int        `json:"images"`
	Exact     int        `json:"exact"`   // equal to the clear network in every integer
	Correct   int        `json:"correct"` // equal to the true label
	Setup     float64    `json:"setup_seconds"`
	Offline   float64    `json:"offline_seconds"`
	Online    float64    `json:"online_seconds"`
	ToServer  int64      `json:"client_to_server_bytes"`
	ToClient  int64      `json:"server_to_client_bytes"`
	Rounds    int        `json:"rounds"`
	Model     string     `json:"model"`
	Transfers string     `json:"transfers"`
	Results   []demoLine `json:"results"`
	Layers    []stepSum  `json:"layers"`

	plan *dorcas.Plan
	sums map[place]*stepSum
}

// demoLine is what demo prints about one image.
type demoLine struct {
	answer
	True    string `json:"true_label"`
	Exact   bool   `json:"exact"`
	Correct bool   `json:"correct"`
}

func (l demoLine) write(w io.Writer) {
	exact, correct := "equals the clear network", "right"
	if !l.Exact {
		exact = "DIFFERS from the clear network"
	}
	if !l.Correct {
		correct = "wrong, it is " + l.True
	}
	fmt.Fprintf(w, "  %-14s  → %s   %s, %s\n", l.File, l.Label, exact, correct)
}

// place is where a cost falls: a phase and a layer, -1 for the session.
type place struct {
	phase dorcas.Phase
	layer int
}

// stepSum adds up the steps of one place, as the client sees them.
type stepSum struct {
	Phase       dorcas.Phase `json:"phase"`
	Layer       int          `json:"layer"`
	Name        string       `json:"name"`
	Kind        string       `json:"kind"`
	Seconds     float64      `json:"seconds"`
	ToServer    int64        `json:"client_to_server_bytes"`
	ToClient    int64        `json:"server_to_client_bytes"`
	Rounds      int          `json:"rounds"`
	Ands        int          `json:"and_gates"`
	Ciphertexts int          `json:"ciphertexts"`
	OTs         int          `json:"ots"`
}

func newDemoReport(c *dorcas.Client) *demoReport {
	r := &demoReport{Model: c.Shape().Name, Transfers: c.Plan().Transfers().String(), plan: c.Plan(), sums: map[place]*stepSum{}}
	r.take(c.SetupStats())
	return r
}

// add takes in an inference.
func (r *demoReport) add(line demoLine, result *dorcas.Result) {
	r.Images++
	if line.Exact {
		r.Exact++
	}
	if line.Correct {
		r.Correct++
	}
	r.Results = append(r.Results, line)
	r.take(result.Offline)
	r.take(result.Online)
}

func (r *demoReport) take(steps []dorcas.StepStats) {
	for _, s := range steps {
		at := place{s.Phase, s.Layer}
		sum := r.sums[at]
		if sum == nil {
			sum = &stepSum{Phase: s.Phase, Layer: s.Layer}
			sum.Name, sum.Kind = layerName(r.plan.Shape(), s.Layer)
			r.sums[at] = sum
		}
		sum.Seconds += s.Seconds
		sum.ToServer += s.Sent
		sum.ToClient += s.Received
		sum.Rounds += s.Rounds
	}
}

// count sets the totals and what the plan knows of the layers. The gates,
// ciphertexts and transfers of a layer are made offline.
func (r *demoReport) count(c *dorcas.Client) {
	for _, l := range r.plan.Layers() {
		if sum := r.sums[place{dorcas.Offline, l.Layer}]; sum != nil {
			sum.Ands, sum.Ciphertexts, sum.OTs = l.Ands*r.Images, l.Ciphertexts*r.Images, l.OTs*r.Images
		}
	}
	for _, s := range r.sums {
		r.Layers = append(r.Layers, *s)
		switch s.Phase {
		case dorcas.Setup:
			r.Setup += s.Seconds
		case dorcas.Offline:
			r.Offline += s.Seconds
		case dorcas.Online:
			r.Online += s.Seconds
		}
	}
	order := map[dorcas.Phase]int{dorcas.Setup: 0, dorcas.Offline: 1, dorcas.Online: 2}
	sort.Slice(r.Layers, func(i, j int) bool {
		a, b := r.Layers[i], r.Layers[j]
		if a.Phase != b.Phase {
			return order[a.Phase] < order[b.Phase]
		}
		return a.Layer < b.Layer
	})
	r.ToServer, r.ToClient, r.Rounds = c.Count()
}

func (r *demoReport) write(w io.Writer, g *globals) error {
	if g.json {
		return writeJSON(w, r)
	}
	fmt.Fprintf(w, "\nWhat one image takes, the mean of %d, as the client sees it (its waiting included):\n\n", r.Images)
	t := newTable(3, "phase", "layer", "", "time", "to server", "to client", "rounds", "AND gates", "ciphertexts", "OTs")
	n := r.Images
	for i, s := range r.Layers {
		if i > 0 && s.Phase != r.Layers[i-1].Phase {
			r.total(t, r.Layers[i-1].Phase)
		}
		k := n
		if s.Phase == dorcas.Setup {
			k = 1
		}
		t.add(s.Phase, s.Name, s.Kind, seconds(s.Seconds/float64(k)), size(s.ToServer/int64(k)), size(s.ToClient/int64(k)),
			count(s.Rounds/k), count(s.Ands/k), count(s.Ciphertexts/k), count(s.OTs/k))
	}
	r.total(t, dorcas.Online)
	if err := t.write(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `
%d of %d equal the clear network in every integer, %d are right.
In all: setup %s, offline %s, online %s; %s to the server, %s to the client, %d round trips.
`, r.Exact, n, r.Correct, seconds(r.Setup), seconds(r.Offline), seconds(r.Online), size(r.ToServer), size(r.ToClient), r.Rounds)
	return err
}

// total adds the sum of a phase to the table, for one image.
func (r *demoReport) total(t *table, phase dorcas.Phase) {
	var sum stepSum
	n := r.Images
	if phase == dorcas.Setup {
		n = 1
	}
	for _, s := range r.Layers {
		if s.Phase == phase {
			sum.Seconds += s.Seconds
			sum.ToServer += s.ToServer
			sum.ToClient += s.ToClient
			sum.Rounds += s.Rounds
			sum.Ands += s.Ands
			sum.Ciphertexts += s.Ciphertexts
			sum.OTs += s.OTs
		}
	}
	t.add(phase, "total", "", seconds(sum.Seconds/float64(n)), size(sum.ToServer/int64(n)), size(sum.ToClient/int64(n)),
		count(sum.Rounds/n), count(sum.Ands/n), count(sum.Ciphertexts/n), count(sum.OTs/n))
	if phase != dorcas.Online {
		t.blank()
	}
}
