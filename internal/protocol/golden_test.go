package protocol

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"dorcas/internal/ot"
)

var update = flag.Bool("update", false, "rewrite the golden transcripts")

// TestTranscripts compares a hash of every step's bytes, under fixed seeds,
// with testdata: whatever changes one changes what peers of other builds
// see. A commit that updates them starts with "wire:".
func TestTranscripts(t *testing.T) {
	var got strings.Builder
	for _, n := range networks {
		writeMethodTranscript(t, &got, n.name, n.build(), ot.SoftSpoken4)
	}
	for _, m := range []ot.Method{ot.SoftSpoken2, ot.SoftSpoken8, ot.Silent10, ot.Silent12} {
		n := networks[1]
		writeMethodTranscript(t, &got, fmt.Sprintf("%s, %v", n.name, m), n.build(), m)
	}
	writeBatchTranscript(t, &got)
	const path = "testdata/transcripts.txt"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		if i >= len(gotLines) || i >= len(wantLines) || gotLines[i] != wantLines[i] {
			t.Fatalf("transcript differs at line %d; after a meant change: go test ./internal/protocol -run Transcripts -update", i+1)
		}
	}
}

func writeTranscript(w io.Writer, name string, steps []Step, toServer, toClient view) {
	fmt.Fprintf(w, "# %s\n", name)
	for _, s := range steps {
		v, arrow := toClient, "server → client"
		if s.ToServer {
			v, arrow = toServer, "client → server"
		}
		payload := v[stepKey{s.Name, s.Phase, s.Layer}]
		fmt.Fprintf(w, "%-7s %s  %-15s %3d  %x\n", s.Phase, arrow, s.Name, s.Layer, sha256.Sum256(payload))
	}
}

// writeBatchTranscript adds a preparation of three.
func writeBatchTranscript(t *testing.T, w io.Writer) {
	n := networks[1]
	b := n.build()
	toServer, toClient := batchViews(t, &b.m, 3, b.input(), &[32]byte{10}, &[32]byte{20})
	batch, err := mustPlan(t, b).Batch(3)
	if err != nil {
		t.Fatal(err)
	}
	writeTranscript(w, n.name+", a batch of three", batch.Steps(), toServer, toClient)
}

// writeMethodTranscript writes the hashes of a session's steps.
func writeMethodTranscript(t *testing.T, w io.Writer, name string, b *builder, m ot.Method) {
	client, server := [32]byte{10}, [32]byte{20}
	toServer, toClient := viewsBy(t, &b.m, m, 1, b.input(), &client, &server)
	plan, err := mustPlan(t, b).With(m)
	if err != nil {
		t.Fatal(err)
	}
	writeTranscript(w, name, plan.Steps(), toServer, toClient)
}
