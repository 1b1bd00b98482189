package onnx

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"dorcas/nn/onnx/internal/pb"
)

// A place is a number or string of a message, to be changed.
type place struct {
	message protoreflect.Message
	field   protoreflect.FieldDescriptor
	index   int // in a list, -1 elsewhere
}

// places lists all numbers and strings of a message and those in it, and
// lists themselves, as places past their end.
func places(m protoreflect.Message) []place {
	var all []place
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				all = append(all, places(v.List().Get(i).Message())...)
			}
			all = append(all, place{m, f, v.List().Len()})
		case f.IsList():
			for i := range min(4, v.List().Len()) {
				all = append(all, place{m, f, i})
			}
			all = append(all, place{m, f, v.List().Len()})
		case f.Message() != nil:
			all = append(all, places(v.Message())...)
		default:
			all = append(all, place{m, f, -1})
		}
		return true
	})
	return all
}

// change sets the place to something that could upset a reader; a list loses
// its last element.
func (p place) change(rng *rand.Rand, names []string) {
	if p.index >= 0 {
		list := p.message.Mutable(p.field).List()
		switch {
		case p.index == list.Len() && p.index > 0:
			list.Truncate(p.index - 1)
		case p.index < list.Len():
			list.Set(p.index, p.other(rng, names))
		}
		return
	}
	p.message.Set(p.field, p.other(rng, names))
}

func (p place) other(rng *rand.Rand, names []string) protoreflect.Value {
	ints := []int64{0, 1, -1, 2, 3, 4, 7, 9, 1 << 16, 1 << 28, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	floats := []float64{0, 1, -1, 1e30, math.Inf(1), math.NaN()}
	n, x := ints[rng.IntN(len(ints))], floats[rng.IntN(len(floats))]
	switch p.field.Kind() {
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(n)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rng.IntN(12)))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(x))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(x)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(make([]byte, rng.IntN(40)))
	}
	return protoreflect.ValueOfString(names[rng.IntN(len(names))])
}

// seeds are valid and invalid files with most operators in them.
func seeds() []*pb.ModelProto {
	init := []*pb.TensorProto{floatTensor("s", shape(2)), floatTensor("k", shape(2, 1, 2, 2)), intTensor("r", 1, -1), intTensor("i", 1), floatTensor("w", shape(2, 2))}
	models := []*pb.ModelProto{small()}
	for _, c := range []file{
		{opset: 9, input: []any{3, 1, 3, 3}, nodes: []*pb.NodeProto{
			op("Conv", "c", in("x", "k"), attrString("auto_pad", "SAME_LOWER")),
			op("BatchNormalization", "n", in("c", "s", "s", "s", "s")),
			op("Mul", "q", in("n", "n")),
			op("Pad", "p", in("q"), attrInts("pads", 0, 0, 1, 1, 0, 0, 1, 1)),
			op("AveragePool", "a", in("p"), kernelOf(2), attrInt("count_include_pad", 1)),
			op("GlobalAveragePool", "g", in("a")),
			op("Squeeze", "z", in("g"), attrInts("axes", 2, 3)),
			op("Softmax", "y", in("z")),
		}},
		{input: []any{"N", 1, 2, 1}, nodes: []*pb.NodeProto{
			op("Shape", "sh", in("x")), op("Gather", "ga", in("sh", "i")), op("Slice", "sl", in("r", "i", "r", "i", "i")),
			op("Concat", "co", in("ga", "sl"), attrInt("axis", 0)),
			op("Transpose", "tr", in("w"), attrInts("perm", 1, 0)), op("Cast", "ca", in("tr"), attrInt("to", 7)), op("Cast", "cb", in("ca"), attrInt("to", 1)),
			op("Reshape", "f", in("x", "co")), op("Gemm", "ge", in("f", "cb", "s"), attrFloat("alpha", 2)), op("Unsqueeze", "u", in("ge", "i")),
			op("Add", "ad", in("u", "u")), op("Sub", "su", in("ad", "s")), op("Flatten", "y", in("su")),
		}},
		{opset: 18, input: []any{1, 2, 2, 2}, nodes: []*pb.NodeProto{
			op("Constant", "k2", nil, attrInts("value_ints", 0, 1, 1, 0)), op("Constant", "ax", nil, attrTensor("value", intTensor("", 2, 3))),
			op("Pad", "p", in("x", "k2", "", "ax")), op("ReduceMean", "m", in("p", "ax"), attrInt("keepdims", 0)),
			op("MatMul", "mm", in("m", "w")), op("ConstantOfShape", "cs", in("i"), attrTensor("value", floatTensor("", shape(1)))),
			op("Add", "b", in("mm", "cs")), op("Clip", "c", in("b")), op("ArgMax", "y", in("b"), attrInt("axis", 1)),
		}},
	} {
		c.init = init
		models = append(models, c.model())
	}
	return models
}

// corpus are random graphs that package difftest made, with every operator.
func corpus(t testing.TB) []*pb.ModelProto {
	names, err := filepath.Glob("testdata/corpus/*.onnx")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d files, error %v", len(names), err)
	}
	var models []*pb.ModelProto
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := new(pb.ModelProto)
		if err := proto.Unmarshal(data, m); err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	return models
}

// Damaged files have to end in an error or in a graph that runs, and take
// little memory.
func TestMutations(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	rounds := 500
	if testing.Short() {
		rounds = 30
	}
	accepted := 0
	for _, seed := range append(seeds(), corpus(t)...) {
		checkRead(t, encode(t, seed))
		var names []string
		for _, p := range places(seed.ProtoReflect()) {
			if p.field.Kind() == protoreflect.StringKind && p.index == -1 {
				names = append(names, p.message.Get(p.field).String())
			}
		}
		for range rounds {
			m := proto.Clone(seed).(*pb.ModelProto)
			for range 1 + rng.IntN(3) {
				all := places(m.ProtoReflect())
				all[rng.IntN(len(all))].change(rng, names)
			}
			if checkRead(t, encode(t, m)) {
				accepted++
			}
		}
	}
	if accepted == 0 {
		t.Error("no changed file was accepted")
	}
}

// checkRead reads a file and reports whether Read accepts it, in which case
// it has to be a valid graph that runs.
func checkRead(t *testing.T, data []byte) bool {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	g, err := Read(bytes.NewReader(data))
	runtime.ReadMemStats(&after)
	if used, limit := int(after.TotalAlloc-before.TotalAlloc), 50*len(data)+32<<20; used > limit {
		t.Fatalf("reading %d bytes took %d MB, want at most %d; error %v", len(data), used>>20, limit>>20, err)
	}
	if err != nil {
		if g != nil || err.Error() == "" {
			t.Fatalf("graph %v with error %v", g, err)
		}
		return false
	}
	if err := g.Validate(); err != nil {
		t.Fatal(err)
	}
	work := g.Input.Len()
	for _, n := range g.Nodes {
		work += n.Out.H * n.Out.W * (len(n.Weights) + n.Out.C*max(1, n.Window.KH*n.Window.KW))
	}
	if work < 1<<16 {
		x := make([]float32, g.Input.Len())
		if _, err := g.Run(x); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Fold().Run(x); err != nil {
			t.Fatal(err)
		}
	}
	return true
}

// FuzzRead reads hostile files.
func FuzzRead(f *testing.F) {
	for _, m := range append(seeds(), corpus(f)...) {
		f.Add(encode(f, m))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkRead(t, data) })
}
