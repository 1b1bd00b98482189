package serve

import (
	"fmt"
	"net"
	"time"
)

// Kind is what happened.
type Kind uint8

// The kinds of Event.
const (
	Opened       Kind = iota + 1 // a session began
	Closed                       // a session ended without an error
	Failed                       // a session ended with Err
	Refused                      // a client was turned away, Err says why
	AcceptFailed                 // the listener had a passing failure, Err
)

// String returns the kind in words.
func (k Kind) String() string {
	names := [...]string{Opened: "opened", Closed: "closed", Failed: "failed", Refused: "refused", AcceptFailed: "accept failed"}
	if k == 0 || int(k) >= len(names) {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return names[k]
}

// Event is something to log.
type Event struct {
	Kind    Kind
	Session int64    // counts the sessions from 1; 0 if there is none
	Remote  net.Addr // nil if there is none
	Err     error    // *PanicError if the handler panicked
	// The rest is for Closed and Failed.
	Duration       time.Duration
	Sent, Received int64 // bytes
}

// PanicError is the error of a session whose handler panicked.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // where, in the form of runtime/debug.Stack
}

// Error returns the value, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("serve: the handler panicked: %v", e.Value) }
