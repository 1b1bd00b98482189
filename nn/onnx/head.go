package onnx

import "dorcas/nn"

func (n *node) softmax() *value    { return n.soft(nn.HeadSoftmax) }
func (n *node) logSoftmax() *value { return n.soft(nn.HeadLogSoftmax) }

// soft translates a softmax over all scores of an image. Before opset 13 the
// axis is the first of those that it goes over, afterwards the only one.
func (n *node) soft(head nn.Head) *value {
	x := n.image(0)
	if n.err != nil {
		return nil
	}
	if n.r.opset >= 13 {
		return n.head(x, head, n.intAttr("axis", -1), x.shape)
	}
	axis := n.axis(n.intAttr("axis", 1), len(x.shape), true)
	before, _ := sizeOf(x.shape[:axis])
	after, _ := sizeOf(x.shape[axis:])
	y := n.head(x, head, 1, []int{before, after})
	if n.err == nil {
		y.shape = x.shape
	}
	return y
}

func (n *node) argMax() *value {
	if n.intAttr("select_last_index", 0) != 0 {
		n.unsupported("select_last_index 1")
	}
	x := n.raw(0)
	if n.err == nil && x.fn != nil && x.fn.kind == sigmoid { // which changes no order
		if x.fn = x.fn.args[0]; x.fn.kind == leaf {
			x.fn = nil
		}
	}
	n.settle(x)
	n.order(x)
	if n.err == nil && x.head == nn.HeadSigmoid {
		x.head = nn.HeadNone
	}
	if n.err == nil && x.head == nn.HeadArgMax {
		n.unsupported("the arg-max of an arg-max")
	}
	y := n.head(x, nn.HeadArgMax, n.intAttr("axis", 0), x.shape)
	if n.err != nil {
		return nil
	}
	axis := n.axis(n.intAttr("axis", 0), len(x.shape), false)
	keep := n.intAttr("keepdims", 1) != 0
	y.shape = nil
	for i, d := range x.shape {
		switch {
		case i != axis:
			y.shape = append(y.shape, d)
		case keep:
			y.shape = append(y.shape, 1)
		}
	}
	return y
}

// head makes the scores x, seen with a shape, the graph's output and a
// function over one of the dimensions of the shape what follows it.
func (n *node) head(x *value, head nn.Head, axis int64, shape []int) *value {
	at := n.axis(axis, len(shape), false)
	if n.err != nil {
		return nil
	}
	size, err := sizeOf(shape)
	n.check(err)
	before, _ := sizeOf(shape[:at])
	if before != n.r.batch || before*shape[at] != size {
		n.unsupported("axis %d of shape %v (only all scores of an image are possible)", axis, shape)
		return nil
	}
	t := n.as(x.tensor, nn.Dims{C: shape[at], H: 1, W: 1})
	return &value{tensor: t, shape: x.shape, shared: x.shared, head: head, from: n}
}
