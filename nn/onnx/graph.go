package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dorcas/nn"
	"dorcas/nn/onnx/internal/pb"
)

// A reader translates one file.
type reader struct {
	file  *pb.GraphProto
	opset int
	// batch is how many images the file computes at a time, 1 where it
	// leaves that open. Shapes here are the file's own, batch included;
	// tensors of the nn.Graph hold one image.
	batch int

	inputs    map[string]*pb.ValueInfoProto // but constants
	constants map[string]*pb.TensorProto
	producer  map[string]int    // node that computes a tensor
	uses      map[string]int    // by nodes that the output needs, and as output
	values    map[string]*value // what is known so far

	g        *nn.Graph
	reshaped map[reshapeKey]int
	leaves   map[int]*function            // the tensors of g as functions
	orders   map[int]map[string]orderStep // see transpositions
	total    int                          // elements of all tensors of g
	// budget is how many numbers may still be made out of those of the file,
	// so that many nodes cannot each copy one large tensor.
	budget int

	unsupported []*node
}

// reshapeKey identifies a Reshape node of the graph.
type reshapeKey struct {
	tensor int
	out    nn.Dims
}

func newReader(file *pb.GraphProto, opset, size int) *reader {
	return &reader{
		file: file, opset: opset, batch: 1,
		inputs:    map[string]*pb.ValueInfoProto{},
		constants: map[string]*pb.TensorProto{},
		producer:  map[string]int{},
		uses:      map[string]int{},
		values:    map[string]*value{},
		g:         &nn.Graph{Name: file.GetName()},
		reshaped:  map[reshapeKey]int{},
		leaves:    map[int]*function{},
		orders:    map[int]map[string]orderStep{},
		budget:    1<<20 + 2*size,
	}
}

// read fills in r.g.
func (r *reader) read() error {
	if err := r.index(); err != nil {
		return err
	}
	output, err := r.outputName()
	if err != nil {
		return err
	}
	needed, err := r.needed(output)
	if err != nil {
		return err
	}
	order, err := r.order(needed)
	if err != nil {
		return err
	}
	if err := r.input(order); err != nil {
		return err
	}
	for _, i := range order {
		if err := r.translate(i); err != nil {
			return err
		}
	}
	if err := r.output(output); err != nil {
		return err
	}
	return r.g.Validate()
}

// index records where each tensor of the file comes from.
func (r *reader) index() error {
	for _, t := range r.file.GetInitializer() {
		if t.GetName() == "" || r.constants[t.GetName()] != nil {
			return fmt.Errorf("initializer %s: name is empty or used twice", quote(t.GetName()))
		}
		r.constants[t.GetName()] = t
	}
	for _, in := range r.file.GetInput() { // constants stand here too in old files
		switch name := in.GetName(); {
		case r.constants[name] != nil:
		case name == "" || r.inputs[name] != nil:
			return fmt.Errorf("input %s: name is empty or used twice", quote(name))
		default:
			r.inputs[name] = in
		}
	}
	for i, p := range r.file.GetNode() {
		for _, name := range p.GetOutput() {
			if name == "" {
				continue
			}
			_, twice := r.producer[name]
			if twice || r.constants[name] != nil || r.inputs[name] != nil {
				return fmt.Errorf("tensor %s is computed twice", quote(name))
			}
			r.producer[name] = i
		}
	}
	return nil
}

// needed says of each node whether the output depends on it, and counts the
// uses of tensors by those nodes.
func (r *reader) needed(output string) ([]bool, error) {
	nodes := r.file.GetNode()
	needed := make([]bool, len(nodes))
	r.uses[output]++
	for next := []string{output}; len(next) > 0; {
		name := next[len(next)-1]
		next = next[:len(next)-1]
		i, ok := r.producer[name]
		if !ok || needed[i] {
			continue
		}
		needed[i] = true
		for _, in := range nodes[i].GetInput() {
			if in != "" {
				r.uses[in]++
				next = append(next, in)
			}
		}
	}
	if _, ok := r.producer[output]; !ok {
		return nil, fmt.Errorf("output %s is not computed by any node", quote(output))
	}
	return needed, nil
}

// order returns the needed nodes in an order in which each comes after those
// it depends on: the file's, if that is one.
func (r *reader) order(needed []bool) ([]int, error) {
	const (
		fresh = iota
		open  // on the stack
		done
	)
	nodes := r.file.GetNode()
	state := make([]uint8, len(nodes))
	next := make([]int, len(nodes)) // input to look at next
	var order, stack []int
	for start := range nodes {
		if !needed[start] || state[start] == done {
			continue
		}
		state[start] = open
		for stack = append(stack, start); len(stack) > 0; {
			i := stack[len(stack)-1]
			if next[i] == len(nodes[i].GetInput()) {
				state[i] = done
				order = append(order, i)
				stack = stack[:len(stack)-1]
				continue
			}
			name := nodes[i].GetInput()[next[i]]
			next[i]++
			from, ok := r.producer[name]
			switch {
			case !ok && name != "" && r.constants[name] == nil && r.inputs[name] == nil:
				return nil, fmt.Errorf("%s: nothing computes its input %s", newNode(r, i), quote(name))
			case ok && state[from] == open:
				return nil, fmt.Errorf("%s: its input depends on its output", newNode(r, i))
			case ok && state[from] == fresh:
				state[from] = open
				stack = append(stack, from)
			}
		}
	}
	return order, nil
}

