package block

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
)

// Expand fills dst with blocks that are pseudorandom to whoever does not know
// seed, and that depend on seed, label and index only: wire labels, masks of
// outputs, anything that a party must be able to make again later. Different
// (label, index) give independent blocks; a shorter dst gives a prefix of a
// longer one. seed must be uniform.
//
// The blocks are the AES-128-CTR key stream from a key and a first counter that
// HKDF-Expand with SHA-256 derives from the three. len(dst) must be at most
// 2^32, so that no two blocks of a call are equal for a reason that shows.
func Expand(dst []Block, seed *[32]byte, label string, index uint64) {
	info := string(binary.LittleEndian.AppendUint64(nil, index)) + label
	start, err := hkdf.Expand(sha256.New, seed[:], info, 2*Size)
	if err != nil {
		panic(err) // 32 bytes are always to be had
	}
	stream := NewStream((*[16]byte)(start), (*[16]byte)(start[Size:]))
	if asBytes := bytesOf(dst); asBytes != nil {
		stream.Read(asBytes)
		return
	}
	buf := make([]byte, Size*min(len(dst), 256))
	for len(dst) > 0 {
		n := min(len(dst), len(buf)/Size)
		stream.Read(buf[:n*Size])
		for i := range dst[:n] {
			dst[i] = Get(buf[i*Size:])
		}
		dst = dst[n:]
	}
}
