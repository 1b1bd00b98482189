package protocol

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"dorcas/internal/block"
	"dorcas/internal/linear"
	"dorcas/internal/ot"
	"dorcas/internal/rlwe"
	"dorcas/internal/wire"
	"dorcas/nn"
)

// maxMaterials bounds the preparations that one session may hold. LOCAL
const maxMaterials = 1 << 16

// Server holds a network for any number of sessions at once.
type Server struct {
	plan  *Plan
	model *nn.Model

	single   []*linear.Weights // one per convPlan, for one inference
	encoding sync.Mutex
	weights  map[int][]*linear.Weights // and for each size of batch
	room     int                       // bytes that they may still take

	// Memory of all sessions: whatever leaves it is overwritten first.
	workspaces sync.Pool
	labels     rows[block.Block]
	frames     rows[byte]
	messages   rows[byte] // of transfers: many wait at a time, which must not grow to the size of frames
	numbers    rows[int32]
	garblers   chan struct{} // has one element for each chunk that is being garbled
}

// NewServer checks the model, derives its plan and encodes its weights.
func NewServer(m *nn.Model) (*Server, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	plan, err := NewPlan(&m.Shape)
	if err != nil {
		return nil, err
	}
	s := &Server{
		plan: plan, model: m, workspaces: newWorkspaces(), garblers: make(chan struct{}, runtime.GOMAXPROCS(0)),
		weights: map[int][]*linear.Weights{}, room: linear.WeightBytes,
	}
	for _, c := range plan.convs {
		w := m.Weights[c.layer].W
		if err := c.layout.CheckNoise(w); err != nil {
			return nil, fmt.Errorf("protocol: layer %d %q: %w", c.layer, m.Layers[c.layer].Name, err)
		}
	}
	s.single = s.weightsFor(plan.single)
	return s, nil
}

// Plan returns the plan of the network.
func (s *Server) Plan() *Plan { return s.plan }

// WeightBytes returns the memory of the encoded weights.
func (s *Server) WeightBytes() int64 {
	s.encoding.Lock()
	defer s.encoding.Unlock()
	return int64(linear.WeightBytes - s.room)
}

// session is the server's end of one session.
type session struct {
	*Server
	conn      *wire.Conn
	seed      [32]byte
	client    *rlwe.PublicKey
	plan      *Plan // the server's, with the client's method of transfers
	sender    *ot.Sender
	silent    *ot.SilentSender // nil if the plan has none
	memory    int64            // for silent
	batches   int64            // bytes that a batch may take
	start     block.Block
	materials map[uint32]*serverMaterial // not used yet
	prepared  uint64
	meter     meter
	observe   func(Phase, []StepStats)

	background sync.WaitGroup // what receives and extends while the session sends
}

func newWorkspaces() sync.Pool { return sync.Pool{New: func() any { return new(workspace) }} }

// ServeOptions are for special uses; nil is good.
type ServeOptions struct {
	// Observe is called after every phase with its cost, from the goroutine
	// of the session.
	Observe func(Phase, []StepStats)
	// TransferMemory bounds the bytes that the session may keep for silent
	// transfer: 0 for 64 MiB, negative for none.
	TransferMemory int64
	// BatchMemory bounds the bytes of messages that wait while the session
	// prepares several inferences at once: 0 for 1 GiB, which is the most that any
	// plan allows, negative to refuse batches.
	BatchMemory int64
	// InsecureSeed replaces the system's randomness.
	InsecureSeed *[32]byte
}

// Serve runs one session over conn, which it owns, until the client takes
// its leave, the peer fails or ctx ends.
func (s *Server) Serve(ctx context.Context, conn *wire.Conn, opt *ServeOptions) error {
	ss := &session{
		Server: s, plan: s.plan, conn: conn,
		materials: map[uint32]*serverMaterial{}, memory: DefaultTransferMemory, batches: batchMemory,
	}
	rand.Read(ss.seed[:])
	if opt != nil {
		ss.observe = opt.Observe
		if opt.TransferMemory != 0 {
			ss.memory = max(0, opt.TransferMemory)
		}
		if opt.BatchMemory != 0 {
			ss.batches = max(0, opt.BatchMemory)
		}
		if opt.InsecureSeed != nil {
			ss.seed = *opt.InsecureSeed
		}
	}
	stop := conn.Bind(ctx)
	defer stop()
	if err := ss.run(); err != nil {
		conn.Fail(codeOf(err))
		ss.background.Wait()
		return err
	}
	return conn.Close()
}

func (s *session) run() error {
	s.meter.begin(s.conn, Setup)
	if err := s.handshake(); err != nil {
		return err
	}
	s.report()
	for {
		more, err := s.serveRequest()
		if err != nil || !more {
			return err
		}
	}
}

