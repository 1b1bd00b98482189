package nn

// model lists the layers that the scores need, each after those it takes, and
// returns their terms by tensor.
func (q *quantizer) model() (*Model, []*term) {
	in, out := q.terms[0], q.out
	m := &Model{Shape: Shape{Name: q.graph.Name}}
	m.Input = Input{Dims: in.out, Frac: in.scale.frac, Bits: q.inputBits, Signed: in.bounds[0].Lo < 0}
	terms := []*term{in}
	tensor := map[*term]int{in: 0}
	var visit func(*term)
	visit = func(t *term) {
		if _, done := tensor[t]; done {
			return
		}
		for _, o := range t.in {
			visit(o)
		}
		l := *t.layer
		l.Name, l.Out = t.name, t.out
		for _, o := range t.in {
			l.In = append(l.In, tensor[o])
		}
		if l.Conv != nil {
			l.Conv = &Conv{Window: l.Conv.Window, Groups: l.Conv.Groups, PlaneBias: l.Conv.PlaneBias, NormBits: t.weights.NormBits(l.Out.C)}
		}
		m.Layers = append(m.Layers, l)
		m.Weights = append(m.Weights, t.weights)
		tensor[t] = len(terms)
		terms = append(terms, t)
	}
	visit(out)
	m.Output = Output{
		Tensor: tensor[out], Width: max(out.width(), 2), Frac: out.scale.frac, Div: out.scale.div,
		Reveal: q.opt.Reveal, Head: q.graph.Head,
	}
	return m, terms
}
