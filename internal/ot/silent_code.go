package ot

import "dorcas/internal/block"

// A code is a random linear code with codeWeight ones in every row, public and
// fresh for every iteration (Yang, Weng, Lan, Zhang, Wang, CCS 2020: the
// local linear code). A row draws its columns independently, so that two of
// them are equal, and cancel, in one of about 2^logK/45 rows.
type code struct {
	key aesKey
	buf [rowsAtOnce * rowSize]byte
}

// rowsAtOnce is the number of rows that are drawn before they are used: a
// multiple of 8, and few enough for a level 1 cache. LOCAL.
const rowsAtOnce = 256

// add adds rows row, row + 1, … of the code's product with table to dst. len(dst)
// must be a multiple of 8.
func (c *code) add(dst, table []block.Block, row int) {
	for len(dst) > 0 {
		n := min(len(dst), rowsAtOnce)
		rows := c.buf[:n*rowSize]
		drawRows(rows, row, &c.key)
		encodeRows(dst[:n], table, rows)
		dst, row = dst[n:], row+n
	}
}
