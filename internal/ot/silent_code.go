package ot

import (
	"crypto/aes"
	"crypto/cipher"

	"dorcas/internal/block"
)

// A code is a random linear code with codeWeight ones in every row, public and
// fresh for every iteration (Yang, Weng, Lan, Zhang, Wang, CCS 2020, section 5:
// the local linear code). A row draws its columns independently, so that two of
// them are equal, and cancel, in one of about 2^logK/45 rows.
type code struct {
	rounds [11 * 16]byte // AES round keys, for the vector kernel
	cipher cipher.Block  // for the generic one
	buf    [rowsAtOnce * rowSize]byte
}

// rowsAtOnce is the number of rows that are drawn before they are used: a
// multiple of 8, and few enough for a level 1 cache. LOCAL.
const rowsAtOnce = 256

func (c *code) setKeyGeneric(key *[16]byte) {
	b, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // a key of 16 bytes is always valid
	}
	c.cipher = b
}

// add adds rows row, row + 1, … of the code's product with table to dst. len(dst)
// must be a multiple of 8.
func (c *code) add(dst, table []block.Block, row int) {
	for len(dst) > 0 {
		n := min(len(dst), rowsAtOnce)
		rows := c.buf[:n*rowSize]
		c.rows(rows, row)
		encodeRows(dst[:n], table, rows)
		dst, row = dst[n:], row+n
	}
}
