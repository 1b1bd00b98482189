// Package protocol is the private inference itself: what the two parties
// send each other, in which order, and how each message is made from the
// blocks below (rlwe and linear, ot, circuit and garble).
//
// Both parties derive the same Plan from the public shape of the network:
// every parameter, order and frame length. A session is: handshake; then any
// number of preparations (offline, input not needed yet) and inferences
// (online, each burning one preparation).
//
// Read plan.go first, then the steps in the order of their messages:
// handshake.go, extend.go, upload.go, correct.go, tables.go (offline),
// input.go, stage.go (online). Programs use the public package dorcas.
package protocol
