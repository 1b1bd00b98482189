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
