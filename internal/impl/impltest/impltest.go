// Package impltest runs tests on every implementation of a kernel.
//
// It stands beside impl, apart from it so that programs do not contain package
// testing: only tests import it. An implementation that the CPU lacks is
// skipped, unless the environment names it:
//
//	DORCAS_REQUIRE=avx512ifma,vaes go test ./...
//
// fails where a kernel has an implementation called avx512ifma or vaes (or
// beginning so, as vaes512) that cannot run. Start with Each.
package impltest

import (
	"os"
	"strings"
	"testing"

	"dorcas/internal/impl"
)

// Env is the variable that lists the implementations that must run.
const Env = "DORCAS_REQUIRE"

// Each runs f as a subtest for every implementation of k, with that one in use,
// and restores the choice. f must not be parallel.
func Each(t *testing.T, k *impl.Kernel, f func(t *testing.T)) {
	t.Helper()
	if len(k.Impls()) == 0 {
		t.Fatalf("kernel %q has no implementations", k.Name())
	}
	for i, im := range k.Impls() {
		t.Run(im.Name, func(t *testing.T) {
			if !im.Available {
				missing(t, k.Name(), im.Name)
			}
			defer k.Select(k.Use())
			k.Select(i)
			f(t)
		})
	}
}

// EachBench is Each for benchmarks; it leaves out what is missing.
func EachBench(b *testing.B, k *impl.Kernel, f func(b *testing.B)) {
	b.Helper()
	for i, im := range k.Impls() {
		if !im.Available {
			continue
		}
		b.Run(im.Name, func(b *testing.B) {
			defer k.Select(k.Use())
			k.Select(i)
			f(b)
		})
	}
}

// Generic runs f once with the generic implementation in use, for an oracle.
func Generic(k *impl.Kernel, f func()) {
	defer k.Select(k.Use())
	k.Select(len(k.Impls()) - 1)
	f()
}

func missing(t *testing.T, kernel, name string) {
	t.Helper()
	if required(os.Getenv(Env), name) {
		t.Fatalf("%s: %s is required by %s and not available", kernel, name, Env)
	}
	t.Skipf("%s: this CPU or build has no %s", kernel, name)
}

// required says whether the list names an implementation, in full or by the
// beginning of its name.
func required(list, name string) bool {
	for _, want := range strings.Split(list, ",") {
		if want = strings.TrimSpace(want); want != "" && strings.HasPrefix(name, want) {
			return true
		}
	}
	return false
}
