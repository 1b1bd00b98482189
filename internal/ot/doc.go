// Package ot makes correlated oblivious transfers: the wire labels of the bits
// that only the client knows.
//
// After a set-up of three messages the server, called [Sender], holds one secret
// Δ of 128 bits, and every [Receiver.Extend] with its [Sender.Extend] gives, for
// each i < n,
//
//	server: K_i        client: a random bit choice_i and M_i = K_i ⊕ choice_i·Δ.
//
// In a garbled circuit K_i is the label of zero and M_i the label of choice_i.
// The client's bits are random and not of its choosing; it moves them to the bits
// that it means with one public correction bit each, which is the caller's part.
//
// The set-up is an endemic oblivious transfer over ristretto255 (base.go) that
// grows into punctured trees of seeds (tree.go); extension is SoftSpokenOT, which
// expands the seeds (vole.go), makes the small correlations one and checks that
// the client was honest about it (check.go). One message of about 128/k bits per
// transfer goes from client to server and nothing comes back. All messages are
// byte strings in and out; who sends them is the caller's business.
//
//	client → server   message 1   Msg1Size bytes
//	server → client   message 2   Msg2Size
//	client → server   message 3   Method.Msg3Size
//	client → server   extension   Method.ExtendSize(n), as often as wanted
//
// For great counts and slow links there is silent transfer on top of the extension
// (silent.go): [Receiver.NewSilent] and [Sender.NewSilent] spend one Extend on seeds,
// then one message from server to client, of 0.03 to 0.2 bytes per correlation, makes as
// many as a [Class] yields, under the same Δ. A [Method] is the depth k of the trees, or a
// class; the parties agree on one before the set-up. [Choose] estimates which is the quickest.
//
//	client → server   start       Class.StartSize, once
//	server → client   refill      Class.RefillSize, as often as wanted
//
// Both parties may be malicious. A client that deviates is caught except with
// the probability that it guesses bits of Δ; the [Sender] is dead after a failed
// check. Whoever needs transfers of chosen strings, or labels that do not share
// one Δ, must hash the outputs and should not use this package as it is.
//
// A session costs about 0.4 MB of memory a party, mostly AES key schedules, 1.3 MB for
// k = 8; silent transfer adds 2.5 to 18 MB.
//
// Read params.go and method.go first, then setup.go and extension.go; for silent transfer
// silent_params.go, silent.go and silent_tree.go.
package ot
