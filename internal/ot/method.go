package ot

import "fmt"

// Method is how a session makes its correlations: by SoftSpoken extension with trees of
// one depth, or by silent transfer of one class, whose first seeds come from
// SoftSpoken4. A number, so that one byte tells it to the peer. AGREED
type Method uint8

// The methods. From the first to the last they send less and compute more, but for
// the silent ones, which compute as much as SoftSpoken4 and keep state.
const (
	SoftSpoken2 Method = 2
	SoftSpoken4 Method = K
	SoftSpoken8 Method = 8
	Silent10           = Method(Class10)
	Silent11           = Method(Class11)
	Silent12           = Method(Class12)
	Silent13           = Method(Class13)
)

// Methods lists all methods.
func Methods() []Method {
	return []Method{SoftSpoken2, SoftSpoken4, SoftSpoken8, Silent10, Silent11, Silent12, Silent13}
}

// ParseMethod returns the method of a name that String gives.
func ParseMethod(name string) (Method, error) {
	for _, m := range Methods() {
		if m.String() == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("ot: no method of transfers is called %q", name)
}

// Valid reports whether m is one of the methods.
func (m Method) Valid() bool {
	return m == SoftSpoken2 || m == SoftSpoken4 || m == SoftSpoken8 || m.Class().Valid()
}

// Class returns the class of silent transfer, or Extension.
func (m Method) Class() Class {
	if c := Class(m); c.Valid() {
		return c
	}
	return Extension
}

// depth returns the depth of the trees of the extension.
func (m Method) depth() int {
	switch {
	case !m.Valid():
		panic("ot: no such method")
	case m.Class() != Extension:
		return K
	}
	return int(m)
}

// String returns the name of the method.
func (m Method) String() string {
	switch {
	case m.Class() != Extension:
		return m.Class().String()
	case m.Valid():
		return fmt.Sprintf("softspoken%d", int(m))
	}
	return fmt.Sprintf("method %d", int(m))
}

// Msg3Size returns the number of bytes of message 3 of the set-up.
func (m Method) Msg3Size() int { return msg3Size(m.depth()) }

// ExtendSize returns the number of bytes of the message of an Extend of n
// correlations, 1 ≤ n ≤ MaxExtend; other n panic.
func (m Method) ExtendSize(n int) int { return extendSize(m.depth(), n) }

// Memory returns roughly the number of bytes that a session keeps for silent transfer if
// it makes n correlations at once; 0 for an extension, which keeps 2^k AES keys a tree.
func (m Method) Memory(n int) int {
	if c := m.Class(); c != Extension {
		return c.Memory(c.Refills(0, n))
	}
	return 0
}
