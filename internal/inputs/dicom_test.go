package inputs

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dorcas/nn"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/frame"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// dicomBytes has the library write a picture of 3×2 with some elements
// changed.
func dicomBytes(t testing.TB, syntax string, pixels dicom.PixelDataInfo, change map[tag.Tag]any) []byte {
	t.Helper()
	values := map[tag.Tag]any{
		tag.MediaStorageSOPClassUID: []string{"1.2.840.10008.5.1.4.1.1.2"}, tag.MediaStorageSOPInstanceUID: []string{"1.2.3"},
		tag.TransferSyntaxUID: []string{syntax}, tag.PatientName: []string{"Nobody^Real"},
		tag.Rows: []int{2}, tag.Columns: []int{3}, tag.SamplesPerPixel: []int{1}, tag.BitsAllocated: []int{16}, tag.BitsStored: []int{16},
		tag.HighBit: []int{15}, tag.PixelRepresentation: []int{0}, tag.PhotometricInterpretation: []string{"MONOCHROME2"},
		tag.ReferencedStudySequence: [][]*dicom.Element{{element(t, tag.Rows, []int{9})}},
	}
	for tg, v := range change {
		values[tg] = v
		if v == nil {
			delete(values, tg)
		}
	}
	var set dicom.Dataset
	for tg, v := range values {
		set.Elements = append(set.Elements, element(t, tg, v))
	}
	slices.SortFunc(set.Elements, func(a, b *dicom.Element) int { return a.Tag.Compare(b.Tag) })
	last := element(t, tag.PixelData, pixels)
	if pixels.IsEncapsulated {
		last.ValueLength, last.RawValueRepresentation = undefinedLength, "OB"
	}
	set.Elements = append(set.Elements, last)
	var b bytes.Buffer
	if err := dicom.Write(&b, set, dicom.SkipVRVerification()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func element(t testing.TB, tg tag.Tag, v any) *dicom.Element {
	t.Helper()
	e, err := dicom.NewElement(tg, v)
	if err != nil {
		t.Fatal(tg, err)
	}
	return e
}

func frames16(all ...[]uint16) dicom.PixelDataInfo {
	var p dicom.PixelDataInfo
	for _, values := range all {
		p.Frames = append(p.Frames, &frame.Frame{NativeData: &frame.NativeFrame[uint16]{
			RawData: values, InternalSamplesPerPixel: 1, InternalRows: 2, InternalCols: 3, InternalBitsPerSample: 16}})
	}
	return p
}

func frames8(samples int, values []uint8) dicom.PixelDataInfo {
	return dicom.PixelDataInfo{Frames: []*frame.Frame{{NativeData: &frame.NativeFrame[uint8]{
		RawData: values, InternalSamplesPerPixel: samples, InternalRows: 2, InternalCols: 3, InternalBitsPerSample: 8}}}}
}

func jpegFrames(fragments ...[]byte) dicom.PixelDataInfo {
	p := dicom.PixelDataInfo{IsEncapsulated: true}
	for _, f := range fragments {
		p.Frames = append(p.Frames, &frame.Frame{Encapsulated: true, EncapsulatedData: frame.EncapsulatedFrame{Data: f}})
	}
	return p
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	if b.Len()%2 == 1 {
		b.WriteByte(0)
	}
	return b.Bytes()
}

var eight = map[tag.Tag]any{tag.BitsAllocated: []int{8}, tag.BitsStored: []int{8}, tag.HighBit: []int{7}}

func with(base map[tag.Tag]any, more map[tag.Tag]any) map[tag.Tag]any {
	out := map[tag.Tag]any{}
	for _, m := range []map[tag.Tag]any{base, more} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// TestDicom reads what the library wrote.
func TestDicom(t *testing.T) {
	hounsfield := map[tag.Tag]any{ // air, fat, water, blood and bone in the usual CT window
		tag.RescaleSlope: []string{"1"}, tag.RescaleIntercept: []string{"-1024"},
		tag.WindowCenter: []string{"40", "700"}, tag.WindowWidth: []string{"400", "3200"},
	}
	ct := []uint16{24, 924, 1024, 1064, 1724, 4095}
	window := func(center, width float64, hu ...float64) []float32 { // PS3.3, C.11.2.1.2.1, as it is written there
		var out []float32
		for _, x := range hu {
			y := ((x-(center-0.5))/(width-1)+0.5)*255 + 0
			if x <= center-0.5-(width-1)/2 {
				y = 0
			} else if x > center-0.5+(width-1)/2 {
				y = 255
			}
			out = append(out, float32(math.Floor(y+0.5)))
		}
		return out
	}
	gray := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(gray.Pix, []byte{90, 90, 90, 90, 90, 90})
	red := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	for i := range 6 {
		red.Set(i%3, i/3, color.NRGBA{200, 40, 40, 255})
	}
	whole := jpegOf(t, gray)
	minus := uint16(0xffff)
	for _, tc := range []struct {
		name   string
		syntax string
		pixels dicom.PixelDataInfo
		change map[tag.Tag]any
		pre    nn.Preprocess
		near   float64
		want   []float32
	}{
		{"window of the file", explicitLittle, frames16(ct), hounsfield, nn.Preprocess{}, 0, window(40, 400, -1000, -100, 0, 40, 700, 3071)},
		{"window of the record", explicitLittle, frames16(ct), hounsfield, nn.Preprocess{Window: []float64{50, 100}}, 0, window(50, 100, -1000, -100, 0, 40, 700, 3071)},
		{"implicit", implicitLittle, frames16(ct), hounsfield, nn.Preprocess{}, 0, window(40, 400, -1000, -100, 0, 40, 700, 3071)},
		{"big endian", explicitBig, frames16(ct), hounsfield, nn.Preprocess{}, 0, window(40, 400, -1000, -100, 0, 40, 700, 3071)},
		{"inverted", explicitLittle, frames16(ct), with(hounsfield, map[tag.Tag]any{tag.PhotometricInterpretation: []string{"MONOCHROME1"}}), nn.Preprocess{}, 0,
			[]float32{255, 217, 153, 127, 0, 0}},
		{"no window: least to largest", explicitLittle, frames16([]uint16{1000, 1051, 1102, 1153, 1204, 1255}), nil, nn.Preprocess{}, 0, []float32{0, 51, 102, 153, 204, 255}},
		{"signed", explicitLittle, frames16([]uint16{minus - 254, 0, minus - 203, minus - 152, minus - 101, minus - 50}), map[tag.Tag]any{tag.PixelRepresentation: []int{1}}, nn.Preprocess{}, 0,
			[]float32{0, 255, 51, 102, 153, 204}},
		{"12 bits with other bits above", explicitLittle, frames16([]uint16{0xf000, 0xf0ff, 0x0000, 0xe033, 0xd066, 0xc099}), map[tag.Tag]any{tag.BitsStored: []int{12}, tag.HighBit: []int{11}}, nn.Preprocess{}, 0,
			[]float32{0, 255, 0, 51, 102, 153}},
		{"12 signed bits at the top", explicitLittle, frames16([]uint16{0xfff0, 0x0fe0, 0x0000, 0x0320, 0x0650, 0x0980}), map[tag.Tag]any{tag.BitsStored: []int{12}, tag.HighBit: []int{15}, tag.PixelRepresentation: []int{1}}, nn.Preprocess{}, 0,
			[]float32{0, 255, 1, 51, 102, 153}},
		{"one value", explicitLittle, frames16([]uint16{7, 7, 7, 7, 7, 7}), nil, nn.Preprocess{}, 0, []float32{0, 0, 0, 0, 0, 0}},
		{"8 bits", explicitLittle, frames8(1, []uint8{0, 1, 2, 127, 254, 255}), eight, nn.Preprocess{}, 0, []float32{0, 1, 2, 127, 254, 255}},
		{"color to gray", explicitLittle, frames8(3, slices.Repeat([]uint8{100, 100, 100}, 6)), with(eight, map[tag.Tag]any{tag.SamplesPerPixel: []int{3}, tag.PhotometricInterpretation: []string{"RGB"}, tag.PlanarConfiguration: []int{0}}), nn.Preprocess{}, 0,
			[]float32{100, 100, 100, 100, 100, 100}},
		{"JPEG", jpegBaseline, jpegFrames(whole), eight, nn.Preprocess{}, 1, []float32{90, 90, 90, 90, 90, 90}},
		{"JPEG in two fragments", jpegBaseline, jpegFrames(whole[:50], whole[50:]), eight, nn.Preprocess{}, 1, []float32{90, 90, 90, 90, 90, 90}},
		{"JPEG in color", jpegBaseline, jpegFrames(jpegOf(t, red)), with(eight, map[tag.Tag]any{tag.SamplesPerPixel: []int{3}, tag.PhotometricInterpretation: []string{"YBR_FULL_422"}}), nn.Preprocess{}, 2,
			[]float32{88, 88, 88, 88, 88, 88}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.pre.Formula, tc.pre.Color = "u8", "gray"
			path := store(t, "x.dcm", dicomBytes(t, tc.syntax, tc.pixels, tc.change))
			got, err := read(t, nn.Dims{C: 1, H: 2, W: 3}, tc.pre, path)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if math.Abs(float64(got[i]-tc.want[i])) > tc.near {
					t.Fatalf("got %v, want %v", got, tc.want)
				}
			}
		})
	}
}

func TestDicomColor(t *testing.T) {
	rgb := []float32{0, 3, 6, 9, 12, 15, 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17}
	planar := make([]uint8, 18)
	for i, v := range rgb {
		planar[i] = uint8(v)
	}
	for name, pixels := range map[string][]uint8{"by pixel": numbered(18), "by plane": planar} {
		n := 0
		if name == "by plane" {
			n = 1
		}
		path := store(t, "IMG0001", dicomBytes(t, explicitLittle, frames8(3, pixels), with(eight, map[tag.Tag]any{
			tag.SamplesPerPixel: []int{3}, tag.PhotometricInterpretation: []string{"RGB"}, tag.PlanarConfiguration: []int{n}})))
		if got, err := read(t, nn.Dims{C: 3, H: 2, W: 3}, nn.Preprocess{Formula: "u8"}, path); err != nil || !slices.Equal(got, rgb) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, rgb)
		}
	}
}

