package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"dorcas"
	"dorcas/transport"

	"github.com/spf13/cobra"
)

type inferFlags struct {
	inputFlags
	transferFlags
	server    string
	timeout   time.Duration
	modelHash string
	dial      transport.DialOptions
}

func newInfer(g *globals) *cobra.Command {
	var f inferFlags
	cmd := &cobra.Command{
		Use:   "infer --server URL FILE...",
		Short: "Classify images privately, with a server's network",
		Long: `Classify images privately: the server that has the network does not see them.
One session serves all inputs, one after another.

` + inputHelp + "\n\n" + jsonInputHelp,
		Example: `  dorcas infer --server tls://host:7443 seven.png
  dorcas infer --server tls://localhost:7443 --ca cert.pem x.png y.jpg
  dorcas infer --server tls://10.0.0.7:7443 --pin 3f0a… --input x.npy --index 0:20 --json
  dorcas infer --server tcp://127.0.0.1:7443 --model-hash 9c41… x.png
  dorcas infer --server tls://host:7443 --format csv 'scans/*.dcm' > answers.csv`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, g, args) },
	}
	f.inputFlags.register(cmd)
	flags := cmd.Flags()
	f.transferFlags.register(flags, "bandwidth and round-trip time of the connection, like 100mbit,40ms, to choose how to make transfers by (default a guess from a round trip)")
	flags.StringVar(&f.server, "server", "", "the server: tls://host:port, or tcp://host:port without encryption")
	flags.DurationVar(&f.timeout, "timeout", 5*time.Minute, "longest time for connecting, and for each input; 0 for no limit")
	flags.StringVar(&f.modelHash, "model-hash", "", "accept only the model with this hash (compile, inspect and serve print it)")
	flags.StringVar(&f.dial.RootCAs, "ca", "", "PEM file of the certificate authority, or self-signed certificate, to trust")
	flags.StringVar(&f.dial.ServerName, "server-name", "", "name that the server's certificate must have, if not the URL's host")
	flags.StringVar(&f.dial.Pin, "pin", "", "SHA-256 fingerprint of the only certificate to accept")
	flags.StringVar(&f.dial.CertFile, "cert", "", "PEM file of the client's own certificate, if the server asks for one")
	flags.StringVar(&f.dial.KeyFile, "key", "", "PEM file of its key")
	flags.BoolVar(&f.dial.InsecureSkipVerify, "insecure-skip-verify", false, "accept any certificate: anybody can pose as the server")
	return cmd
}

func (f *inferFlags) run(cmd *cobra.Command, g *globals, args []string) error {
	if f.server == "" {
		return usagef("no --server: pass its URL, like tls://host:7443")
	}
	if f.timeout < 0 {
		return usagef("--timeout %v is negative", f.timeout)
	}
	if f.dial.Pin != "" {
		if _, err := parseHex("--pin", f.dial.Pin); err != nil {
			return err
		}
	}
	files, err := f.check(g, args)
	if err != nil {
		return err
	}
	opt, _, err := f.options(len(files))
	if err != nil {
		return err
	}
	if opt.PlanHash, err = parseHash(f.modelHash); err != nil {
		return err
	}
	start := time.Now()
	client, err := f.connect(cmd.Context(), opt)
	if err != nil {
		return err
	}
	defer client.Close()
	n := 0
	err = f.classify(cmd, g, client.Shape(), files, "classifying privately", func(x []float32) (*dorcas.Result, error) {
		ctx, cancel := f.limit(cmd.Context())
		defer cancel()
		r, err := client.Infer(ctx, x)
		if err == nil {
			n++
		}
		return r, err
	})
	if !g.quiet && f.format == formatTable && n > 0 && cmd.Context().Err() == nil {
		summarize(cmd.ErrOrStderr(), client, n, time.Since(start))
	}
	return err
}

// limit bounds one step of the command by --timeout.
func (f *inferFlags) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("no answer within %v: %w", f.timeout, context.DeadlineExceeded))
}

func (f *inferFlags) connect(ctx context.Context, opt *dorcas.ClientOptions) (*dorcas.Client, error) {
	ctx, cancel := f.limit(ctx)
	defer cancel()
	if f.timeout > 0 {
		f.dial.Timeout = min(f.timeout, transport.DefaultTimeout)
	}
	conn, err := transport.Dial(ctx, f.server, &f.dial)
	if err != nil {
		return nil, err
	}
	return dorcas.NewClient(ctx, conn, opt)
}

func summarize(w io.Writer, client *dorcas.Client, n int, d time.Duration) {
	sent, received, rounds := client.Count()
	fmt.Fprintf(w, "%d private in %.2f s, sent %s, received %s, %d round trips\n",
		n, d.Seconds(), size(sent), size(received), rounds)
}

// parseHash reads the hash of a model, nil if there is none.
func parseHash(s string) (*[32]byte, error) {
	if s == "" {
		return nil, nil
	}
	return parseHex("--model-hash", s)
}

// parseHex reads a SHA-256, perhaps with colons, of a flag.
func parseHex(flag, s string) (*[32]byte, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	if err != nil || len(b) != 32 {
		return nil, usagef("%s %q is not 64 hexadecimal digits", flag, s)
	}
	return (*[32]byte)(b), nil
}
