package main

import (
	"encoding/json"
	mathbits "math/bits"
	"os"
	"path/filepath"
	"testing"

	"dorcas"
	"dorcas/internal/report"
)

// TestReportData recomputes histograms and totals of a report.
func TestReportData(t *testing.T) {
	model := filepath.Join(t.TempDir(), "net.dorcas")
	if _, _, err := execute(t.Context(), "compile", "../../training/digits.onnx", "--samples", "testdata/digits_x.npy", "--labels", "testdata/digits_y.npy",
		"--preprocess", "testdata/digits.json", "--limit", "40", "-o", model); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(filepath.Dir(model), "net.report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	m, err := readModel(model)
	if err != nil {
		t.Fatal(err)
	}
	p, err := dorcas.NewPlan(&m.Shape)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Layers) != len(m.Layers)+2 || r.Samples != 40 || r.Traced != 40 {
		t.Fatalf("%d layers, %d samples, %d traced", len(r.Layers), r.Samples, r.Traced)
	}
	ands := 0
	for _, l := range r.Layers {
		ands += l.Ands
	}
	if ands != p.Ands() {
		t.Errorf("%d AND gates, the plan has %d", ands, p.Ands())
	}
	f := sampleFlags{samples: "testdata/digits_x.npy", limit: 40}
	if err := f.check(); err != nil {
		t.Fatal(err)
	}
	graph, err := readGraph(newRoot(), &globals{}, "../../training/digits.onnx")
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.read(graph, &m.Record)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]map[int]int64{}
	q := make([]int32, m.Input.Dims.Len())
	for _, x := range s.x {
		m.Input.Quantize(q, x)
		tensors, err := m.RunAll(q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Layers {
			if m.Layers[i].Activate == nil {
				continue
			}
			if want[i+1] == nil {
				want[i+1] = map[int]int64{}
			}
			for _, v := range tensors[m.Layers[i].In[0]] {
				n := mathbits.Len32(uint32(max(v, -1-v))) + 1
				want[i+1][n]++
			}
		}
	}
	for i, l := range r.Layers[:len(r.Layers)-1] {
		if (l.Histogram != nil) != (want[i] != nil) {
			t.Errorf("%s: a histogram: %v", l.Name, l.Histogram != nil)
		}
		for b, n := range l.Histogram {
			if n != want[i][b] {
				t.Errorf("%s: %d values of %d bits, want %d", l.Name, n, b, want[i][b])
			}
		}
		if l.Used() > l.Width {
			t.Errorf("%s: values of %d bits in %d", l.Name, l.Used(), l.Width)
		}
	}
}
