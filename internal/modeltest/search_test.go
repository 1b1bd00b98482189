package modeltest

import (
	"fmt"
	"testing"

	"dorcas"
	"dorcas/nn"
)

// searched are the models that TestSearch takes.
var searched = map[string]bool{
	"gazelle/mnist_secure_ml": true, "gazelle/mnist_cryptonets": true, "gazelle/mnist_deepsecure": true, "gazelle/mnist_minionn": true,
	"gazelle/mnist": true, "trained/mnist_lenet_bn": true, "trained/pneumonia_resnet8": true, "trained/wdbc_mlp": true,
	"trained/fashion_mobilenet": true, "wild/onnxzoo_mnist-8_cntk": true,
}

// searchSlack is how many points more than allowed a network may lose on other
// samples than those of the search: two standard deviations of 200 samples
// that are right or wrong where the float network is not, of one in 100.
const searchSlack = 1.5

// TestSearch looks for the widths of models by inputs without labels, and
// compares accuracy on the labelled samples and bytes with those of the
// defaults.
func TestSearch(t *testing.T) {
	dir := data(t)
	for _, name := range models {
		if !searched[name] || !wanted(name) || !*full && large[name] {
			continue
		}
		t.Run(name, func(t *testing.T) {
			m := load(t, dir, name, 1000)
			n, trials := 100, 30
			if *full {
				n, trials = 1000, 0
			}
			calibration := m.calibration(t, dir, n)
			plain, _, err := nn.Quantize(m.graph, calibration, nil)
			if err != nil {
				t.Fatal(err)
			}
			q, _, r, err := nn.Search(m.graph, calibration, nil, &nn.SearchOptions{MaxLoss: mostLost, Cost: wire, MaxTrials: trials})
			if err != nil {
				t.Fatal(err)
			}
			before, err := nn.Evaluate(m.graph, plain, m.samples, m.labels, nil)
			if err != nil {
				t.Fatal(err)
			}
			after, err := nn.Evaluate(m.graph, q, m.samples, m.labels, nil)
			if err != nil {
				t.Fatal(err)
			}
			first, err := wire(&plain.Shape)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%.2f MB to %.2f MB, %d networks tried, loses %.2f points on %d, %.2f on %d; on %d samples float %.2f %%, default %.2f %%, found %.2f %%",
				float64(first)/1e6, float64(r.Cost)/1e6, r.Trials, r.Loss, r.Samples, r.HeldOutLoss, r.HeldOut,
				after.Samples, 100*after.Float, 100*before.Integer, 100*after.Integer)
			if r.Cost >= first {
				t.Errorf("%d bytes found, %d before", r.Cost, first)
			}
			if lost := 100 * (after.Float - after.Integer); lost > mostLost+searchSlack {
				t.Errorf("loses %.2f points", lost)
			}
			if *table != "" && !t.Failed() {
				weights, activations := widths(q)
				writeRow(t, *table, searchBegin, searchHead, name, fmt.Sprintf("| %s | %.2f | %.2f | %s | %s | %d | %d | %.2f %% | %.2f %% | %.2f %% |",
					name, float64(first)/1e6, float64(r.Cost)/1e6, weights, activations, r.Trials, after.Samples,
					100*after.Float, 100*before.Integer, 100*after.Integer))
			}
		})
	}
}

// wire returns the bytes of an inference.
func wire(s *nn.Shape) (int64, error) {
	p, err := dorcas.NewPlan(s)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, phase := range []dorcas.Phase{dorcas.Offline, dorcas.Online} {
		a, b := p.Bytes(phase)
		sum += a + b
	}
	return sum, nil
}

// widths returns the ranges of the widths of weights and of activations, the
// input among them.
func widths(m *nn.Model) (weights, activations string) {
	lo, hi := 99, 0
	for _, w := range m.Weights {
		if w == nil {
			continue
		}
		b := nn.Interval{}
		for _, k := range w.W {
			b.Lo, b.Hi = min(b.Lo, int64(k)), max(b.Hi, int64(k))
		}
		lo, hi = min(lo, b.Width()), max(hi, b.Width())
	}
	from, to := m.Input.Bits, m.Input.Bits
	for _, l := range m.Layers {
		if l.Activate != nil {
			from, to = min(from, l.Activate.Bits), max(to, l.Activate.Bits)
		}
	}
	return span(lo, hi), span(from, to)
}

func span(lo, hi int) string {
	if lo == hi {
		return fmt.Sprint(lo)
	}
	return fmt.Sprintf("%d–%d", lo, hi)
}
