// Package dorcas classifies an image for a client whose image the server
// never sees, with a network whose weights the client never sees.
//
// A Server holds a quantised network (package nn) and serves sessions over
// any ordered byte stream; a Client opens one:
//
//	server:  s, _ := dorcas.NewServer(model, nil); s.Serve(ctx, conn)
//	client:  c, _ := dorcas.NewClient(ctx, conn, nil); r, _ := c.Infer(ctx, pixels)
//
// The result equals model.Run on the same input, bit for bit. Package
// transport dials and listens; both parties are trusted to follow the
// protocol (docs/security.md says what that promises and what it does not).
package dorcas
