package nn

import (
	"fmt"
	"math"
	"runtime"
	"sync"
)

// statistics is what calibration keeps of a tensor of the float network.
type statistics struct {
	values []float64 // some of the values on the samples, evenly spread
	mean   []float64 // of each element
	lo, hi float64   // over all values
}

// maxValues is how many values of a tensor calibration keeps.
const maxValues = 1 << 16

// observe runs the float network on the samples. It returns the statistics of
// every tensor and, for every Conv and Dense, those of its inputs.
func observe(g *Graph, samples [][]float32) ([]statistics, []*covariance, error) {
	stats := make([]statistics, len(g.Nodes)+1)
	inputs := make([]*covariance, len(g.Nodes))
	for t := range stats {
		stats[t].lo, stats[t].hi = math.Inf(1), math.Inf(-1)
		stats[t].mean = make([]float64, g.Dims(t).Len())
	}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Op == NodeConv || n.Op == NodeDense {
			inputs[i] = newCovariance(len(n.Weights) / n.Out.C)
		}
	}
	// A round of samples at a time, computed side by side and then taken in
	// order, so that the sums do not depend on the number of processors.
	round := runtime.GOMAXPROCS(0)
	memory := make([][][]float32, round)
	for first := 0; first < len(samples); first += round {
		n := min(round, len(samples)-first)
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { memory[i], errs[i] = g.RunAll(samples[first+i], memory[i]) })
		}
		wg.Wait()
		for i := range n {
			if errs[i] != nil {
				return nil, nil, fmt.Errorf("sample %d: %w", first+i, errs[i])
			}
			for t, values := range memory[i] {
				if j := notFinite(values); j >= 0 {
					return nil, nil, fmt.Errorf("sample %d: value %d of tensor %d (%s) is %v", first+i, j, t, g.tensorName(t), values[j])
				}
				stats[t].add(values, first+i, len(samples))
			}
		}
		for i, c := range inputs {
			if c != nil {
				wg.Go(func() {
					for j := range n {
						g.observeInputs(c, i, memory[j], first+j, len(samples))
					}
				})
			}
		}
		wg.Wait()
	}
	for t := range stats {
		for i := range stats[t].mean {
			stats[t].mean[i] /= float64(len(samples))
		}
	}
	for _, c := range inputs {
		if c != nil {
			c.finish()
		}
	}
	return stats, inputs, nil
}

// observeInputs adds to c what node i takes for some of its outputs on sample s
// of n: some for each tap over all samples.
func (g *Graph) observeInputs(c *covariance, i int, tensors [][]float32, s, n int) {
	node := &g.Nodes[i]
	x := tensors[node.In[0]]
	if node.Op == NodeDense {
		c.add(x)
		return
	}
	row := make([]float32, len(c.mean))
	plane := node.Out.H * node.Out.W
	count := min(plane, (inputsPerTap*len(row)+n-1)/n)
	for j := range count {
		at := (s*7919 + j*plane/count) % plane
		gatherFloat(row, x, g.Dims(node.In[0]), node.Window, at/node.Out.W, at%node.Out.W)
		c.add(row)
	}
}

// inputsPerTap is how many inputs of a convolution calibration looks at, for
// each of its taps.
const inputsPerTap = 4

func (g *Graph) tensorName(t int) string {
	if t == 0 {
		return "input"
	}
	return g.Nodes[t-1].Name
}

// add takes in the values of sample i of n.
func (s *statistics) add(values []float32, i, n int) {
	for j, v := range values {
		x := float64(v)
		s.mean[j] += x
		s.lo, s.hi = min(s.lo, x), max(s.hi, x)
	}
	keep := min(len(values), max(1, maxValues/n))
	offset := i * 7919 // a prime, so that samples give different elements
	for j := range keep {
		s.values = append(s.values, float64(values[(offset+j*len(values)/keep)%len(values)]))
	}
}

// fracRange bounds the exponents of scales.
const fracRange = 32

// bestFrac returns the f for which integers of the width, times 2^-f / div,
// come closest to the values in mean square; of equally close ones the least.
func (s *statistics) bestFrac(bits int, signed bool, div int) int {
	fit := fitFrac(s.lo*float64(div), s.hi*float64(div), bits, signed)
	best, least := fit, math.Inf(1)
	for f := max(fit-2, -fracRange); f <= min(fit+4, fracRange); f++ {
		scale := math.Ldexp(float64(div), f)
		if e := s.roundingError(bits, signed, scale); e < least {
			best, least = f, e
		}
	}
	return best
}

// fitFrac returns the largest f such that all of lo·2^f to hi·2^f rounds to
// integers of the width, one more than the largest allowed.
func fitFrac(lo, hi float64, bits int, signed bool) int {
	least, most := Limits(bits, signed)
	f := fracRange
	for f > -fracRange && (math.Ldexp(hi, f) > float64(most)+1 || signed && math.Ldexp(lo, f) < float64(least)-0.5) {
		f--
	}
	return f
}

// roundingError returns the sum of the squares of what rounding to integers
// of the width, at so many to a unit, changes.
func (s *statistics) roundingError(bits int, signed bool, scale float64) float64 {
	lo, hi := Limits(bits, signed)
	var sum float64
	for _, v := range s.values {
		z := min(max(math.Floor(v*scale+0.5), float64(lo)), float64(hi))
		d := z/scale - v
		sum += d * d
	}
	return sum
}

// relativeError returns the root mean square of what rounding to integers of
// the width at the best scale changes, in units of that of the values.
func (s *statistics) relativeError(bits int, signed bool) float64 {
	var power float64
	for _, v := range s.values {
		power += v * v
	}
	if power == 0 {
		return 0
	}
	return math.Sqrt(s.roundingError(bits, signed, math.Ldexp(1, s.bestFrac(bits, signed, 1))) / power)
}
