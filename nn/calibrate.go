package nn

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
)

// statistics is what calibration keeps of a tensor of the float network.
type statistics struct {
	values []float64     // some of the values on the samples, evenly spread
	lo, hi float64       // over all values
	whole  *reach        // what the integers must reach; nil for the least mean square error
	best   map[width]int // what bestFrac has found
}

// maxValues is how many values of a tensor calibration keeps.
const maxValues = 1 << 16

// observed is what calibration learns from the samples.
type observed struct {
	tensors []statistics
	inputs  [][]*covariance        // of what each group of each Conv, and each Dense, takes; nil for other nodes
	rounded []map[rounding][]int16 // the weights of each of these nodes
	scores  [][]float32            // of each sample
}

// observe runs the float network on the samples.
func observe(g *Graph, samples [][]float32) (*observed, error) {
	o := &observed{tensors: make([]statistics, len(g.Nodes)+1), inputs: make([][]*covariance, len(g.Nodes)), rounded: make([]map[rounding][]int16, len(g.Nodes))}
	for t := range o.tensors {
		o.tensors[t] = statistics{lo: math.Inf(1), hi: math.Inf(-1)}
	}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Op == NodeConv || n.Op == NodeDense {
			o.rounded[i] = map[rounding][]int16{}
			for range n.groups() {
				o.inputs[i] = append(o.inputs[i], newCovariance(len(n.Weights)/n.Out.C))
			}
		}
	}
	err := g.rounds(samples, func(first int, runs [][][]float32) error {
		for j, tensors := range runs {
			o.scores = append(o.scores, slices.Clone(tensors[g.Output]))
			for t, values := range tensors {
				if i := notFinite(values); i >= 0 {
					return fmt.Errorf("sample %d: value %d of tensor %d (%s) is %v", first+j, i, t, g.tensorName(t), values[i])
				}
				o.tensors[t].add(values, first+j, len(samples))
			}
		}
		var wg sync.WaitGroup
		for i, groups := range o.inputs {
			if groups != nil {
				wg.Go(func() {
					for j, tensors := range runs {
						g.observeInputs(groups, i, tensors, first+j, len(samples))
					}
				})
			}
		}
		wg.Wait()
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, groups := range o.inputs {
		for _, c := range groups {
			c.finish()
		}
	}
	return o, nil
}

// rounds computes as many samples as there are processors side by side, again
// and again, and calls take with every tensor of each and the index of the
// first. So sums that take makes do not depend on the number of processors.
func (g *Graph) rounds(samples [][]float32, take func(first int, runs [][][]float32) error) error {
	memory := make([][][]float32, runtime.GOMAXPROCS(0))
	for first := 0; first < len(samples); first += len(memory) {
		n := min(len(memory), len(samples)-first)
		errs := make([]error, n)
		var wg sync.WaitGroup
		for j := range n {
			wg.Go(func() { memory[j], errs[j] = g.RunAll(samples[first+j], memory[j]) })
		}
		wg.Wait()
		for j, err := range errs {
			if err != nil {
				return fmt.Errorf("sample %d: %w", first+j, err)
			}
		}
		if err := take(first, memory[:n]); err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) tensorName(t int) string {
	if t == 0 {
		return "input"
	}
	return g.Nodes[t-1].Name
}

// observeInputs adds to groups what node i takes for some of its outputs on
// sample s of n: some for each tap over all samples.
func (g *Graph) observeInputs(groups []*covariance, i int, tensors [][]float32, s, n int) {
	node := &g.Nodes[i]
	x := tensors[node.In[0]]
	if node.Op == NodeDense {
		groups[0].add(x)
		return
	}
	row := make([]float32, len(groups[0].mean))
	in := g.Dims(node.In[0])
	in.C /= len(groups)
	plane := node.Out.H * node.Out.W
	count := min(plane, (inputsPerTap*len(row)+n-1)/n)
	for j := range count {
		at := (s*7919 + j*plane/count) % plane
		for k, c := range groups {
			gatherFloat(row, x[k*in.Len():][:in.Len()], in, node.Window, at/node.Out.W, at%node.Out.W)
			c.add(row)
		}
	}
}

// inputsPerTap is how many inputs of a convolution calibration looks at, for
// each of its taps.
const inputsPerTap = 4

// add takes in the values of sample i of n.
func (s *statistics) add(values []float32, i, n int) {
	for _, v := range values {
		s.lo, s.hi = min(s.lo, float64(v)), max(s.hi, float64(v))
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
// Where a range is to be kept whole, it is the largest f that does that.
func (s *statistics) bestFrac(bits int, signed bool, div int) int {
	if s.whole != nil {
		return fitFrac(s.whole.lo*float64(div), s.whole.hi*float64(div), bits, signed)
	}
	key := width{bits, signed, div}
	if f, known := s.best[key]; known {
		return f
	}
	fit := fitFrac(s.lo*float64(div), s.hi*float64(div), bits, signed)
	best, least := fit, math.Inf(1)
	for f := max(fit-2, -fracRange); f <= min(fit+4, fracRange); f++ {
		scale := math.Ldexp(float64(div), f)
		if e := s.roundingError(bits, signed, scale); e < least {
			best, least = f, e
		}
	}
	if s.best != nil {
		s.best[key] = best
	}
	return best
}

// width is what bestFrac is asked for.
type width struct {
	bits   int
	signed bool
	div    int
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
