package nn

import (
	"errors"
	"fmt"
	"math"
	"sync"
)

// Difference is how far a tensor of a quantised network is from what the
// float network has in its place.
type Difference struct {
	Name string `json:"name"`
	Op   string `json:"op"`
	// Twin is the node of the float network; empty if there is none, as for a
	// stage that does part of a node's work, and then Error means nothing.
	Twin string `json:"twin,omitempty"`
	// Unit is what an integer of the tensor is worth.
	Unit float64 `json:"unit,omitempty"`
	// Error is the root of the mean square difference, in units of the float
	// tensor's root mean square.
	Error float64 `json:"error"`
	// Saturation is the share of values that a stage, or the input, clamps.
	Saturation float64 `json:"saturation"`
	// Largest is the largest magnitude in the float tensor.
	Largest float64 `json:"largest"`
}

// Compare runs a float network and the network that Quantize made of it on
// samples, and returns the differences of all tensors, the input's first. It
// needs nothing from Quantize: layers find their nodes by name, kind and size,
// and units are those that fit best, a power of two (over the elements of an
// average) if one is near.
func Compare(g *Graph, m *Model, samples [][]float32) ([]Difference, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	if g.Input != m.Input.Dims || g.Dims(g.Output).Len() != m.Dims(m.Output.Tensor).Len() {
		return nil, fmt.Errorf("nn: compare: the float network takes %s and gives %s, the quantised one takes %s and gives %s: they are not the same",
			g.Input, g.Dims(g.Output), m.Input.Dims, m.Dims(m.Output.Tensor))
	}
	if len(samples) == 0 {
		return nil, errors.New("nn: compare: no samples")
	}
	// Whether channels were equalised the model does not say: where they were,
	// the graph as it is fits badly.
	f := g.prepare()
	all, err := m.compareTo(f, samples)
	if err != nil {
		return nil, fmt.Errorf("nn: compare: %w", err)
	}
	if even, n := f.equalized(EqualizeAlways); n > 0 {
		other, err := m.compareTo(even, samples)
		if err != nil {
			return nil, fmt.Errorf("nn: compare: %w", err)
		}
		if total(other) < total(all) {
			all = other
		}
	}
	return all, nil
}

// total adds up errors, none counting for more than all of a tensor.
func total(all []Difference) float64 {
	sum := 0.0
	for i := range all {
		sum += min(all[i].Error, 1)
	}
	return sum
}

