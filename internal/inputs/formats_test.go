package inputs

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"dorcas/nn"
)

// plainWebP returns a lossless WebP picture of one color: five prefix codes
// of one symbol each, so that its pixels take no bits.
func plainWebP(w, h int, c color.NRGBA) []byte {
	var bits []byte
	put := func(v uint32, n int) {
		for i := range n {
			bits = append(bits, byte(v>>i&1))
		}
	}
	put(uint32(w-1), 14)
	put(uint32(h-1), 14)
	put(0, 1+3+1+1+1) // no alpha, version 0, no transform, no cache, one group of codes
	for _, symbol := range []uint8{c.G, c.R, c.B, c.A} {
		put(1, 1) // simple code
		put(0, 1) // of one symbol
		put(1, 1) // of 8 bits
		put(uint32(symbol), 8)
	}
	put(1, 4) // distances: simple, one symbol of one bit, 0
	data := []byte{0x2f}
	for i := 0; i < len(bits); i += 8 {
		var b byte
		for j := range min(8, len(bits)-i) {
			b |= bits[i+j] << j
		}
		data = append(data, b)
	}
	if len(data)%2 == 1 {
		data = append(data, 0)
	}
	out := []byte("RIFF")
	out = binary.LittleEndian.AppendUint32(out, uint32(12+len(data)))
	out = append(out, "WEBPVP8L"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
	return append(out, data...)
}

// TestMorePictures reads formats whose pixels are exact.
func TestMorePictures(t *testing.T) {
	want := []float32{0, 10, 20, 30, 40, 50, 1, 11, 21, 31, 41, 51, 2, 12, 22, 32, 42, 52}
	var b, tf, lzw bytes.Buffer
	for _, err := range []error{
		bmp.Encode(&b, stripes()), tiff.Encode(&tf, stripes(), nil),
		tiff.Encode(&lzw, stripes(), &tiff.Options{Compression: tiff.Deflate, Predictor: true}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	webp := slices.Concat(slices.Repeat([]float32{200}, 6), slices.Repeat([]float32{100}, 6), slices.Repeat([]float32{7}, 6))
	for _, tc := range []struct {
		name string
		data []byte
		want []float32
	}{
		{"x.bmp", b.Bytes(), want}, {"x.tif", tf.Bytes(), want}, {"x.TIFF", lzw.Bytes(), want},
		{"x.webp", plainWebP(3, 2, color.NRGBA{200, 100, 7, 255}), webp},
	} {
		got, err := read(t, nn.Dims{C: 3, H: 2, W: 3}, nn.Preprocess{Formula: "u8"}, store(t, tc.name, tc.data))
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, %v; want %v", tc.name, got, err, tc.want)
		}
		for cut := range tc.data[:len(tc.data)-1] {
			// Any error will do; a few formats do not miss their last bytes.
			_, _ = read(t, nn.Dims{C: 3, H: 2, W: 3}, nn.Preprocess{}, store(t, tc.name, tc.data[:cut]))
		}
	}
	var deep bytes.Buffer // 16 bits: the high byte counts
	img := image.NewGray16(image.Rect(0, 0, 2, 1))
	img.SetGray16(0, 0, color.Gray16{0x1234})
	img.SetGray16(1, 0, color.Gray16{0xfedc})
	if err := tiff.Encode(&deep, img, nil); err != nil {
		t.Fatal(err)
	}
	got, err := read(t, nn.Dims{C: 1, H: 1, W: 2}, nn.Preprocess{Formula: "u8", Color: "gray"}, store(t, "x.tif", deep.Bytes()))
	if err != nil || !slices.Equal(got, []float32{0x12, 0xfe}) {
		t.Errorf("16 bits: %v, %v", got, err)
	}
}

func zipped(t testing.TB, method uint16, members map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range members {
			if !yield(name) {
				return
			}
		}
	}) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = w.Write(members[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestArchives reads arrays of .npz files by name and by what fits.
func TestArchives(t *testing.T) {
	members := map[string][]byte{
		"train.npy": npyFile("|u1", "(3, 2, 3)", numbered(18)), "labels.npy": npyFile("|u1", "(3, 1)", []byte{2, 0, 1}),
		"other.npy": npyFile("<f4", "(2,)", floats(1, 2)), "notes.txt": []byte("hello"),
	}
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		path := store(t, "x.npz", zipped(t, method, members))
		r, err := New(nn.Dims{C: 1, H: 2, W: 3}, nn.Preprocess{Formula: "u8"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{path, path + "#train"} {
			all, err := r.Items(p)
			if err != nil || len(all) != 3 {
				t.Fatalf("%s: %d items, %v", p, len(all), err)
			}
			if x, err := all[2].Read(); err != nil || !slices.Equal(x, []float32{12, 13, 14, 15, 16, 17}) {
				t.Errorf("%s: %v, %v", all[2].Name, x, err)
			}
		}
		for _, p := range []string{path, path + "#labels"} {
			if labels, err := ReadLabels(p); err != nil || !slices.Equal(labels, []int{2, 0, 1}) {
				t.Errorf("labels of %s: %v, %v", p, labels, err)
			}
		}
		for p, want := range map[string]string{
			path + "#none": `no array "none" in it: it has labels [3 1], other [2], train [3 2 3]`, path + "#other": "shape [2] for a network",
		} {
			if _, err := r.Items(p); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", p, err, want)
			}
		}
	}
	members["again.npy"] = members["train.npy"]
	path := store(t, "x.npz", zipped(t, zip.Store, members))
	r, _ := New(nn.Dims{C: 1, H: 2, W: 3}, nn.Preprocess{}, nil)
	if _, err := r.Items(path); err == nil || !strings.Contains(err.Error(), "2 of its arrays fit") {
		t.Errorf("two that fit: %v", err)
	}
	lying := zipped(t, zip.Deflate, map[string][]byte{"x.npy": npyFile("|u1", "(100000000, 2, 3)", numbered(6))})
	if _, err := r.Items(store(t, "y.npz", lying)); err == nil {
		t.Error("an array that is shorter than its header says was taken")
	}
	if _, err := r.Items(store(t, "z.npz", []byte("PK hello"))); err == nil || !strings.Contains(err.Error(), "not a .npz file") {
		t.Errorf("no archive: %v", err)
	}
}

func idxFile(kind byte, dims []uint32, elements []byte) []byte {
	out := []byte{0, 0, kind, byte(len(dims))}
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, d)
	}
	return append(out, elements...)
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

func TestIdx(t *testing.T) {
	images, labels := idxFile(8, []uint32{2, 2, 3}, numbered(12)), idxFile(0xb, []uint32{2}, []byte{0, 7, 1, 0})
	r, err := New(nn.Dims{C: 1, H: 2, W: 3}, nn.Preprocess{Formula: "u8"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"x.idx": images, "x-images-idx3-ubyte.gz": gzipped(images), "t10k-images.idx3-ubyte": images} {
		all, err := r.Items(store(t, name, data))
		if err != nil || len(all) != 2 {
			t.Fatalf("%s: %d items, %v", name, len(all), err)
		}
		if x, err := all[1].Read(); err != nil || !slices.Equal(x, []float32{6, 7, 8, 9, 10, 11}) {
			t.Errorf("%s: %v, %v", name, x, err)
		}
	}
	for name, data := range map[string][]byte{"y.idx": labels, "y-idx1-ubyte.gz": gzipped(labels)} {
		if got, err := ReadLabels(store(t, name, data)); err != nil || !slices.Equal(got, []int{7, 256}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for want, data := range map[string][]byte{
		"not an IDX file": []byte("hello, world"), "12 bytes of elements, its header says 18": idxFile(8, []uint32{3, 2, 3}, numbered(12)),
		"type 7": idxFile(7, []uint32{1}, nil), "ends within its header": images[:9], "a dimension of 4294967295": idxFile(8, []uint32{1<<32 - 1}, nil),
		"shape [2147483647 2147483647 2147483647]": idxFile(8, []uint32{1<<31 - 1, 1<<31 - 1, 1<<31 - 1}, nil),
	} {
		if _, err := r.Items(store(t, "x.idx", data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for want, data := range map[string][]byte{
		"not a .gz file": images, "at most 536870912 are unpacked": gzipped(idxFile(8, []uint32{1 << 30, 2, 3}, numbered(6))),
		"ends after 12 of 18 bytes": gzipped(idxFile(8, []uint32{3, 2, 3}, numbered(12))),
	} {
		if _, err := r.Items(store(t, "x.idx.gz", data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestSignals reads arrays of signals in each layout.
func TestSignals(t *testing.T) {
	two, one := nn.Dims{C: 2, H: 1, W: 3}, nn.Dims{C: 1, H: 1, W: 6}
	for _, tc := range []struct {
		in    nn.Dims
		shape string
		want  []float32
	}{
		{two, "(1, 2, 3)", []float32{0, 1, 2, 3, 4, 5}}, {two, "(1, 2, 1, 3)", []float32{0, 1, 2, 3, 4, 5}},
		{two, "(1, 3, 2)", []float32{0, 2, 4, 1, 3, 5}}, {one, "(1, 6)", []float32{0, 1, 2, 3, 4, 5}}, {one, "(1, 6, 1)", []float32{0, 1, 2, 3, 4, 5}},
	} {
		r, err := New(tc.in, nn.Preprocess{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		items, err := r.Items(store(t, "x.npy", npyFile("<f4", tc.shape, floats(0, 1, 2, 3, 4, 5))))
		if err != nil {
			t.Errorf("%s: %v", tc.shape, err)
			continue
		}
		if x, err := items[0].Read(); err != nil || !slices.Equal(x, tc.want) {
			t.Errorf("%s: %v, %v; want %v", tc.shape, x, err, tc.want)
		}
	}
}

func TestTables(t *testing.T) {
	named := nn.Preprocess{Formula: "(raw - mean)/std", Mean: []float64{1, 2}, Std: []float64{2, 4}, Features: []string{"age", "Weight"}}
	flat := nn.Dims{C: 2, H: 1, W: 1}
	for _, tc := range []struct {
		name, text string
		in         nn.Dims
		pre        nn.Preprocess
		opt        Options
		want       []float32 // of the last row
		labels     []int
		err        string
	}{
		{"no header", "1,2\n3,10\n", flat, nn.Preprocess{Mean: []float64{1, 2}, Std: []float64{2, 4}}, Options{}, []float32{1, 2}, nil, ""},
		{"by name", "id;weight;AGE;sick\nA;6;3;yes\nB;10;5;no\n", flat, named, Options{LabelColumn: "sick", LabelNames: []string{"no", "yes"}}, []float32{2, 2}, []int{1, 0}, ""},
		{"all but the label", "a\tb\tclass\n1\t2\t1.0\n3\t4\t0\n", flat, nn.Preprocess{}, Options{LabelColumn: "Class"}, []float32{3, 4}, []int{1, 0}, ""},
		{"label by number", "1,2,1\n3,4,0\n", flat, nn.Preprocess{}, Options{LabelColumn: "2"}, []float32{3, 4}, []int{1, 0}, ""},
		{"preprocessed", "\xef\xbb\xbfage,weight\r\n1,2\r\n", flat, named, Options{Preprocessed: true}, []float32{1, 2}, nil, ""},
		{"pixels", "255,0\n", nn.Dims{C: 1, H: 2, W: 1}, nn.Preprocess{}, Options{}, []float32{1, 0}, nil, ""},
		{"no pixels", "256,0\n", nn.Dims{C: 1, H: 2, W: 1}, nn.Preprocess{}, Options{}, nil, nil, "pixels are 0 to 255"},
		{"a signal", "1,3,10,30\n", nn.Dims{C: 2, H: 1, W: 2}, nn.Preprocess{Mean: []float64{1, 10}, Std: []float64{2, 20}}, Options{}, []float32{0, 1, 0, 1}, nil, ""},
		{"a signal of one scale", "1,3,10,30\n", nn.Dims{C: 2, H: 1, W: 2}, nn.Preprocess{Mean: []float64{1}}, Options{}, []float32{0, 2, 9, 29}, nil, ""},
		{"not a number", "age,weight\n1,2\n3,NA\n", flat, named, Options{}, nil, nil, `line 3: column weight: "NA" is no number`},
		{"no such column", "age,height\n1,2\n", flat, named, Options{}, nil, nil, `no column "Weight", which the network's record names: it has age, height`},
		{"too many columns", "a,b,c\n1,2,3\n", flat, nn.Preprocess{}, Options{}, nil, nil, "name it with --label-column"},
		{"no label column", "a,b\n1,2\n", flat, nn.Preprocess{}, Options{LabelColumn: "y"}, nil, nil, `no column "y"`},
		{"unknown label", "a,b,y\n1,2,maybe\n", flat, nn.Preprocess{}, Options{LabelColumn: "y"}, nil, nil, `"maybe" is neither a label`},
		{"ragged", "1,2\n3\n", flat, nn.Preprocess{}, Options{}, nil, nil, "line 2"},
		{"empty", "", flat, nn.Preprocess{}, Options{}, nil, nil, "the table is empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := New(tc.in, tc.pre, &tc.opt)
			if err != nil {
				t.Fatal(err)
			}
			var x []float32
			items, labels, err := r.Labelled(store(t, "x.csv", []byte(tc.text)))
			if err == nil {
				x, err = items[len(items)-1].Read()
			}
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil || !slices.Equal(x, tc.want) || !slices.Equal(labels, tc.labels) {
				t.Errorf("got %v, labels %v, %v; want %v, %v", x, labels, err, tc.want, tc.labels)
			}
		})
	}
	r, _ := New(flat, nn.Preprocess{}, nil)
	if items, err := r.Items(store(t, "x.csv.gz", gzipped([]byte("1,2\n3,4\n")))); err != nil || len(items) != 2 {
		t.Errorf("packed: %d items, %v", len(items), err)
	}
}

// FuzzFiles reads hostile files of every format that this package parses.
func FuzzFiles(f *testing.F) {
	f.Add(npyFile("|u1", "(2, 2, 3)", numbered(12)), uint8(0))
	f.Add(zipped(f, zip.Deflate, map[string][]byte{"x.npy": npyFile("|u1", "(2, 2, 3)", numbered(12))}), uint8(1))
	f.Add(idxFile(8, []uint32{2, 2, 3}, numbered(12)), uint8(2))
	f.Add([]byte("a,b,c,d,e,f\n1,2,3,4,5,6\n"), uint8(3))
	f.Add(gzipped([]byte("1;2;3;4;5;6\n")), uint8(4))
	dir := f.TempDir()
	r, err := New(nn.Dims{C: 1, H: 2, W: 3}, nn.Preprocess{}, &Options{LabelNames: []string{"a"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		names := []string{"x.npy", "x.npz", "x.idx", "x.csv", "x.csv.gz"}
		path := filepath.Join(dir, names[int(kind)%len(names)])
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		items, err := r.Items(path)
		if err != nil {
			return
		}
		for _, it := range items[:min(3, len(items))] {
			if x, err := it.Read(); err == nil && len(x) != 6 {
				t.Errorf("%d values", len(x))
			}
		}
		_, _ = ReadLabels(path)
	})
}
