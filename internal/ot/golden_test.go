package ot

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"dorcas/internal/block"
)

var update = flag.Bool("update", false, "rewrite the golden transcript")

// TestGoldenTranscript fixes every message and every output for fixed seeds, one
// SHA-256 each. A change of this file changes what goes over the wire.
func TestGoldenTranscript(t *testing.T) {
	var out bytes.Buffer
	record := func(name string, p []byte) { fmt.Fprintf(&out, "%s %x\n", name, sha256.Sum256(p)) }
	session := testSeed(100)
	rs, msg1 := NewReceiverSeeded(SoftSpoken4, session, testSeed(101))
	ss, msg2, err := NewSenderSeeded(SoftSpoken4, session, testSeed(102), msg1)
	if err != nil {
		t.Fatal(err)
	}
	r, msg3, err := rs.Finish(msg2)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ss.Finish(msg3)
	if err != nil {
		t.Fatal(err)
	}
	record("message-1", msg1)
	record("message-2", msg2)
	record("message-3", msg3)
	for _, n := range []int{1, 1000, pieceRows + 129} {
		b := extend(t, r, s, n)
		record(fmt.Sprintf("extend-%d-message", n), b.msg)
		record(fmt.Sprintf("extend-%d-choices", n), b.choices)
		record(fmt.Sprintf("extend-%d-labels", n), blockBytes(b.m))
		record(fmt.Sprintf("extend-%d-zero-labels", n), blockBytes(b.k))
	}
	file := filepath.Join("testdata", "transcript.golden")
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("the transcript has changed; -update rewrites it\ngot\n%swant\n%s", out.Bytes(), want)
	}
}

func blockBytes(blocks []block.Block) []byte {
	p := make([]byte, block.Size*len(blocks))
	for i, b := range blocks {
		b.Put(p[block.Size*i:])
	}
	return p
}
