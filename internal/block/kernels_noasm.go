//go:build !amd64 || purego

package block

import "dorcas/internal/impl"

var (
	hashes     = impl.New("hash", impl.Generic)
	streams    = impl.New("stream", impl.Generic)
	universals = impl.New("universal hash", impl.Generic)
	transposes = impl.New("transpose", impl.Generic)
	bitwise    = impl.New("bits", impl.Generic)
)

// bytesOf returns the bytes of a row if they are those of Put in memory.
func bytesOf([]Block) []byte { return nil }

func hashBatch(dst, src, keys []Block, per int) { hashBatchGeneric(dst, src, keys, per) }

func expandKey(*[11]Block, *[16]byte) bool { return false }

func addStream(_, _ []byte, _ *[11]Block, _, _ uint64) {}

func keyStream(_ []byte, _ *[11]Block, _, _ uint64) {}

func sumStream(_, _ []byte, _ *[11]Block, _, _ uint64) {}

func universalPowers(Block) *[powersLen]Block { return nil }

func universalSum([]byte, *[powersLen]Block) Block { return Block{} }

func transposeWords(dst []Block, src []byte, stride int) { transposeWordsGeneric(dst, src, stride) }

func addWhere64(dst *[64]Block, w uint64, delta Block) { addWhere64Generic(dst, w, delta) }

func colours64(labels *[64]Block) uint64 { return colours64Generic(labels) }

func plane64(values *[64]int32, bit int) uint64 { return plane64Generic(values, bit) }

func orPlane64(values *[64]int32, bit int, w uint64) { orPlane64Generic(values, bit, w) }

func addMasked(dst, src []byte, mask uint64) { addMaskedGeneric(dst, src, mask) }
