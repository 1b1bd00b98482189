// Package inputs reads pictures and arrays as inputs of a network.
//
// It stands before the protocol, on the client's machine, and before
// calibration on the server's: pictures, arrays, tables and DICOM files become
// the preprocessed values that a network's public record asks for. Files may
// be hostile: sizes are checked before memory is taken, and errors name the
// file and say what to do. Who has preprocessed values already does not need
// it. Read this file first, then picture.go, source.go and array.go for .npy,
// .npz and IDX, csv.go, dicom.go; folder.go finds labelled samples.
package inputs

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"dorcas/nn"
)

// Reader reads files as inputs of one network.
type Reader struct {
	in      nn.Dims // what the network takes
	picture nn.Dims // the same as a picture; zero if it is none
	bgr     bool
	pre     nn.Preprocess
	opt     Options
}

// Options configure a Reader; nil is good.
type Options struct {
	// Index picks rows of arrays; nil takes them all.
	Index Ranges
	// Raw says that arrays of floats hold raw features of a table, to which
	// the record's mean and standard deviation are still to be applied.
	// Without it they are taken as preprocessed.
	Raw bool
	// Preprocessed says that CSV tables hold preprocessed values. Without it
	// they hold raw features, or pixels if the network takes pictures.
	Preprocessed bool
	// LabelColumn names the column of a CSV table that has the classes: names
	// in LabelNames, or numbers.
	LabelColumn string
	LabelNames  []string
}

// New returns a Reader for a network that takes in, preprocessed as its
// record says.
func New(in nn.Dims, pre nn.Preprocess, opt *Options) (*Reader, error) {
	r := &Reader{in: in, pre: pre}
	if opt != nil {
		r.opt = *opt
	}
	if err := r.findPicture(); err != nil {
		return nil, fmt.Errorf("inputs: record: %w", err)
	}
	return r, nil
}

// findPicture sets the dimensions that a picture must have.
func (r *Reader) findPicture() error {
	channels, err := r.channels()
	if err != nil {
		return err
	}
	size := r.pre.Size
	switch strings.ToUpper(r.pre.Layout) {
	case "", "NCHW", "CHW", "NHWC", "HWC": // of the file: a graph has channels first
	default:
		return fmt.Errorf("layout %q: want NCHW or NHWC", r.pre.Layout)
	}
	if len(size) != 0 && (len(size) != 2 || size[0] < 1 || size[1] < 1 || size[0] > 1<<16 || size[1] > 1<<16) {
		return fmt.Errorf("size %v is not a height and a width", size)
	}
	switch {
	case r.in.H*r.in.W > 1:
		if len(size) == 2 && (size[0] != r.in.H || size[1] != r.in.W) {
			return fmt.Errorf("size %d×%d, but the network takes %s", size[0], size[1], r.in)
		}
		r.picture = r.in
	case len(size) == 2:
		if channels == 0 {
			channels = r.in.C / (size[0] * size[1])
		}
		r.picture = nn.Dims{C: channels, H: size[0], W: size[1]}
	default: // a vector: perhaps a square gray picture, flattened
		side := int(math.Round(math.Sqrt(float64(r.in.C))))
		r.picture = nn.Dims{C: 1, H: side, W: side}
		if side < 8 || side*side != r.in.C {
			r.picture = nn.Dims{}
			return nil
		}
	}
	if channels != 0 && r.picture.C != channels || r.picture.Len() != r.in.Len() {
		return fmt.Errorf("color %q and size %v, but the network takes %s", r.pre.Color, size, r.in)
	}
	return nil
}

// channels returns how many channels the record's color means, 0 if it does
// not say.
func (r *Reader) channels() (int, error) {
	switch strings.ToLower(r.pre.Color) {
	case "":
		return 0, nil
	case "gray", "grey", "grayscale", "greyscale", "l":
		return 1, nil
	case "rgb":
		return 3, nil
	case "bgr":
		r.bgr = true
		return 3, nil
	}
	return 0, fmt.Errorf("color %q: write gray, RGB or BGR", r.pre.Color)
}

// Item is one input, not yet read.
type Item struct {
	// Name is the file's name, with the row in brackets if it is an array.
	Name string
	read func() ([]float32, error)
}

// Read returns the preprocessed values, CHW.
func (it Item) Read() ([]float32, error) {
	x, err := it.read()
	if err != nil {
		return nil, fmt.Errorf("inputs: %s: %w", it.Name, err)
	}
	return x, nil
}

// Items returns the inputs of a file, by its ending: a picture is one, an
// array or a table one for each row that Options.Index picks, a DICOM file one
// for each frame. Files that are neither compressed nor DICOM are read later.
func (r *Reader) Items(path string) ([]Item, error) {
	items, _, err := r.Labelled(path)
	return items, err
}

// Labelled is Items with the classes of a table that has a column of them;
// labels is nil if they are not known.
func (r *Reader) Labelled(path string) (items []Item, labels []int, err error) {
	switch kind := kindOf(path); {
	case isPicture(path):
		items, err = r.pictureItems(path)
	case isArray(path):
		items, err = r.arrayItems(path)
	case kind == ".csv" || kind == ".tsv":
		items, labels, err = r.tableItems(path)
	case isDicom(path):
		items, err = r.dicomItems(path)
	default:
		if _, err = os.Stat(path); err == nil {
			err = fmt.Errorf("unknown kind of file %q: pass one of %s", filepath.Ext(path), Kinds)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("inputs: %s: %w", path, plainPath(err))
	}
	return items, labels, nil
}

// Kinds lists the endings of files that can be read.
const Kinds = ".png .jpg .bmp .tif .webp .dcm .npy .npz .idx .csv"

// Known reports whether a file is of a kind that can be read, by its ending
// or, for DICOM files without one, its beginning.
func Known(path string) bool {
	switch kindOf(path) {
	case ".csv", ".tsv":
		return true
	}
	return isPicture(path) || isArray(path) || isDicom(path)
}

// File returns the file of a path: file.npz of file.npz#name.
func File(path string) string {
	file, _, _ := cutMember(path)
	return file
}

// pixels preprocesses bytes in the order of the network's input.
func (r *Reader) pixels(u8 []uint8) ([]float32, error) {
	d := r.picture
	if d.C == 0 {
		d = r.in
	}
	x := make([]float32, len(u8))
	if err := r.pre.Apply(x, u8, d); err != nil {
		return nil, err
	}
	return x, nil
}
