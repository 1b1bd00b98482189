package inputs

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dorcas/nn"
)

func TestRanges(t *testing.T) {
	cases := []struct {
		text string
		n    int
		want []int
		err  string
	}{
		{"", 3, []int{0, 1, 2}, ""},
		{"7", 8, []int{7}, ""},
		{"0:3", 9, []int{0, 1, 2}, ""},
		{"3,5,9", 10, []int{3, 5, 9}, ""},
		{":2, 8:, 4", 10, []int{0, 1, 8, 9, 4}, ""},
		{"5,5", 6, []int{5, 5}, ""},
		{"7", 7, nil, "index 7: it has 7 rows"},
		{"0:20", 10, nil, "index 19: it has 10 rows"},
		{"12:", 10, nil, "it has 10 rows"},
		{"3:3", 10, nil, "write 7, 0:20 or 3,5,9"},
		{"5:2", 10, nil, "write 7"},
		{"-1", 10, nil, "write 7"},
		{"a", 10, nil, "write 7"},
		{"1,,2", 10, nil, "write 7"},
		{"1:2:3", 10, nil, "write 7"},
		{"99999999999", 10, nil, "write 7"},
	}
	for _, tc := range cases {
		r, err := ParseRanges(tc.text)
		var got []int
		if err == nil {
			got, err = r.Rows(tc.n)
		}
		if tc.err == "" && (err != nil || !slices.Equal(got, tc.want)) {
			t.Errorf("%q of %d: %v, %v; want %v", tc.text, tc.n, got, err, tc.want)
		}
		if tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("%q of %d: %v, %v; want %q", tc.text, tc.n, got, err, tc.err)
		}
	}
}

// stripes is a colored picture of 3×2.
func stripes() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	for i := range 6 {
		img.Set(i%3, i/3, color.NRGBA{uint8(10 * i), uint8(10*i + 1), uint8(10*i + 2), 255})
	}
	return img
}

func encode(t testing.TB, name string, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	var err error
	if strings.HasSuffix(name, "png") {
		err = png.Encode(&b, img)
	} else {
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 100})
	}
	if err != nil {
		t.Fatal(err)
	}
	return store(t, name, b.Bytes())
}

func read(t testing.TB, in nn.Dims, pre nn.Preprocess, path string) ([]float32, error) {
	t.Helper()
	r, err := New(in, pre, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Items(path)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 || all[0].Name != path {
		t.Fatalf("%d items, the first %q", len(all), all[0].Name)
	}
	return all[0].Read()
}

// TestPictures checks that a picture of the right size keeps its bytes.
func TestPictures(t *testing.T) {
	plain := nn.Preprocess{Formula: "x = u8"}
	path := encode(t, "x.png", stripes())
	rgb := []float32{0, 10, 20, 30, 40, 50, 1, 11, 21, 31, 41, 51, 2, 12, 22, 32, 42, 52}
	if got, err := read(t, nn.Dims{C: 3, H: 2, W: 3}, plain, path); err != nil || !slices.Equal(got, rgb) {
		t.Errorf("%v, %v; want %v", got, err, rgb)
	}
	bgr := slices.Concat(rgb[12:], rgb[6:12], rgb[:6])
	if got, err := read(t, nn.Dims{C: 3, H: 2, W: 3}, nn.Preprocess{Formula: "x = u8", Color: "BGR"}, path); err != nil || !slices.Equal(got, bgr) {
		t.Errorf("BGR: %v, %v; want %v", got, err, bgr)
	}
	// Luma of almost gray colors is the middle channel.
	if got, err := read(t, nn.Dims{C: 1, H: 2, W: 3}, plain, path); err != nil || !slices.Equal(got, rgb[6:12]) {
		t.Errorf("gray of color: %v, %v; want %v", got, err, rgb[6:12])
	}
	gray := image.NewGray(image.Rect(5, 5, 8, 7)) // bounds that begin elsewhere
	copy(gray.Pix, []byte{0, 1, 127, 128, 254, 255})
	got, err := read(t, nn.Dims{C: 6, H: 1, W: 1}, nn.Preprocess{Color: "gray", Size: []int{2, 3}}, encode(t, "x.PNG.png", gray))
	for i, v := range []float32{0, 1, 127, 128, 254, 255} {
		if err != nil || math.Abs(float64(got[i]-v/255)) > 1e-7 {
			t.Fatalf("flattened gray: %v, %v", got, err)
		}
	}
}

// TestResize checks that another size keeps a plain color and the sides of
// the picture.
func TestResize(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 90, 40))
	for y := range 40 {
		for x := range 90 {
			c := color.NRGBA{200, 100, 50, 255}
			if x >= 45 {
				c = color.NRGBA{20, 10, 5, 255}
			}
			img.Set(x, y, c)
		}
	}
	for _, name := range []string{"x.png", "x.jpg", "x.JPEG"} {
		got, err := read(t, nn.Dims{C: 3, H: 8, W: 8}, nn.Preprocess{Formula: "u8", Color: "RGB", Size: []int{8, 8}}, encode(t, name, img))
		if err != nil {
			t.Fatal(err)
		}
		for c, want := range [][2]float32{{200, 20}, {100, 10}, {50, 5}} {
			left, right := got[c*64+8*3], got[c*64+8*3+7]
			if math.Abs(float64(left-want[0])) > 3 || math.Abs(float64(right-want[1])) > 3 {
				t.Errorf("%s: channel %d is %v at the left and %v at the right, want %v", name, c, left, right, want)
			}
		}
	}
}

