package onnx

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sbinet/npyio"

	"dorcas/nn"
)

// dataFolder returns the folder with trained models and samples; it is no
// part of the module, and tests that need it are skipped without it.
func dataFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DORCAS_DATA")
	if dir == "" {
		dir = filepath.FromSlash("../../../shared/data") // next to the module
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no trained models to test with: %v (set DORCAS_DATA to a folder laid out as docs/data.md says)", err)
	}
	return dir
}

// card is what the JSON file next to a model says about it.
type card struct {
	Samples    string
	Preprocess json.RawMessage
	Accuracy   float64 `json:"sample_accuracy_percent"`
}

// preprocess is how the card makes an input out of bytes.
func (c card) preprocess(t *testing.T) func(pixel byte, channel int) float32 {
	t.Helper()
	var p struct {
		Formula   string
		Mean, Std []float64
	}
	if json.Unmarshal(c.Preprocess, &p.Formula) != nil {
		if err := json.Unmarshal(c.Preprocess, &p); err != nil {
			t.Fatal(err)
		}
	}
	switch {
	case p.Formula == "x = (u8/255 - mean)/std":
		return func(v byte, c int) float32 { return float32((float64(v)/255 - p.Mean[c]) / p.Std[c]) }
	case p.Formula == "x = u8/255":
		return func(v byte, _ int) float32 { return float32(v) / 255 }
	case strings.HasPrefix(p.Formula, "x = u8 "):
		return func(v byte, _ int) float32 { return float32(v) }
	}
	t.Fatalf("preprocessing %q", p.Formula)
	return nil
}

// npy reads an array of the NumPy format into a slice.
func npy[T any](t *testing.T, name string) []T {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var v []T
	if err := npyio.Read(f, &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// samples returns inputs, one after the other, and their classes.
func samples(t *testing.T, dir string, c card, in nn.Dims) (x []float32, y []int64) {
	t.Helper()
	set := filepath.Join(dir, strings.Fields(c.Samples)[0])
	y = npy[int64](t, filepath.Join(set, "y.npy"))
	if strings.Contains(c.Samples, "x_norm_f32.npy") {
		return npy[float32](t, filepath.Join(set, "x_norm_f32.npy")), y
	}
	of := c.preprocess(t)
	file := "x_u8.npy"
	for _, word := range strings.Fields(c.Samples) {
		if word = strings.TrimSuffix(word, ","); strings.HasSuffix(word, ".npy") {
			file = word
		}
	}
	if strings.HasSuffix(c.Samples, "label = y+1") { // class 0 is none
		for i := range y {
			y[i]++
		}
	}
	bytes := npy[uint8](t, filepath.Join(set, file)) // channels last
	for i := 0; i < len(bytes); i += in.Len() {
		for ch := range in.C {
			for p := range in.H * in.W {
				x = append(x, of(bytes[i+p*in.C+ch], ch))
			}
		}
	}
	return x, y
}

// Each trained model has to give the scores that the reference runtime gave,
// within a ten-thousandth of the largest of an input, and to be right as often. Of large models a part of the samples is run: for
// the others the reference's own scores are counted.
func TestTrainedModels(t *testing.T) {
	dir := dataFolder(t)
	for name, every := range map[string]int{
		"gazelle/cifar10_minionn": 20, "gazelle/mnist": 1, "gazelle/mnist_cryptonets": 1, "gazelle/mnist_deepsecure": 1,
		"gazelle/mnist_minionn": 1, "gazelle/mnist_secure_ml": 1, "thirdparty/cifar10_resnet20": 20,
		"thirdparty/mlperf_tiny_resnet8_cifar10": 10, "trained/mnist_lenet_bn": 1, "trained/mnist_lenet_bn_dynbatch": 1,
		"trained/fashion_mobilenet": 5, "thirdparty/mobilenet_v1_0.25_128": 5, "thirdparty/squeezenet1.1": 20,
		"trained/mnist_lenet_bn_folded": 1, "trained/pneumonia_resnet8": 2, "trained/wdbc_mlp": 1,
		"wild/onnxzoo_mnist-8_cntk": 1, "wild/wild_torch_lenet_bn1d": 1,
	} {
		if testing.Short() {
			every *= 10
		}
		t.Run(name, func(t *testing.T) { testTrained(t, dir, filepath.Join(dir, "models", name), every) })
	}
}

func testTrained(t *testing.T, dir, base string, every int) {
	var c card
	data, err := os.ReadFile(base + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	g, err := ReadFile(base + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	folded := g.Fold()
	for _, n := range folded.Nodes {
		if n.Op == nn.NodeAffine && n.Name != "27" { // that of wild_torch_lenet_bn1d comes after a Relu
			t.Errorf("Affine %q is left after folding", n.Name)
		}
	}
	x, y := samples(t, dir, c, g.Input)
	reference := npy[float32](t, base+".logits.npy")
	size, classes := g.Input.Len(), g.Dims(g.Output).Len()
	if len(reference) != len(y)*classes {
		t.Fatalf("%d reference scores for %d samples of %d classes", len(reference), len(y), classes)
	}
	scores, err := folded.Run(x[:size])
	if err != nil {
		t.Fatal(err)
	}
	compare(t, 0, scores, reference[:classes], g.Head)
	right := 0
	var tensors [][]float32
	for i, class := range y {
		scores := reference[i*classes : (i+1)*classes]
		if i%every == 0 {
			if tensors, err = g.RunAll(x[i*size:(i+1)*size], tensors); err != nil {
				t.Fatal(err)
			}
			compare(t, i, tensors[g.Output], scores, g.Head)
			scores = tensors[g.Output]
		}
		if argMax(scores) == int(class) {
			right++
		}
	}
	if accuracy := 100 * float64(right) / float64(len(y)); math.Abs(accuracy-c.Accuracy) > 0.051 {
		t.Errorf("accuracy is %.2f %%, the reference has %.2f %%", accuracy, c.Accuracy)
	}
}

// compare checks scores against the reference, which may be their softmax.
func compare(t *testing.T, sample int, scores, want []float32, head nn.Head) {
	t.Helper()
	if head == nn.HeadSoftmax {
		scores = softmax(scores)
	}
	var largest float64
	for _, w := range want {
		largest = max(largest, math.Abs(float64(w)))
	}
	for j, w := range want {
		if d := math.Abs(float64(scores[j] - w)); !(d <= 1e-4*largest) {
			t.Fatalf("sample %d: score %d is %v, the reference has %v", sample, j, scores[j], w)
		}
	}
}

func softmax(x []float32) []float32 {
	top, sum := float64(x[argMax(x)]), 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	var out []float32
	for _, v := range x {
		out = append(out, float32(math.Exp(float64(v)-top)/sum))
	}
	return out
}

func argMax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
