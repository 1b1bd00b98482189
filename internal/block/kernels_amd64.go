//go:build amd64 && !purego

package block

import (
	"unsafe"

	"dorcas/internal/impl"
)

//go:generate sh -c "cd _asm && go run . -out ../kernels_amd64.s -stubs ../kernels_stubs_amd64.go -pkg block"

// The kernels. Each has its generic version in the file of its name.
var (
	hashes     = impl.New("hash", impl.Impl{Name: "aesni", Available: impl.AESNI}, impl.Generic)
	streams    = impl.New("stream", impl.Impl{Name: "vaes512", Available: impl.VAES}, impl.Generic)
	universals = impl.New("universal hash", impl.Impl{Name: "vpclmul512", Available: impl.VPCLMUL}, impl.Generic)
	transposes = impl.New("transpose", impl.Impl{Name: "gfni512", Available: impl.GFNI && impl.AVX512IFMA}, impl.Generic)
	bitwise    = impl.New("bits", impl.Impl{Name: "avx512", Available: impl.AVX512}, impl.Generic)
)

// bytesOf returns the bytes of a row, which are those of Put here.
func bytesOf(row []Block) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(row))), Size*len(row))
}

func pointer[T any](row []T) *byte { return (*byte)(unsafe.Pointer(unsafe.SliceData(row))) }

func hashBatch(dst, src, keys []Block, per int) {
	if len(src) == 0 {
		return
	}
	if hashes.Use() == 0 {
		hashAESNI(pointer(dst), pointer(src), len(src), pointer(keys), per)
		return
	}
	hashBatchGeneric(dst, src, keys, per)
}

// expandKey writes the round keys for addStream and says whether it can.
func expandKey(keys *[11]Block, key *[16]byte) bool {
	if streams.Use() != 0 {
		return false
	}
	expandKeyAESNI(pointer(keys[:]), &key[0])
	return true
}

// addStream adds the key stream from a counter; lo must not run over before the
// last block.
func addStream(dst, src []byte, keys *[11]Block, hi, lo uint64) {
	ctrVAES(&dst[0], &src[0], len(src)/Size, pointer(keys[:]), hi, lo)
}

// keyStream writes the key stream itself.
func keyStream(dst []byte, keys *[11]Block, hi, lo uint64) {
	keyStreamVAES(&dst[0], len(dst)/Size, pointer(keys[:]), hi, lo)
}

// sumStream adds the key stream to dst and dst to column.
func sumStream(dst, column []byte, keys *[11]Block, hi, lo uint64) {
	sumStreamVAES(&dst[0], &column[0], len(dst)/Size, pointer(keys[:]), hi, lo)
}

func universalPowers(h Block) *[powersLen]Block {
	if universals.Use() != 0 {
		return nil
	}
	powers := new([powersLen]Block)
	universalPowersVPCLMUL(pointer(powers[:]), (*byte)(unsafe.Pointer(&h)))
	return powers
}

// universalSum hashes a string with the powers of universalPowers.
func universalSum(src []byte, powers *[powersLen]Block) (sum Block) {
	// The kernel's table begins with H^65.
	universalSumVPCLMUL((*byte)(unsafe.Pointer(&sum)), &src[0], len(src)/Size, pointer(powers[powersLen-65:]))
	return sum
}

// transposeWords turns a multiple of 64 rows, at least 64.
func transposeWords(dst []Block, src []byte, stride int) {
	if transposes.Use() == 0 {
		transposeGFNI(pointer(dst), &src[0], stride, len(dst)/64)
		return
	}
	transposeWordsGeneric(dst, src, stride)
}

func addWhere64(dst *[64]Block, w uint64, delta Block) {
	if bitwise.Use() == 0 {
		addWhere64AVX512((*byte)(unsafe.Pointer(dst)), w, (*byte)(unsafe.Pointer(&delta)))
		return
	}
	addWhere64Generic(dst, w, delta)
}

func colours64(labels *[64]Block) uint64 {
	if bitwise.Use() == 0 {
		return colours64AVX512((*byte)(unsafe.Pointer(labels)))
	}
	return colours64Generic(labels)
}

func plane64(values *[64]int32, bit int) uint64 {
	if bitwise.Use() == 0 {
		return plane64AVX512((*byte)(unsafe.Pointer(values)), 1<<bit)
	}
	return plane64Generic(values, bit)
}

func orPlane64(values *[64]int32, bit int, w uint64) {
	if bitwise.Use() == 0 {
		orPlane64AVX512((*byte)(unsafe.Pointer(values)), 1<<bit, w)
		return
	}
	orPlane64Generic(values, bit, w)
}

// addMasked is for a positive multiple of 64 bytes.
func addMasked(dst, src []byte, mask uint64) {
	if bitwise.Use() == 0 {
		addMaskedAVX512(&dst[0], &src[0], len(src)/64, mask)
		return
	}
	addMaskedGeneric(dst, src, mask)
}
