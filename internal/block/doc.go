// Package block computes on 128-bit blocks: wire labels, the re-keyed AES hash
// that garbling calls, key streams and labelled expansion of a seed into labels,
// bit-matrix transposition, the universal hash of the OT extension's check, and
// strings of bits that choose or colour labels.
//
// It knows no protocol. Packages garble, ot and protocol are built on it and are
// its only intended users; a program that wants AES or a random generator should take
// the standard library's. Start with block.go for the type, then hash.go.
//
// Every function here is a kernel: slices in, slices out, and no
// secret-dependent branch or index. Where the processor has the instructions a
// vector version takes its place, with the same bytes: kernels_amd64.go lists
// them, and _asm has the programs that write them.
package block