// fixHeader sets the checksum of a PNG file's header.
func fixHeader(b []byte) []byte {
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func TestBadPictures(t *testing.T) {
	whole, err := os.ReadFile(encode(t, "x.png", stripes()))
	if err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(whole)
	copy(huge[16:], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // width and height of 65536
	cases := []struct {
		name, file string
		data       []byte
		want       string
	}{
		{"text", "x.png", []byte("hello"), "not a PNG, JPEG, BMP, TIFF or WebP file"},
		{"empty", "x.jpg", nil, "not a PNG, JPEG, BMP, TIFF or WebP file"},
		{"cut off", "x.png", whole[:len(whole)-20], "damaged PNG file"},
		{"other ending", "x.gif", whole, "unknown kind of file \".gif\""},
		{"no ending", "x", whole, "unknown kind of file"},
		{"not there", "", nil, "check the path"},
		{"too large", "x.png", fixHeader(huge), "65536×65536 pixels"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "none.png")
			if tc.file != "" {
				path = store(t, tc.file, tc.data)
			}
			_, err := read(t, nn.Dims{C: 1, H: 2, W: 2}, nn.Preprocess{}, path)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Count(err.Error(), path) != 1 {
				t.Errorf("got %v, want %q and the file's name once", err, tc.want)
			}
		})
	}
}

func TestRecords(t *testing.T) {
	square := nn.Dims{C: 1, H: 4, W: 4}
	cases := []struct {
		name string
		in   nn.Dims
		pre  nn.Preprocess
		want string
	}{
		{"nothing", square, nn.Preprocess{}, ""},
		{"all", square, nn.Preprocess{Layout: "NCHW", Color: "gray", Size: []int{4, 4}}, ""},
		{"flattened", nn.Dims{C: 48, H: 1, W: 1}, nn.Preprocess{Color: "RGB", Size: []int{4, 4}}, ""},
		{"table", nn.Dims{C: 30, H: 1, W: 1}, nn.Preprocess{}, ""},
		{"other size", square, nn.Preprocess{Size: []int{5, 4}}, "size 5×4, but the network takes 1×4×4"},
		{"other color", square, nn.Preprocess{Color: "RGB"}, "color \"RGB\""},
		{"unknown color", square, nn.Preprocess{Color: "HSV"}, "write gray, RGB or BGR"},
		{"other layout", square, nn.Preprocess{Layout: "CHWN"}, "want NCHW or NHWC"},
		{"size of one", square, nn.Preprocess{Size: []int{4}}, "not a height and a width"},
		{"size of zero", nn.Dims{C: 16, H: 1, W: 1}, nn.Preprocess{Size: []int{0, 4}}, "not a height and a width"},
		{"huge size", nn.Dims{C: 16, H: 1, W: 1}, nn.Preprocess{Size: []int{1 << 40, 1 << 40}}, "not a height and a width"},
		{"size that does not fit", nn.Dims{C: 30, H: 1, W: 1}, nn.Preprocess{Size: []int{4, 7}}, "the network takes 30"},
	}
	for _, tc := range cases {
		_, err := New(tc.in, tc.pre, nil)
		if (tc.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

// TestFolder reads folders of class folders.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"cat/1.png", "cat/2.png", "cat/3.png", "1/a.png", ".git/x.png", "cat/notes.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(encode(t, "x.png", stripes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := New(nn.Dims{C: 1, H: 2, W: 3}, nn.Preprocess{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	items, labels, err := r.Folder(dir, []string{"cat", "dog"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range items {
		name, _ := filepath.Rel(dir, it.Name)
		got = append(got, filepath.ToSlash(name))
	}
	if want := []string{"1/a.png", "cat/1.png", "cat/2.png", "cat/3.png"}; !slices.Equal(got, want) || !slices.Equal(labels, []int{1, 0, 0, 0}) {
		t.Errorf("%q with labels %v, want %q", got, labels, want)
	}
	if items, labels, err := r.Folder(filepath.Join(dir, "cat"), nil); err != nil || len(items) != 3 || labels != nil {
		t.Errorf("a folder of pictures: %d items, labels %v, %v", len(items), labels, err)
	}
	for _, tc := range []struct {
		dir   string
		names []string
		want  string
	}{
		{dir, nil, `folder "cat" is not the number of a class`},
		{dir, []string{"dog"}, `folder "cat" is none of the labels`},
		{t.TempDir(), nil, "no picture or DICOM file in it"},
		{filepath.Join(dir, "none"), nil, "check the path"},
	} {
		if _, _, err := r.Folder(tc.dir, tc.names); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
}
