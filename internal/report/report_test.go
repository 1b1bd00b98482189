package report

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dorcas/nn"
)

// residual is the report of a small network with a branch, and with names
// that try to be markup.
func residual(classes int) *Report {
	r := &Report{
		Name: `<script>alert("x")</script>`, File: "a&b.dorcas", Hash: "00ff", Bytes: 1234, Input: "1×8×8", Output: "scores",
		Labels: []string{"cat", "</td><img src=x>"}, Samples: 10, Calibration: 10, Traced: 3, Agree: 0.9, Version: "dorcas test",
		Options: []Option{{"Bits", `"8"`}},
		Layers: []Layer{
			{Name: "input", Kind: "input", Shape: nn.Dims{C: 1, H: 8, W: 8}, Bits: 8, Error: 0.003},
			{Name: "conv<1>", Kind: "conv", In: []int{0}, Shape: nn.Dims{C: 4, H: 8, W: 8}, Width: 17, WeightBits: 8, Error: 0.01, ToClient: 5000},
			{Name: "relu1", Kind: "relu", In: []int{1}, Shape: nn.Dims{C: 4, H: 8, W: 8}, Width: 17, Shift: 7, Bits: 8, Error: 0.02, Saturation: 0.001,
				Histogram: []int64{0, 5, 10, 20, 40, 90, 40, 20, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}, Ands: 12345, ToClient: 700000, ToServer: 12},
			{Name: "conv2", Kind: "conv", In: []int{2}, Shape: nn.Dims{C: 4, H: 8, W: 8}, Width: 19, WeightBits: 8},
			{Name: "add", Kind: "add", In: []int{2, 3}, Shape: nn.Dims{C: 4, H: 8, W: 8}, Width: 20},
			{Name: "output", Kind: "open", In: []int{4}, Shape: nn.Dims{C: classes, H: 1, W: 1}, Width: 20, Histogram: make([]int64, 21)},
		},
		Phases: []Phase{{"setup", 1, 2, 2}, {"offline", 3000, 4000000, 1}, {"online", 5, 6, 4}},
		Links:  []Link{{"LAN", 0.01, 0.1, 0.002}, {"WAN", 0.1, 1, 0.2}},
	}
	labels, float, integer := make([]int, 10), make([]int, 10), make([]int, 10)
	for i := range labels {
		labels[i], float[i], integer[i] = i%classes, i%classes, (i/2)%classes
	}
	r.Accuracy = NewAccuracy(labels, float, integer, classes)
	return r
}

// TestPage checks that the page needs nothing from outside, that names cannot
// become markup, and that it is well formed.
func TestPage(t *testing.T) {
	for _, r := range []*Report{residual(2), residual(30), {Name: "x", Layers: residual(2).Layers}} {
		var b strings.Builder
		if err := r.HTML(&b); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, bad := range []string{`(?i)<[^>]*\s(src|href|action|data)\s*=\s*["']?[^"'#\s>]`, `(?i)https?:`, `(?i)url\(`, `@import`, `(?i)<script`, `(?i)<(link|iframe|object|embed)`, `ZgotmplZ`, `%!`, `NaN`, `\+Inf`} {
			if at := regexp.MustCompile(bad).FindStringIndex(text); at != nil {
				t.Errorf("the page has %s: …%s", bad, text[max(0, at[0]-40):min(len(text), at[1]+40)])
			}
		}
		checkMarkup(t, text)
	}
	var b strings.Builder
	if err := residual(2).HTML(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"&lt;script&gt;", "conv&lt;1&gt;", "&lt;/td&gt;&lt;img", "100.00\u202f%", "60.00\u202f%", "−50.00", "9 of 17 bits used", "700.0\u202fkB", "12\u202f345"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// checkMarkup checks that every element is closed, in order.
func checkMarkup(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(strings.Replace(text, "<!DOCTYPE html>", "", 1)))
	d.Strict, d.Entity = true, xml.HTMLEntity
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Errorf("not well formed: %v", err)
			return
		}
	}
}

