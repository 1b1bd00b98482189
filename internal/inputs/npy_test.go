package inputs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dorcas/nn"
)

// npyFile returns an array file of version 1 with the elements as they are.
func npyFile(descr, shape string, elements []byte) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	out := append([]byte(npyMagic), 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	return append(append(out, header...), elements...)
}

func numbered(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func floats(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func store(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestArrays reads arrays of bytes and of floats in each layout that a
// network of 2×3 pictures with 3 channels, or a vector, can meet.
func TestArrays(t *testing.T) {
	color, gray, vector := nn.Dims{C: 3, H: 2, W: 2}, nn.Dims{C: 1, H: 2, W: 3}, nn.Dims{C: 6, H: 1, W: 1}
	chw := []float32{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11} // of 0 … 11, channels last
	first := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i)
		}
		return x
	}
	f64 := binary.BigEndian.AppendUint64(nil, math.Float64bits(0.5))
	cases := []struct {
		name     string
		in       nn.Dims
		pre      nn.Preprocess
		file     []byte
		rows     int
		row0     []float32
		lastElem float32 // of the last row
	}{
		{"N×H×W bytes", gray, nn.Preprocess{Formula: "x = u8"}, npyFile("|u1", "(2, 2, 3)", numbered(12)), 2, first(6), 11},
		{"N×C×H×W bytes", color, nn.Preprocess{Formula: "x = u8"}, npyFile("|u1", "(2, 3, 2, 2)", numbered(24)), 2, first(12), 23},
		{"N×H×W×C bytes", color, nn.Preprocess{Formula: "x = u8"}, npyFile("|u1", "(1, 2, 2, 3)", numbered(12)), 1, chw, 11},
		{"H×W×C bytes", color, nn.Preprocess{Formula: "x = u8"}, npyFile("|u1", "(2, 2, 3)", numbered(12)), 1, chw, 11},
		{"C×H×W bytes", color, nn.Preprocess{Formula: "x = u8"}, npyFile("|u1", "(3, 2, 2)", numbered(12)), 1, first(12), 11},
		{"N×H×W×1 bytes", gray, nn.Preprocess{Formula: "x = u8"}, npyFile("|u1", "(2, 2, 3, 1)", numbered(12)), 2, first(6), 11},
		{"N×features bytes", vector, nn.Preprocess{Formula: "x = u8"}, npyFile("|u1", "(2, 6)", numbered(12)), 2, first(6), 11},
		{
			"N×H×W bytes for a flattened picture", vector, nn.Preprocess{Formula: "x = u8", Size: []int{2, 3}},
			npyFile("|u1", "(2, 2, 3)", numbered(12)), 2, first(6), 11,
		},
		{
			"mean and std", gray, nn.Preprocess{Mean: []float64{0.5}, Std: []float64{0.25}},
			npyFile("|u1", "(1, 2, 3)", []byte{0, 255, 0, 255, 0, 255}), 1, []float32{-2, 2, -2, 2, -2, 2}, 2,
		},
		{
			"floats as they are", vector, nn.Preprocess{Mean: []float64{9}, Std: []float64{9}},
			npyFile("<f4", "(1, 6)", floats(-1, 2, 0, 0.5, 4, 5)), 1, []float32{-1, 2, 0, 0.5, 4, 5}, 5,
		},
		{
			"floats, channels last", color, nn.Preprocess{},
			npyFile("<f4", "(1, 2, 2, 3)", floats(first(12)...)), 1, chw, 11,
		},
		{"big-endian doubles", nn.Dims{C: 1, H: 1, W: 1}, nn.Preprocess{}, npyFile(">f8", "(1, 1)", f64), 1, []float32{0.5}, 0.5},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			r, err := New(tc.in, tc.pre, nil)
			if err != nil {
				t.Fatal(err)
			}
			path := store(t, "x.npy", tc.file)
			all, err := r.Items(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(all) != tc.rows || all[0].Name != path+"[0]" {
				t.Fatalf("%d items, the first %q", len(all), all[0].Name)
			}
			got, err := all[0].Read()
			if err != nil || !slices.Equal(got, tc.row0) {
				t.Errorf("row 0 is %v, %v; want %v", got, err, tc.row0)
			}
			got, err = all[len(all)-1].Read()
			if err != nil || got[len(got)-1] != tc.lastElem {
				t.Errorf("the last row is %v, %v; want %v at its end", got, err, tc.lastElem)
			}
		})
	}
}

