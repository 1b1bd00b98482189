//go:build !amd64 || purego

package impl

// Without assembly nothing is available.
const (
	AESNI, CLMUL, AVX2, AVX512, AVX512IFMA, AVX512VBMI2, VAES, VPCLMUL, GFNI = false, false, false, false, false, false, false, false, false
)
