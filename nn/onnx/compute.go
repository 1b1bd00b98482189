package onnx

import (
	"slices"

	"dorcas/nn"
)

// compute adds the nodes that compute a function and returns their output. It
// starts from the last of the functions in it that must be there anyway,
// because something else needs them too.
func (n *node) compute(f *function) int {
	if f.tensor >= 0 || n.err != nil {
		return max(0, f.tensor)
	}
	before := f.dominators()
	base := before[len(before)-1]
	edges := f.edges()
	for _, d := range before {
		if d.tensor >= 0 || d.learned || d.uses > edges[d] {
			base = d
			break
		}
	}
	n.compute(base)
	for _, d := range slices.Backward(before) { // an affine at its beginning is no part of the table
		if d.kind == affine && d.args[0] == base {
			d.tensor = n.express(d, base)
			base = d
			break
		}
	}
	f.tensor = n.express(f, base)
	return f.tensor
}

// express adds the nodes for f as a function of base, which is computed.
func (n *node) express(f, base *function) int {
	if n.err != nil {
		return 0
	}
	name := n.name
	if f.name != "" {
		n.name = f.name
		defer func() { n.name = name }()
	}
	out := nn.Node{Out: n.r.g.Dims(base.tensor)}
	direct := len(f.args) == 1 && f.args[0] == base
	switch {
	case direct && f.kind == affine:
		return n.scalar(base, f.a, f.b)
	case direct && f.relu():
		out.Op = nn.NodeRelu
	case direct && f.kind == square:
		out.Op = nn.NodeSquare
	case f.kind == affine && len(f.args[0].args) == 1 && f.args[0].args[0] == base && (f.args[0].relu() || f.args[0].kind == square):
		f.args[0].tensor = n.express(f.args[0], base)
		return n.scalar(f.args[0], f.a, f.b)
	default:
		out.Op, out.Func = nn.NodeTable, f.table(base)
	}
	return n.add(out, base.tensor)
}

// scalar adds a·x + b.
func (n *node) scalar(x *function, a, b float64) int {
	v := &value{tensor: x.tensor, shape: []int{1}, shared: x.shared || x.uses > 1}
	var scale []float32
	if a != 1 {
		scale = []float32{float32(a)}
	}
	return n.affine(v, along{}, scale, []float32{float32(b)}).tensorOr(0)
}

func (v *value) tensorOr(otherwise int) int {
	if v == nil {
		return otherwise
	}
	return v.tensor
}

// program returns the functions from base to f, operands before what needs
// them, base not among them.
func (f *function) program(base *function) []*function {
	var list []*function
	seen := map[*function]bool{base: true}
	var visit func(f *function)
	visit = func(f *function) {
		if seen[f] {
			return
		}
		seen[f] = true
		for _, a := range f.args {
			visit(a)
		}
		list = append(list, f)
	}
	visit(f)
	return list
}

// dominators returns the functions, but f, through which all that f is made of
// goes, nearest first; the last one is the leaf.
func (f *function) dominators() []*function {
	list := f.program(nil)
	var out []*function
	for _, d := range slices.Backward(list[:len(list)-1]) {
		// Without d, the leaf cannot be reached.
		reach := f.program(d)
		if d == list[0] || !slices.Contains(reach, list[0]) {
			out = append(out, d)
		}
	}
	return out
}

// edges counts how often each function in f is an operand in it.
func (f *function) edges() map[*function]int {
	edges := map[*function]int{}
	for _, g := range f.program(nil) {
		for _, a := range g.args {
			edges[a]++
		}
	}
	return edges
}

// tabulated reports whether a function has parts that only a table can
// compute.
func (f *function) tabulated() bool {
	return slices.ContainsFunc(f.program(nil), func(g *function) bool { return g.kind >= square && g.tensor < 0 })
}

// secret reports whether constants that may be weights would become part of a
// table: those above the last function that is computed on its own anyway.
func (f *function) secret() bool {
	var base *function
	for _, d := range f.dominators() {
		if base == nil && (d.learned || d.tensor >= 0) {
			base = d
		}
	}
	return slices.ContainsFunc(f.program(base), func(g *function) bool { return g.learned && g.tensor < 0 })
}

// table returns f as a public function of base.
func (f *function) table(base *function) nn.Univariate {
	if len(f.args) == 1 && f.args[0] == base {
		of := func(x float64) float64 { return f.of(x, 0) }
		switch f.kind {
		case clip:
			return univariate("clip", []float64{f.a, f.b}, of)
		case leaky:
			return univariate("leaky_relu", []float64{f.a}, of)
		}
	}
	steps := f.program(base)
	place := map[*function]int{base: 0}
	texts := map[*function]string{base: "x"}
	operands := make([][2]int, len(steps))
	for i, s := range steps {
		place[s] = i + 1
		var args []string
		for j, a := range s.args {
			operands[i][j] = place[a]
			args = append(args, texts[a])
		}
		if texts[s] = s.format(args...); len(texts[s]) > 1000 {
			texts[s] = "…"
		}
	}
	return univariate(texts[f], nil, func(x float64) float64 {
		var memory [2*maxFunction + 2]float64
		values := append(memory[:0], x)
		for i, s := range steps {
			values = append(values, s.of(values[operands[i][0]], values[operands[i][1]]))
		}
		return values[len(values)-1]
	})
}