// translate adds what node i of the file computes to the values.
func (r *reader) translate(i int) error {
	n := newNode(r, i)
	v := n.translate()
	if v == nil {
		n.check(errUnknown) // unless an error says why
	}
	for j, name := range n.outputs {
		if r.uses[name] > 0 && j > 0 && len(n.results) != len(n.outputs) {
			n.unsupported("its output %s", quote(name))
		}
	}
	switch {
	case len(n.missing) > 0:
		r.report(n)
	case n.err != nil && !errors.Is(n.err, errUnknown):
		return fmt.Errorf("%s: %w", n, n.err)
	}
	for j, name := range n.outputs {
		switch {
		case n.err != nil || j > 0 && j >= len(n.results):
			v = &value{unknown: true}
		case j < len(n.results):
			v = n.results[j]
		}
		out := *v
		if out.fn != nil { // of views of a tensor too
			out.fn.uses = max(out.fn.uses, r.uses[name])
		}
		out.computed = v.constant == nil && n.computed && n.op != "Shape" && n.op != "Size"
		r.values[name] = &out
	}
	return nil
}

// report adds a node to those that are not supported.
func (r *reader) report(n *node) {
	if !n.reported {
		n.reported = true
		r.unsupported = append(r.unsupported, n)
	}
}

// unsupportedError lists the nodes reported, in the order of the file.
func (r *reader) unsupportedError() *UnsupportedError {
	slices.SortFunc(r.unsupported, func(a, b *node) int { return a.index - b.index })
	e := new(UnsupportedError)
	for _, n := range r.unsupported {
		slices.Sort(n.missing)
		missing := strings.Join(slices.Compact(n.missing), "; ")
		e.Nodes = append(e.Nodes, Unsupported{Op: n.op, Name: n.name, Missing: missing})
	}
	return e
}

// outputName chooses the output that is read. Where a file gives labels too,
// as scikit-learn's exporter does, it is that of the scores.
func (r *reader) outputName() (string, error) {
	outputs := r.file.GetOutput()
	var names []string
	for _, o := range outputs {
		switch t := pb.TensorProto_DataType(o.GetType().GetTensorType().GetElemType()); t {
		case pb.TensorProto_INT64, pb.TensorProto_INT32, pb.TensorProto_STRING, pb.TensorProto_BOOL:
			if len(outputs) > 1 {
				continue // labels
			}
		}
		names = append(names, o.GetName())
	}
	if len(names) != 1 {
		return "", fmt.Errorf("the graph has %d outputs, want 1", len(outputs))
	}
	return names[0], nil
}

// output sets the graph's output, or reports what was found not to be
// supported.
func (r *reader) output(name string) error {
	v := r.values[name]
	if len(r.unsupported) > 0 {
		return r.unsupportedError()
	}
	if v.constant != nil || v.unknown {
		return fmt.Errorf("output %s does not depend on the input", quote(name))
	}
	n := newNode(r, r.producer[name])
	out := *v
	if out.head == nn.HeadNone && out.fn != nil && out.fn.kind == sigmoid {
		out.head = nn.HeadSigmoid
		if out.fn = out.fn.args[0]; out.fn.kind == leaf {
			out.fn = nil
		}
	}
	n.settle(&out)
	if out.head == nn.HeadNone || out.head == nn.HeadSigmoid {
		n.order(&out)
	}
	if len(n.missing) > 0 {
		r.report(n)
		return r.unsupportedError()
	}
	if n.err != nil {
		return fmt.Errorf("%s: %w", n, n.err)
	}
	if out.integers != nil {
		return fmt.Errorf("output %s is of quantised integers: export with a DequantizeLinear at the end", quote(name))
	}
	r.g.Output, r.g.Head = out.tensor, out.head
	return nil
}

// add appends a node to the graph and returns its output tensor.
func (r *reader) add(n nn.Node) (int, error) {
	size, err := sizeOf([]int{n.Out.C, n.Out.H, n.Out.W})
	if err != nil {
		return 0, err
	}
	if r.total += size; r.total > maxElements {
		return 0, fmt.Errorf("all tensors together have more than %d elements", maxElements)
	}
	r.g.Nodes = append(r.g.Nodes, n)
	return len(r.g.Nodes), nil
}

// as returns a tensor with the elements of another one as an image of size out, which
// has as many.
func (r *reader) as(tensor int, out nn.Dims, name string) (int, error) {
	if r.g.Dims(tensor) == out {
		return tensor, nil
	}
	key := reshapeKey{tensor, out}
	if t, ok := r.reshaped[key]; ok {
		return t, nil
	}
	t, err := r.add(nn.Node{Name: name, Op: nn.NodeReshape, In: []int{tensor}, Out: out})
	if err == nil {
		r.reshaped[key] = t
	}
	return t, err
}

// image returns the size of one image of a tensor with a shape of the file:
// without the batch, the first dimension as channels and the last ones, if
// there are many, as one.
func (r *reader) image(shape []int) nn.Dims {
	if len(shape) > 1 && shape[0] == r.batch {
		shape = shape[1:]
	}
	d := nn.Dims{C: 1, H: 1, W: 1}
	for i, n := range shape {
		switch i {
		case 0:
			d.C = n
		case 1:
			d.H = n
		default:
			d.W *= n
		}
	}
	return d
}

// spend takes numbers that are to be made from the budget.
func (r *reader) spend(n int) error {
	if r.budget -= n; r.budget < 0 {
		return errors.New("the graph copies its constants too often")
	}
	return nil
}
