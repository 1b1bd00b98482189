package nn

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// searcher is a search under way.
type searcher struct {
	SearchOptions
	*trials
	decide, held *judge      // held may be nil
	sense, want  [][]float32 // samples, and the float network's scores
	kept         map[string]bool
	tried        int
	best         *point
}

// point is a network with the options that led to it.
type point struct {
	*trial
	opt   QuantizeOptions
	cost  int64
	loss  float64
	prior *point // from which it was made by taking bits from layers
}

// options returns the options of the network alone, with nothing left open.
func (p *point) options() QuantizeOptions {
	o := p.opt
	o.InputBits, o.Calibrate, o.Equalize = p.model.Input.Bits, p.how.Calibration, EqualizeNever
	if p.equalized > 0 {
		o.Equalize = EqualizeAlways
	}
	return o
}

// judge holds samples with the answers that count: the labels, or the float
// network's answers where there are none.
type judge struct {
	samples [][]float32
	answers []int
	float   float64 // share of right answers of the float network
}

func newSearcher(g *Graph, samples [][]float32, labels []int, opt *SearchOptions) (*searcher, error) {
	if opt == nil || opt.Cost == nil {
		return nil, errors.New("no cost")
	}
	s := &searcher{SearchOptions: *opt, kept: map[string]bool{}}
	var err error
	if s.Quantize, err = s.Quantize.withDefaults(); err != nil {
		return nil, err
	}
	switch {
	case !(s.MaxLoss >= 0):
		return nil, fmt.Errorf("a loss of at most %v points", s.MaxLoss)
	case labels != nil && len(labels) != len(samples):
		return nil, fmt.Errorf("%d samples with %d labels", len(samples), len(labels))
	}
	if s.MaxTrials <= 0 {
		s.MaxTrials = defaultTrials
	}
	for name := range s.Quantize.LayerBits {
		s.kept[name] = true
	}
	decide, held := halves(samples)
	decideLabels, heldLabels := halves(labels)
	if s.trials, err = newTrials(g, decide, s.Quantize); err != nil {
		return nil, err
	}
	s.sense, s.want = spread(s.samples, maxSensing), spread(s.scores, maxSensing)
	if s.decide, err = newJudge(g, decide, decideLabels); err == nil && len(held) > 0 {
		s.held, err = newJudge(g, held, heldLabels)
	}
	return s, err
}

// halves returns the samples that decide and those held out, none of few.
func halves[T any](all []T) (decide, held []T) {
	if len(all) < fewSamples {
		return all, nil
	}
	for i, v := range all {
		if i%2 == 0 {
			decide = append(decide, v)
		} else {
			held = append(held, v)
		}
	}
	return spread(decide, maxDeciding), spread(held, maxDeciding)
}

func newJudge(g *Graph, samples [][]float32, labels []int) (*judge, error) {
	j := &judge{samples, labels, 1}
	answers := make([]int, len(samples))
	known := labels
	if known == nil {
		known = answers
	}
	e, err := Evaluate(g, nil, samples, known, &EvaluateOptions{Answer: func(i, float, _ int) { answers[i] = float }})
	if err != nil {
		return nil, err
	}
	if labels == nil {
		j.answers = answers
	} else {
		j.float = e.Float
	}
	return j, nil
}

// loss returns how many percentage points of accuracy a network loses; fewer
// than 0 where it answers better than the float network.
func (j *judge) loss(m *Model) (float64, error) {
	e, err := Evaluate(nil, m, j.samples, j.answers, nil)
	if err != nil {
		return 0, err
	}
	return 100 * (j.float - e.Integer), nil
}

// start finds the network to begin with: that of the options, or of ever wider
// ones until the loss is small enough.
func (s *searcher) start() (*point, error) {
	var loss float64
	for _, more := range widen {
		o := s.Quantize
		for _, bits := range []*int{&o.ActBits, &o.WeightBits, &o.SquareBits} {
			*bits = min(*bits+more, max(*bits, mostLayerBits))
		}
		if o.InputBits != 0 {
			o.InputBits = min(o.InputBits+more, max(o.InputBits, mostLayerBits))
		}
		t, err := s.trials.best(o)
		if err != nil {
			return nil, err
		}
		if o.InputBits == 0 {
			o.InputBits = t.model.Input.Bits
		}
		p := &point{trial: t, opt: o}
		if err := s.measure(p); err != nil {
			return nil, err
		}
		loss = p.loss
		if s.held != nil {
			more, err := s.held.loss(t.model)
			if err != nil {
				return nil, err
			}
			loss = max(loss, more)
		}
		if loss <= s.MaxLoss {
			s.best = p
			return p, nil
		}
	}
	return nil, fmt.Errorf("even with %d bits more the network loses %.2f points of accuracy, more than %.2f: allow more, or pass more samples",
		widen[len(widen)-1], loss, s.MaxLoss)
}

