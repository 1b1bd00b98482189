package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"dorcas/nn"
	"dorcas/nn/onnx/internal/pb"
)

// A node is an operator of the file while it is translated. Its methods note
// the first error and go on, so that one look at a node finds all that it
// would need; what they return after an error means nothing.
type node struct {
	r       *reader
	index   int
	op      string
	domain  string
	name    string
	inputs  []string
	outputs []string
	attrs   []*pb.AttributeProto

	computed bool // from the graph's input, not from constants only
	missing  []string
	reported bool
	err      error
}

func newNode(r *reader, i int) *node {
	p := r.file.GetNode()[i]
	n := &node{r: r, index: i, op: p.GetOpType(), domain: p.GetDomain(), name: p.GetName(),
		inputs: p.GetInput(), outputs: p.GetOutput(), attrs: p.GetAttribute()}
	if n.name == "" && len(n.outputs) > 0 {
		n.name = n.outputs[0]
	}
	return n
}

func (n *node) String() string { return plain(n.op) + " " + quote(n.name) }

// translators turn a node with at least one input that is no constant into
// nodes of the graph.
var translators map[string]func(*node) *value

// folders compute a node whose inputs are all constants.
var folders map[string]func(*node) *constant

func init() {
	translators = map[string]func(*node) *value{
		"Add": (*node).add, "Sub": (*node).sub, "Mul": (*node).mul, "Div": (*node).div, "Pow": (*node).pow,
		"ArgMax": (*node).argMax, "Softmax": (*node).softmax, "LogSoftmax": (*node).logSoftmax,
		"AveragePool": (*node).averagePool, "MaxPool": (*node).maxPool, "GlobalAveragePool": (*node).globalAveragePool,
		"BatchNormalization": (*node).batchNormalization, "Relu": (*node).relu,
		"Conv": (*node).conv, "Gemm": (*node).gemm, "MatMul": (*node).matMul,
		"Cast": (*node).cast, "Dropout": (*node).dropout, "Identity": (*node).identity,
		"Flatten": (*node).flatten, "Reshape": (*node).reshape, "Squeeze": (*node).squeeze, "Unsqueeze": (*node).unsqueeze,
		"Transpose": (*node).transpose, "Pad": (*node).pad, "ReduceMean": (*node).reduceMean,
		"Shape": (*node).shapeOf,
	}
	folders = map[string]func(*node) *constant{
		"Constant": (*node).constantValue, "ConstantOfShape": (*node).constantOfShape, "Shape": (*node).foldShape,
		"Cast": (*node).foldCast, "Identity": (*node).foldIdentity, "Concat": (*node).foldConcat,
		"Gather": (*node).foldGather, "Slice": (*node).foldSlice, "Transpose": (*node).foldTranspose,
		"Flatten": (*node).foldView, "Reshape": (*node).foldView, "Squeeze": (*node).foldView, "Unsqueeze": (*node).foldView,
	}
}

// translate returns what the node's first output stands for.
func (n *node) translate() *value {
	if len(n.outputs) == 0 || n.outputs[0] == "" {
		n.fail("no output")
		return nil
	}
	if !ownDomain(n.domain) {
		n.unsupported("operator of domain %s", quote(n.domain))
		return nil
	}
	constant := true
	for i := range n.inputs {
		if v := n.input(i); v != nil {
			constant = constant && v.constant != nil
			n.computed = n.computed || v.computed
		}
	}
	fold, translator := folders[n.op], translators[n.op]
	switch {
	case constant && fold != nil:
		if c := fold(n); c != nil {
			return &value{constant: c}
		}
	case translator == nil && fold == nil:
		n.unsupported("the operator itself")
	case constant:
		n.unsupported("the operator on constants")
	case translator != nil:
		return translator(n)
	case n.computed:
		n.unsupported("the operator on anything but constants")
	default:
		n.check(errUnknown)
	}
	return nil
}

// unsupported notes something that the node would need.
func (n *node) unsupported(format string, args ...any) {
	n.missing = append(n.missing, fmt.Sprintf(format, args...))
	n.check(errUnknown)
}

// fail notes that the file is malformed.
func (n *node) fail(format string, args ...any) { n.check(fmt.Errorf(format, args...)) }

// check notes an error; one that says that the file is malformed stands.
func (n *node) check(err error) {
	var missing missingError
	switch {
	case errors.As(err, &missing):
		n.unsupported("%v", err)
	case err != nil && (n.err == nil || errors.Is(n.err, errUnknown)):
		n.err = err
	}
}

// has reports whether the node has an input i.
func (n *node) has(i int) bool { return i < len(n.inputs) && n.inputs[i] != "" }

// input returns input i, nil if there is none or it is malformed.
func (n *node) input(i int) *value {
	if !n.has(i) {
		return nil
	}
	name := n.inputs[i]
	if v := n.r.values[name]; v != nil {
		return v
	}
	t := n.r.constants[name]
	if t == nil {
		n.fail("nothing computes its input %s", quote(name))
		return nil
	}
	c, err := decode(t)
	if err != nil {
		n.check(fmt.Errorf("%s: %w", quote(name), err))
		return &value{unknown: true}
	}
	v := &value{constant: c}
	n.r.values[name] = v
	return v
}

