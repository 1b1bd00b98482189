package nn

import "fmt"

// SearchOptions are the options of Search.
type SearchOptions struct {
	// Quantize is where the search begins; it leaves its LayerBits as they are.
	Quantize QuantizeOptions
	// MaxLoss is the accuracy, in percentage points, that the network may lose.
	MaxLoss float64
	// Cost says what a shape costs, bytes on the wire for instance.
	Cost func(*Shape) (int64, error)
	// MaxTrials bounds the networks that are tried, default 400.
	MaxTrials int
	// Progress, if set, is called after each of them.
	Progress func(p SearchProgress)
}

// SearchProgress is how far a search is: Cost and Loss are those of the
// cheapest network so far that loses little enough.
type SearchProgress struct {
	Trials, MaxTrials int
	Cost              int64
	Loss              float64
}

// SearchReport says what a search found.
type SearchReport struct {
	Trials int `json:"trials"`
	// First and Cost are the costs of the network where the search began and
	// of the one that it found.
	First int64 `json:"first_cost"`
	Cost  int64 `json:"cost"`
	// Loss is the loss in percentage points on the samples that decided;
	// HeldOutLoss that on the others, if there were enough to hold some out.
	Samples     int     `json:"samples"`
	Loss        float64 `json:"loss"`
	HeldOut     int     `json:"held_out"`
	HeldOutLoss float64 `json:"held_out_loss"`
	// Options are those with which Quantize gives the network found.
	Options QuantizeOptions `json:"options"`
}

const (
	defaultTrials = 400
	// fewSamples is from how many samples on every second one is held out.
	fewSamples = 40
	// maxDeciding bounds the samples on which every network is tried.
	maxDeciding = 1000
	// maxSensing bounds those on which the sensitivity of a layer is measured.
	maxSensing = 32
)

// widen are the bits that the search adds to all widths, one after another,
// until a network loses little enough to begin with.
var widen = []int{0, 1, 2, 4}

// Search quantises g with the widths, layer by layer, for which the network
// costs least and still loses at most MaxLoss points of accuracy against the
// float network; without labels (nil), of the share of samples to which both
// give the same answer. Of many samples it holds every second out, and goes
// back to the last network that loses little enough on those, too.
//
// It goes down greedily: layers are tried with a bit less in the order of the
// divergence that this costs for each byte that it saves, measured again after
// every round; a layer that proves to need its bits keeps them. The same
// samples and options give the same network.
func Search(g *Graph, samples [][]float32, labels []int, opt *SearchOptions) (*Model, *QuantizeReport, *SearchReport, error) {
	s, err := newSearcher(g, samples, labels, opt)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("nn: search: %w", err)
	}
	first, err := s.start()
	if err == nil {
		err = s.descend()
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("nn: search: %w", err)
	}
	report := &SearchReport{First: first.cost, Samples: len(s.decide.samples)}
	if err := s.goBack(report); err != nil {
		return nil, nil, nil, fmt.Errorf("nn: search: %w", err)
	}
	found := s.best
	report.Trials, report.Cost, report.Loss = s.tried, found.cost, found.loss
	report.Options = found.options()
	r, err := found.report(s.samples)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("nn: search: %w", err)
	}
	return found.model, r, report, nil
}

// goBack returns to the last network that loses little enough on the samples
// held out, too: the first does.
func (s *searcher) goBack(r *SearchReport) error {
	for s.held != nil {
		loss, err := s.held.loss(s.best.model)
		if err != nil {
			return err
		}
		r.HeldOut, r.HeldOutLoss = len(s.held.samples), loss
		if loss <= s.MaxLoss || s.best.prior == nil {
			break
		}
		s.best = s.best.prior
	}
	var err error
	s.best.divergence, err = divergence(s.best.model, s.samples, s.scores)
	return err
}
