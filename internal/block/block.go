package block

// Size is the number of bytes of a Block.
const Size = 16

// Block is a string of 128 bits. Lo holds bits 0 to 63, Hi bits 64 to 127;
// in bytes, Lo comes first and each half is little-endian.
type Block struct{ Lo, Hi uint64 }

// Xor returns b ⊕ c.
func (b Block) Xor(c Block) Block { return Block{b.Lo ^ c.Lo, b.Hi ^ c.Hi} }

// And returns b where bit is 1 and zero where it is 0, without a branch.
// bit must be 0 or 1.
func (b Block) And(bit uint64) Block { m := -bit; return Block{b.Lo & m, b.Hi & m} }

// Bit returns bit 0, the colour of a wire label.
func (b Block) Bit() uint64 { return b.Lo & 1 }

// String hides the value: blocks are keys and labels.
func (b Block) String() string { return "[redacted]" }
