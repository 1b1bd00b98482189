package nn

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// smallModel has weights of one byte and of two, and every kind of layer that
// has fields.
func smallModel(t testing.TB) *Model {
	b := newBuilder(21, Dims{2, 6, 6})
	x := b.op(NodeRelu, b.conv(b.pad(0, Pad{2, 0, 0, 1}), 4, window(1, 1, 0)))
	y := b.conv(x, 4, window(3, 1, 1))
	x = b.pool(NodeMaxPool, b.op(NodeRelu, b.op(NodeAdd, x, y)), 2, 2, 0)
	x = b.op(NodeSquare, b.dense(b.pool(NodeAvgPool, x, 3, 1, 0), 6))
	b.dense(x, 3)
	m, _, err := Quantize(&b.Graph, b.samples(10, true), &QuantizeOptions{WeightBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	last := len(m.Layers) - 1
	m.Weights[last].W[3] = 1000 // no int8
	m.Layers[last].Conv.NormBits = 16
	m.Output.Width = MaxWidth
	m.Record = Record{
		Preprocess: Preprocess{Mean: []float64{0.1}, Std: []float64{0.3}, Formula: "x = (u8/255 - mean)/std", Size: []int{6, 6}},
		Labels:     []string{"a", "<b>", "ü"},
	}
	return m
}

func encode(t testing.TB, m *Model) []byte {
	var b bytes.Buffer
	n, err := m.WriteTo(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(b.Len()) {
		t.Fatalf("WriteTo says %d bytes, wrote %d", n, b.Len())
	}
	return b.Bytes()
}

func TestModelFile(t *testing.T) {
	m := smallModel(t)
	data := encode(t, m)
	if !bytes.Equal(data, encode(t, m)) {
		t.Error("the same model gives different bytes")
	}
	got, err := ReadModel(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Errorf("read\n%+v\nwrote\n%+v", got, m)
	}
	name := filepath.Join(t.TempDir(), "m.dorcas")
	for range 2 { // the second time over the first file
		if err := m.WriteFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if got, err = ReadFile(name); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("the model in the file differs, error %v", err)
	}
	if others, _ := filepath.Glob(filepath.Join(filepath.Dir(name), "*")); len(others) != 1 {
		t.Errorf("files left: %v", others)
	}
	if _, err := ReadFile(name + "x"); err == nil {
		t.Error("a missing file is no error")
	}
	m.Output.Tensor = 99
	if _, err := m.WriteTo(new(bytes.Buffer)); err == nil {
		t.Error("an invalid model was written")
	}
}

// resum replaces the checksum at the end.
func resum(data []byte) []byte {
	body := data[:len(data)-sha256.Size]
	sum := sha256.Sum256(body)
	return append(slices.Clone(body), sum[:]...)
}

func TestModelFileErrors(t *testing.T) {
	m := smallModel(t)
	data := encode(t, m)
	head := len(fileMagic) + 6
	shape := int(binary.LittleEndian.Uint32(data[head-4:]))
	for _, c := range []struct {
		name   string
		change func(d []byte) []byte
		want   string
	}{
		{"empty", func(d []byte) []byte { return nil }, "no model file"},
		{"magic", func(d []byte) []byte { d[0]++; return d }, "no model file"},
		{"version", func(d []byte) []byte { d[6]++; return resum(d) }, "version 2"},
		{"long shape", func(d []byte) []byte { d[head-1] = 255; return d }, "shape of"},
		{"short file", func(d []byte) []byte { return d[:head+shape/2] }, "shape: unexpected EOF"},
		{"broken shape", func(d []byte) []byte { d[head] = '['; return d }, "nn: shape"},
		{"weight size", func(d []byte) []byte { d[head+shape] = 3; return resum(d) }, "3 bytes a weight"},
		{"cut weights", func(d []byte) []byte { return d[:head+shape+3] }, "weights of layer 1"},
		{"cut sum", func(d []byte) []byte { return d[:len(d)-1] }, "checksum"},
		{"changed weight", func(d []byte) []byte { d[head+shape+1] ^= 1; return d }, "checksum does not match"},
		{"wide weight", func(d []byte) []byte {
			i := len(d) - sha256.Size - 1 // top byte of the last bias
			d[i] ^= 0x40
			return resum(d)
		}, "bits, width is"},
		{"bytes after the end", func(d []byte) []byte { return append(d, 0) }, "after the end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadModel(bytes.NewReader(c.change(slices.Clone(data))))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// A file that promises much and holds little takes little memory.
func TestModelFileMemory(t *testing.T) {
	m := &Model{Shape: Shape{
		Input:  Input{Dims: Dims{1 << 14, 1, 1}, Bits: 8},
		Layers: []Layer{{In: []int{0}, Out: Dims{1 << 14, 1, 1}, Conv: &Conv{Window: window(1, 1, 0)}}},
		Output: Output{Tensor: 1, Width: 28, Div: 1, Reveal: RevealScores},
	}}
	shape, err := m.Shape.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	wide := Shape{
		Input:  Input{Dims: Dims{1 << 24, 1, 1}, Bits: 8},
		Output: Output{Tensor: 8, Width: 28, Div: 1, Reveal: RevealScores},
	}
	for i := range 8 {
		wide.Layers = append(wide.Layers, Layer{In: []int{i}, Out: wide.Input.Dims, Reshape: new(Reshape)})
	}
	channels, err := wide.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	head := func(shape string) []byte {
		d := binary.LittleEndian.AppendUint16([]byte(fileMagic), fileVersion)
		return append(binary.LittleEndian.AppendUint32(d, uint32(len(shape))), shape...)
	}
	for name, data := range map[string][]byte{
		"weights":  append(head(string(shape)), 2, 1, 1),
		"channels": resum(append(head(string(channels)), make([]byte, sha256.Size)...)),
		"layers":   head(`{"layers":[` + strings.Repeat("{},", 1<<20) + `{}]}`),
		"labels":   head(`{"record":{"preprocess":{},"labels":[` + strings.Repeat(`"",`, 1<<20) + `""]}}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ReadModel(bytes.NewReader(data))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		// All that was ever allocated: what is in use at once is a third of it.
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20+48*uint64(len(data)) {
			t.Errorf("%s: %d bytes of memory for %d of file", name, used, len(data))
		}
	}
}

func TestParseShape(t *testing.T) {
	m := smallModel(t)
	data, err := m.Shape.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseShape(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, &m.Shape) {
		t.Errorf("parsed\n%+v, marshalled\n%+v", s, &m.Shape)
	}
	if again, err := s.MarshalBinary(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("marshalled again: error %v, bytes differ: %s", err, again)
	}
	text := string(data)
	for _, c := range []struct{ name, data, want string }{
		{"empty", "", "EOF"},
		{"list", "[]", "cannot unmarshal"},
		{"unknown field", strings.Replace(text, `"name"`, `"secret":1,"name"`, 1), "unknown field"},
		{"two values", text + "{}", "more than one"},
		{"rubbish after", text + "x", "more than one"},
		{"invalid", strings.Replace(text, `"reveal":"scores"`, `"reveal":"all"`, 1), "reveal"},
		{"huge", `{"name":"` + strings.Repeat("x", maxShape) + `"}`, "at most"},
		{"many layers", `{"layers":[` + strings.Repeat("{},", maxBraces) + `{}]}`, "objects"},
		{"overflow", strings.Replace(text, `"width":28`, `"width":99999999999999999999`, 1), "cannot unmarshal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ParseShape([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}

func FuzzParseShape(f *testing.F) {
	data, err := smallModel(f).Shape.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"layers":[{"in":[0],"out":{"c":1,"h":1,"w":1},"reshape":{}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseShape(data)
		if err != nil {
			return
		}
		again, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if t2, err := ParseShape(again); err != nil || !reflect.DeepEqual(s, t2) {
			t.Errorf("parsed again: %v\n%+v\n%+v", err, s, t2)
		}
	})
}

func FuzzReadModel(f *testing.F) {
	data := encode(f, smallModel(f))
	f.Add(data[:len(data)-sha256.Size])
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body) // or nothing would get past it
		m, err := ReadModel(bytes.NewReader(append(slices.Clone(body), sum[:]...)))
		if err != nil {
			return
		}
		if m.Input.Dims.Len() > 1<<16 {
			return
		}
		if err := checkWidths(m, make([]int32, m.Input.Dims.Len())); err != nil {
			t.Error(err)
		}
	})
}
