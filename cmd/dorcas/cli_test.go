package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dorcas"
	"dorcas/nn/onnx"
	"dorcas/transport"

	"github.com/spf13/cobra"
)

const digits = "demo/digits.dorcas"

// TestExitCodes runs whole command lines.
func TestExitCodes(t *testing.T) {
	cases := []struct {
		args   string
		code   int
		stderr string // all of it, a regular expression
	}{
		{"", 0, ``},
		{"--help", 0, ``},
		{"help infer", 0, ``},
		{"version --json", 0, ``},
		{"run demo/digits.dorcas demo/digit_3_0.png", 0, ``},
		{"inspect demo/digits.dorcas --json", 0, ``},
		{"run none.dorcas demo/digit_3_0.png", 1, `dorcas run: .*\n`},
		{"infer --server tcp://127.0.0.1:1 demo/digit_3_0.png", 1, `dorcas infer: .*connection refused.*\n`},
		{"infer --server tcp://127.0.0.1:1 none.png", 1, `dorcas infer: .*none.png.*: check the path\n`},
		{"serve demo/digits.dorcas --listen tcp://127.0.0.1:99999", 1, `dorcas serve: .*65535.*\n`},
		{"demo extra", 2, `dorcas demo: .*\n`},
		{"demo --images -1", 2, `dorcas demo: .*negative.*\n`},
		{"nonsense", 2, `dorcas: no command "nonsense": dorcas --help lists them\n`},
		{"run", 2, `dorcas run: .*\n`},
		{"run --wrong", 2, `dorcas run: unknown flag.*\n`},
		{"serve", 2, `dorcas serve: have 0 arguments, want a model file.*\n`},
		{"serve x --max-sessions 0", 2, `dorcas serve: --max-sessions 0: at least 1.*\n`},
		{"serve x --idle-timeout 0s", 2, `dorcas serve: .*positive.*\n`},
		{"serve x --grace -1s", 2, `dorcas serve: .*negative.*\n`},
		{"serve x --listen tls://:1 --cert a", 2, `dorcas serve: --cert and --key go together.*\n`},
		{"infer --server tls://x:1 --timeout -1s y.png", 2, `dorcas infer: .*negative.*\n`},
		{"infer --server tls://x:1 --pin 00 y.png", 2, `dorcas infer: --pin "00" is not 64 hexadecimal digits.*\n`},
		{"infer --server tls://x:1 --model-hash xyz demo/digit_3_0.png", 2, `dorcas infer: --model-hash "xyz" is not 64.*\n`},
		{"compile x.onnx --samples y --limit -1", 2, `dorcas compile: .*negative.*\n`},
	}
	for _, tc := range cases {
		t.Run(tc.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(strings.Fields(tc.args), &stdout, &stderr)
			if code != tc.code || !regexp.MustCompile("^"+tc.stderr+"$").MatchString(stderr.String()) {
				t.Errorf("exit code %d, want %d; stderr %q, want %s", code, tc.code, stderr.String(), tc.stderr)
			}
			if (code == 0) != (stdout.Len() > 0) {
				t.Errorf("exit code %d with %d bytes of output", code, stdout.Len())
			}
		})
	}
}

// execute runs a command line until it ends or ctx is done.
func execute(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	var out, log bytes.Buffer
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&log)
	err = root.ExecuteContext(ctx)
	return out.String(), log.String(), err
}

// serving is a serve command that runs in this process.
type serving struct {
	url  string
	stop context.CancelFunc
	done chan error
	log  string // once done
}

