package modeltest

import (
	"testing"

	"dorcas/nn"
)

// mostLoss is the accuracy, in percentage points, that quantisation may cost
// a network of MNIST digits.
const mostLoss = 0.3

// TestAccuracy compares the float network with the integer one on MNIST's
// test images, 10 000 with -full, else 200; calibrated on the first training
// images. Activations have 8 bits where ReLU is the activation, at most 10
// around squares.
func TestAccuracy(t *testing.T) {
	dir := data(t)
	for _, name := range models {
		if !wanted(name) || large[name] || name == "trained/wdbc_mlp" || name == "trained/fashion_mobilenet" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			n := 200
			if *full {
				n = 10000
			}
			m := load(t, dir, name, 1)
			calibration, _ := mnist(t, dir, "train", m, 500)
			x, y := mnist(t, dir, "t10k", m, n)
			q, _, err := nn.Quantize(m.graph, calibration, nil)
			if err != nil {
				t.Fatal(err)
			}
			widest := 0
			for _, l := range q.Layers {
				if l.Activate != nil {
					widest = max(widest, l.Activate.Bits, l.Activate.Mid)
				}
			}
			if widest > 10 {
				t.Errorf("activations of %d bits", widest)
			}
			e, err := nn.Evaluate(m.graph, q, x, y, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d images: float %.2f %%, integer %.2f %%, the same answer %.2f %%; activations of at most %d bits",
				n, 100*e.Float, 100*e.Integer, 100*e.Agree, widest)
			if loss := 100 * (e.Float - e.Integer); *full && loss > mostLoss {
				t.Errorf("loses %.2f points, at most %.2f", loss, mostLoss)
			}
			if e.Agree < 0.95 {
				t.Errorf("float and integer network agree on %.2f %% only", 100*e.Agree)
			}
		})
	}
}
