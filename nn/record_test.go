package nn

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestParseRecord(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       Record
		err        string
	}{
		{"image", `{"name":"net","opset":13,"preprocess":{"layout":"NCHW","color":"RGB","size":[32,32],"formula":"x = (u8/255 - mean)/std",
			"mean":[0.1,0.2,0.3],"std":[1,2,3],"note":"n"},"labels":["cat","dog"]}`,
			Record{Preprocess{Layout: "NCHW", Color: "RGB", Size: []int{32, 32}, Mean: []float64{0.1, 0.2, 0.3}, Std: []float64{1, 2, 3}, Formula: "x = (u8/255 - mean)/std"}, []string{"cat", "dog"}}, ""},
		{"formula alone", `{"preprocess":"x = u8/255"}`, Record{Preprocess: Preprocess{Formula: "x = u8/255"}}, ""},
		{"no scaling", `{"preprocess":{"formula":"x = u8 (0..255, no scaling)"}}`, Record{Preprocess: Preprocess{Formula: "x = u8 (0..255, no scaling)"}}, ""},
		{"numbers for lists", `{"preprocess":{"mean":0.5,"std":0.25}}`, Record{Preprocess: Preprocess{Mean: []float64{0.5}, Std: []float64{0.25}}}, ""},
		{"labels elsewhere", `{"labels":"labels1000.json"}`, Record{}, ""},
		{"table and window", `{"preprocess":{"features":["a","b"],"window":[40,80]}}`, Record{Preprocess: Preprocess{Features: []string{"a", "b"}, Window: []float64{40, 80}}}, ""},
		{"window of one", `{"preprocess":{"window":[40]}}`, Record{}, "center"},
		{"window of no width", `{"preprocess":{"window":[40,0]}}`, Record{}, "center"},
		{"nulls", `{"labels":null,"preprocess":null}`, Record{}, ""},
		{"nothing", `{}`, Record{}, ""},
		{"no json", `mean: 3`, Record{}, "record"},
		{"labels of numbers", `{"labels":[1,2]}`, Record{}, "labels"},
		{"mean of text", `{"preprocess":{"mean":"0.5"}}`, Record{}, "preprocess"},
		{"other formula", `{"preprocess":"x = u8/127.5 - 1"}`, Record{}, "x = u8/127.5 - 1"},
		{"other offset", `{"preprocess":"x = u8/255 - 0.5"}`, Record{}, "formula"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := ParseRecord([]byte(c.data))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error is %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(r, c.want) {
				t.Errorf("got %+v, error %v, want %+v", r, err, c.want)
			}
		})
	}
}

func TestPreprocess(t *testing.T) {
	bytes := []uint8{0, 51, 102, 255, 1, 2, 3, 4}
	d := Dims{2, 2, 2}
	for _, c := range []struct {
		name string
		p    Preprocess
		of   func(u8 float64, channel int) float64
	}{
		{"none", Preprocess{}, func(u float64, _ int) float64 { return u / 255 }},
		{"one for all", Preprocess{Mean: []float64{0.5}, Std: []float64{0.25}}, func(u float64, _ int) float64 { return (u/255 - 0.5) / 0.25 }},
		{"by channel", Preprocess{Mean: []float64{0.5, 0.1}, Std: []float64{2, 3}, Formula: "x = (u8/255 - mean)/std"},
			func(u float64, c int) float64 { return (u/255 - []float64{0.5, 0.1}[c]) / []float64{2, 3}[c] }},
		{"no scaling", Preprocess{Formula: "x = u8 (0..255, no scaling)"}, func(u float64, _ int) float64 { return u }},
		{"bytes and mean", Preprocess{Mean: []float64{7}, Formula: "x = (u8 - mean)/std"}, func(u float64, _ int) float64 { return u - 7 }},
	} {
		dst := make([]float32, len(bytes))
		if err := c.p.Apply(dst, bytes, d); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for i, u := range bytes {
			if want := c.of(float64(u), i/4); math.Abs(float64(dst[i])-want) > 1e-6 {
				t.Errorf("%s: byte %d is %v, want %v", c.name, i, dst[i], want)
			}
		}
	}
	for name, p := range map[string]Preprocess{
		"three means": {Mean: []float64{1, 2, 3}}, "std 0": {Std: []float64{1, 0}}, "formula": {Formula: "x = log(u8)"},
	} {
		if p.Apply(make([]float32, 8), bytes, d) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if (Preprocess{}).Apply(make([]float32, 7), bytes, d) == nil || (Preprocess{}).Apply(make([]float32, 8), bytes[1:], d) == nil {
		t.Error("wrong sizes are no error")
	}

	p := Preprocess{Mean: []float64{1, 2}, Std: []float64{2, 4}, Formula: "x = (raw - mean)/std per feature"}
	dst := make([]float32, 2)
	if err := p.ApplyTable(dst, []float64{5, -2}); err != nil || dst[0] != 2 || dst[1] != -1 {
		t.Errorf("features give %v, %v", dst, err)
	}
	if p.ApplyTable(dst[:1], []float64{5, -2}) == nil || p.ApplyTable(make([]float32, 3), make([]float64, 3)) == nil {
		t.Error("wrong numbers of features are no error")
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"preprocess":{"mean":[0.5],"std":0.5,"formula":"x = u8/255"},"labels":["a"]}`))
	f.Add([]byte(`{"preprocess":"x = u8","labels":"none"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRecord(data)
		if err == nil {
			r.Preprocess.Apply(make([]float32, 3), make([]uint8, 3), Dims{3, 1, 1}) // must not panic
		}
	})
}
