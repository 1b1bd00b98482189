//go:build amd64 && !purego

package impl

import "golang.org/x/sys/cpu"

// What the CPU and the operating system offer, in the groups that kernels need.
var (
	// AESNI is AES on 128-bit registers, with SSE4.1.
	AESNI = cpu.X86.HasAES && cpu.X86.HasSSE41 && cpu.X86.HasSSSE3
	// CLMUL is the carry-less product on 128-bit registers.
	CLMUL = cpu.X86.HasPCLMULQDQ && cpu.X86.HasSSE41 && cpu.X86.HasSSSE3
	// AVX2 is AVX2 with BMI2.
	AVX2 = cpu.X86.HasAVX2 && cpu.X86.HasBMI2
	// AVX512 is AVX-512 F, BW, DQ and VL.
	AVX512 = AVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL
	// AVX512IFMA adds the 52-bit products and the permutations of bytes (VBMI).
	AVX512IFMA = AVX512 && cpu.X86.HasAVX512IFMA && cpu.X86.HasAVX512VBMI
	// AVX512VBMI2 adds compression of bytes and words and double shifts.
	AVX512VBMI2 = AVX512 && cpu.X86.HasAVX512VBMI && cpu.X86.HasAVX512VBMI2
	// VAES is AES on 512-bit registers.
	VAES = AVX512 && AESNI && cpu.X86.HasAVX512VAES
	// VPCLMUL is the carry-less product on 512-bit registers.
	VPCLMUL = AVX512 && CLMUL && cpu.X86.HasAVX512VPCLMULQDQ
	// GFNI is affine maps over bytes on 512-bit registers.
	GFNI = AVX512 && cpu.X86.HasAVX512GFNI
)