func TestAccuracy(t *testing.T) {
	a := NewAccuracy([]int{0, 0, 1, 2, 2}, []int{0, 1, 1, 2, 0}, []int{0, 0, 2, 1, 0}, 3)
	want := &Accuracy{Float: 0.6, Integer: 0.4, Lost: 2, Gained: 1, Classes: 3,
		Confusion: []Confusion{{0, 0, 1, 2}, {0, 1, 1, 0}, {1, 1, 1, 0}, {1, 2, 0, 1}, {2, 0, 1, 1}, {2, 1, 0, 1}, {2, 2, 1, 0}}}
	if m := a.table(func(c Confusion) int { return c.Integer }); !reflect.DeepEqual(m, [][]int{{2, 0, 0}, {0, 0, 1}, {1, 1, 0}}) {
		t.Errorf("the matrix is %v", m)
	}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got %+v, want %+v", a, want)
	}
	data, err := json.Marshal(&Report{Accuracy: a})
	var back Report
	if err == nil {
		err = json.Unmarshal(data, &back)
	}
	if err != nil || !reflect.DeepEqual(back.Accuracy, want) {
		t.Errorf("through JSON: %+v, %v", back.Accuracy, err)
	}
}

// TestLayout places random graphs: edges lead one row down, nothing overlaps,
// and every edge of the graph is there.
func TestLayout(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		in := make([][]int, 2+rng.IntN(40))
		for i := 1; i < len(in); i++ {
			in[i] = []int{rng.IntN(i)}
			for rng.IntN(3) == 0 {
				in[i] = append(in[i], rng.IntN(i))
			}
		}
		l := newLayout(in)
		for v := range l.vertices {
			for _, d := range l.vertices[v].down {
				if l.vertices[d].row != l.vertices[v].row+1 {
					t.Fatalf("an edge from row %d to row %d", l.vertices[v].row, l.vertices[d].row)
				}
			}
		}
		for _, row := range l.rows {
			for i := 1; i < len(row); i++ {
				a, b := &l.vertices[row[i-1]], &l.vertices[row[i]]
				if a.x+a.width/2+gap > b.x-b.width/2+1e-6 {
					t.Fatalf("%v overlaps with %v", a, b)
				}
			}
			for _, v := range row {
				if x := l.vertices[v].x; math.IsNaN(x) || x < l.vertices[v].width/2-1e-6 || x > l.width-l.vertices[v].width/2+1e-6 {
					t.Fatalf("at %v of %v", x, l.width)
				}
			}
		}
		for i := range in {
			got := l.sources(i)
			want := slices.Compact(slices.Sorted(slices.Values(in[i])))
			if !slices.Equal(got, want) {
				t.Fatalf("layer %d takes %v in the picture, want %v", i, got, want)
			}
		}
	}
}

// sources follows the edges of a layer up to other layers.
func (l *layout) sources(i int) []int {
	var from []int
	for _, u := range l.vertices[l.of[i]].up {
		for l.vertices[u].layer < 0 {
			u = l.vertices[u].up[0]
		}
		from = append(from, l.vertices[u].layer)
	}
	slices.Sort(from)
	return from
}

func TestChains(t *testing.T) {
	l := newLayout([][]int{nil, {0}, {1}, {2}})
	for _, v := range l.vertices {
		if v.x != l.vertices[0].x {
			t.Errorf("a chain is not straight: %v", l.vertices)
		}
	}
}

func TestWords(t *testing.T) {
	for want, got := range map[string]string{
		"1\u202f234\u202f567": count(1234567), "999": count(int64(999)), "999\u202fB": size(999), "1.5\u202fMB": size(1500000)[:3] + "\u202fMB",
		"12.5\u202fms": seconds(0.0125), "2.5\u202fs": seconds(2.5), "+0.50": points(0.005), "−1.20": points(-0.012), "±0.00": points(1e-9),
		"/body…dy.1/Conv": short("/body/body.0/sc/body.1/Conv", 15), "abc": short("abc", 3),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for most, want := range map[float64]float64{0.03: 0.03, 0.55: 0.6, 0.9: 1, 0.021: 0.025, 0.0101: 0.015} {
		if top, _ := axis(most); math.Abs(top-want) > 1e-9 {
			t.Errorf("an axis to %v ends at %v, want %v", most, top, want)
		}
	}
}
