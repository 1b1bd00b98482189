package inputs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// npy is the header of a NumPy array file, checked against the file's size.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
type npy struct {
	kind  byte // 'u', 'i' or 'f'
	size  int  // bytes of an element
	order binary.ByteOrder
	shape []int
	at    int64 // where the elements begin
}

const (
	npyMagic  = "\x93NUMPY"
	maxHeader = 1 << 16
	maxRank   = 8
)

var (
	npyDescr   = regexp.MustCompile(`'descr'\s*:\s*'([<>|=]?)([a-zA-Z])(\d{1,2})'`)
	npyFortran = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`'shape'\s*:\s*\(([\d\s,L]*)\)`)
)

// openNpy opens an array file and reads its header.
func openNpy(path string) (*os.File, *npy, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var a *npy
		if a, err = readHeader(f, info.Size()); err == nil {
			return f, a, nil
		}
	}
	f.Close()
	return nil, nil, err
}

// readHeader reads the header of a file of so many bytes.
func readHeader(r io.Reader, size int64) (*npy, error) {
	start := make([]byte, 12)
	if _, err := io.ReadFull(r, start[:10]); err != nil || string(start[:6]) != npyMagic {
		return nil, errors.New("not a .npy file: write it with numpy.save")
	}
	a := &npy{at: 10}
	length := int64(binary.LittleEndian.Uint16(start[8:]))
	switch start[6] {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(r, start[10:]); err != nil {
			return nil, errors.New("damaged .npy file: it ends within its header")
		}
		length, a.at = int64(binary.LittleEndian.Uint32(start[8:])), 12
	default:
		return nil, fmt.Errorf(".npy version %d is unknown", start[6])
	}
	if length > maxHeader {
		return nil, fmt.Errorf("damaged .npy file: a header of %d bytes", length)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, errors.New("damaged .npy file: it ends within its header")
	}
	a.at += length
	if err := a.parse(string(header)); err != nil {
		return nil, err
	}
	want, err := a.bytes(a.shape)
	if err != nil {
		return nil, err
	}
	if have := size - a.at; have < want {
		return nil, fmt.Errorf("damaged .npy file: %d bytes of elements, its header says %d", have, want)
	}
	return a, nil
}

// parse reads the dictionary of the header.
func (a *npy) parse(header string) error {
	descr := npyDescr.FindStringSubmatch(header)
	fortran := npyFortran.FindStringSubmatch(header)
	shape := npyShape.FindStringSubmatch(header)
	if descr == nil || fortran == nil || shape == nil {
		return errors.New("not an array of plain numbers: save it with astype(numpy.uint8) or astype(numpy.float32)")
	}
	a.order = binary.LittleEndian
	if descr[1] == ">" {
		a.order = binary.BigEndian
	}
	a.kind = descr[2][0]
	a.size, _ = strconv.Atoi(descr[3])
	if a.size < 1 || a.size > 16 {
		return fmt.Errorf("elements of %d bytes: save it with astype(numpy.uint8) or astype(numpy.float32)", a.size)
	}
	for field := range strings.SplitSeq(shape[1], ",") {
		if field = strings.TrimRight(strings.TrimSpace(field), "L"); field == "" {
			continue
		}
		n, err := number(field)
		if err != nil || len(a.shape) == maxRank {
			return fmt.Errorf("damaged .npy file: shape (%.40s)", shape[1])
		}
		a.shape = append(a.shape, n)
	}
	if fortran[1] == "True" && len(a.shape) > 1 {
		return errors.New("the array is in Fortran order: save numpy.ascontiguousarray(x)")
	}
	return nil
}

// bytes returns the length of an array of the shape.
func (a *npy) bytes(shape []int) (int64, error) {
	n := int64(a.size)
	for _, d := range shape {
		if d != 0 && n > math.MaxInt64/8/int64(d) {
			return 0, fmt.Errorf("damaged .npy file: shape %v", a.shape)
		}
		n *= int64(d)
	}
	return n, nil
}

// typeName returns NumPy's name of the type of the elements.
func (a *npy) typeName() string {
	names := map[byte]string{'u': "uint", 'i': "int", 'f': "float", 'b': "bool", 'c': "complex"}
	if name, ok := names[a.kind]; ok {
		return name + strconv.Itoa(8*a.size)
	}
	return string(a.kind) + strconv.Itoa(a.size)
}

// integer returns element i of raw bytes; the type is an integer's.
func (a *npy) integer(raw []byte, i int) int64 {
	raw = raw[i*a.size:][:a.size]
	var v uint64
	for k := range raw {
		b := raw[k]
		if a.order == binary.LittleEndian {
			b = raw[len(raw)-1-k]
		}
		v = v<<8 | uint64(b)
	}
	if a.kind == 'i' {
		return int64(v<<(64-8*a.size)) >> (64 - 8*a.size)
	}
	return int64(v)
}

// float returns element i of raw bytes; the type is float32 or float64.
func (a *npy) float(raw []byte, i int) float64 {
	if a.size == 4 {
		return float64(math.Float32frombits(a.order.Uint32(raw[4*i:])))
	}
	return math.Float64frombits(a.order.Uint64(raw[8*i:]))
}
