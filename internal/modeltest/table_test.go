package modeltest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dorcas/nn"
)

// row is a line of the table of models.
type row struct {
	model                     string
	graph                     *nn.Graph
	accuracy                  nn.Evaluation
	chosen                    string // calibration
	rounds                    int
	offlineBytes, onlineBytes int
	offline, online           []time.Duration
}

// Lines between which tables stand, and how they begin.
const (
	tableBegin  = "<!-- make models -->"
	searchBegin = "<!-- make search -->"
	tableEnd    = "<!-- end -->"
	tableHead   = "| model | operators | samples | float | integer | same answer | offline MB | online MB | round trips | offline s | online s | exact |\n" +
		"|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
	searchHead = "| model | MB | MB found | bits of weights | bits of activations | networks tried | samples | float | default | found |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
)

// writeRow puts a model's row into a table of a file, in place of an older one.
func writeRow(t testing.TB, path, first, head, model, text string) {
	t.Helper()
	file := string(read(t, path))
	before, after, ok := strings.Cut(file, first)
	old, rest, ok2 := strings.Cut(after, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no lines %q and %q", path, first, tableEnd)
	}
	rows := map[string]string{}
	for _, line := range strings.Split(old, "\n") {
		if cells := strings.Split(line, " | "); len(cells) > 2 {
			rows[strings.TrimPrefix(cells[0], "| ")] = line
		}
	}
	rows[model] = text
	out := before + first + "\n" + head
	for _, name := range models {
		if rows[name] != "" {
			out += rows[name] + "\n"
		}
	}
	if err := os.WriteFile(path, []byte(out+tableEnd+rest), 0o644); err != nil {
		t.Fatal(err)
	}
}

// String formats the row for the table.
func (w *row) String() string {
	e := w.accuracy
	return fmt.Sprintf("| %s | %s | %d | %.2f %% | %.2f %% | %.2f %% | %.2f | %.2f | %d | %.3f | %.3f | %d of %d |",
		w.model, operators(w.graph), e.Samples, 100*e.Float, 100*e.Integer, 100*e.Agree,
		float64(w.offlineBytes)/1e6, float64(w.onlineBytes)/1e6, w.rounds, median(w.offline).Seconds(), median(w.online).Seconds(),
		len(w.online), len(w.online))
}

// operators lists the operators of a graph with how many there are.
func operators(g *nn.Graph) string {
	var names []string
	count := map[string]int{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		name := n.Op.String()
		switch {
		case n.Op == nn.NodeTable:
			name = n.Func.Name
		case n.Op == nn.NodeConv && n.Groups > 1 && n.Groups == g.Dims(n.In[0]).C:
			name = "depthwise Conv"
		case n.Op == nn.NodeReshape:
			continue
		}
		if count[name]++; count[name] == 1 {
			names = append(names, name)
		}
	}
	for i, name := range names {
		if k := count[name]; k > 1 {
			names[i] = fmt.Sprintf("%d %s", k, name)
		}
	}
	return strings.Join(names, ", ")
}

func median(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}
