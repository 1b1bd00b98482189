package inputs

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // registers the format
	_ "image/png"  // registers the format
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	_ "golang.org/x/image/bmp" // registers the format
	"golang.org/x/image/draw"
	_ "golang.org/x/image/tiff" // registers the format
	_ "golang.org/x/image/webp" // registers the format
)

// maxPixels bounds the pictures that are decoded: 64 Mi pixels take at most
// 512 MiB. LOCAL.
const maxPixels = 1 << 26

func isPicture(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp":
		return true
	}
	return false
}

func (r *Reader) pictureItems(path string) ([]Item, error) {
	if r.picture.C != 1 && r.picture.C != 3 {
		return nil, fmt.Errorf("the network takes %s numbers, which is no picture: pass a .npy or .csv file", r.in)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return []Item{{path, func() ([]float32, error) {
		x, err := r.readPicture(path)
		return x, plainPath(err)
	}}}, nil
}

func (r *Reader) readPicture(path string) ([]float32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := decode(f)
	if err != nil {
		return nil, err
	}
	return r.pixels(r.resize(img))
}

// decode reads a picture once its size is known to be bearable.
func decode(f io.ReadSeeker) (image.Image, error) {
	c, format, err := image.DecodeConfig(bufio.NewReader(f))
	if err != nil {
		return nil, pictureError(err)
	}
	if int64(c.Width)*int64(c.Height) > maxPixels || c.Width < 1 || c.Height < 1 {
		return nil, fmt.Errorf("%d×%d pixels: at most %d are allowed", c.Width, c.Height, maxPixels)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	img, _, err := image.Decode(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("damaged %s file: %w", strings.ToUpper(format), err)
	}
	return img, nil
}

func pictureError(err error) error {
	if errors.Is(err, image.ErrFormat) || errors.Is(err, io.EOF) {
		return errors.New("not a PNG, JPEG, BMP, TIFF or WebP file, whatever its name says")
	}
	return fmt.Errorf("damaged picture: %w", err)
}

// resize returns the bytes of the picture in the network's size and color,
// channel by channel. A picture of the right size keeps its bytes; another is
// stretched by Catmull-Rom interpolation. What is transparent counts as black.
func (r *Reader) resize(img image.Image) []uint8 {
	d := r.picture
	rgba := image.NewRGBA(image.Rect(0, 0, d.W, d.H))
	if img.Bounds().Size() == rgba.Rect.Size() {
		draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
	} else {
		draw.CatmullRom.Scale(rgba, rgba.Rect, img, img.Bounds(), draw.Src, nil)
	}
	out := make([]uint8, d.Len())
	plane := d.H * d.W
	for i := range plane {
		p := rgba.Pix[4*i:][:3]
		switch {
		case d.C == 1:
			// Luma of ITU-R BT.601, rounded: package color's cuts off.
			out[i] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
		case r.bgr:
			out[i], out[plane+i], out[2*plane+i] = p[2], p[1], p[0]
		default:
			out[i], out[plane+i], out[2*plane+i] = p[0], p[1], p[2]
		}
	}
	return out
}

// plainPath drops what package os says before the cause: our errors name the
// file already.
func plainPath(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: check the path", p.Err)
		}
		return p.Err
	}
	return err
}

// Picture preprocesses a picture that is decoded already.
func (r *Reader) Picture(img image.Image) ([]float32, error) {
	if r.picture.C != 1 && r.picture.C != 3 {
		return nil, fmt.Errorf("inputs: the network takes %s numbers, which is no picture", r.in)
	}
	return r.pixels(r.resize(img))
}
