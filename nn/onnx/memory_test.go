package onnx

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"dorcas/nn/onnx/internal/pb"
)

// chain is n nodes, each on what the one before it computes, the first on the
// input; the last is "y".
func chain(n int, of func(name, before string) *pb.NodeProto) []*pb.NodeProto {
	nodes, before := make([]*pb.NodeProto, n), "x"
	for i := range nodes {
		name := fmt.Sprint("n", i)
		nodes[i] = of(name, before)
		before = name
	}
	return nodes
}

// A largeCase is a small file that asks for much.
type largeCase struct {
	name string
	file file
	want string
}

func largeCases() []largeCase {
	big := floatTensor("w", shape(1<<9, 1<<9))
	return []largeCase{
		{"constant of shape", file{input: []any{1, 8}, init: []*pb.TensorProto{intTensor("s", 1<<14, 1<<14)}, nodes: []*pb.NodeProto{
			op("ConstantOfShape", "c", in("s")), op("MatMul", "y", in("x", "c"))}}, "too often"},
		{"gather", file{input: []any{1, 8}, init: []*pb.TensorProto{big, intTensor("i", huge(1<<10, 0)...)}, nodes: []*pb.NodeProto{
			op("Gather", "a", in("w", "i")), op("Gather", "b", in("a", "i"), attrInt("axis", 1)), op("Gather", "c", in("b", "i"), attrInt("axis", 1)),
			op("Gather", "d", in("c", "i"), attrInt("axis", 1)), op("MatMul", "y", in("x", "d"))}}, "too often"},
		{"copies", file{input: []any{1, 1 << 9}, init: []*pb.TensorProto{big}, nodes: chain(1000, func(name, before string) *pb.NodeProto {
			return op("MatMul", name, in(before, "w"))
		})}, "too often"},
		{"concatenation", file{input: []any{1, 8}, init: []*pb.TensorProto{intTensor("c", huge(1000, 1)...)}, nodes: append(chain(40, func(name, before string) *pb.NodeProto {
			if before == "x" {
				before = "c"
			}
			return op("Concat", name, in(before, before), attrInt("axis", 0))
		}), op("Reshape", "y", in("x", "n39")))}, "too often"},
		{"wide sums", file{input: []any{1, 1 << 22}, init: []*pb.TensorProto{floatTensor("c", shape(1))}, nodes: chain(1000, func(name, before string) *pb.NodeProto {
			return op("Add", name, in(before, "c"))
		})}, "too often"},
		{"large tensors", file{input: []any{1, 1, 1 << 11, 1 << 11}, nodes: chain(1000, func(name, before string) *pb.NodeProto {
			return op("MaxPool", name, in(before), kernelOf(1))
		})}, "more than 268435456 elements"},
		{"deep chain", file{input: []any{1, 8}, nodes: chain(60000, func(name, before string) *pb.NodeProto {
			return op("LRN", name, in(before))
		})}, "60000 nodes are not supported"},
	}
}

// A small file must not make large tensors or take long.
func TestMemory(t *testing.T) {
	for _, c := range largeCases() {
		t.Run(c.name, func(t *testing.T) {
			data := encode(t, c.file.model())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Read(bytes.NewReader(data))
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %.200v, want %q in it", err, c.want)
			}
			if used, limit := int(after.TotalAlloc-before.TotalAlloc), 50*len(data)+32<<20; used > limit {
				t.Errorf("reading %d bytes took %d MB, want at most %d", len(data), used>>20, limit>>20)
			}
		})
	}
}

func TestManyMessages(t *testing.T) {
	empty := bytes.Repeat([]byte{0x0a, 0}, maxMessages+1) // as many empty nodes
	var data []byte
	data = append(data, 0x3a, byte(len(empty)|0x80), byte(len(empty)>>7|0x80), byte(len(empty)>>14))
	if data = append(data, empty...); len(empty) >= 1<<21 {
		t.Fatal("length does not fit")
	}
	if err := proto.Unmarshal(data, new(pb.ModelProto)); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(bytes.NewReader(data)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("error is %v", err)

	}
}