// measure fills in the cost and the loss of a network.
func (s *searcher) measure(p *point) error {
	var err error
	if p.cost, err = s.Cost(&p.model.Shape); err != nil {
		return err
	}
	p.loss, err = s.decide.loss(p.model)
	s.count()
	return err
}

func (s *searcher) count() {
	s.tried++
	if s.Progress != nil && s.best != nil {
		s.Progress(SearchProgress{s.tried, s.MaxTrials, s.best.cost, s.best.loss})
	}
}

// inputLayer stands for the input among the names of layers.
const inputLayer = ""

// widths returns the widths of a network that can be chosen, by layer.
func (p *point) widths() map[string]int {
	w := map[string]int{inputLayer: p.model.Input.Bits}
	for _, t := range p.terms {
		switch {
		case t.layer == nil:
		case t.conv != nil:
			w[t.name] = max(w[t.name], min(t.conv.bits, mostLayerBits))
		case t.layer.Activate != nil:
			w[t.name] = max(w[t.name], min(max(t.layer.Activate.Bits, t.layer.Activate.Mid), mostLayerBits))
		}
	}
	return w
}

// shorter returns the network with a bit less in each of the layers, nil if
// there is none.
func (s *searcher) shorter(p *point, layers []string) *point {
	o := p.opt
	o.LayerBits = maps.Clone(o.LayerBits)
	if o.LayerBits == nil {
		o.LayerBits = map[string]int{}
	}
	widths := p.widths()
	for _, name := range layers {
		if name == inputLayer {
			o.InputBits = widths[name] - 1
		} else {
			o.LayerBits[name] = widths[name] - 1
		}
	}
	t, err := p.variant.translate(o, p.how)
	if err != nil {
		return nil
	}
	return &point{trial: t, opt: o, prior: p}
}

// move is a layer that could be a bit shorter, and what that costs for what it
// saves.
type move struct {
	layer string
	ratio float64
}

// moves lists what could be taken away, the cheapest first.
func (s *searcher) moves() ([]string, error) {
	p := s.best
	before, err := divergence(p.model, s.sense, s.want)
	if err != nil {
		return nil, err
	}
	widths := p.widths()
	var found []move
	for _, name := range slices.Sorted(maps.Keys(widths)) {
		if s.kept[name] || widths[name] <= leastLayerBits || s.tried >= s.MaxTrials {
			continue
		}
		n := s.shorter(p, []string{name})
		s.count()
		if n == nil {
			s.kept[name] = true
			continue
		}
		if n.cost, err = s.Cost(&n.model.Shape); err != nil {
			return nil, err
		}
		if n.cost >= p.cost {
			continue // but maybe once others are shorter
		}
		after, err := divergence(n.model, s.sense, s.want)
		if err != nil {
			return nil, err
		}
		found = append(found, move{name, max(after-before, 0) / float64(p.cost-n.cost)})
	}
	slices.SortStableFunc(found, func(a, b move) int { return cmp.Compare(a.ratio, b.ratio) })
	layers := make([]string, len(found))
	for i, m := range found {
		layers[i] = m.layer
	}
	return layers, nil
}

// descend takes bits away, round by round, until no layer can spare one.
func (s *searcher) descend() error {
	for s.tried < s.MaxTrials {
		layers, err := s.moves()
		if err != nil || len(layers) == 0 {
			return err
		}
		for quarter := range slices.Chunk(layers, (len(layers)+3)/4) {
			if err := s.take(quarter); err != nil {
				return err
			}
		}
	}
	return nil
}

// take takes a bit from each of the layers if the network then loses little
// enough, else from those of them of which that is true: it tries halves.
func (s *searcher) take(layers []string) error {
	if s.tried >= s.MaxTrials {
		return nil
	}
	if n := s.shorter(s.best, layers); n != nil {
		if err := s.measure(n); err != nil {
			return err
		}
		if n.cost < s.best.cost && n.loss <= s.MaxLoss {
			s.best = n
			return nil
		}
	}
	if len(layers) == 1 {
		s.kept[layers[0]] = true
		return nil
	}
	half := (len(layers) + 1) / 2
	if err := s.take(layers[:half]); err != nil {
		return err
	}
	return s.take(layers[half:])
}