// image returns input i, which has to be computed from the graph's input.
func (n *node) image(i int) *value {
	v := n.input(i)
	switch {
	case v == nil:
		n.fail("input %d is missing", i)
	case v.constant != nil:
		n.unsupported("a constant as input %d", i)
	case v.unknown:
		n.check(errUnknown)
	case v.head != nn.HeadNone && n.op != "ArgMax" && !n.views():
		v.from.unsupported("its use before the end of the graph")
		n.r.report(v.from)
		n.check(errUnknown)
	default:
		out := *v
		out.shared = out.shared || n.r.uses[n.inputs[i]] > 1
		return &out
	}
	return &value{shape: []int{1, 1, 1, 1}}
}

// views reports whether the node only changes a shape or a type.
func (n *node) views() bool {
	return slices.Contains([]string{"Cast", "Dropout", "Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose"}, n.op)
}

// planes is image for an input that has to be a batch of channels of planes.
func (n *node) planes(i int) *value {
	v := n.image(i)
	if n.err != nil {
		return v
	}
	if len(v.shape) == 3 {
		n.unsupported("one-dimensional planes (input of shape %v)", v.shape)
	} else if len(v.shape) != 4 || v.shape[0] != n.r.batch {
		n.fail("input of shape %v, want batch × channels × height × width", v.shape)
	}
	if n.err != nil {
		return &value{shape: []int{1, 1, 1, 1}}
	}
	v.tensor = n.as(v, n.r.image(v.shape))
	return v
}

// bothComputed reports whether input 0 and 1 are both computed from the graph's
// input.
func (n *node) bothComputed() bool {
	a, b := n.input(0), n.input(1)
	return a != nil && b != nil && a.computed && b.computed
}

// as returns a tensor with the elements of v as an image of size out.
func (n *node) as(v *value, out nn.Dims) int {
	t, err := n.r.as(v, out, n.name+" input")
	n.check(err)
	return t
}

// emit adds a node on one tensor, or on those that it already has, and
// returns its output with a shape.
func (n *node) emit(out nn.Node, tensor int, shape []int) *value {
	if n.err != nil {
		return nil
	}
	if size, err := sizeOf(shape); err != nil || size == 0 {
		n.fail("output of shape %v is empty or too large", shape)
		return nil
	}
	out.Name = n.name
	if out.In == nil {
		out.In = []int{tensor}
	}
	t, err := n.r.add(out)
	n.check(err)
	return &value{tensor: t, shape: shape}
}

// constant returns input i, which has to be one.
func (n *node) constant(i int, what string) *constant {
	v := n.input(i)
	switch {
	case v == nil:
		n.fail("%s: input %d is missing", what, i)
	case v.unknown:
		n.check(errUnknown)
	case v.constant == nil:
		n.unsupported("%s that depend on the input", what)
	default:
		return v.constant
	}
	return &constant{}
}

// floats is constant for one of float numbers.
func (n *node) floats(i int, what string) *constant {
	c := n.constant(i, what)
	if n.err == nil && c.integer {
		n.fail("%s: integers, want floats", what)
	}
	return c
}

// ints is constant for a list of integers.
func (n *node) ints(i int, what string) []int64 {
	c := n.constant(i, what)
	if n.err == nil && (!c.integer || len(c.shape) > 1) {
		n.fail("%s: want a list of integers", what)
	}
	return c.ints
}

// attr returns an attribute, nil if the node does not have it.
func (n *node) attr(name string, types ...pb.AttributeProto_AttributeType) *pb.AttributeProto {
	for _, a := range n.attrs {
		if a.GetName() != name {
			continue
		}
		// Old exporters leave the type out.
		if t := a.GetType(); t != pb.AttributeProto_UNDEFINED && !slices.Contains(types, t) {
			n.fail("attribute %s has type %v", name, t)
		}
		return a
	}
	return nil
}

func (n *node) intAttr(name string, otherwise int64) int64 {
	if a := n.attr(name, pb.AttributeProto_INT); a != nil {
		return a.GetI()
	}
	return otherwise
}

func (n *node) floatAttr(name string, otherwise float32) float32 {
	a := n.attr(name, pb.AttributeProto_FLOAT)
	if a == nil {
		return otherwise
	}
	if f := float64(a.GetF()); math.IsNaN(f) || math.IsInf(f, 0) {
		n.fail("attribute %s is %v", name, f)
	}
	return a.GetF()
}

func (n *node) stringAttr(name, otherwise string) string {
	if a := n.attr(name, pb.AttributeProto_STRING); a != nil {
		return string(a.GetS())
	}
	return otherwise
}

// intsAttr returns a list of integers and whether the node has it.
func (n *node) intsAttr(name string) ([]int64, bool) {
	a := n.attr(name, pb.AttributeProto_INTS)
	return a.GetInts(), a != nil
}

// axis returns an axis of a shape, where negative ones count from the end;
// end says whether the axis may be the end itself.
func (n *node) axis(axis int64, rank int, end bool) int {
	last := int64(rank - 1)
	if end {
		last++
	}
	at := axis
	if at < 0 {
		at += int64(rank)
	}
	if at < 0 || at > last {
		n.fail("axis %d of %d dimensions", axis, rank)
		return 0
	}
	return int(at)
}
