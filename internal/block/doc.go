// Package block computes on 128-bit blocks: wire labels, the re-keyed AES hash
// that garbling calls, labelled expansion of a seed into labels, bit-matrix
// transposition, and the universal hash of the OT extension's check.
//
// It knows no protocol. Packages garble and ot are built on it and are its only
// intended users; a program that wants AES or a random generator should take
// the standard library's. Start with block.go for the type, then hash.go.
//
// Every function here is a kernel: slices in, slices out, no state and no
// secret-dependent branch or index, so that a vector version can take its
// place without a change elsewhere.
package block
