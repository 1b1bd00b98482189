package protocol

import (
	"time"

	"dorcas/internal/wire"
)

// StepStats is what one step cost one party: the time from the end of the
// step before, waiting for the peer included, and its bytes and round trips.
type StepStats struct {
	Name     string  `json:"name"`
	Phase    Phase   `json:"phase"`
	Layer    int     `json:"layer"`
	Seconds  float64 `json:"seconds"`
	Sent     int64   `json:"sent"`
	Received int64   `json:"received"`
	Rounds   int     `json:"rounds"`
}

// meter attributes time and bytes to steps.
type meter struct {
	conn  *wire.Conn
	phase Phase
	last  time.Time
	count wire.Count
	steps []StepStats
}

// begin starts a phase.
func (m *meter) begin(conn *wire.Conn, phase Phase) {
	m.conn, m.phase, m.last, m.count, m.steps = conn, phase, time.Now(), conn.Count(), nil
}

// mark ends a step.
func (m *meter) mark(name string, layer int) {
	now, count := time.Now(), m.conn.Count()
	m.steps = append(m.steps, StepStats{
		Name: name, Phase: m.phase, Layer: layer,
		Seconds: now.Sub(m.last).Seconds(),
		Sent:    count.Sent - m.count.Sent, Received: count.Received - m.count.Received,
		Rounds: count.Rounds - m.count.Rounds,
	})
	m.last, m.count = now, count
}
