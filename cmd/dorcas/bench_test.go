package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestBenchScript runs testdata/bench/*.txtar, which watch the processes that
// bench starts.
func TestBenchScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  filepath.Join("testdata", "bench"),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"server": benchServerState},
	})
}

// benchServerState waits until a server of bench runs in the script's
// directory (server up) or none does (server gone), or kills it (server kill).
// Where processes cannot be listed it does nothing.
func benchServerState(ts *testscript.TestScript, _ bool, args []string) {
	if runtime.GOOS != "linux" {
		return
	}
	for range 1000 {
		processes := benchServers(ts.MkAbs("."))
		switch {
		case args[0] == "gone" && len(processes) == 0, args[0] == "up" && len(processes) == 1:
			return
		case args[0] == "kill" && len(processes) == 1:
			process, err := os.FindProcess(processes[0])
			ts.Check(err)
			ts.Check(process.Kill())
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("the servers are %v", benchServers(ts.MkAbs(".")))
}

// benchServers lists the servers of bench that run in a directory.
func benchServers(dir string) []int {
	dir, _ = filepath.EvalSymlinks(dir)
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var found []int
	for _, name := range lines {
		line, _ := os.ReadFile(name)
		at, _ := os.Readlink(filepath.Join(filepath.Dir(name), "cwd"))
		if at == dir && bytes.Contains(line, []byte("bench-server")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			found = append(found, pid)
		}
	}
	return found
}

func TestBenchMistakes(t *testing.T) {
	cases := []struct {
		args   string
		code   int
		stderr string
	}{
		{"bench extra", 2, `dorcas bench: .*\n`},
		{"bench --batch 0", 2, `dorcas bench: --batch 0: at least 1.*\n`},
		{"bench --clients -1", 2, `dorcas bench: --clients -1: at least 1.*\n`},
		{"bench --link 1mbit", 2, `dorcas bench: --link "1mbit": .*\n`},
		{"bench --transfers fast", 2, `dorcas bench: --transfers "fast": auto.*\n`},
		{"bench --model digits.onnx", 1, `dorcas bench: .*digits.onnx.*: check the path\n`},
		{"bench-server", 2, `dorcas bench-server: have 0 arguments.*\n`},
	}
	for _, tc := range cases {
		t.Run(tc.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(strings.Fields(tc.args), &stdout, &stderr)
			if code != tc.code || stdout.Len() > 0 || !regexp.MustCompile("^"+tc.stderr+"$").MatchString(stderr.String()) {
				t.Errorf("exit code %d, want %d; stdout %q, stderr %q, want %s", code, tc.code, &stdout, &stderr, tc.stderr)
			}
		})
	}
}

// TestBenchInterrupted has an interrupt before the server is up.
func TestBenchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := startBenchServer(ctx, &benchFlags{model: builtInName}); !errors.Is(err, context.Canceled) {
		t.Errorf("server %v, error %v", s, err)
	}
}

// TestBenchVerify alters answers: the check must see it.
func TestBenchVerify(t *testing.T) {
	m, err := benchModel(builtInName)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name  string
		alter func(*benchAnswer)
		exact int
	}{
		{"none", func(*benchAnswer) {}, 3},
		{"an output", func(a *benchAnswer) { a.outputs[9]++ }, 2},
		{"the index", func(a *benchAnswer) { a.index ^= 1 }, 2},
		{"no outputs", func(a *benchAnswer) { a.outputs = nil }, 2},
		{"another's input", func(a *benchAnswer) { a.number++ }, 2},
	}
	for _, tc := range cases {
		s := &benchSession{number: 5}
		for i := range uint64(4) {
			x := make([]int32, m.Input.Dims.Len())
			benchInput(x, &m.Input, s.number, i)
			r, err := m.Run(x)
			if err != nil {
				t.Fatal(err)
			}
			s.answers = append(s.answers, benchAnswer{i, r.Outputs, r.Index})
		}
		tc.alter(&s.answers[2])
		s.answers[0].outputs = nil // of the warm-up, which does not count
		b := &bench{flags: &benchFlags{model: builtInName, batch: 1}, sessions: []*benchSession{s}}
		var r benchReport
		if err := b.verify(&r); err != nil || r.Inferences != 3 || r.Exact != tc.exact {
			t.Errorf("%s: %d of %d exact, %v, want %d of 3", tc.name, r.Exact, r.Inferences, err, tc.exact)
		}
		if err := r.check(); (err == nil) != (tc.exact == 3) {
			t.Errorf("%s: the command ends with %v", tc.name, err)
		}
	}
}

func TestBenchReport(t *testing.T) {
	b := &bench{
		flags:   &benchFlags{n: 2, batch: 3, clients: 2},
		setups:  []setupCost{{0.5, 100}, {0.1, 100}, {0.2, 100}},
		elapsed: 6,
		sessions: []*benchSession{
			{costs: []benchCost{{1, 10, 7, 70, 4}, {4, 10, 7, 70, 4}}},
			{costs: []benchCost{{2, 20, 7, 70, 4}, {3, 40, 7, 70, 4}}},
		},
	}
	r := b.report()
	want := benchReport{
		N: 2, Batch: 3, Clients: 2, Cores: r.Cores, Setup: 0.2, SetupBytes: 100, Offline: 2.5, Online: 15, Total: 18,
		ToServer: 7, ToClient: 70, RoundsOnline: 4, Throughput: 2, LatencyP50: 18, LatencyP95: r.LatencyP95,
	}
	if *r != want {
		t.Errorf("got  %+v\nwant %+v", *r, want)
	}
	// The totals are 11, 14, 22 and 43, and 0.95 of the way is at 2.85.
	if d := r.LatencyP95 - (22 + 0.85*21); d < -1e-9 || d > 1e-9 {
		t.Errorf("95th percentile %v", r.LatencyP95)
	}
	same := func(f float64) float64 { return f }
	for _, tc := range []struct {
		all  []float64
		q    float64
		want float64
	}{{[]float64{3}, 0.95, 3}, {[]float64{3, 1}, 0.5, 2}, {[]float64{3, 1, 2}, 0, 1}, {[]float64{3, 1, 2}, 1, 3}} {
		if got := quantile(tc.all, tc.q, same); got != tc.want {
			t.Errorf("%v-quantile of %v is %v, want %v", tc.q, tc.all, got, tc.want)
		}
	}
}

func TestPeakMemory(t *testing.T) {
	before := peakMemory()
	if before == nil {
		if runtime.GOOS == "linux" || runtime.GOOS == "darwin" {
			t.Fatal("unknown")
		}
		return
	}
	const more = 256 << 20
	block := make([]byte, more)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	after := peakMemory()
	runtime.KeepAlive(block)
	if *after < more || *after < *before {
		t.Errorf("%d bytes before, %d after touching %d", *before, *after, more)
	}
}
