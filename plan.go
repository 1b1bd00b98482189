package dorcas

import (
	"dorcas/internal/protocol"
	"dorcas/nn"
)

// Plan says what a session of one network sends and costs; both parties
// derive it from the public shape alone.
type Plan = protocol.Plan

// Batch is the plan of a preparation of several inferences.
type Batch = protocol.Batch

// LayerCost is the predicted cost of one layer.
type LayerCost = protocol.LayerCost

// Step is a message of the protocol with its length.
type Step = protocol.Step

// StepStats is the measured cost of one step to one party.
type StepStats = protocol.StepStats

// Phase is a part of a session.
type Phase = protocol.Phase

// The phases of a session: Setup once, Offline and Online per inference.
const (
	Setup   = protocol.Setup
	Offline = protocol.Offline
	Online  = protocol.Online
)

// NewPlan predicts what a network costs.
func NewPlan(s *nn.Shape) (*Plan, error) { return protocol.NewPlan(s) }
