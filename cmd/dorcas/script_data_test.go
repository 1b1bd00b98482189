package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/frame"
	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// tables writes the drawings as rows.csv and as set.npz, and seven.png as
// seven.dcm and as IM7.
func tables(ts *testscript.TestScript, _ bool, _ []string) {
	x, y := []byte(ts.ReadFile("x.npy")), []byte(ts.ReadFile("y.npy"))
	pixels, labels := x[len(x)-200*784:], y[len(y)-200:]
	var b bytes.Buffer
	for i := range 784 {
		fmt.Fprintf(&b, "p%d,", i)
	}
	b.WriteString("digit\n")
	for row := range 200 {
		for _, p := range pixels[784*row:][:784] {
			fmt.Fprintf(&b, "%d,", p)
		}
		fmt.Fprintf(&b, "%d\n", labels[row])
	}
	ts.Check(os.WriteFile(ts.MkAbs("rows.csv"), b.Bytes(), 0o600))

	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, data := range map[string][]byte{"x.npy": x, "y.npy": y} {
		w, err := z.Create(name)
		ts.Check(err)
		_, err = w.Write(data)
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs("set.npz"), archive.Bytes(), 0o600))

	img, err := png.Decode(bytes.NewReader([]byte(ts.ReadFile("seven.png"))))
	ts.Check(err)
	data := dicomOf(ts, img.(*image.Gray))
	ts.Check(os.WriteFile(ts.MkAbs("seven.dcm"), data, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("IM7"), data, 0o600))
}

// dim writes the drawings with a tenth of their light, as dim.npy.
func dim(ts *testscript.TestScript, _ bool, _ []string) {
	x := []byte(ts.ReadFile("x.npy"))
	for i := len(x) - 200*784; i < len(x); i++ {
		x[i] /= 10
	}
	ts.Check(os.WriteFile(ts.MkAbs("dim.npy"), x, 0o600))
}

// dicomOf writes a gray picture as a CT would: 16 bits, an intercept, a window.
func dicomOf(ts *testscript.TestScript, img *image.Gray) []byte {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	values := make([]uint16, w*h)
	for i, p := range img.Pix {
		values[i] = uint16(p) + 1000
	}
	var set dicom.Dataset
	for _, e := range []struct {
		t tag.Tag
		v any
	}{
		{tag.MediaStorageSOPClassUID, []string{"1.2.840.10008.5.1.4.1.1.2"}}, {tag.MediaStorageSOPInstanceUID, []string{"1.2.3"}},
		{tag.TransferSyntaxUID, []string{uid.ExplicitVRLittleEndian}},
		{tag.SamplesPerPixel, []int{1}}, {tag.PhotometricInterpretation, []string{"MONOCHROME2"}}, {tag.Rows, []int{h}}, {tag.Columns, []int{w}},
		{tag.BitsAllocated, []int{16}}, {tag.BitsStored, []int{12}}, {tag.HighBit, []int{11}}, {tag.PixelRepresentation, []int{0}},
		{tag.WindowCenter, []string{"128"}}, {tag.WindowWidth, []string{"256"}}, {tag.RescaleIntercept, []string{"-1000"}}, {tag.RescaleSlope, []string{"1"}},
		{tag.PixelData, dicom.PixelDataInfo{Frames: []*frame.Frame{{NativeData: &frame.NativeFrame[uint16]{
			RawData: values, InternalSamplesPerPixel: 1, InternalRows: h, InternalCols: w, InternalBitsPerSample: 16}}}}},
	} {
		el, err := dicom.NewElement(e.t, e.v)
		ts.Check(err)
		set.Elements = append(set.Elements, el)
	}
	var b bytes.Buffer
	ts.Check(dicom.Write(&b, set))
	return b.Bytes()
}