func TestDicomFrames(t *testing.T) {
	path := store(t, "x.dcm", dicomBytes(t, explicitLittle, frames16(slices.Repeat([]uint16{3}, 6), []uint16{0, 51, 102, 153, 204, 255}),
		map[tag.Tag]any{tag.NumberOfFrames: []string{"2"}}))
	r, err := New(nn.Dims{C: 1, H: 2, W: 3}, nn.Preprocess{Formula: "u8"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Items(path)
	if err != nil || len(all) != 2 || all[1].Name != path+"[1]" {
		t.Fatalf("%d items, %v", len(all), err)
	}
	if x, err := all[1].Read(); err != nil || !slices.Equal(x, []float32{0, 51, 102, 153, 204, 255}) {
		t.Errorf("%v, %v", x, err)
	}
}

func TestBadDicom(t *testing.T) {
	good := frames16(numberedWords(6))
	long := dicomBytes(t, explicitLittle, good, nil)
	at := bytes.Index(long, []byte{0xe0, 0x7f, 0x10, 0})
	binary.LittleEndian.PutUint32(long[at+8:], 1<<31)
	deep := dicomBytes(t, implicitLittle, good, nil)[:0:0]
	deep = append(deep, dicomBytes(t, implicitLittle, good, nil)...)
	nest := bytes.Repeat([]byte{8, 0, 0x10, 0x11, 255, 255, 255, 255, 254, 255, 0, 224, 255, 255, 255, 255}, 100000)
	i := bytes.Index(deep, []byte{0x10, 0, 0x10, 0})
	deep = slices.Insert(deep, i, nest...)
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"text":              {bytes.Repeat([]byte("hello "), 40), "not a DICOM file"},
		"empty":             {nil, "not a DICOM file"},
		"JPEG 2000":         {dicomBytes(t, explicitLittle, good, nil), ""},
		"length of 2 GiB":   {long, "an element ends beyond the file"},
		"nested":            {deep, "sequences within sequences"},
		"no rows":           {dicomBytes(t, explicitLittle, good, map[tag.Tag]any{tag.Rows: nil}), "3×-1 pixels"},
		"more rows":         {dicomBytes(t, explicitLittle, good, map[tag.Tag]any{tag.Rows: []int{60000}}), "12 bytes of pixels, its header says 360000"},
		"huge":              {dicomBytes(t, explicitLittle, good, map[tag.Tag]any{tag.Rows: []int{60000}, tag.Columns: []int{60000}}), "60000×60000 pixels"},
		"many frames":       {dicomBytes(t, explicitLittle, good, map[tag.Tag]any{tag.NumberOfFrames: []string{"2000000000"}}), "12 bytes of pixels"},
		"no number":         {dicomBytes(t, explicitLittle, good, map[tag.Tag]any{tag.RescaleSlope: []string{"one"}}), `is "one"`},
		"32 bits":           {dicomBytes(t, explicitLittle, good, map[tag.Tag]any{tag.BitsAllocated: []int{32}}), "32 bits a sample"},
		"palette":           {dicomBytes(t, explicitLittle, good, map[tag.Tag]any{tag.PhotometricInterpretation: []string{"PALETTE COLOR"}}), `its pixels are "PALETTE COLOR"`},
		"sigmoid":           {dicomBytes(t, explicitLittle, good, map[tag.Tag]any{tag.WindowWidth: []string{"4"}, tag.VOILUTFunction: []string{"SIGMOID"}}), "not linear"},
		"bits":              {dicomBytes(t, explicitLittle, good, map[tag.Tag]any{tag.HighBit: []int{20}}), "16 bits up to bit 20 of 16"},
		"JPEG of two sizes": {dicomBytes(t, jpegBaseline, jpegFrames(jpegOf(t, image.NewGray(image.Rect(0, 0, 8, 8)))), eight), "a JPEG of 8×8 in a file of 3×2"},
		"no JPEG":           {dicomBytes(t, jpegBaseline, jpegFrames([]byte("hello!")), eight), "damaged JPEG"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "JPEG 2000" {
				tc.data = bytes.Replace(tc.data, []byte(explicitLittle+"\x00"), []byte("1.2.840.10008.1.2.5\x00"), 1)
				tc.want = "run lengths (RLE), which is not supported"
				binary.LittleEndian.PutUint16(tc.data[bytes.Index(tc.data, []byte("UI\x14\x001.2.840.10008.1.2.5"))+2:], 20)
			}
			_, err := read(t, nn.Dims{C: 1, H: 2, W: 3}, nn.Preprocess{}, store(t, "x.dcm", tc.data))
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	// An element of a representation whose length the library takes for 32
	// bits and others for 16: 2 GiB, or none.
	odd := dicomBytes(t, explicitLittle, good, nil)
	i = bytes.Index(odd, []byte{0x28, 0, 0x10, 0, 'U', 'S'})
	odd = slices.Insert(odd, i, 0x28, 0, 0x06, 0, 'N', 'A', 4, 0, 0, 0, 0, 0x80)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := parseDicom(odd); err != nil {
		t.Errorf("a file with an element that is not needed: %v", err)
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 1<<24 {
		t.Errorf("%d bytes were taken for a file of %d", after.TotalAlloc-before.TotalAlloc, len(odd))
	}
	whole := dicomBytes(t, explicitLittle, good, nil)
	for cut := range whole[:len(whole)-1] {
		if _, err := parseDicom(whole[:cut]); err == nil {
			t.Fatalf("a file cut off at %d of %d was taken", cut, len(whole))
		}
	}
}

func numberedWords(n int) []uint16 {
	out := make([]uint16, n)
	for i := range out {
		out[i] = uint16(i)
	}
	return out
}

// FuzzDicom reads hostile files: no panic, no more memory than the file.
func FuzzDicom(f *testing.F) {
	f.Add(dicomBytes(f, explicitLittle, frames16(numberedWords(6)), nil))
	f.Add(dicomBytes(f, implicitLittle, frames16(numberedWords(6)), nil))
	f.Add(dicomBytes(f, explicitBig, frames8(1, numbered(6)), eight))
	f.Add(dicomBytes(f, jpegBaseline, jpegFrames(jpegOf(f, image.NewGray(image.Rect(0, 0, 3, 2)))), eight))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseDicom(data)
		if err != nil {
			return
		}
		img, err := d.image(d.frames - 1)
		if err == nil && (img.Bounds().Dx() != d.cols || img.Bounds().Dy() != d.rows) {
			t.Errorf("a picture of %v, want %d×%d", img.Bounds(), d.cols, d.rows)
		}
	})
}
