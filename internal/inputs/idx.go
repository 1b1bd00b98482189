package inputs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// openIdx reads the header of an IDX file, the format of MNIST: two zero
// bytes, the type, the number of dimensions, and these as big-endian 32-bit
// numbers.
func openIdx(path string) (*source, error) {
	r, done, size, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer done()
	header, err := readIdx(r)
	if err != nil {
		return nil, err
	}
	n, err := header.bytes(header.shape)
	if err != nil {
		return nil, err
	}
	if size < 0 {
		data, err := load(r, n)
		if err != nil {
			return nil, fmt.Errorf("damaged IDX file: %w", err)
		}
		return inMemory(header, data), nil
	}
	if have := size - header.at; have < n {
		return nil, fmt.Errorf("damaged IDX file: %d bytes of elements, its header says %d", have, n)
	}
	return &source{header, func() (io.ReaderAt, io.Closer, error) {
		f, err := os.Open(path)
		return f, f, err
	}}, nil
}

func readIdx(r io.Reader) (*npy, error) {
	var start [4]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || start[0] != 0 || start[1] != 0 {
		return nil, errors.New("not an IDX file")
	}
	types := map[byte]npy{
		8: {kind: 'u', size: 1}, 9: {kind: 'i', size: 1}, 0xb: {kind: 'i', size: 2},
		0xc: {kind: 'i', size: 4}, 0xd: {kind: 'f', size: 4}, 0xe: {kind: 'f', size: 8},
	}
	a, ok := types[start[2]]
	rank := int(start[3])
	if !ok || rank < 1 || rank > maxRank {
		return nil, fmt.Errorf("damaged IDX file: type %d, %d dimensions", start[2], rank)
	}
	a.order = binary.BigEndian
	dims := make([]byte, 4*rank)
	if _, err := io.ReadFull(r, dims); err != nil {
		return nil, errors.New("damaged IDX file: it ends within its header")
	}
	for i := range rank {
		d := binary.BigEndian.Uint32(dims[4*i:])
		if d > 1<<31-1 {
			return nil, fmt.Errorf("damaged IDX file: a dimension of %d", d)
		}
		a.shape = append(a.shape, int(d))
	}
	a.at = int64(4 + 4*rank)
	return &a, nil
}
