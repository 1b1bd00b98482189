package modeltest

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dorcas/internal/inputs"
)

// table reports whether the model takes rows of a table.
func (m *model) table() bool { return m.set == "wdbc" }

// calibration returns up to n inputs for the scales: of the data set that the
// samples are from, but none of them; the samples themselves where there is no
// more of it.
func (m *model) calibration(t testing.TB, dir string, n int) [][]float32 {
	t.Helper()
	sets := filepath.Join(dir, "datasets")
	var x [][]float32
	switch m.set {
	case "mnist":
		x = idxImages(t, filepath.Join(sets, "mnist", "train-images-idx3-ubyte.gz"), m, n)
	case "fashion-mnist":
		x = idxImages(t, filepath.Join(sets, "fashion-mnist", "t10k-images-idx3-ubyte.gz"), m, 2*n)
	case "cifar10-jpg":
		b := read(t, filepath.Join(sets, "cifar10-jpg", "test_batch_1000.bin"))
		for ; len(b) >= 3073; b = b[3073:] {
			x = append(x, m.preprocess(t, b[1:3073]))
		}
	case "pneumoniamnist":
		x = m.archive(t, filepath.Join(sets, "pneumoniamnist", "pneumoniamnist_rebuilt.npz")+"#train_images", n)
	case "wdbc":
		x = m.rows(t, filepath.Join(sets, "wdbc", "breast_cancer.csv"))
	default:
		return m.samples
	}
	x = m.others(x)
	if len(x) < 50 {
		t.Fatalf("%s: %d inputs that are no samples", m.name, len(x))
	}
	return x[:min(n, len(x))]
}

// others leaves out what is among the samples, up to rounding of what was
// normalised elsewhere.
func (m *model) others(x [][]float32) [][]float32 {
	key := func(v []float32) string {
		b := make([]byte, 0, 2*len(v))
		for _, f := range v {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(float64(f)*256))))
		}
		return string(b)
	}
	known := map[string]bool{}
	for _, s := range m.samples {
		known[key(s)] = true
	}
	var out [][]float32
	for _, v := range x {
		if !known[key(v)] {
			out = append(out, v)
		}
	}
	return out
}

func (m *model) preprocess(t testing.TB, u8 []byte) []float32 {
	t.Helper()
	x := make([]float32, m.graph.Input.Len())
	if err := m.record.Preprocess.Apply(x, u8, m.graph.Input); err != nil {
		t.Fatal(err)
	}
	return x
}

func idxImages(t testing.TB, path string, m *model, n int) [][]float32 {
	img := gunzip(t, path)[16:]
	size := m.graph.Input.Len()
	var x [][]float32
	for i := range min(n, len(img)/size) {
		x = append(x, m.preprocess(t, img[i*size:][:size]))
	}
	return x
}

func (m *model) archive(t testing.TB, path string, n int) [][]float32 {
	t.Helper()
	r, err := inputs.New(m.graph.Input, m.record.Preprocess, nil)
	if err != nil {
		t.Fatal(err)
	}
	items, err := r.Items(path)
	if err != nil {
		t.Fatal(err)
	}
	var x [][]float32
	for _, item := range items[:min(n, len(items))] {
		v, err := item.Read()
		if err != nil {
			t.Fatal(err)
		}
		x = append(x, v)
	}
	return x
}

// rows reads a table of features with the class at the end; its first line says
// something else.
func (m *model) rows(t testing.TB, path string) [][]float32 {
	t.Helper()
	n := m.graph.Input.Len()
	var x [][]float32
	for _, line := range strings.Split(strings.TrimSpace(string(read(t, path))), "\n")[1:] {
		fields := strings.Split(strings.TrimSpace(line), ",")
		raw := make([]float64, n)
		for i := range raw {
			var err error
			if raw[i], err = strconv.ParseFloat(fields[i], 64); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
		v := make([]float32, n)
		if err := m.record.Preprocess.ApplyTable(v, raw); err != nil {
			t.Fatal(err)
		}
		x = append(x, v)
	}
	if len(m.others(x)) != len(x)-len(m.samples) {
		t.Fatalf("%s: %d rows, %d of them no samples; there are %d samples", path, len(x), len(m.others(x)), len(m.samples))
	}
	return x
}