func startServe(t *testing.T, flags ...string) *serving {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "url.txt")
	ctx, cancel := context.WithCancel(t.Context())
	s := &serving{stop: cancel, done: make(chan error, 1)}
	go func() {
		_, log, err := execute(ctx, append([]string{"serve", digits, "--listen", "tcp://127.0.0.1:0", "--ready-file", ready}, flags...)...)
		s.log = log
		s.done <- err
	}()
	for range 1000 {
		if data, err := os.ReadFile(ready); err == nil {
			s.url = strings.TrimSpace(string(data))
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the server does not come up")
	return nil
}

func connect(t *testing.T, url string) *dorcas.Client {
	t.Helper()
	conn, err := transport.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := dorcas.NewClient(t.Context(), conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestBusy fills a server.
func TestBusy(t *testing.T) {
	s := startServe(t, "--max-sessions", "1")
	client := connect(t, s.url)
	_, _, err := execute(t.Context(), "infer", "--server", s.url, "demo/digit_3_0.png")
	if err == nil || !strings.Contains(explain(&cobra.Command{}, err), "the server is busy: try again in a moment") {
		t.Errorf("a second client got %v", err)
	}
	client.Close()
	s.stop()
	if err := <-s.done; err != nil || !strings.Contains(s.log, "client refused") {
		t.Errorf("%v, log %s", err, s.log)
	}
}

// TestDrain interrupts a server while a client is at work: it may finish.
func TestDrain(t *testing.T) {
	s := startServe(t)
	client := connect(t, s.url)
	s.stop()
	if _, err := client.Infer(t.Context(), make([]float32, 784)); err != nil {
		t.Errorf("an open session was cut off: %v", err)
	}
	select {
	case err := <-s.done:
		t.Errorf("the server ended with a session open: %v", err)
	default:
	}
	client.Close()
	if err := <-s.done; err != nil || !strings.Contains(s.log, "stopping") || !strings.Contains(s.log, "failed=0") {
		t.Errorf("%v, log %s", err, s.log)
	}
}

// TestGrace has a client that stays.
func TestGrace(t *testing.T) {
	s := startServe(t, "--grace", "100ms")
	client := connect(t, s.url)
	defer client.Close()
	start := time.Now()
	s.stop()
	if err := <-s.done; err != nil || time.Since(start) > 5*time.Second || !strings.Contains(s.log, "grace period is over") {
		t.Errorf("%v after %v, log %s", err, time.Since(start), s.log)
	}
}

// TestSilentServer asks a server that accepts and says nothing.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cases := []struct {
		name string
		ctx  context.Context
		args []string
		want string
	}{
		{"timeout", t.Context(), []string{"--timeout", "100ms"}, "no answer within 100ms"},
		{"interrupt", ctx, nil, context.Canceled.Error()},
	}
	time.AfterFunc(200*time.Millisecond, cancel)
	for _, tc := range cases {
		start := time.Now()
		args := append([]string{"infer", "--server", "tcp://" + l.Addr().String(), "demo/digit_3_0.png"}, tc.args...)
		_, _, err := execute(tc.ctx, args...)
		if err == nil || !strings.Contains(err.Error(), tc.want) || time.Since(start) > 5*time.Second {
			t.Errorf("%s: %v after %v, want %q", tc.name, err, time.Since(start), tc.want)
		}
	}
}

func TestLinks(t *testing.T) {
	for text, want := range map[string]link{
		"100mbit,40ms":     {BitsPerS: 1e8, RoundTrip: 0.04},
		"1Gbit/s, 500us":   {BitsPerS: 1e9, RoundTrip: 0.0005},
		"64kbit,1s":        {BitsPerS: 64e3, RoundTrip: 1},
		"1.5mbit,0s":       {BitsPerS: 1.5e6},
		"100mbit":          {},
		"fast,40ms":        {},
		"100,40ms":         {},
		"-1mbit,40ms":      {},
		"NaNmbit,40ms":     {},
		"0mbit,40ms":       {},
		"1mbit,40":         {},
		"1mbit,-40ms":      {},
		"1mbit,40ms,extra": {},
	} {
		got, err := parseLink(text)
		if want.BitsPerS == 0 {
			if !isUsage(err) {
				t.Errorf("%q: %v, %v", text, got, err)
			}
			continue
		}
		want.Name = text
		if got != want || err != nil {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	cost := phaseCost{ToServer: 1e6, ToClient: 4e6, Rounds: 3, Compute: 0.5}
	if got := (link{BitsPerS: 1e7, RoundTrip: 0.1}).seconds(cost); got < 4.799 || got > 4.801 {
		t.Errorf("predicted %v s, want 4 + 0.3 + 0.5", got)
	}
}

func TestReachable(t *testing.T) {
	for _, tc := range []struct{ listen, addr, want string }{
		{"tcp://127.0.0.1:0", "127.0.0.1:4711", "tcp://127.0.0.1:4711"},
		{"tls://:0", "[::]:4711", "tls://localhost:4711"},
		{"tls://0.0.0.0:7443", "0.0.0.0:7443", "tls://localhost:7443"},
		{"tls://host.example:7443", "10.0.0.7:7443", "tls://host.example:7443"},
		{"tcp://[::1]:0", "[::1]:5", "tcp://[::1]:5"},
	} {
		addr, err := net.ResolveTCPAddr("tcp", tc.addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachable(tc.listen, addr); got != tc.want {
			t.Errorf("%s on %s: %s, want %s", tc.listen, tc.addr, got, tc.want)
		}
	}
}

func TestTable(t *testing.T) {
	table := newTable(1, "name", "bytes")
	table.add("a", size(1))
	table.blank()
	table.add("größer\x1b[2J", count(1234567))
	var b strings.Builder
	if err := table.write(&b); err != nil {
		t.Fatal(err)
	}
	want := "  name            bytes\n  a                 1 B\n\n  größer\uFFFD[2J  1 234 567\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestUnits(t *testing.T) {
	for want, got := range map[string]string{
		"·": size(0), "999 B": size(999), "1.0 kB": size(1000), "12.35 MB": size(12345678), "1.00 GB": size(1e9),
		"90 µs": seconds(9e-5), "1.5 ms": seconds(0.0015), "250 ms": seconds(0.25), "2.50 s": seconds(2.5),
		"999": count(999), "1 000": count(1000), "12 345": count(12345),
		"8": bits(8, false), "9 signed": bits(9, true), "0.50 %": percent(0.005),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestUnsupported checks that a long list of nodes becomes one line.
func TestUnsupported(t *testing.T) {
	e := &onnx.UnsupportedError{Nodes: []onnx.Unsupported{
		{Op: "Clip", Name: "a", Missing: "the operator itself"}, {Op: "Conv", Name: "b", Missing: "group 8"}, {Op: "Clip", Name: "c", Missing: "the operator itself"},
	}}
	got := explain(&cobra.Command{}, fmt.Errorf("x.onnx: %w", e))
	if want := "x.onnx: onnx: the network has operators that are not supported: 2 × Clip, 1 × Conv (group 8)"; !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
		t.Errorf("got %q", got)
	}
	if isUsage(errors.New("x")) || !isUsage(fmt.Errorf("y: %w", usagef("x"))) {
		t.Error("usage errors are not told from others")
	}
}

// TestDemoSums checks that the demo's layers add up to its totals, and that
// these are what the plan predicts.
func TestDemoSums(t *testing.T) {
	out, _, err := execute(t.Context(), "demo", "--images", "3", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var r demoReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	var sum stepSum
	for _, l := range r.Layers {
		sum.Seconds += l.Seconds
		sum.ToServer += l.ToServer
		sum.ToClient += l.ToClient
		sum.Rounds += l.Rounds
		sum.Ands += l.Ands
		sum.OTs += l.OTs
	}
	if sum.ToServer != r.ToServer || sum.ToClient != r.ToClient || sum.Rounds != r.Rounds {
		t.Errorf("layers add up to %+v, the totals are %d, %d, %d", sum, r.ToServer, r.ToClient, r.Rounds)
	}
	if d := sum.Seconds - r.Setup - r.Offline - r.Online; d < -1e-9 || d > 1e-9 {
		t.Errorf("layers take %v s, phases %v, %v and %v", sum.Seconds, r.Setup, r.Offline, r.Online)
	}
	m, err := readModel(digits)
	if err != nil {
		t.Fatal(err)
	}
	p, err := dorcas.NewPlan(&m.Shape)
	if err != nil {
		t.Fatal(err)
	}
	method, err := dorcas.ParseTransfers(r.Transfers)
	if err == nil {
		p, err = p.With(method)
	}
	if err != nil || method.Memory(1) > 0 {
		t.Fatalf("%v, %v", method, err) // each preparation of an extension costs the same
	}
	var toServer, toClient int64
	rounds := 0
	for _, c := range phaseCosts(p) {
		n := 3
		if c.Phase == dorcas.Setup {
			n = 1
		}
		toServer += int64(n) * c.ToServer
		toClient += int64(n) * c.ToClient
		rounds += n * c.Rounds
	}
	if toServer != r.ToServer || toClient != r.ToClient || rounds != r.Rounds || sum.Ands != 3*p.Ands() || sum.OTs != 3*p.OTs() {
		t.Errorf("measured %d, %d bytes, %d rounds, %+v; predicted %d, %d, %d", r.ToServer, r.ToClient, r.Rounds, sum, toServer, toClient, rounds)
	}
}

// TestHelp checks that every command says what it is for and shows how to use
// it, in lines that a terminal holds.
func TestHelp(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
			continue
		}
		if cmd.Short == "" || !strings.Contains(cmd.Example, "dorcas "+cmd.Name()) {
			t.Errorf("%s has no description or no example of itself", cmd.Name())
		}
		for line := range strings.Lines(cmd.Long) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 100 {
				t.Errorf("%s: a line of %d letters in its help: %s", cmd.Name(), n, line)
			}
		}
	}
}
