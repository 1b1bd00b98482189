package inputs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// dicomFile is what a picture of a DICOM file depends on (PS3.3, C.7.6.3 and
// C.11).
type dicomFile struct {
	rows, cols, frames       int
	samples                  int // of a pixel
	allocated, stored, high  int // bits
	signed, planar, inverted bool
	color                    string // photometric interpretation
	slope, intercept         float64
	window                   *window
	jpeg                     bool
	order                    binary.ByteOrder
	pixels                   []byte   // all frames, if not jpeg
	fragments                [][]byte // if jpeg
}

// window maps the values of a width around a center to gray (PS3.3,
// C.11.2.1.2.1).
type window struct{ center, width float64 }

// level returns 0 to 1.
func (w *window) level(v float64) float64 {
	if w.width <= 1 {
		if v <= w.center-0.5 {
			return 0
		}
		return 1
	}
	return min(max((v-(w.center-0.5))/(w.width-1)+0.5, 0), 1)
}

// isDicom reports whether a path is a DICOM file: by its ending, or by its
// beginning if it has none that is known.
func isDicom(path string) bool {
	switch kindOf(path) {
	case ".dcm", ".dicom", ".ima":
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var start [132]byte
	_, err = io.ReadFull(f, start[:])
	return err == nil && string(start[128:]) == "DICM"
}

// dicomItems returns one item for each frame.
func (r *Reader) dicomItems(path string) ([]Item, error) {
	if r.picture.C != 1 && r.picture.C != 3 {
		return nil, fmt.Errorf("the network takes %s numbers, which is no picture: pass a .npy or .csv file", r.in)
	}
	d, err := openDicom(path)
	if err != nil {
		return nil, err
	}
	if d.frames == 1 && r.opt.Index == nil {
		return []Item{{path, func() ([]float32, error) { return r.readDicom(path, 0) }}}, nil
	}
	rows, err := r.opt.Index.Rows(d.frames)
	if err != nil {
		return nil, err
	}
	items := make([]Item, len(rows))
	for i, row := range rows {
		items[i] = Item{fmt.Sprintf("%s[%d]", path, row), func() ([]float32, error) { return r.readDicom(path, row) }}
	}
	return items, nil
}

func (r *Reader) readDicom(path string, frame int) ([]float32, error) {
	d, err := openDicom(path)
	if err != nil {
		return nil, plainPath(err)
	}
	if len(r.pre.Window) == 2 {
		d.window = &window{r.pre.Window[0], r.pre.Window[1]}
	}
	if frame >= d.frames {
		return nil, fmt.Errorf("frame %d: it has %d", frame, d.frames)
	}
	img, err := d.image(frame)
	if err != nil {
		return nil, err
	}
	return r.pixels(r.resize(img))
}

func openDicom(path string) (*dicomFile, error) {
	f, done, _, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer done()
	var b bytes.Buffer
	if n, err := io.Copy(&b, io.LimitReader(f, maxLoaded+1)); err != nil || n > maxLoaded {
		return nil, errors.Join(err, tooLarge(n))
	}
	return parseDicom(b.Bytes())
}

func tooLarge(n int64) error {
	if n > maxLoaded {
		return fmt.Errorf("more than %d bytes: split it into single frames", maxLoaded)
	}
	return nil
}

// parseDicom reads a file of which all lengths are checked before. The
// library panics at values of types that it does not expect.
func parseDicom(data []byte) (d *dicomFile, err error) {
	scan, err := scanDicom(data)
	if err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			d, err = nil, fmt.Errorf("damaged DICOM file: %.80v", p)
		}
	}()
	set, err := dicom.Parse(bytes.NewReader(scan.kept), int64(len(scan.kept)), nil,
		dicom.SkipProcessingPixelDataValue(), dicom.AllowMissingMetaElementGroupLength())
	if err != nil {
		return nil, fmt.Errorf("damaged DICOM file: %w", err)
	}
	return newDicomFile(&set, scan)
}

