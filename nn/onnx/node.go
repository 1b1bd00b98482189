package onnx

import (
	"errors"
	"fmt"
	"maps"

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

	computed bool     // from the graph's input, not from constants only
	results  []*value // of outputs, where there is more than one
	missing  []string
	reported bool
	blind    bool // an input is not known: what follows from its shape means nothing
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
		"Add": (*node).plus, "Sub": (*node).minus, "Mul": (*node).times, "Div": (*node).over,
		"Min": (*node).minimum, "Max": (*node).maximum, "Sum": (*node).total, "Mean": (*node).total,
		"ArgMax": (*node).argMax, "Softmax": (*node).softmax, "LogSoftmax": (*node).logSoftmax,
		"AveragePool": (*node).averagePool, "MaxPool": (*node).maxPool,
		"GlobalAveragePool": (*node).globalAveragePool, "GlobalMaxPool": (*node).globalMaxPool,
		"ReduceMean": (*node).reduceMean, "ReduceSum": (*node).reduceSum, "ReduceMax": (*node).reduceMax,
		"BatchNormalization": (*node).batchNormalization,
		"Conv":               (*node).conv, "ConvTranspose": (*node).convTranspose, "Gemm": (*node).gemm, "MatMul": (*node).matMul,
		"Cast": (*node).cast, "CastLike": (*node).identity, "Dropout": (*node).dropout, "Identity": (*node).identity,
		"Flatten": (*node).flatten, "Reshape": (*node).reshape, "Squeeze": (*node).squeeze, "Unsqueeze": (*node).unsqueeze,
		"Transpose": (*node).transpose, "Pad": (*node).pad, "Expand": (*node).expand,
		"Slice": (*node).slice, "Split": (*node).split, "Gather": (*node).gather, "Concat": (*node).concat,
		"Resize": (*node).resize, "Upsample": (*node).resize, "DepthToSpace": (*node).depthToSpace, "SpaceToDepth": (*node).spaceToDepth,
		"QuantizeLinear": (*node).quantizeLinear, "DequantizeLinear": (*node).dequantizeLinear,
		"Shape": (*node).shapeOf, "Size": (*node).sizeOf,
	}
	maps.Copy(translators, activations)
	folders = map[string]func(*node) *constant{
		"Constant": (*node).constantValue, "ConstantOfShape": (*node).constantOfShape, "Shape": (*node).foldShape, "Size": (*node).foldSize,
		"Cast": (*node).foldCast, "Identity": (*node).foldIdentity, "Concat": (*node).foldConcat,
		"Gather": (*node).foldGather, "Slice": (*node).foldSlice, "Transpose": (*node).foldTranspose,
		"Flatten": (*node).foldView, "Reshape": (*node).foldView, "Squeeze": (*node).foldView, "Unsqueeze": (*node).foldView,
		"Expand": (*node).foldExpand, "Where": (*node).foldWhere, "Range": (*node).foldRange, "ReduceProd": (*node).foldProduct,
		"QuantizeLinear": (*node).foldQuantize, "DequantizeLinear": (*node).foldDequantize,
	}
	for op := range scalarOps {
		folders[op] = (*node).foldBinary
	}
	for op := range scalarFuncs {
		folders[op] = (*node).foldUnary
	}
}

// translate returns what the node's first output stands for.
func (n *node) translate() *value {
	if len(n.outputs) == 0 || n.outputs[0] == "" {
		n.fail("no output")
		return nil
	}
	fold, translator := folders[n.op], translators[n.op]
	if !ownDomain(n.domain) {
		if fold, translator = nil, classical[n.op]; n.domain != "ai.onnx.ml" || translator == nil {
			n.unsupported("operator of domain %s%s", quote(n.domain), advice(n.op))
			return nil
		}
	}
	constant := true
	for i := range n.inputs {
		if v := n.input(i); v != nil {
			constant = constant && v.constant != nil
			n.computed = n.computed || v.computed
		}
	}
	switch {
	case constant && fold != nil:
		if c := fold(n); c != nil {
			return &value{constant: c}
		}
	case translator == nil && fold == nil:
		n.unsupported("the operator itself%s", advice(n.op))
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
	case err != nil && !n.blind && (n.err == nil || errors.Is(n.err, errUnknown)):
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
