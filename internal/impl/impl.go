// Package impl chooses between the implementations of a kernel: assembly for
// the CPU at hand, or portable Go.
//
// It stands below all other packages and knows nothing of what the kernels
// compute; ring, block, garble and ot name their kernels here. A program has no
// reason to use it: the choice is made when it starts, and the results are the
// same. Read this file, then cpu_amd64.go, then impltest for the tests.
package impl

// Impl is one implementation of a kernel.
type Impl struct {
	Name      string // such as "avx512ifma", "vaes", "generic"
	Available bool   // whether this CPU and this build have it
}

// Generic is the implementation in portable Go, always available.
var Generic = Impl{"generic", true}

// Kernel is a choice of implementations. Its owner keeps it in a package
// variable and asks Use once per call.
type Kernel struct {
	name   string
	impls  []Impl
	active int
}

// New returns a kernel of the given implementations, best first, and chooses the
// first that is available. The last one must be Generic.
func New(name string, impls ...Impl) *Kernel {
	if len(impls) == 0 || impls[len(impls)-1] != Generic {
		panic("impl: " + name + ": the last implementation is not the generic one")
	}
	k := &Kernel{name: name, impls: impls}
	for !impls[k.active].Available {
		k.active++
	}
	return k
}

// Name returns the kernel's name.
func (k *Kernel) Name() string { return k.name }

// Impls returns the implementations, best first. The caller must not change them.
func (k *Kernel) Impls() []Impl { return k.impls }

// Use returns the index of the implementation in use. len(Impls())−1 is the
// generic one.
func (k *Kernel) Use() int { return k.active }

// Select sets the implementation in use, for tests and comparisons; nothing may
// run the kernel meanwhile. It panics if this CPU does not have it.
func (k *Kernel) Select(i int) {
	if !k.impls[i].Available {
		panic("impl: " + k.name + ": " + k.impls[i].Name + " is not available")
	}
	k.active = i
}
