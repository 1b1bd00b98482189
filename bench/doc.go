// Package bench measures kernels side by side with those of other projects.
// It is a module of its own, so that the project does not depend on them:
//
//	make bench-rivals
//
// The transform stands beside Lattigo's, the garbling beside markkurossi/mpc's
// and the hash beside crypto/aes. Every benchmark first checks that both sides
// get the same answer. results/ has what was measured, with processor, date and
// commit.
package bench
