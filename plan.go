package dorcas

import (
	"dorcas/internal/ot"
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

// Transfers is how a session makes its oblivious transfers. All methods give the same
// results and protect the same; they differ in bytes, computation and memory.
type Transfers = ot.Method

// The methods: SoftSpoken extension, of which a greater number sends less and computes
// more, and silent transfer, which sends next to nothing, for networks with
// hundreds of thousands of transfers.
const (
	SoftSpoken2 = ot.SoftSpoken2
	SoftSpoken4 = ot.SoftSpoken4
	SoftSpoken8 = ot.SoftSpoken8
	Silent10    = ot.Silent10
	Silent11    = ot.Silent11
	Silent12    = ot.Silent12
	Silent13    = ot.Silent13
)

// DefaultTransferMemory is how many bytes a server lets one session keep for
// silent transfer, unless its options say otherwise.
const DefaultTransferMemory = protocol.DefaultTransferMemory

// ParseTransfers returns the method of a name, as its String writes it.
func ParseTransfers(name string) (Transfers, error) { return ot.ParseMethod(name) }

// Link is the connection between the parties: rates in bytes a second, 0 for no limit, and
// the time of a round trip.
type Link = ot.Link

// NewPlan predicts what a network costs with SoftSpoken4; Plan.With and Plan.Choose
// return the plan with another method.
func NewPlan(s *nn.Shape) (*Plan, error) { return protocol.NewPlan(s) }
