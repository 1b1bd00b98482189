package block

import "encoding/binary"

// Put writes the 16 bytes of b to the start of dst.
func (b Block) Put(dst []byte) {
	_ = dst[15]
	binary.LittleEndian.PutUint64(dst, b.Lo)
	binary.LittleEndian.PutUint64(dst[8:], b.Hi)
}

// Get reads a Block from the first 16 bytes of src.
func Get(src []byte) Block {
	_ = src[15]
	return Block{binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])}
}

// PutAll writes the bytes of all blocks of src, one after the other. dst must
// have room for them.
func PutAll(dst []byte, src []Block) {
	dst = dst[:Size*len(src)]
	if b := bytesOf(src); b != nil {
		copy(dst, b)
		return
	}
	for i := range src {
		src[i].Put(dst[i*Size:])
	}
}

// GetAll reads len(dst) blocks.
func GetAll(dst []Block, src []byte) {
	src = src[:Size*len(dst)]
	if b := bytesOf(dst); b != nil {
		copy(b, src)
		return
	}
	for i := range dst {
		dst[i] = Get(src[i*Size:])
	}
}
