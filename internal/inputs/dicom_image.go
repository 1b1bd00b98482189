package inputs

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// image returns a frame in 8 bits of gray or color. Gray goes through the
// rescale and the window; without a window 8-bit values without a rescale
// stay as they are, and others are spread from the frame's least to its
// largest.
func (d *dicomFile) image(frame int) (image.Image, error) {
	if d.jpeg {
		return d.decodeJPEG(frame)
	}
	raw := d.pixels[frame*d.frameBytes():][:d.frameBytes()]
	if d.samples == 3 {
		return d.rgb(raw), nil
	}
	values := make([]int32, d.rows*d.cols)
	for i := range values {
		values[i] = d.sample(raw, i)
	}
	return d.gray(values)
}

// sample returns the bits of a sample that are stored, with their sign.
func (d *dicomFile) sample(raw []byte, i int) int32 {
	v := uint32(0)
	if d.allocated == 8 {
		v = uint32(raw[i])
	} else {
		v = uint32(d.order.Uint16(raw[2*i:]))
	}
	v <<= 31 - d.high
	if d.signed {
		return int32(v) >> (32 - d.stored)
	}
	return int32(v >> (32 - d.stored))
}

func (d *dicomFile) rgb(raw []byte) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, d.cols, d.rows))
	plane := d.rows * d.cols
	for i := range plane {
		at, step := 3*i, 1
		if d.planar {
			at, step = i, plane
		}
		copy(img.Pix[4*i:], []byte{raw[at], raw[at+step], raw[at+2*step], 255})
	}
	return img
}

// gray maps stored values to levels.
func (d *dicomFile) gray(values []int32) (image.Image, error) {
	img := image.NewGray(image.Rect(0, 0, d.cols, d.rows))
	level := d.levels(values)
	for i, v := range values {
		l := math.Floor(255*level(float64(v)*d.slope+d.intercept) + 0.5)
		if math.IsNaN(l) {
			return nil, errors.New("damaged DICOM file: its rescale gives no numbers")
		}
		if d.inverted {
			l = 255 - l
		}
		img.Pix[i] = uint8(l)
	}
	return img, nil
}

// levels returns the map of rescaled values to 0 to 1.
func (d *dicomFile) levels(values []int32) func(float64) float64 {
	if d.window != nil {
		return d.window.level
	}
	if d.stored == 8 && !d.signed && d.slope == 1 && d.intercept == 0 {
		return func(v float64) float64 { return v / 255 }
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		x := float64(v)*d.slope + d.intercept
		lo, hi = min(lo, x), max(hi, x)
	}
	if lo == hi {
		return func(float64) float64 { return 0 }
	}
	return func(v float64) float64 { return (v - lo) / (hi - lo) }
}

func (d *dicomFile) decodeJPEG(frame int) (image.Image, error) {
	data := d.fragments[frame]
	if d.frames == 1 {
		data = bytes.Join(d.fragments, nil)
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("damaged JPEG in it: %w", err)
	}
	if c.Width != d.cols || c.Height != d.rows {
		return nil, fmt.Errorf("damaged DICOM file: a JPEG of %d×%d in a file of %d×%d", c.Width, c.Height, d.cols, d.rows)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("damaged JPEG in it: %w", err)
	}
	switch p := img.(type) {
	case *image.Gray:
		if d.samples != 1 {
			return nil, errors.New("damaged DICOM file: gray where it says color")
		}
		values := make([]int32, d.rows*d.cols)
		for i := range values {
			values[i] = int32(p.Pix[i/d.cols*p.Stride+i%d.cols])
		}
		return d.gray(values)
	case *image.YCbCr:
		if d.color == "RGB" { // stored without the transform
			rgb := image.NewNRGBA(p.Rect)
			for i := range d.rows * d.cols {
				x, y := i%d.cols, i/d.cols
				c := p.YCbCrAt(x, y)
				rgb.SetNRGBA(x, y, color.NRGBA{c.Y, c.Cb, c.Cr, 255})
			}
			return rgb, nil
		}
	}
	if d.samples != 3 {
		return nil, errors.New("damaged DICOM file: color where it says gray")
	}
	return img, nil
}
