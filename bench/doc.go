// Package bench measures kernels side by side with those of other projects.
// It is a module of its own, so that the project does not depend on them:
//
//	make bench-rivals
package bench
