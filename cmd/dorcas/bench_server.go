package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"dorcas"
	"dorcas/internal/serve"
	"dorcas/transport"

	"github.com/spf13/cobra"
)

// The server of bench is a process of its own: this program, with a hidden
// command. The two processes talk over the server's standard streams:
//
//	server → client   {"address":"127.0.0.1:…"}, once it listens
//	client → server   the end of its input: it shall end
//	server → client   {"peak_bytes":…}
//
// A client that dies, however it does, closes the server's input too.

// benchHello is the server's first line.
type benchHello struct {
	Address string `json:"address"`
}

// benchBye is its last.
type benchBye struct {
	Peak *int64 `json:"peak_bytes"`
}

func newBenchServer() *cobra.Command {
	profile := ""
	cmd := &cobra.Command{
		Use:    "bench-server MODEL",
		Short:  "The server of dorcas bench, until the end of its standard input",
		Hidden: true,
		Args:   between(1, 1, "a model file"),
		RunE:   func(cmd *cobra.Command, args []string) error { return benchServe(cmd, args[0], profile) },
	}
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "write a CPU profile")
	return cmd
}

func benchServe(cmd *cobra.Command, model, profile string) error {
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	go func() {
		io.Copy(io.Discard, cmd.InOrStdin())
		cancel()
	}()
	var server *dorcas.Server
	err := interruptible(ctx, func() error {
		m, err := benchModel(model)
		if err == nil {
			server, err = dorcas.NewServer(m, nil)
		}
		return err
	})
	if err != nil {
		return err
	}
	l, err := transport.Listen("tcp://127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	defer l.Close()
	stop, err := profileTo(profile)
	if err != nil {
		return err
	}
	defer stop()
	if err := writeLine(cmd.OutOrStdout(), benchHello{l.Addr().String()}); err != nil {
		return err
	}
	// Many clients on few cores are slow, and none of them is hostile.
	opt := &serve.Options{MaxSessions: 1 << 16, Handshake: time.Hour, Idle: time.Hour, Grace: -1}
	opt.Notify = func(e serve.Event) {
		if e.Err != nil && ctx.Err() == nil {
			fmt.Fprintln(cmd.ErrOrStderr(), e.Err)
		}
	}
	handler := func(ctx context.Context, conn net.Conn) error { return server.Serve(ctx, conn) }
	if err := serve.New(handler, opt).Run(ctx, l); err != nil {
		return err
	}
	return writeLine(cmd.OutOrStdout(), benchBye{peakMemory()})
}

// benchServer is the client's hold on the server's process.
type benchServer struct {
	address string

	cmd    *exec.Cmd
	cancel context.CancelFunc // kills it
	input  io.Closer
	output io.Closer
	lines  *json.Decoder // of output
	log    bytes.Buffer  // what it wrote to stderr, read once it has ended
	ended  chan struct{}
	result error // once ended
}

// startBenchServer starts the process and waits until it listens. The process
// is killed when ctx is done.
func startBenchServer(ctx context.Context, f *benchFlags) (*benchServer, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"bench-server", f.model}
	if f.profile != "" {
		args = append(args, "--cpuprofile", f.profile+".server")
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &benchServer{cmd: exec.CommandContext(ctx, program, args...), cancel: cancel, ended: make(chan struct{})}
	s.cmd.Args[0] = "dorcas"
	s.cmd.Stderr = &s.log
	s.cmd.WaitDelay = time.Second // for its streams, should it have passed them on
	input, err := s.cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	// Not StdoutPipe, which Wait closes under the reader.
	output, out, err := os.Pipe()
	if err != nil {
		cancel()
		return nil, err
	}
	s.input, s.output, s.lines, s.cmd.Stdout = input, output, json.NewDecoder(output), out
	err = s.cmd.Start()
	out.Close()
	if err != nil {
		cancel()
		output.Close()
		return nil, fmt.Errorf("cannot start the server's process: %w", err)
	}
	go func() {
		s.result = s.cmd.Wait()
		close(s.ended)
	}()
	var hello benchHello
	if err := s.lines.Decode(&hello); err != nil {
		defer s.kill()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, s.blame(errors.New("the server's process does not come up"))
	}
	s.address = hello.Address
	return s, nil
}

// patience is how long the server's process may take to end. LOCAL.
const patience = 10 * time.Second

// stop ends the process in an orderly way and returns its peak memory.
func (s *benchServer) stop() (*int64, error) {
	defer s.kill()
	defer time.AfterFunc(patience, s.cancel).Stop()
	s.input.Close()
	var bye benchBye
	if err := s.lines.Decode(&bye); err != nil {
		return nil, s.blame(fmt.Errorf("the server's process does not end: %w", err))
	}
	<-s.ended
	return bye.Peak, nil
}

// kill makes sure that the process is gone.
func (s *benchServer) kill() {
	s.cancel()
	<-s.ended
	s.output.Close()
}

// blame adds to an error of the client what the server said of it, and
// returns that alone if the server never came up. It ends the process.
func (s *benchServer) blame(err error) error {
	s.input.Close()
	select {
	case <-s.ended:
	case <-time.After(time.Second):
		s.kill()
	}
	said := strings.TrimSpace(strings.TrimPrefix(s.log.String(), "dorcas bench-server: "))
	switch {
	case said != "" && s.address == "":
		return errors.New(said)
	case said != "":
		return fmt.Errorf("%w (the server says: %s)", err, said)
	case s.result != nil:
		return fmt.Errorf("%w (the server's process ended: %w)", err, s.result)
	}
	return err
}
