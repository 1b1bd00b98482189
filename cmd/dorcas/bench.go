package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime/pprof"

	"dorcas"
	"dorcas/nn"

	"github.com/spf13/cobra"
)

// builtInName is the --model of the network in the program.
const builtInName = "digits"

type benchFlags struct {
	model   string
	n       int
	batch   int
	clients int
	transferFlags
	profile string
}

func newBench(g *globals) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure private inference: two processes on this machine",
		Long: `Measure what private inference costs with a network. A server and a client run
as two processes that meet over loopback TCP and share this machine's cores.
Inputs are random. Every answer is compared, in every integer, with what the
network gives in the clear; one that differs makes the command fail.

Each of --clients sessions makes --n repetitions, all sessions at the same time,
after one repetition that warms up and does not count. A repetition is --batch
inferences, prepared together (offline), then run one by one (online).

--link delays and slows the client's connections, each of them alone, in both
directions. It carries what the protocol sends and knows neither headers, nor
loss, nor a slow start; connecting takes a round trip. The client knows it when it
chooses how to make transfers, unless --transfers says so.

With --json: {"model","n","setup_seconds","setup_bytes","offline_seconds",
"online_seconds","total_seconds","client_to_server_bytes",
"server_to_client_bytes","rounds_online","client_peak_bytes",
"server_peak_bytes","inferences","exact","clients","throughput_per_second",
"latency_p50_seconds","latency_p95_seconds","transfers", and more}. All but the throughput,
which is of all clients together, are of one inference: medians, bytes of both
phases, set-up apart. Peaks are the largest resident memory of each process,
null where the system does not tell; the client's is of all its sessions.`,
		Example: `  dorcas bench
  dorcas bench --model net.dorcas --n 50 --json
  dorcas bench --model net.dorcas --link 100mbit,40ms
  dorcas bench --model net.dorcas --link 100mbit,40ms --transfers silent11
  dorcas bench --model net.dorcas --batch 10
  dorcas bench --model net.dorcas --clients 16 --n 5`,
		Args: between(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, g) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.model, "model", builtInName, `model file, or "digits" for the built-in network`)
	flags.IntVar(&f.n, "n", 20, "repetitions that count")
	flags.IntVar(&f.batch, "batch", 1, "inferences prepared together, and then run, in a repetition")
	flags.IntVar(&f.clients, "clients", 1, "sessions at the same time")
	f.register(flags, "bandwidth and round-trip time to measure with, like 100mbit,40ms (default loopback as it is)")
	flags.StringVar(&f.profile, "cpuprofile", "", "write CPU profiles to FILE.client and FILE.server")
	_ = flags.MarkHidden("cpuprofile") // fails for unknown flags only
	return cmd
}

func (f *benchFlags) check() (*dorcas.ClientOptions, *link, error) {
	for _, v := range []struct {
		name  string
		value int
	}{{"n", f.n}, {"batch", f.batch}, {"clients", f.clients}} {
		if v.value < 1 {
			return nil, nil, usagef("--%s %d: at least 1", v.name, v.value)
		}
	}
	return f.options(f.n * f.batch)
}

func (f *benchFlags) run(cmd *cobra.Command, g *globals) error {
	options, l, err := f.check()
	if err != nil {
		return err
	}
	server, err := startBenchServer(cmd.Context(), f)
	if err != nil {
		return err
	}
	defer server.kill()
	b := &bench{flags: f, options: options, link: l, address: server.address}
	b.bar = newProgress(cmd.ErrOrStderr(), g, f.n*f.batch*f.clients, "inferring privately")
	defer b.bar.done()
	if err := b.measure(cmd.Context()); err != nil {
		return server.blame(err)
	}
	r := b.report()
	r.ClientPeak = peakMemory() // before the client looks at the model
	if r.ServerPeak, err = server.stop(); err != nil {
		return err
	}
	b.bar.describe("checking in the clear")
	err = interruptible(cmd.Context(), func() error { return b.verify(r) })
	if err != nil {
		return err
	}
	b.bar.done()
	if err := r.write(cmd.OutOrStdout(), g); err != nil {
		return err
	}
	return r.check()
}

// benchModel reads the network to measure.
func benchModel(name string) (*nn.Model, error) {
	if name != builtInName {
		return readModel(name)
	}
	data, err := builtIn.ReadFile("demo/digits.dorcas")
	if err != nil {
		return nil, fmt.Errorf("this build has no network in it: go generate ./cmd/dorcas makes it: %w", err)
	}
	return nn.ReadModel(bytes.NewReader(data))
}

// profileTo profiles this process until stop is called, unless name is empty.
func profileTo(name string) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		file.Close()
	}, nil
}