func TestRawTable(t *testing.T) {
	r, err := New(nn.Dims{C: 2, H: 1, W: 1}, nn.Preprocess{Mean: []float64{10, 1}, Std: []float64{2, 4}}, &Options{Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Items(store(t, "x.npy", npyFile("<f4", "(1, 2)", floats(14, -7))))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := all[0].Read(); err != nil || !slices.Equal(got, []float32{2, -2}) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestHostileArrays has files that are not what they should be.
func TestHostileArrays(t *testing.T) {
	fortran := bytes.Replace(npyFile("|u1", "(2, 6)", numbered(12)), []byte("False"), []byte("True "), 1)
	long := append([]byte(npyMagic), 2, 0, 255, 255, 255, 127)
	cases := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not a .npy file"},
		{"no array", []byte("\x89PNG and more of it"), "not a .npy file"},
		{"ends in the magic", []byte(npyMagic), "not a .npy file"},
		{"ends in the header", npyFile("|u1", "(2, 6)", nil)[:40], "ends within its header"},
		{"version 9", append([]byte(npyMagic), 9, 0, 0, 0), "version 9"},
		{"header of 2 GB", long, "a header of 2147483647 bytes"},
		{"too short", npyFile("|u1", "(2, 6)", numbered(11)), "11 bytes of elements, its header says 12"},
		{"shape that overflows", npyFile("<f8", "(2147483647, 2147483647, 2147483647)", nil), "damaged .npy file: shape"},
		{"claims 16 EB", npyFile("<f8", "(2147483647, 1073741823)", nil), "damaged .npy file"},
		{"dimension beyond 2^31", npyFile("|u1", "(99999999999,)", nil), "damaged .npy file: shape"},
		{"rank 9", npyFile("|u1", "(1,1,1,1,1,1,1,1,6)", numbered(6)), "damaged .npy file: shape"},
		{"structured type", npyFile("x', '<f4", "(2,)", nil), "not an array of plain numbers"},
		{"objects", npyFile("|O8", "(6,)", make([]byte, 48)), "an array of O8"},
		{"integers", npyFile("<i8", "(1, 6)", make([]byte, 48)), "an array of int64"},
		{"other shape", npyFile("|u1", "(2, 5)", numbered(10)), "an array of shape [2 5] for a network that takes 6"},
		{"no rows", npyFile("|u1", "(0, 6)", nil), "the array is empty"},
		{"Fortran order", fortran, "ascontiguousarray"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			r, err := New(nn.Dims{C: 6, H: 1, W: 1}, nn.Preprocess{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			path := store(t, "x.npy", tc.file)
			_, err = r.Items(path)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %q and the file's name", err, tc.want)
			}
		})
	}
}

func TestNotFinite(t *testing.T) {
	r, err := New(nn.Dims{C: 2, H: 1, W: 1}, nn.Preprocess{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Items(store(t, "x.npy", npyFile("<f4", "(1, 2)", floats(0, float32(math.NaN())))))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := all[0].Read(); err == nil || !strings.Contains(err.Error(), "value 1 is NaN") {
		t.Errorf("%v, %v", x, err)
	}
}

func TestLabels(t *testing.T) {
	cases := []struct {
		name string
		file []byte
		want []int
		err  string
	}{
		{"uint8", npyFile("|u1", "(3,)", []byte{0, 200, 7}), []int{0, 200, 7}, ""},
		{"int8", npyFile("|i1", "(2,)", []byte{5, 127}), []int{5, 127}, ""},
		{"int64 as a column", npyFile("<i8", "(1, 1)", []byte{1, 2, 0, 0, 0, 0, 0, 0}), []int{513}, ""},
		{"big-endian int16", npyFile(">i2", "(1,)", []byte{1, 2}), []int{258}, ""},
		{"negative", npyFile("|i1", "(2,)", []byte{5, 255}), nil, "label 1 is -1"},
		{"beyond 2^63", npyFile("<u8", "(1,)", []byte{0, 0, 0, 0, 0, 0, 0, 255}), nil, "counted from 0"},
		{"floats", npyFile("<f4", "(1,)", floats(1)), nil, "labels are integers"},
		{"one-hot", npyFile("|u1", "(2, 3)", numbered(6)), nil, "one integer a sample"},
		{"scalar", npyFile("|u1", "()", numbered(1)), nil, "one integer a sample"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ReadLabels(store(t, "y.npy", tc.file))
			if tc.err == "" && (err != nil || !slices.Equal(got, tc.want)) {
				t.Errorf("%v, %v; want %v", got, err, tc.want)
			}
			if tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("%v, %v; want %q", got, err, tc.err)
			}
		})
	}
}

// FuzzNpy has the headers of array files: an error, or a shape whose elements
// are in the file.
func FuzzNpy(f *testing.F) {
	f.Add(npyFile("|u1", "(2, 2, 3)", numbered(12)))
	f.Add(npyFile("<f4", "(1, 2)", floats(1, 2)))
	f.Add(npyFile(">i8", "()", make([]byte, 8)))
	f.Add(append([]byte(npyMagic), 2, 0, 8, 0, 0, 0, '{', '}'))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readHeader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		n, err := a.bytes(a.shape)
		if err != nil || n < 0 || n > int64(len(data)) || a.at < 10 || len(a.shape) > maxRank {
			t.Errorf("%d bytes of shape %v at %d in a file of %d, %v", n, a.shape, a.at, len(data), err)
		}
		path := store(t, "x.npy", data)
		ReadLabels(path)
		r, err := New(nn.Dims{C: 3, H: 2, W: 1}, nn.Preprocess{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if all, err := r.Items(path); err == nil {
			if x, err := all[0].Read(); err == nil && len(x) != 6 {
				t.Errorf("%d values", len(x))
			}
		}
	})
}
