package nn

import "fmt"

// QuantizeOptions says how fine the integers of a quantised network are. The
// zero value of each field stands for its default.
type QuantizeOptions struct {
	// ActBits is the width of activations, default 8: unsigned after a relu,
	// signed where negative values occur.
	ActBits int `json:"act_bits,omitempty"`
	// WeightBits is the width of weights, default 8; depthwise convolutions
	// take two bits more. A layer whose results are to be added to finer ones
	// takes as many more as that needs.
	WeightBits int `json:"weight_bits,omitempty"`
	// SquareBits is the width of what a square takes, signed, and of what it
	// gives, unsigned; default 8.
	SquareBits int `json:"square_bits,omitempty"`
	// TableBits is the width of the index of a table, which stands for a
	// function that has no circuit of its own; default 8, at most 10.
	TableBits int `json:"table_bits,omitempty"`
	// InputBits is the width of the input. The default is the least of 8 to 12
	// that changes the samples by at most a hundredth: 8 for most pictures, more
	// where values are signed or, as in tables, spread widely.
	InputBits int `json:"input_bits,omitempty"`
	// LayerBits gives layers widths of their own, by their names in the Shape:
	// that of the weights to a convolution, that of the results to a stage
	// (and of what it squares to a square). 2 to 12.
	LayerBits map[string]int `json:"layer_bits,omitempty"`
	// Calibrate is how the scales of activations are chosen, default
	// CalibrateAuto.
	Calibrate Calibration `json:"calibrate,omitempty"`
	// Equalize says whether the channels between two convolutions are brought
	// to like ranges first, default EqualizeAuto.
	Equalize Equalization `json:"equalize,omitempty"`
	// Reveal is what the client learns, default the scores.
	Reveal Reveal `json:"reveal,omitempty"`
}

// The range of LayerBits.
const (
	leastLayerBits = 2
	mostLayerBits  = 12
)

// maxReported is how many samples a report takes.
const maxReported = 50

// QuantizeReport says what quantisation did to each layer, on the first of the
// samples.
type QuantizeReport struct {
	Samples int `json:"samples"`
	// Calibration is how scales were chosen, Equalized the number of tensors
	// whose channels were brought to like ranges, and Divergence how far the
	// scores are from the float network's (see the function).
	Calibration string        `json:"calibration"`
	Equalized   int           `json:"equalized,omitempty"`
	Divergence  float64       `json:"divergence"`
	Input       LayerReport   `json:"input"`
	Layers      []LayerReport `json:"layers"` // as in the Shape
}

// LayerReport is a line of a QuantizeReport.
type LayerReport struct {
	Name string `json:"name"`
	Op   string `json:"op"`
	// Width is the number of bits that hold what the layer computes: for an
	// activation what it takes, for other layers what they give.
	Width int `json:"width"`
	// Shift, Bits and Signed are those of an activation or of the input.
	Shift  int  `json:"shift,omitempty"`
	Bits   int  `json:"bits,omitempty"`
	Signed bool `json:"signed,omitempty"`
	// Frac and Div are the scale: real value = integer × 2^-Frac / Div.
	Frac int `json:"frac"`
	Div  int `json:"div"`
	// WeightBits is the width of the largest weight.
	WeightBits int `json:"weight_bits,omitempty"`
	// Saturation is the share of values that an activation clamps.
	Saturation float64 `json:"saturation"`
	// Error is the root of the mean square difference from the float network,
	// in units of that network's root mean square.
	Error float64 `json:"error"`
}

// Quantize turns a float network into an integer one. The samples, inputs
// of the network like those it will meet, decide the scales of activations;
// some hundred are enough. A nil opt means the defaults.
//
// Scales are powers of two; those of activations are chosen as Calibrate says,
// where rare large values may be clamped. Widths of accumulators are what the
// weights and the range of the integers before them can reach, whatever the
// input.
func Quantize(g *Graph, samples [][]float32, opt *QuantizeOptions) (*Model, *QuantizeReport, error) {
	o, err := opt.withDefaults()
	if err != nil {
		return nil, nil, err
	}
	t, err := newTrials(g, samples, o)
	if err != nil {
		return nil, nil, err
	}
	best, err := t.best(o)
	if err != nil {
		return nil, nil, fmt.Errorf("nn: quantize: %w", err)
	}
	r, err := best.report(samples)
	if err != nil {
		return nil, nil, fmt.Errorf("nn: quantize: %w", err)
	}
	return best.model, r, nil
}

func (opt *QuantizeOptions) withDefaults() (QuantizeOptions, error) {
	var o QuantizeOptions
	if opt != nil {
		o = *opt
	}
	for _, f := range []struct {
		bits           *int
		usual, lo, top int
		name           string
	}{
		{&o.ActBits, 8, 2, 14, "ActBits"}, {&o.WeightBits, 8, 2, maxWeightBits, "WeightBits"},
		{&o.SquareBits, 8, 2, 14, "SquareBits"}, {&o.InputBits, 0, 2, 14, "InputBits"}, {&o.TableBits, 8, 4, maxTableBits, "TableBits"},
	} {
		if *f.bits == 0 {
			*f.bits = f.usual
		} else if *f.bits < f.lo || *f.bits > f.top {
			return o, fmt.Errorf("nn: quantize: %s is %d, want %d to %d", f.name, *f.bits, f.lo, f.top)
		}
	}
	for name, bits := range o.LayerBits {
		if bits < leastLayerBits || bits > mostLayerBits {
			return o, fmt.Errorf("nn: quantize: layer %q is to have %d bits, want %d to %d", name, bits, leastLayerBits, mostLayerBits)
		}
	}
	if o.Calibrate == "" {
		o.Calibrate = CalibrateAuto
	}
	if o.Calibrate.methods() == nil {
		return o, fmt.Errorf("nn: quantize: calibrate %q, want minmax, percentile, mse or auto", o.Calibrate)
	}
	if o.Equalize == "" {
		o.Equalize = EqualizeAuto
	}
	if o.Equalize != EqualizeAuto && o.Equalize != EqualizeAlways && o.Equalize != EqualizeNever {
		return o, fmt.Errorf("nn: quantize: equalize %q, want auto, always or never", o.Equalize)
	}
	if o.Reveal == "" {
		o.Reveal = RevealScores
	}
	if !o.Reveal.Valid() {
		return o, fmt.Errorf("nn: quantize: reveal %q, want scores, label or top3", o.Reveal)
	}
	return o, nil
}
