package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dorcas"
	"dorcas/internal/serve"
	"dorcas/transport"

	"github.com/spf13/cobra"
)

type serveFlags struct {
	listen    string
	readyFile string
	logJSON   bool
	memory    int64
	batches   int64
	limits    serve.Options
	tls       transport.ListenOptions
}

func newServe(g *globals) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve MODEL",
		Short: "Offer a network to clients",
		Long: `Offer a network to clients, who classify images with it that this server never
sees. It logs a line for every session to stderr.

An interrupt (Ctrl-C) ends it: open sessions may finish within --grace, and a
second interrupt ends it at once. Clients with enough queries can copy a
network from its answers, whatever the protocol: offer it to clients you know.`,
		Example: `  dorcas serve net.dorcas --listen tcp://127.0.0.1:7443
  dorcas cert && dorcas serve net.dorcas --listen tls://:7443 --cert cert.pem --key key.pem
  dorcas serve net.dorcas --listen tcp://127.0.0.1:0 --ready-file url.txt --log-json`,
		Args: between(1, 1, "a model file"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, g, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "tcp://127.0.0.1:7443", "where: tls://host:port or tcp://host:port; no host for all addresses, port 0 for a free one")
	flags.StringVar(&f.readyFile, "ready-file", "", "file to write the URL to once clients can connect")
	flags.StringVar(&f.tls.CertFile, "cert", "", "PEM file of the certificate (tls)")
	flags.StringVar(&f.tls.KeyFile, "key", "", "PEM file of its key (tls)")
	flags.StringVar(&f.tls.ClientCAs, "client-ca", "", "PEM file: admit only clients with a certificate of this authority (tls)")
	flags.IntVar(&f.limits.MaxSessions, "max-sessions", 64, "clients at once; further ones are told that the server is busy")
	flags.DurationVar(&f.limits.Idle, "idle-timeout", 2*time.Minute, "end sessions whose client is silent for so long")
	flags.DurationVar(&f.limits.Handshake, "handshake-timeout", 10*time.Second, "longest time to open a session")
	flags.DurationVar(&f.limits.Grace, "grace", 30*time.Second, "how long open sessions may go on after an interrupt")
	flags.Int64Var(&f.memory, "transfer-memory", 64, "MiB that a session may keep for silent transfer; 0 to refuse it")
	flags.Int64Var(&f.batches, "batch-memory", 1024, "MiB of messages that a session may keep while it prepares a batch; 0 to refuse batches")
	flags.BoolVar(&f.logJSON, "log-json", false, "log JSON in place of text")
	return cmd
}

func (f *serveFlags) check() error {
	switch {
	case f.limits.MaxSessions < 1:
		return usagef("--max-sessions %d: at least 1", f.limits.MaxSessions)
	case f.limits.Idle <= 0 || f.limits.Handshake <= 0:
		return usagef("--idle-timeout and --handshake-timeout must be positive")
	case encrypted(f.listen) && f.tls.CertFile == "":
		return usagef("no --cert and --key for %s: dorcas cert makes a pair for trying out", f.listen)
	case (f.tls.CertFile == "") != (f.tls.KeyFile == ""):
		return usagef("--cert and --key go together")
	case f.memory < 0 || f.memory > 1<<20:
		return usagef("--transfer-memory %d: 0 to %d MiB", f.memory, 1<<20)
	case f.batches < 0 || f.batches > 1<<20:
		return usagef("--batch-memory %d: 0 to %d MiB", f.batches, 1<<20)
	case f.limits.Grace < 0:
		return usagef("--grace %v is negative", f.limits.Grace)
	case f.limits.Grace == 0:
		f.limits.Grace = -1 // none, in the words of package serve
	}
	return nil
}

