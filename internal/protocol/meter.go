package protocol

import (
	"sync"
	"time"

	"dorcas/internal/wire"
)

// StepStats is what one step cost one party: the time from the end of whatever
// step ended before it, waiting for the peer included, and its bytes and round trips.
// Steps that run side by side share the time: it adds up to that of the phase.
type StepStats struct {
	Name     string  `json:"name"`
	Phase    Phase   `json:"phase"`
	Layer    int     `json:"layer"`
	Seconds  float64 `json:"seconds"`
	Sent     int64   `json:"sent"`
	Received int64   `json:"received"`
	Rounds   int     `json:"rounds"`
}

// meter attributes time and bytes to steps. Of two goroutines at a time one may
// mark what it has sent while the other marks what it has received.
type meter struct {
	conn  *wire.Conn
	phase Phase

	mu    sync.Mutex // guards the rest
	last  time.Time
	count wire.Count
	steps []StepStats
}

// begin starts a phase.
func (m *meter) begin(conn *wire.Conn, phase Phase) {
	m.conn, m.phase, m.last, m.count, m.steps = conn, phase, time.Now(), conn.Count(), nil
}

// sent and received end a step that sends or receives.
func (m *meter) sent(name string, layer int)     { m.mark(name, layer, true, false) }
func (m *meter) received(name string, layer int) { m.mark(name, layer, false, true) }

func (m *meter) mark(name string, layer int, sent, received bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, count := time.Now(), m.conn.Count()
	step := StepStats{Name: name, Phase: m.phase, Layer: layer, Seconds: now.Sub(m.last).Seconds()}
	if sent {
		step.Sent, m.count.Sent = count.Sent-m.count.Sent, count.Sent
	}
	if received {
		step.Received, m.count.Received = count.Received-m.count.Received, count.Received
		step.Rounds, m.count.Rounds = count.Rounds-m.count.Rounds, count.Rounds
	}
	m.steps, m.last = append(m.steps, step), now
}