// compareTo is Compare with a prepared graph.
func (m *Model) compareTo(f *Graph, samples [][]float32) ([]Difference, error) {
	twins := m.twins(f)
	sums := make([]correlation, len(twins))
	err := f.rounds(samples, func(_ int, runs [][][]float32) error {
		parts, errs := make([][]correlation, len(runs)), make([]error, len(runs))
		var wg sync.WaitGroup
		for j, tensors := range runs {
			wg.Go(func() { parts[j], errs[j] = m.correlate(tensors, twins) })
		}
		wg.Wait()
		for _, part := range parts {
			for t := range part {
				sums[t].add(&part[t])
			}
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return nil, err
	}
	return m.differences(f, twins, sums), nil
}

// twins finds for each tensor the one of the float graph that it stands for,
// -1 if there is none.
func (m *Model) twins(g *Graph) []int {
	twins := make([]int, len(m.Layers)+1)
	taken := make([]bool, len(g.Nodes))
	for i := range m.Layers {
		l := &m.Layers[i]
		twins[i+1] = -1
		for j := range g.Nodes {
			n := &g.Nodes[j]
			if !taken[j] && n.Name == l.Name && l.does(n.Op) && n.Out.Len() == l.Out.Len() {
				twins[i+1], taken[j] = j+1, true
				break
			}
		}
		// What only changes form stands for what its input stands for.
		same := l.Reshape != nil || l.Activate != nil && l.Activate.Func == Identity && l.Activate.Pool == nil
		if twins[i+1] < 0 && same {
			twins[i+1] = twins[l.In[0]]
		}
	}
	return twins
}

// does reports whether a layer can be what is left of a node.
func (l *Layer) does(op NodeOp) bool {
	switch op {
	case NodeConv, NodeDense:
		return l.Conv != nil
	case NodeRelu, NodeSquare, NodeMaxPool, NodeTable:
		return l.Activate != nil
	case NodeAvgPool:
		return l.SumPool != nil
	}
	return l.Conv == nil && l.Activate == nil && l.SumPool == nil
}

// correlation sums up products of a tensor's integers and its twin's values.
type correlation struct {
	float, product, integer float64 // of squares, of both, of squares
	largest                 float64
	count, clamped          int
}

func (c *correlation) add(o *correlation) {
	c.float += o.float
	c.product += o.product
	c.integer += o.integer
	c.largest = max(c.largest, o.largest)
	c.count += o.count
	c.clamped += o.clamped
}

// correlate runs the model on a sample for which the float network gave want.
func (m *Model) correlate(want [][]float32, twins []int) ([]correlation, error) {
	in := make([]int32, len(want[0]))
	m.Input.Quantize(in, want[0])
	got, err := m.RunAll(in)
	if err != nil {
		return nil, err
	}
	sums := make([]correlation, len(twins))
	for t, values := range got {
		s := &sums[t]
		if twins[t] >= 0 {
			for i, v := range values {
				w := float64(want[twins[t]][i])
				s.float += w * w
				s.product += w * float64(v)
				s.integer += float64(v) * float64(v)
				s.largest = max(s.largest, math.Abs(w))
			}
		}
		switch {
		case t == 0:
			lo, hi := Limits(m.Input.Bits, m.Input.Signed)
			s.clamped, s.count = outside(want[0], math.Ldexp(1, m.Input.Frac), lo, hi), len(in)
		case m.Layers[t-1].Activate != nil:
			l := &m.Layers[t-1]
			s.clamped, s.count = l.Activate.clamped(got[l.In[0]]), len(got[l.In[0]])
		}
	}
	return sums, nil
}

func (m *Model) differences(g *Graph, twins []int, sums []correlation) []Difference {
	all := make([]Difference, len(twins))
	for t := range all {
		d, s := &all[t], &sums[t]
		if t == 0 {
			d.Name, d.Op = "input", "input"
		} else {
			d.Name, d.Op = m.Layers[t-1].Name, m.Layers[t-1].op()
		}
		if s.count > 0 {
			d.Saturation = float64(s.clamped) / float64(s.count)
		}
		if twins[t] < 0 {
			continue
		}
		d.Twin, d.Largest = g.tensorName(twins[t]), s.largest
		d.Unit = m.unit(t, s)
		if s.float > 0 {
			d.Error = math.Sqrt(max(s.float-2*d.Unit*s.product+d.Unit*d.Unit*s.integer, 0) / s.float)
		}
	}
	return all
}

// nearUnit is how close a unit that a scale can have must be to the one that fits
// best, to be taken for it. LOCAL.
const nearUnit = 0.1

// unit returns what an integer of tensor t is worth.
func (m *Model) unit(t int, s *correlation) float64 {
	switch {
	case t == 0:
		return math.Ldexp(1, -m.Input.Frac)
	case t == m.Output.Tensor:
		return math.Ldexp(1, -m.Output.Frac) / float64(max(m.Output.Div, 1))
	case s.integer == 0 || s.product <= 0:
		return 1 // nothing fits: the tensors have nothing in common
	}
	best := s.product / s.integer
	for _, div := range m.divisors() {
		f := math.Exp2(math.Round(math.Log2(best*float64(div)))) / float64(div)
		if math.Abs(f/best-1) < nearUnit {
			return f
		}
	}
	return best
}

// divisors lists 1 and the sizes of windows that are summed.
func (m *Model) divisors() []int {
	all := []int{1}
	for i := range m.Layers {
		if p := m.Layers[i].SumPool; p != nil {
			all = append(all, p.KH*p.KW)
		}
	}
	return all
}
