package nn

import (
	"fmt"
	"math"
	"slices"
)

// Calibration is a way of choosing the scales of activations by the samples.
type Calibration string

// The ways. All but CalibrateAuto choose tensor by tensor; squares and tables,
// whose scales do more than bound a range, always go by the mean square error
// of their results.
const (
	// CalibrateAuto, the default, tries the others and keeps the one whose
	// scores are closest to those of the float network (see Divergence).
	CalibrateAuto Calibration = "auto"
	// CalibrateMinMax clamps no value that was seen.
	CalibrateMinMax Calibration = "minmax"
	// CalibratePercentile clamps one value of 10 000, or one of 1000 where the
	// scores then are closer.
	CalibratePercentile Calibration = "percentile"
	// CalibrateMSE takes the least mean square error of rounding and clamping.
	CalibrateMSE Calibration = "mse"
)

// method is a Calibration with its parameter.
type method struct {
	Calibration
	part float64 // of the values that a percentile keeps
}

// String names the method, like percentile 99.99.
func (m method) String() string {
	if m.Calibration == CalibratePercentile {
		return fmt.Sprintf("%s %g", m.Calibration, 100*m.part)
	}
	return string(m.Calibration)
}

// methods lists what to try, of equally good ones the first counts; nil if
// there is no such Calibration.
func (c Calibration) methods() []method {
	percentiles := []method{{CalibratePercentile, 0.9999}, {CalibratePercentile, 0.999}}
	switch c {
	case CalibrateMSE, CalibrateMinMax:
		return []method{{c, 0}}
	case CalibratePercentile:
		return percentiles
	case CalibrateAuto:
		return append([]method{{CalibrateMSE, 0}, {CalibrateMinMax, 0}}, percentiles...)
	}
	return nil
}

// reach is a range of real values.
type reach struct{ lo, hi float64 }

// by returns what was observed, for scales chosen by a method.
func (o *observed) by(m method) *observed {
	c := *o
	c.tensors = slices.Clone(o.tensors)
	for t := range c.tensors {
		s := &c.tensors[t]
		s.best = map[width]int{}
		switch m.Calibration {
		case CalibrateMinMax:
			s.whole = &reach{s.lo, s.hi}
		case CalibratePercentile:
			s.whole = s.percentile(m.part)
		}
	}
	return &c
}

// percentile returns the range of the given part of the values, those of the
// least magnitude; of all where that part is zeros.
func (s *statistics) percentile(part float64) *reach {
	size := make([]float64, len(s.values))
	for i, v := range s.values {
		size[i] = math.Abs(v)
	}
	slices.Sort(size)
	top := size[min(int(math.Ceil(part*float64(len(size)))), len(size))-1]
	if top == 0 {
		return &reach{s.lo, s.hi}
	}
	return &reach{max(s.lo, -top), min(s.hi, top)}
}