func (f *serveFlags) run(cmd *cobra.Command, g *globals, model string) error {
	if err := f.check(); err != nil {
		return err
	}
	log := f.logger(cmd, g)
	server, err := load(cmd.Context(), model, &dorcas.ServerOptions{
		TransferMemory: cmp.Or(f.memory<<20, -1), BatchMemory: cmp.Or(f.batches<<20, -1),
	})
	if err != nil {
		return err
	}
	l, err := transport.Listen(f.listen, &f.tls)
	if err != nil {
		return err
	}
	defer l.Close()
	if !encrypted(f.listen) && !local(l.Addr()) {
		log.Warn("tcp does not encrypt: use tls:// unless every client is on this machine")
	}
	place := reachable(f.listen, l.Addr())
	if err := f.announce(cmd, g, place, server); err != nil {
		return err
	}
	if f.readyFile != "" {
		if err := writeReady(f.readyFile, place); err != nil {
			return err
		}
		defer os.Remove(f.readyFile)
	}
	f.limits.Notify = func(e serve.Event) { logEvent(log, e) }
	s := serve.New(func(ctx context.Context, conn net.Conn) error { return server.Serve(ctx, conn) }, &f.limits)
	defer context.AfterFunc(cmd.Context(), func() {
		if n := s.Stats().Open; n > 0 {
			log.Info("stopping: interrupt again to end at once", "open", n, "grace", f.limits.Grace.String())
		}
	})()
	err = s.Run(cmd.Context(), l)
	total := s.Stats()
	log.Info("stopped", "sessions", total.Total, "failed", total.Failed, "refused", total.Refused,
		"sent", total.Sent, "received", total.Received)
	return err
}

// load reads a model and prepares to serve it.
func load(ctx context.Context, name string, opt *dorcas.ServerOptions) (*dorcas.Server, error) {
	var server *dorcas.Server
	err := interruptible(ctx, func() error {
		m, err := readModel(name)
		if err != nil {
			return err
		}
		server, err = dorcas.NewServer(m, opt)
		return err
	})
	if err != nil {
		return nil, err // and server may still change
	}
	return server, nil
}

func (f *serveFlags) logger(cmd *cobra.Command, g *globals) *slog.Logger {
	opt := &slog.HandlerOptions{}
	if g.quiet {
		opt.Level = slog.LevelWarn
	}
	if f.logJSON {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), opt))
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), opt))
}

// announce prints what clients need to know.
func (f *serveFlags) announce(cmd *cobra.Command, g *globals, place string, s *dorcas.Server) error {
	hash := s.Plan().Hash()
	v := struct {
		URL         string `json:"url"`
		Model       string `json:"model"`
		ModelHash   string `json:"model_hash"`
		Certificate string `json:"certificate_sha256,omitempty"`
		WeightBytes int64  `json:"weight_bytes"`
	}{place, s.Plan().Shape().Name, fmt.Sprintf("%x", hash), certificateOf(f.tls.CertFile, f.tls.KeyFile), s.WeightBytes()}
	out := cmd.OutOrStdout()
	if g.json {
		return writeLine(out, v)
	}
	if g.quiet {
		return nil
	}
	fmt.Fprintf(out, "serving  %s at %s (weights take %s)\nmodel    %s\n", v.Model, v.URL, size(v.WeightBytes), v.ModelHash)
	if v.Certificate != "" {
		fmt.Fprintf(out, "pin      %s\n", v.Certificate)
	}
	_, err := fmt.Fprintf(out, "ask it   dorcas infer --server %s FILE...\n", place)
	return err
}

func encrypted(listen string) bool { return strings.HasPrefix(listen, "tls:") }

// local reports whether only this machine can reach an address.
func local(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// reachable is the URL of a listener for clients of this machine.
func reachable(listen string, addr net.Addr) string {
	u, err := url.Parse(listen)
	if err != nil {
		return listen
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return listen
	}
	if u.Hostname() != "" {
		host = u.Hostname()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port)
}

// writeReady writes the URL under a name, all of it or nothing.
func writeReady(name, place string) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	defer os.Remove(f.Name()) // fails once the file has its name
	_, err = f.WriteString(place + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}

// logEvent writes a line for what ended or did not begin.
func logEvent(log *slog.Logger, e serve.Event) {
	if e.Kind == serve.Opened {
		return
	}
	var with []any
	if e.Remote != nil {
		with = append(with, "peer", e.Remote.String())
	}
	if e.Session > 0 {
		with = append(with, "session", e.Session, "duration", e.Duration.Round(time.Millisecond).String(),
			"sent", e.Sent, "received", e.Received)
	}
	if e.Err == nil {
		log.Info("session "+e.Kind.String(), with...)
		return
	}
	with = append(with, "error", e.Err.Error())
	if p, ok := errors.AsType[*serve.PanicError](e.Err); ok {
		log.Error("session failed", append(with, "stack", string(p.Stack))...)
		return
	}
	switch e.Kind {
	case serve.Failed:
		log.Warn("session failed", with...)
	case serve.Refused:
		log.Warn("client refused", with...)
	default:
		log.Warn(e.Kind.String(), with...)
	}
}
