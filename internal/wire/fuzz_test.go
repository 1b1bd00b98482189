package wire_test

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// FuzzRecv reads frames from arbitrary bytes, and compares with a parser of
// the whole input.
func FuzzRecv(f *testing.F) {
	f.Add(frame(0, []byte("abc")), []byte{3})
	f.Add(append(frame(0, random(300)), frame(1, []byte{4})...), []byte{200, 1})
	f.Add([]byte{0, 255, 255, 255, 255, 1}, []byte{0, 255})
	f.Add(append(frame(0, nil), frame(7, nil)...), []byte{0, 0})
	f.Fuzz(func(t *testing.T, input, sizes []byte) {
		c := reader(input)
		for i, size := range sizes {
			var p []byte
			var err error
			exact := i%2 == 0
			if exact {
				p = make([]byte, size)
				err = c.Recv(p)
			} else {
				p, err = c.RecvMax(int(size))
			}
			var want []byte
			ok := len(input) >= 5 && input[0] == 0
			if ok {
				n := uint64(binary.LittleEndian.Uint32(input[1:5]))
				ok = n == uint64(size) || !exact && n < uint64(size)
				if ok = ok && n <= uint64(len(input)-5); ok {
					want, input = input[5:5+n], input[5+n:]
				}
			}
			if ok != (err == nil) {
				t.Fatalf("frame %d: error %v, want success %v", i, err, ok)
			}
			if !ok {
				return
			}
			if !bytes.Equal(p, want) {
				t.Fatalf("frame %d: %v, want %v", i, p, want)
			}
		}
	})
}
