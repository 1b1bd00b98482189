// Package modeltest runs real trained models, which are not part of the
// project, through quantisation and the private protocol.
//
// It looks for them in DORCAS_DATA, or in ../shared/data beside the module,
// and skips where there are none: docs/data.md says what the folder holds.
// By default it takes a few samples of each; -full takes what the claims in
// the documentation rest on.
package modeltest

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dorcas/nn"
	"dorcas/nn/onnx"

	"github.com/sbinet/npyio"
)

var full = flag.Bool("full", false, "run on as many inputs as the documentation claims")

// only picks models by a part of their name.
var only = flag.String("model", "", "run only models whose path contains this")

// inferences is how many private inferences -full takes of each model.
var inferences = flag.Int("inferences", 20, "private inferences of each model with -full")

// table is the file whose table of models TestExact brings up to date.
var table = flag.String("table", "", "write results to the table of models in this file")

// data returns the folder of models and samples.
func data(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("DORCAS_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "models")); err != nil {
		t.Skipf("no models: %v (set DORCAS_DATA to a folder laid out as docs/data.md says)", err)
	}
	return dir
}

// model is a trained network with its record and its samples.
type model struct {
	name    string
	graph   *nn.Graph
	record  nn.Record
	samples [][]float32
	labels  []int
	set     string // of samples
}

// load reads models/NAME.onnx, its record and at most limit of its samples.
func load(t testing.TB, dir, name string, limit int) *model {
	t.Helper()
	m := &model{name: name}
	path := filepath.Join(dir, "models", name)
	var err error
	if m.graph, err = onnx.ReadFile(path + ".onnx"); err != nil {
		t.Fatal(err)
	}
	text := read(t, path+".json")
	if m.record, err = nn.ParseRecord(text); err != nil {
		t.Fatal(err)
	}
	var info struct{ Samples string }
	if err := json.Unmarshal(text, &info); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, strings.Fields(info.Samples)[0])
	m.set = filepath.Base(folder)
	if strings.HasSuffix(folder, "wdbc") {
		m.samples = floatRows(t, filepath.Join(folder, "x_norm_f32.npy"), m.graph.Input.Len(), limit)
	} else {
		// "samples/imagenet x_u8_128.npy, label = y+1" names the file of a size
		// and says that class 0 is none of the labels.
		file := "x_u8.npy"
		for _, word := range strings.FieldsFunc(info.Samples, func(r rune) bool { return r == ' ' || r == ',' }) {
			if strings.HasSuffix(word, ".npy") {
				file = word
			}
		}
		m.samples = pixels(t, filepath.Join(folder, file), m, limit)
	}
	first := 0
	if strings.Contains(info.Samples, "label = y+1") {
		first = 1
	}
	var y []int64
	readNpy(t, filepath.Join(folder, "y.npy"), &y)
	for _, v := range y[:len(m.samples)] {
		m.labels = append(m.labels, int(v)+first)
	}
	return m
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readNpy reads an array of integers of any width, or of floats, into dst.
func readNpy[T any](t testing.TB, path string, dst *[]T) []int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := npyio.NewReader(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := r.Read(dst); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return r.Header.Descr.Shape
}

func floatRows(t testing.TB, path string, width, limit int) [][]float32 {
	var x []float32
	shape := readNpy(t, path, &x)
	var rows [][]float32
	for i := range min(limit, shape[0]) {
		rows = append(rows, x[i*width:][:width])
	}
	return rows
}

// pixels reads N×H×W or N×H×W×C bytes and preprocesses them.
func pixels(t testing.TB, path string, m *model, limit int) [][]float32 {
	t.Helper()
	var x []uint8
	shape := readNpy(t, path, &x)
	d := m.graph.Input
	if len(x) != shape[0]*d.Len() {
		t.Fatalf("%s: shape %v for a network that takes %v", path, shape, d)
	}
	planes := len(shape) == 3 || shape[1] == d.C
	var rows [][]float32
	for i := range min(limit, shape[0]) {
		img := x[i*d.Len():][:d.Len()]
		if !planes {
			img = chw(img, d)
		}
		row := make([]float32, d.Len())
		if err := m.record.Preprocess.Apply(row, img, d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		rows = append(rows, row)
	}
	return rows
}

// chw reorders an image of interleaved channels.
func chw(img []uint8, d nn.Dims) []uint8 {
	out := make([]uint8, len(img))
	for i, v := range img {
		out[i%d.C*d.H*d.W+i/d.C] = v
	}
	return out
}

// mnist reads images and labels of an MNIST-like data set.
func mnist(t testing.TB, dir, part string, m *model, limit int) ([][]float32, []int) {
	t.Helper()
	img := gunzip(t, filepath.Join(dir, "datasets", "mnist", part+"-images-idx3-ubyte.gz"))[16:]
	lab := gunzip(t, filepath.Join(dir, "datasets", "mnist", part+"-labels-idx1-ubyte.gz"))[8:]
	var x [][]float32
	var y []int
	for i := range min(limit, len(lab)) {
		row := make([]float32, 784)
		if err := m.record.Preprocess.Apply(row, img[i*784:][:784], nn.Dims{C: 1, H: 28, W: 28}); err != nil {
			t.Fatal(err)
		}
		x, y = append(x, row), append(y, int(lab[i]))
	}
	return x, y
}

func gunzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", path, err))
	}
	return b
}

// wanted says whether -model picks a model.
func wanted(name string) bool { return strings.Contains(name, *only) }
