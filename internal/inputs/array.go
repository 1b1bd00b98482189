package inputs

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"dorcas/nn"
)

// maxLabels bounds the labels that are read. LOCAL.
const maxLabels = 1 << 26

// array is a file of inputs.
type array struct {
	*source
	rows int
	last bool // channels stand last
	len  int  // elements of a row
}

// openArray finds out how the network's inputs lie in an array of N×C×H×W,
// N×H×W×C, N×H×W, N×features, or one of these without N.
func (r *Reader) openArray(path string) (*array, error) {
	src, err := openSource(path, func(a *npy) bool { return r.arrange(&array{source: &source{npy: a}}) == nil })
	if err != nil {
		return nil, err
	}
	a := &array{source: src}
	return a, r.arrange(a)
}

// arrange sets how the inputs lie in the array.
func (r *Reader) arrange(a *array) error {
	a.len = r.in.Len()
	if t := a.typeName(); t != "uint8" && t != "float32" && t != "float64" {
		return fmt.Errorf("an array of %s: save pictures with astype(numpy.uint8), preprocessed values with astype(numpy.float32)", t)
	}
	if len(a.shape) > 0 {
		if last, ok := r.layout(a.shape[1:]); ok {
			a.rows, a.last = a.shape[0], last
			return nil
		}
	}
	if last, ok := r.layout(a.shape); ok {
		a.rows, a.last = 1, last
		return nil
	}
	return fmt.Errorf("an array of shape %v for a network that takes %s", a.shape, r.in)
}

// layout says whether a row of the shape is an input, and if so whether its
// channels stand last.
func (r *Reader) layout(row []int) (last, ok bool) {
	for _, d := range []nn.Dims{r.in, r.picture} {
		switch {
		case d.C == 0:
		case slices.Equal(row, []int{d.C, d.H, d.W}), d.C == 1 && slices.Equal(row, []int{d.H, d.W}):
			return false, true
		case slices.Equal(row, []int{d.H, d.W, d.C}):
			return true, true
		case d.H == 1 && d.W > 1 && (slices.Equal(row, []int{d.C, d.W}) || d.C == 1 && slices.Equal(row, []int{d.W})): // a signal
			return false, true
		case d.H == 1 && d.W > 1 && slices.Equal(row, []int{d.W, d.C}):
			return true, true
		}
	}
	return false, len(row) == 1 && row[0] == r.in.Len()
}

func (r *Reader) arrayItems(path string) ([]Item, error) {
	a, err := r.openArray(path)
	if err != nil {
		return nil, err
	}
	rows, err := r.opt.Index.Rows(a.rows)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("the array is empty")
	}
	items := make([]Item, len(rows))
	for i, row := range rows {
		items[i] = Item{fmt.Sprintf("%s[%d]", path, row), func() ([]float32, error) {
			x, err := r.readRow(a, row)
			return x, plainPath(err)
		}}
	}
	return items, nil
}

func (r *Reader) readRow(a *array, row int) ([]float32, error) {
	f, c, err := a.open()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	raw := make([]byte, a.len*a.size)
	if _, err := f.ReadAt(raw, a.at+int64(row)*int64(len(raw))); err != nil {
		return nil, err
	}
	d := r.picture
	if d.C == 0 {
		d = r.in
	}
	if a.kind == 'u' {
		if a.last {
			raw = channelsFirst(raw, d)
		}
		return r.pixels(raw)
	}
	values := make([]float64, a.len)
	for i := range values {
		values[i] = a.float(raw, i)
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			return nil, fmt.Errorf("value %d is %v: replace what is missing before", i, values[i])
		}
	}
	if a.last {
		values = channelsFirst(values, d)
	}
	if r.opt.Raw {
		return r.rawFeatures(values)
	}
	x := make([]float32, len(values))
	for i, v := range values {
		x[i] = float32(v)
	}
	return x, nil
}

// channelsFirst reorders a picture of interleaved channels.
func channelsFirst[T any](x []T, d nn.Dims) []T {
	out := make([]T, len(x))
	plane := d.H * d.W
	for i, v := range x {
		out[i%d.C*plane+i/d.C] = v
	}
	return out
}

// ReadLabels reads an array of class numbers, N or N×1 integers: .npy,
// .npz#name or IDX.
func ReadLabels(path string) ([]int, error) {
	labels, err := readLabels(path)
	if err != nil {
		return nil, fmt.Errorf("inputs: %s: %w", path, plainPath(err))
	}
	return labels, nil
}

// labelsIn says what is wrong with an array as labels.
func labelsIn(a *npy) error {
	switch {
	case a.kind != 'u' && a.kind != 'i' || a.size > 8:
		return fmt.Errorf("an array of %s: labels are integers, save them with astype(numpy.int64)", a.typeName())
	case len(a.shape) != 1 && (len(a.shape) != 2 || a.shape[1] != 1):
		return fmt.Errorf("an array of shape %v: labels are one integer a sample", a.shape)
	case a.shape[0] > maxLabels:
		return fmt.Errorf("%d labels: at most %d are read", a.shape[0], maxLabels)
	}
	return nil
}

func readLabels(path string) ([]int, error) {
	a, err := openSource(path, func(a *npy) bool { return labelsIn(a) == nil })
	if err != nil {
		return nil, err
	}
	if err := labelsIn(a.npy); err != nil {
		return nil, err
	}
	f, c, err := a.open()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	raw := make([]byte, a.shape[0]*a.size)
	if n, err := f.ReadAt(raw, a.at); n < len(raw) {
		return nil, err
	}
	labels := make([]int, a.shape[0])
	for i := range labels {
		v := a.integer(raw, i)
		if v < 0 || v > math.MaxInt32 {
			return nil, fmt.Errorf("label %d is %d: classes are counted from 0", i, v)
		}
		labels[i] = int(v)
	}
	return labels, nil
}
