package nn

import (
	"errors"
	"math"
	"sync"
)

// newReport runs both networks on the samples and compares every tensor.
func newReport(m *Model, g *Graph, terms []*term, samples [][]float32) (*QuantizeReport, error) {
	lines := make([]LayerReport, len(terms))
	for i, t := range terms {
		lines[i] = t.report()
	}
	lines[0].Bits, lines[0].Signed = m.Input.Bits, m.Input.Signed
	sums, err := compareAll(m, g, terms, samples)
	if err != nil {
		return nil, err
	}
	for i, s := range sums {
		if s.power > 0 {
			lines[i].Error = math.Sqrt(s.error / s.power)
		}
		if s.count > 0 {
			lines[i].Saturation = float64(s.clamped) / float64(s.count)
		}
	}
	return &QuantizeReport{Samples: len(samples), Input: lines[0], Layers: lines[1:]}, nil
}

func (t *term) report() LayerReport {
	r := LayerReport{Name: t.name, Op: "input", Width: t.width(), Frac: t.scale.frac, Div: t.scale.div}
	if t.layer == nil {
		return r
	}
	r.Op = t.layer.op()
	if a := t.layer.Activate; a != nil {
		r.Width, r.Shift, r.Bits, r.Signed = a.Width, a.Shift, a.Bits, a.Signed
	}
	if t.weights != nil {
		r.WeightBits = t.weights.bits()
	}
	return r
}

// op names what a layer does.
func (l *Layer) op() string {
	switch {
	case l.Conv != nil:
		return "conv"
	case l.SumPool != nil:
		return "sum_pool"
	case l.Add != nil:
		return "add"
	case l.Concat != nil:
		return "concat"
	case l.ZeroPad != nil:
		return "zero_pad"
	case l.Slice != nil:
		return "slice"
	case l.Transpose != nil:
		return "transpose"
	case l.Upsample != nil:
		return "upsample"
	case l.Stuff != nil:
		return "stuff"
	case l.Activate != nil && l.Activate.Pool != nil:
		return "max_pool+" + string(l.Activate.Func)
	case l.Activate != nil:
		return string(l.Activate.Func)
	}
	return "reshape"
}

// comparison sums up how a tensor differs from its float twin.
type comparison struct {
	power, error   float64
	count, clamped int
}

func compareAll(m *Model, g *Graph, terms []*term, samples [][]float32) ([]comparison, error) {
	sums := make([]comparison, len(terms))
	err := g.rounds(samples, func(first int, runs [][][]float32) error {
		parts, errs := make([][]comparison, len(runs)), make([]error, len(runs))
		var wg sync.WaitGroup
		for j, tensors := range runs {
			wg.Go(func() { parts[j], errs[j] = m.compare(tensors, terms) })
		}
		wg.Wait()
		for _, part := range parts {
			for t, p := range part {
				sums[t].power += p.power
				sums[t].error += p.error
				sums[t].count += p.count
				sums[t].clamped += p.clamped
			}
		}
		return errors.Join(errs...)
	})
	return sums, err
}

// compare runs the model on a sample for which the float network gave want.
func (m *Model) compare(want [][]float32, terms []*term) ([]comparison, error) {
	x := want[0]
	in := make([]int32, len(x))
	m.Input.Quantize(in, x)
	got, err := m.RunAll(in)
	if err != nil {
		return nil, err
	}
	sums := make([]comparison, len(terms))
	for t, values := range got {
		s, unit := &sums[t], 1/terms[t].scale.perUnit()
		for i, v := range values {
			if terms[t].partial {
				break // there is nothing to compare it with
			}
			w := float64(want[terms[t].ref][i])
			d := float64(v)*unit - w
			s.power += w * w
			s.error += d * d
		}
		switch {
		case t == 0:
			lo, hi := Limits(m.Input.Bits, m.Input.Signed)
			s.clamped, s.count = outside(x, math.Ldexp(1, m.Input.Frac), lo, hi), len(x)
		case m.Layers[t-1].Activate != nil:
			l := &m.Layers[t-1]
			s.clamped, s.count = l.Activate.clamped(got[l.In[0]]), len(got[l.In[0]])
		}
	}
	return sums, nil
}

func outside(x []float32, scale float64, lo, hi int32) int {
	n := 0
	for _, v := range x {
		if r := math.Floor(float64(v)*scale + 0.5); r < float64(lo) || r > float64(hi) {
			n++
		}
	}
	return n
}

// clamped counts the values that the stage clamps, other than negative ones
// that a relu is there for and those beyond the bounds of a clip. Of a window of a max-pool it counts them all.
func (a *Activate) clamped(x []int32) int {
	lo, hi := Limits(a.Bits, a.Signed)
	midLo, midHi := Limits(max(a.Mid, 1), true)
	n := 0
	for _, y := range x {
		u := roundShift(int64(y), a.Shift)
		over := false
		switch a.Func {
		case Identity, Relu:
			over = u > int64(hi) || u < int64(lo) && a.Func == Identity
		case Leaky:
			over = u > int64(hi) || roundShift(u, a.Slope) < int64(lo)
		case Square:
			over = u > int64(midHi) || u < int64(midLo) || roundShift(u*u, a.Shift2) > int64(hi)
		case Table:
			over = int64(y)>>a.Shift > int64(midHi) || int64(y)>>a.Shift < int64(midLo)
		}
		if over {
			n++
		}
	}
	return n
}
