// Package difftest compares the float mode of nn with onnxruntime, on random
// graphs of all operators that package onnx reads. It needs node, and what
// `make difftest` installs; without it the test skips.
package difftest

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"dorcas/nn"
	"dorcas/nn/onnx"
	"dorcas/nn/onnx/internal/pb"
)

var (
	graphs = flag.Int("graphs", 300, "how many graphs to compare")
	seed   = flag.Uint64("seed", 1, "of the first graph; that of graph i is seed + i")
	corpus = flag.String("corpus", "", "folder to write graphs to that have all operators")
	keep   = flag.String("keep", "", "folder for graphs that differ")
)

// tolerance is how far a score may be off, in units of the largest of all; where
// all are small, because numbers cancelled, in units of smallest.
const (
	tolerance = 1e-4
	smallest  = 0.01
)

// A sample is a graph with inputs for as many images as it takes at a time.
type sample struct {
	seed  uint64
	data  []byte
	input []int
	x     []float32
	bytes bool
	ops   map[string]int
}

// random makes a graph. Most operators follow the one before, so that the
// graph is deep; some take another tensor.
func random(seed uint64) *sample {
	b := &builder{Rand: rand.New(rand.NewPCG(seed, 7)), graph: &pb.GraphProto{}, uses: map[string]int{}}
	b.opset = pick(b, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
	b.batch = pick(b, 1, 1, 1, 2, 3)
	input := []int{b.batch, b.between(1, 6), b.between(1, 11), b.between(1, 11)}[:pick(b, 2, 3, 4, 4, 4)]
	dynamic := b.batch == 1 && b.chance(40)
	x := tensor{"x", input}
	if b.bytes = b.opset >= 9 && b.chance(5); b.bytes {
		x = b.scalar("Div", b.like("Cast", x, attrInt("to", int(pb.TensorProto_FLOAT))), 255)
	}
	if len(input) == 4 && b.chance(12) { // channels last
		x = b.node("Transpose", []string{x.name}, []int{input[0], input[3], input[1], input[2]}, attrInts("perm", 0, 3, 1, 2))
	}
	b.all = []tensor{x}
	steps := []func(tensor) (tensor, bool){
		b.conv, b.conv, b.conv, b.convTranspose, b.pooling, b.pooling, b.global, b.batchNorm, b.gemm, b.gemm, b.gemmLeft, b.gemmResidual, b.matMul,
		b.arithmetic, b.arithmetic, b.sum, b.sum, b.activate, b.activate, b.activate, b.concat, b.slice, b.split, b.gather, b.pad, b.resize,
		b.reduce, b.view, b.view, b.transpose, b.channelsLast, b.blocks, b.expand, b.expandComputed, b.shapeComputed, b.fakeQuantize,
	}
	for done, want := 0, b.between(1, 9); done < want; {
		from := b.all[len(b.all)-1]
		if b.chance(15) {
			from = b.all[b.IntN(len(b.all))]
		}
		y, ok := steps[b.IntN(len(steps))](from)
		if !ok || size(y.shape) > 4096 {
			continue
		}
		b.all = append(b.all, y)
		done++
	}
	y := b.end(b.all[len(b.all)-1])
	data, err := b.encode(input, dynamic, y.name)
	if err != nil {
		panic(err)
	}
	s := &sample{seed: seed, data: data, input: input, bytes: b.bytes, ops: b.uses}
	for range size(input) {
		v := float32(b.NormFloat64())
		if b.bytes {
			v = float32(b.IntN(256))
		}
		s.x = append(s.x, v)
	}
	return s
}

// end adds what graphs end with, at least something.
func (b *builder) end(x tensor) tensor {
	if x.name == "x" {
		return b.like("Identity", b.affine(x))
	}
	if b.chance(50) || x.rank() < 2 {
		return b.like("Identity", x)
	}
	flat := b.node("Flatten", []string{x.name}, []int{x.shape[0], size(x.shape[1:])})
	switch b.IntN(5) {
	case 0:
		return b.like("Softmax", flat, attrInt("axis", 1))
	case 1:
		return b.like("LogSoftmax", flat, attrInt("axis", 1))
	case 2:
		return b.like("Sigmoid", flat)
	case 3:
		return b.node("ArgMax", []string{flat.name}, flat.shape[:1], attrInt("axis", 1), attrInt("keepdims", 0))
	}
	return b.node("Gemm", []string{flat.name, b.random([]int{flat.shape[1], 3}, 0.5), b.random([]int{3}, 1)}, []int{x.shape[0], 3})
}

func TestDifferential(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat("node_modules/onnxruntime-node"); err != nil {
		t.Skip("onnxruntime-node is not installed: make difftest")
	}
	covered := map[string]int{}
	invalid := map[string]int{}
	failures, rejected := 0, 0
	for first := 0; first < *graphs; first += 500 {
		var list []*sample
		for i := first; i < min(first+500, *graphs); i++ {
			list = append(list, random(*seed+uint64(i)))
		}
		dir := t.TempDir()
		reference := runAll(t, dir, list)
		for i, s := range list {
			if reference[i].failure != "" {
				rejected++
				invalid[reason(reference[i].failure)]++
				continue
			}
			for op, n := range s.ops {
				covered[op] += n
			}
			if err := compare(s, reference[i].y); err != nil {
				failures++
				if failures <= 20 {
					t.Errorf("seed %d: %v\n%s", s.seed, err, describe(s))
				}
				if *keep != "" {
					os.WriteFile(filepath.Join(*keep, fmt.Sprint(s.seed, ".onnx")), s.data, 0o644)
				}
			}
		}
	}
	t.Logf("%d graphs, %d of them refused by onnxruntime, %d differ; operators: %v", *graphs, rejected, failures, counted(covered))
	if rejected > *graphs/5 || testing.Verbose() {
		t.Logf("refused:\n%s", strings.ReplaceAll(counted(invalid), "\n", " "))
	}
	if rejected > *graphs/5 {
		t.Errorf("onnxruntime refuses %d of %d graphs", rejected, *graphs)
	}
}

// TestCorpus writes graphs for the fuzzing of package onnx: small ones, as few as
// have each operator three times.
func TestCorpus(t *testing.T) {
	if *corpus == "" {
		t.Skip("no folder to write to")
	}
	covered := map[string]int{}
	for i := range uint64(3000) {
		s := random(i)
		fresh := 0
		for op := range s.ops {
			if covered[op] < 3 {
				fresh++
			}
		}
		if fresh < 2 && i < 1500 || fresh == 0 || len(s.data) > 6000 {
			continue
		}
		for op := range s.ops {
			covered[op]++
		}
		if err := os.WriteFile(filepath.Join(*corpus, fmt.Sprintf("%04d.onnx", i)), s.data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// counted lists operators with how often they were run.
func counted(m map[string]int) string {
	var names []string
	for op := range m {
		names = append(names, op)
	}
	sort.Strings(names)
	for i, op := range names {
		names[i] = fmt.Sprint(op, " ", m[op])
	}
	return strings.Join(names, ", ")
}

// reason shortens an error of onnxruntime to what several have in common.
func reason(s string) string {
	if _, after, ok := strings.Cut(s, "failed:"); ok {
		s = after
	}
	s = regexp.MustCompile(`\d+|"[^"]*"`).ReplaceAllString(s, "·")
	return s[:min(len(s), 200)]
}

// A result is what onnxruntime computed, or why not.
type result struct {
	y       []float32
	failure string
}

// runAll runs graphs by onnxruntime, see run.js.
func runAll(t *testing.T, dir string, list []*sample) []result {
	t.Helper()
	type entry struct {
		Name  string `json:"name"`
		Dims  []int  `json:"dims"`
		Bytes bool   `json:"bytes"`
	}
	var entries []entry
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range list {
		name := fmt.Sprint(i)
		entries = append(entries, entry{name, s.input, s.bytes})
		write(name+".onnx", s.data)
		var raw []byte
		for _, v := range s.x {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		write(name+".in", raw)
	}
	data, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	write("list.json", data)
	if out, err := exec.Command("node", "run.js", dir).CombinedOutput(); err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	results := make([]result, len(list))
	for i := range list {
		name := filepath.Join(dir, fmt.Sprint(i))
		if failure, err := os.ReadFile(name + ".err"); err == nil {
			results[i].failure = string(failure)
			continue
		}
		raw, err := os.ReadFile(name + ".out")
		if err != nil {
			t.Fatal(err)
		}
		for ; len(raw) >= 4; raw = raw[4:] {
			results[i].y = append(results[i].y, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		}
	}
	return results
}

// compare runs a graph by nn, image by image, and compares.
func compare(s *sample, want []float32) error {
	g, err := onnx.Read(strings.NewReader(string(s.data)))
	if err != nil {
		return err
	}
	images := s.input[0]
	per := len(s.x) / images
	if g.Input.Len() != per {
		return fmt.Errorf("input of %v, want %d numbers", g.Input, per)
	}
	var got []float32
	for i := range images {
		x := s.x[i*per : (i+1)*per]
		if g.ChannelsLast {
			x = channelsFirst(x, g.Input)
		}
		for _, f := range []*nn.Graph{g, g.Fold()} {
			y, err := f.Run(x)
			if err != nil {
				return err
			}
			if g.Head == nn.HeadArgMax && i < len(want) && tied(y, want[i]) {
				y[int(want[i])] = slices.Max(y) + 1
			}
			y = headOf(g.Head, y)
			if f == g {
				got = append(got, y...)
			} else if err := near("folded", y, got[len(got)-len(y):]); err != nil {
				return err
			}
		}
	}
	return near("onnxruntime", got, want)
}

// channelsFirst returns an image of a file as a graph of size d takes it.
func channelsFirst(x []float32, d nn.Dims) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i%d.C*d.H*d.W+i/d.C] = v
	}
	return out
}

// tied reports whether a score is as good as the largest, so that its index may
// be the arg-max.
func tied(y []float32, index float32) bool {
	if index < 0 || int(index) >= len(y) {
		return false
	}
	top := slices.Max(y)
	return float64(top-y[int(index)]) <= tolerance*max(smallest, math.Abs(float64(top)))
}

// headOf applies the head of a graph to scores.
func headOf(h nn.Head, y []float32) []float32 {
	if h == nn.HeadArgMax {
		return []float32{float32(slices.Index(y, slices.Max(y)))}
	}
	if h == nn.HeadNone {
		return y
	}
	out := make([]float32, len(y))
	top, sum := float64(slices.Max(y)), 0.0
	for _, v := range y {
		sum += math.Exp(float64(v) - top)
	}
	for i, v := range y {
		switch x := float64(v); h {
		case nn.HeadSigmoid:
			out[i] = float32(1 / (1 + math.Exp(-x)))
		case nn.HeadSoftmax:
			out[i] = float32(math.Exp(x-top) / sum)
		case nn.HeadLogSoftmax:
			out[i] = float32(x - top - math.Log(sum))
		}
	}
	return out
}

func near(what string, got, want []float32) error {
	if len(got) != len(want) {
		return fmt.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	largest := 0.0
	for _, v := range want {
		if a := math.Abs(float64(v)); !math.IsInf(a, 0) {
			largest = max(largest, a)
		}
	}
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if d <= tolerance*max(largest, smallest) || w != w && got[i] != got[i] || got[i] == w {
			continue
		}
		return fmt.Errorf("%s: number %d of %d is %v, want %v (largest %v)", what, i, len(want), got[i], w, largest)
	}
	return nil
}

// describe lists the nodes of a file.
func describe(s *sample) string {
	var m pb.ModelProto
	if err := unmarshal(s.data, &m); err != nil {
		return err.Error()
	}
	shapes := map[string][]int64{}
	for _, t := range m.Graph.Initializer {
		shapes[t.Name] = t.Dims
	}
	text := fmt.Sprintf("opset %d, input %v\n", m.OpsetImport[0].Version, s.input)
	for _, n := range m.Graph.Node {
		text += "  " + n.Output[0] + " = " + n.OpType + "("
		for _, in := range n.Input {
			text += " " + in
			if d, ok := shapes[in]; ok {
				text += fmt.Sprint(d)
			}
		}
		text += " )"
		for _, a := range n.Attribute {
			if a.Name != "value" {
				text += fmt.Sprintf(" %s=%v%v%s%v", a.Name, a.I, a.Ints, a.S, a.F)
			}
		}
		text += "\n"
	}
	return text
}
