//go:build amd64 && !purego

package ring

import "unsafe"

// bytesOfInts returns the bytes of integers, the lowest first.
func bytesOfInts[T Integer](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
