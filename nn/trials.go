package nn

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"sync"
)

// Between ways to quantise decide up to maxJudged samples, fewer of a network
// that needs more than judgedWork products for these, but minJudged.
const (
	maxJudged  = 200
	minJudged  = 16
	judgedWork = 4e9
)

// judged returns how many samples decide for a network.
func (g *Graph) judged() int {
	products := 1
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Op == NodeConv || n.Op == NodeDense {
			products += len(n.Weights) * n.Out.H * n.Out.W
		}
	}
	return max(minJudged, min(maxJudged, judgedWork/products))
}

// trials quantises one network in several ways and compares the results.
type trials struct {
	variants []*variant
	samples  [][]float32 // that decide, evenly spread
	scores   [][]float32 // of the float network on those
}

// variant is the prepared graph, as it is or equalised, with what the samples
// showed of it.
type variant struct {
	graph     *Graph
	seen      *observed
	equalized int
}

// trial is a network quantised in one way.
type trial struct {
	*variant
	how        method
	model      *Model
	terms      []*term
	divergence float64
}

// newTrials prepares the graph as o, with its defaults filled in, says.
func newTrials(g *Graph, samples [][]float32, o QuantizeOptions) (*trials, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	if len(samples) == 0 {
		return nil, errors.New("nn: quantize: no samples")
	}
	t := new(trials)
	f := g.prepare()
	even, n := f.equalized(o.Equalize)
	if n == 0 || o.Equalize == EqualizeAuto {
		t.variants = append(t.variants, &variant{graph: f})
	}
	if n > 0 {
		t.variants = append(t.variants, &variant{graph: even, equalized: n})
	}
	for _, v := range t.variants {
		var err error
		if v.seen, err = observe(v.graph, samples); err != nil {
			return nil, fmt.Errorf("nn: quantize: %w", err)
		}
	}
	t.samples = spread(samples, f.judged())
	t.scores = spread(t.variants[0].seen.scores, f.judged())
	return t, nil
}

// spread returns at most n of the values, evenly spread.
func spread[T any](values []T, n int) []T {
	out := make([]T, min(n, len(values)))
	for i := range out {
		out[i] = values[i*len(values)/len(out)]
	}
	return out
}

// best quantises in every way that o leaves open and returns the result with
// the least divergence, the first of equal ones. A way that fails is left out
// unless all fail.
func (t *trials) best(o QuantizeOptions) (*trial, error) {
	var done []*trial
	var failed error
	for _, v := range t.variants {
		for _, how := range o.Calibrate.methods() {
			r, err := v.quantize(o, how)
			if err != nil {
				failed = cmp.Or(failed, err)
				continue
			}
			if !slices.ContainsFunc(done, r.equal) {
				done = append(done, r)
			}
		}
	}
	if len(done) == 0 {
		return nil, failed
	}
	for _, r := range done {
		var err error
		if r.divergence, err = divergence(r.model, t.samples, t.scores); err != nil {
			return nil, err
		}
	}
	return slices.MinFunc(done, func(a, b *trial) int { return cmp.Compare(a.divergence, b.divergence) }), nil
}

// quantize quantises in one way.
func (v *variant) quantize(o QuantizeOptions, how method) (*trial, error) {
	by := &variant{v.graph, v.seen.by(how), v.equalized}
	return by.translate(o, how)
}

// translate quantises what was observed by the method.
func (v *variant) translate(o QuantizeOptions, how method) (*trial, error) {
	q, err := translate(v.graph, v.seen, o)
	if err != nil {
		return nil, err
	}
	r := &trial{variant: v, how: how}
	r.model, r.terms = q.model()
	for name := range o.LayerBits {
		if !slices.ContainsFunc(r.model.Layers, func(l Layer) bool { return l.Name == name && l.sized() }) {
			return nil, fmt.Errorf("no layer %q has a width to choose", name)
		}
	}
	return r, r.model.Validate()
}

// sized reports whether the layer has a width that LayerBits can give.
func (l *Layer) sized() bool { return l.Conv != nil || l.Activate != nil }

// bits returns the width that LayerBits gives a layer, else the usual one.
func (q *quantizer) bits(name string, usual int) int {
	if b := q.opt.LayerBits[name]; b != 0 {
		return b
	}
	return usual
}

// setBits gives a stage the width that LayerBits has for it.
func (q *quantizer) setBits(a *Activate, name string) {
	a.Bits = q.bits(name, a.Bits)
	if a.Func == Square {
		a.Mid = q.bits(name, a.Mid)
	}
}

// equal reports whether two networks are the same.
func (r *trial) equal(o *trial) bool { return reflect.DeepEqual(r.model, o.model) }

// report compares the layers on some of the samples.
func (r *trial) report(samples [][]float32) (*QuantizeReport, error) {
	report, err := newReport(r.model, r.graph, r.terms, samples[:min(len(samples), maxReported)])
	if err != nil {
		return nil, err
	}
	report.Calibration, report.Equalized, report.Divergence = r.how.String(), r.equalized, r.divergence
	return report, nil
}

// divergence is the mean of Divergence over samples of which the float network
// gave the scores.
func divergence(m *Model, samples, scores [][]float32) (float64, error) {
	all, errs := make([]float64, len(samples)), make([]error, len(samples))
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(samples)) {
		wg.Go(func() {
			for i := range work {
				var got []float64
				if got, errs[i] = m.realScores(samples[i]); errs[i] == nil {
					all[i] = Divergence(scores[i], got)
				}
			}
		})
	}
	for i := range samples {
		work <- i
	}
	close(work)
	wg.Wait()
	var sum float64
	for _, d := range all {
		sum += d
	}
	return sum / float64(len(all)), errors.Join(errs...)
}

// realScores runs the network on a sample; the head is not applied.
func (m *Model) realScores(x []float32) ([]float64, error) {
	in := make([]int32, len(x))
	m.Input.Quantize(in, x)
	tensors, err := m.RunAll(in)
	if err != nil {
		return nil, err
	}
	out := m.Output
	out.Head = HeadNone
	return out.Scores(tensors[out.Tensor]), nil
}

// Divergence says how far the scores got are from want, both before the head:
// the Kullback-Leibler divergence of their softmaxes in nats, or for a single
// score the square of the difference over 8, which is about the same for that
// score's sigmoid.
func Divergence(want []float32, got []float64) float64 {
	if len(want) == 1 {
		d := got[0] - float64(want[0])
		return d * d / 8
	}
	w := make([]float64, len(want))
	for i, v := range want {
		w[i] = float64(v)
	}
	g := slices.Clone(got)
	HeadLogSoftmax.apply(w, slices.Max(w))
	HeadLogSoftmax.apply(g, slices.Max(g))
	var sum float64
	for i := range w {
		sum += math.Exp(w[i]) * (w[i] - g[i])
	}
	return max(0, sum)
}