// newDicomFile takes the values of the elements and checks that they agree.
func newDicomFile(set *dicom.Dataset, scan *dicomScan) (*dicomFile, error) {
	e := &dicomValues{set: set}
	d := &dicomFile{
		rows: e.number(tag.Rows, -1), cols: e.number(tag.Columns, -1), frames: e.number(tag.NumberOfFrames, 1),
		samples: e.number(tag.SamplesPerPixel, 1), allocated: e.number(tag.BitsAllocated, -1),
		signed: e.number(tag.PixelRepresentation, 0) == 1, planar: e.number(tag.PlanarConfiguration, 0) == 1,
		color: strings.ToUpper(e.text(tag.PhotometricInterpretation)),
		slope: e.real(tag.RescaleSlope, 1), intercept: e.real(tag.RescaleIntercept, 0),
		jpeg: scan.syntax == jpegBaseline || scan.syntax == jpegExtended, order: scan.order,
	}
	d.stored = e.number(tag.BitsStored, d.allocated)
	d.high = e.number(tag.HighBit, d.stored-1)
	if w := e.real(tag.WindowWidth, 0); w > 0 {
		d.window = &window{e.real(tag.WindowCenter, 0), w}
		if f := e.text(tag.VOILUTFunction); f != "" && f != "LINEAR" {
			return nil, fmt.Errorf("its window is %.20s, not linear: set \"window\": [center, width] in the record", f)
		}
	}
	d.inverted = d.color == "MONOCHROME1"
	if e.err != nil {
		return nil, e.err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d, d.takePixels(e, scan)
}

// check refuses what cannot be read.
func (d *dicomFile) check() error {
	switch {
	case d.rows < 1 || d.cols < 1 || d.rows*d.cols > maxPixels:
		return fmt.Errorf("%d×%d pixels: 1 to %d are allowed", d.cols, d.rows, maxPixels)
	case d.color != "MONOCHROME1" && d.color != "MONOCHROME2" && d.color != "RGB" && !(d.jpeg && strings.HasPrefix(d.color, "YBR_FULL")):
		return fmt.Errorf("its pixels are %.20q: MONOCHROME1, MONOCHROME2 and RGB are supported", d.color)
	case (d.color == "MONOCHROME1" || d.color == "MONOCHROME2") != (d.samples == 1), d.samples != 1 && d.samples != 3:
		return fmt.Errorf("damaged DICOM file: %d samples a pixel, %s", d.samples, d.color)
	case d.allocated != 8 && d.allocated != 16:
		return fmt.Errorf("%d bits a sample: 8 and 16 are supported", d.allocated)
	case d.samples == 3 && (d.allocated != 8 || d.signed):
		return errors.New("color of 16 bits or with signs is not supported")
	case d.stored < 1 || d.high < d.stored-1 || d.high >= d.allocated:
		return fmt.Errorf("damaged DICOM file: %d bits up to bit %d of %d", d.stored, d.high, d.allocated)
	case d.frames < 1:
		return fmt.Errorf("damaged DICOM file: %d frames", d.frames)
	}
	return nil
}

// takePixels takes the bytes of all frames.
func (d *dicomFile) takePixels(e *dicomValues, scan *dicomScan) error {
	el, err := e.set.FindElementByTag(tag.PixelData)
	if err != nil {
		return errors.New("no pixels in it")
	}
	info := dicom.MustGetPixelDataInfo(el.Value)
	if d.jpeg {
		for _, f := range info.Frames {
			d.fragments = append(d.fragments, f.EncapsulatedData.Data)
		}
		if len(d.fragments) == 0 || d.frames > 1 && len(d.fragments) != d.frames {
			return fmt.Errorf("%d fragments of JPEG for %d frames: split it into single frames", len(d.fragments), d.frames)
		}
		return nil
	}
	if info.IsEncapsulated {
		return errors.New("damaged DICOM file: its pixels come in fragments, but are not compressed")
	}
	d.pixels = info.UnprocessedValueData
	if want := int64(d.frames) * int64(d.frameBytes()); d.frames > len(d.pixels) || int64(len(d.pixels)) < want {
		return fmt.Errorf("damaged DICOM file: %d bytes of pixels, its header says %d", len(d.pixels), want)
	}
	return nil
}

func (d *dicomFile) frameBytes() int { return d.rows * d.cols * d.samples * d.allocated / 8 }

// dicomValues reads values of elements; the first mistake stays in err.
type dicomValues struct {
	set *dicom.Dataset
	err error
}

// text returns the first string of an element.
func (e *dicomValues) text(t tag.Tag) string {
	el, err := e.set.FindElementByTag(t)
	if err != nil || el.Value == nil {
		return ""
	}
	switch v := el.Value.GetValue().(type) {
	case []string:
		if len(v) > 0 {
			return strings.TrimSpace(v[0])
		}
	case []int:
		if len(v) > 0 {
			return strconv.Itoa(v[0])
		}
	case []float64:
		if len(v) > 0 {
			return strconv.FormatFloat(v[0], 'g', -1, 64)
		}
	}
	return ""
}

func (e *dicomValues) number(t tag.Tag, missing int) int {
	s := e.text(t)
	if s == "" {
		return missing
	}
	v, err := strconv.ParseInt(s, 10, 32)
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("damaged DICOM file: element %v is %.20q", t, s)
	}
	return int(v)
}

func (e *dicomValues) real(t tag.Tag, missing float64) float64 {
	s := e.text(t)
	if s == "" {
		return missing
	}
	v, err := strconv.ParseFloat(s, 64)
	if (err != nil || math.IsNaN(v) || math.IsInf(v, 0)) && e.err == nil {
		e.err = fmt.Errorf("damaged DICOM file: element %v is %.20q", t, s)
	}
	return v
}

func trimmed(b []byte) string { return strings.TrimRight(string(b), " \x00") }
