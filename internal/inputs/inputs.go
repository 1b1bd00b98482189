// Package inputs reads pictures and arrays as inputs of a network.
//
// It stands before the protocol, on the client's machine, and before
// calibration on the server's: PNG, JPEG and .npy files become the
// preprocessed values that a network's public record asks for. Files may be
// hostile: sizes are checked before memory is taken, and errors name the
// file and say what to do. Who has preprocessed values already does not need
// it. Read this file first, then array.go for .npy and picture.go for
// pictures; folder.go finds labelled samples.
package inputs

import (
	"fmt"
	"math"
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
	if l := strings.ToUpper(r.pre.Layout); l != "" && l != "NCHW" && l != "CHW" {
		return fmt.Errorf("layout %q: only NCHW is supported", r.pre.Layout)
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

// Items returns the inputs of a file, by its ending: a PNG or JPEG picture is
// one, a .npy array one for each row that Options.Index picks. It looks at
// the beginning of the file only.
func (r *Reader) Items(path string) ([]Item, error) {
	var items []Item
	var err error
	switch {
	case isPicture(path):
		items, err = r.pictureItems(path)
	case strings.EqualFold(filepath.Ext(path), ".npy"):
		items, err = r.arrayItems(path)
	default:
		err = fmt.Errorf("unknown kind of file %q: pass a .png, .jpg or .npy file", filepath.Ext(path))
	}
	if err != nil {
		return nil, fmt.Errorf("inputs: %s: %w", path, plainPath(err))
	}
	return items, nil
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