// serveRequest serves one command of the client.
func (s *session) serveRequest() (more bool, err error) {
	var msg [requestSize]byte
	s.meter.begin(s.conn, "")
	if err := s.conn.Recv(msg[:]); err != nil {
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil // gone without taking leave
		}
		return false, fmt.Errorf("protocol: request: %w", err)
	}
	s.meter.last = time.Now() // the wait for a request is nobody's cost
	number := binary.LittleEndian.Uint32(msg[1:])
	switch msg[0] {
	case cmdBye:
		return false, nil
	case cmdPrepare:
		s.meter.phase = Offline
		err = s.prepareBatch(number, false)
	case cmdBatch:
		s.meter.phase = Offline
		err = s.prepareBatch(number, true)
	case cmdInfer:
		s.meter.phase = Online
		err = s.infer(number)
	default:
		err = fmt.Errorf("protocol: request: unknown command %d", msg[0])
	}
	s.report()
	return err == nil, err
}

func (s *session) report() {
	if s.observe != nil {
		s.observe(s.meter.phase, s.meter.steps)
	}
}

// serverMaterial is what the server keeps of one prepared inference.
type serverMaterial struct {
	number uint32
	seed   *[32]byte
	batch  *Batch // that it was prepared in, as this image
	image  int
	loans  loans // while it is used
}

// preparation is the server's side of one Prepare while it lasts.
type preparation struct {
	batch     *Batch
	weights   []*linear.Weights // for the layouts of the batch
	materials []serverMaterial
	masks     []*[32]byte // of the re-sharing, from the materials' seeds
	fresh     *[32]byte   // randomness that nothing ever needs again
	labels    *labelSource

	// What the client sends, as it comes; closed at the end or after an error.
	uploads   chan []rlwe.Ciphertext
	transfers chan *[]byte
	err       error // why they were closed early; read it after the close

	stop chan struct{} // ends what runs in the background
}

// prepareBatch prepares one inference, or the batch that the next message asks
// for; number is that of the first.
func (s *session) prepareBatch(number uint32, several bool) error {
	s.meter.received("request", Session)
	b, err := s.plan.Batch(1)
	if several {
		b, err = s.receiveBatch()
	}
	if err != nil {
		return err
	}
	if s.prepared > 1<<32-1 || uint64(number) != s.prepared {
		return fmt.Errorf("protocol: prepare: material %d asked for, %d is next", number, s.prepared)
	}
	if len(s.materials)+b.n > maxMaterials {
		return fmt.Errorf("protocol: prepare: %d materials wait already", len(s.materials))
	}
	if !s.plan.hasKeys(number, b.n) {
		return fmt.Errorf("protocol: prepare: %w", errSpent)
	}
	s.prepared += uint64(b.n)
	return s.prepare(number, b)
}

func (s *session) prepare(number uint32, b *Batch) error {
	p := &preparation{
		batch: b, weights: s.single, fresh: child(&s.seed, "fresh", uint64(number)),
		uploads: make(chan []rlwe.Ciphertext, len(b.convs)), transfers: make(chan *[]byte, b.n*s.plan.otPieces()),
		stop: make(chan struct{}),
	}
	if b.n > 1 {
		p.weights = s.weightsFor(b)
	}
	for i := range b.n {
		k := number + uint32(i)
		m := serverMaterial{number: k, seed: child(&s.seed, "material", uint64(k)), batch: b, image: i}
		p.materials = append(p.materials, m)
		p.masks = append(p.masks, child(m.seed, "masks", 0))
	}
	defer close(p.stop)
	s.background.Go(func() { s.receiveOffline(p) })
	if err := s.sendRefills(p); err != nil {
		return err
	}
	p.labels = newLabelSource(s, p)
	if err := inOrder(p, s.answer, s.sendTables); err != nil {
		return err
	}
	s.background.Wait()
	for i := range p.materials {
		s.materials[p.materials[i].number] = &p.materials[i]
	}
	return nil
}

// receiveOffline receives all that the client sends for a preparation. The
// channels have room for it, so this waits for nothing but the client.
func (s *session) receiveOffline(p *preparation) {
	p.err = s.receiveUploads(p)
	close(p.uploads)
	if p.err == nil {
		p.err = s.receiveTransfers(p)
	}
	close(p.transfers)
}

// failure is the error after which a channel was closed early.
func (p *preparation) failure() error {
	if p.err == nil {
		return errors.New("protocol: prepare: no more of the client's messages")
	}
	return p.err
}

// infer burns the material before it uses it.
func (s *session) infer(number uint32) error {
	m := s.materials[number]
	if m == nil {
		return fmt.Errorf("protocol: infer: no material %d: never prepared or used before", number)
	}
	delete(s.materials, number)
	share, err := s.receiveInput()
	if err != nil {
		return err
	}
	m.loans = loans{pool: &s.numbers}
	defer m.loans.end()
	return s.stages(m, share)
}
