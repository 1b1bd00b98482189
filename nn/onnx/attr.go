package onnx

import (
	"math"
	"slices"

	"dorcas/nn/onnx/internal/pb"
)

// attr returns an attribute, nil if the node does not have it.
func (n *node) attr(name string, types ...pb.AttributeProto_AttributeType) *pb.AttributeProto {
	for _, a := range n.attrs {
		if a.GetName() != name {
			continue
		}
		// Old exporters leave the type out.
		if t := a.GetType(); t != pb.AttributeProto_UNDEFINED && len(types) > 0 && !slices.Contains(types, t) {
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

// floatsAttr returns a list of floats.
func (n *node) floatsAttr(name string) []float32 {
	return n.attr(name, pb.AttributeProto_FLOATS).GetFloats()
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
