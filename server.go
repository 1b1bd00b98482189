package dorcas

import (
	"context"
	"io"

	"dorcas/internal/protocol"
	"dorcas/internal/wire"
	"dorcas/nn"
)

// Server serves one network to any number of clients at once.
type Server struct {
	server  *protocol.Server
	options protocol.ServeOptions
}

// ServerOptions configure a Server; nil is good.
type ServerOptions struct {
	// Observe is called at the end of every phase of every session with what
	// it cost, from that session's goroutine.
	Observe func(Phase, []StepStats)
	// TransferMemory bounds the bytes that a session may keep for silent transfer:
	// 0 for 64 MiB, negative for none.
	TransferMemory int64
	// BatchMemory bounds the bytes of messages that wait while a session prepares
	// several inferences at once: 0 for 1 GiB, the most that any plan allows,
	// negative to refuse batches.
	BatchMemory int64
}

// NewServer checks the model, plans the protocol and encodes the weights.
func NewServer(m *nn.Model, opt *ServerOptions) (*Server, error) {
	s, err := protocol.NewServer(m)
	if err != nil {
		return nil, err
	}
	server := &Server{server: s}
	if opt != nil {
		server.options = protocol.ServeOptions{Observe: opt.Observe, TransferMemory: opt.TransferMemory, BatchMemory: opt.BatchMemory}
	}
	return server, nil
}

// Plan returns what a session costs and how it runs.
func (s *Server) Plan() *Plan { return s.server.Plan() }

// WeightBytes returns the memory that the encoded weights take.
func (s *Server) WeightBytes() int64 { return s.server.WeightBytes() }

// Serve runs one session over rw, which it closes, until the client leaves,
// ctx ends or something fails. A failed session harms no other.
func (s *Server) Serve(ctx context.Context, rw io.ReadWriteCloser) error {
	return s.server.Serve(ctx, wire.New(rw), &s.options)
}
