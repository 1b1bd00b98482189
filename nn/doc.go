// Package nn is the network in the clear: the float graph that a file holds,
// the quantised model made from it, and Model.Run, which computes the
// integers that a private inference must reproduce bit for bit.
//
// It is the ideal functionality of the protocol and knows nothing of
// cryptography. Start with model.go (what a quantised network is) and run.go
// (what it computes); graph.go is the float side and quantize.go the way from
// one to the other.
package nn
