package onnx

import (
	"bytes"
	"testing"

	"dorcas/nn/onnx/internal/pb"
)

// FuzzRead reads hostile files: what Read accepts has to be a valid graph
// that runs.
func FuzzRead(f *testing.F) {
	f.Add(encode(f, small()))
	norm := []*pb.TensorProto{floatTensor("s", shape(2)), floatTensor("k", shape(2, 1, 2, 2)), intTensor("r", 1, -1), intTensor("i", 1), floatTensor("w", shape(2, 2))}
	for _, c := range []file{
		{opset: 9, input: []any{3, 1, 3, 3}, init: norm, nodes: []*pb.NodeProto{
			op("Conv", "c", in("x", "k"), attrString("auto_pad", "SAME_LOWER")),
			op("BatchNormalization", "n", in("c", "s", "s", "s", "s")),
			op("Mul", "q", in("n", "n")),
			op("Pad", "p", in("q"), attrInts("pads", 0, 0, 1, 1, 0, 0, 1, 1)),
			op("AveragePool", "a", in("p"), kernelOf(2), attrInt("count_include_pad", 1)),
			op("GlobalAveragePool", "g", in("a")),
			op("Squeeze", "z", in("g"), attrInts("axes", 2, 3)),
			op("Softmax", "y", in("z")),
		}},
		{input: []any{"N", 1, 2, 1}, init: norm, nodes: []*pb.NodeProto{
			op("Shape", "sh", in("x")), op("Gather", "ga", in("sh", "i")), op("Slice", "sl", in("r", "i", "r", "i", "i")),
			op("Concat", "co", in("ga", "sl"), attrInt("axis", 0)),
			op("Transpose", "tr", in("w")), op("Cast", "ca", in("tr"), attrInt("to", 7)), op("Cast", "cb", in("ca"), attrInt("to", 1)),
			op("Reshape", "f", in("x", "co")), op("Gemm", "ge", in("f", "cb", "s")), op("Unsqueeze", "u", in("ge", "i")),
			op("Add", "ad", in("u", "u")), op("Sub", "su", in("ad", "s")), op("Flatten", "y", in("su")),
		}},
		{input: []any{1, 2, 1, 1}, init: norm, nodes: []*pb.NodeProto{op("Clip", "c", in("x")), op("ArgMax", "y", in("c"), attrInt("axis", 1))}},
	} {
		f.Add(encode(f, c.model()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Read(bytes.NewReader(data))
		if err != nil {
			if g != nil || err.Error() == "" {
				t.Fatalf("graph %v with error %v", g, err)
			}
			return
		}
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		work := g.Input.Len()
		for _, n := range g.Nodes {
			work += n.Out.H * n.Out.W * (len(n.Weights) + n.Out.C*max(1, n.Window.KH*n.Window.KW))
		}
		if work > 1<<20 || work < 0 {
			return
		}
		if _, err := g.Run(make([]float32, g.Input.Len())); err != nil {
			t.Fatal(err)
		}
	})
}
