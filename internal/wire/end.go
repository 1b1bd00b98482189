package wire

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Code is what a party tells its peer when it breaks off. There are only
// these few, so that an error tells nothing else. AGREED.
type Code uint8

// The codes.
const (
	CodeProtocol Code = iota + 1 // a frame or its content was not what the plan says
	CodeVersion                  // no version of the protocol in common
	CodeModel                    // no such model, or another plan for it
	CodeBusy                     // too many sessions: try again later
	CodeClosing                  // shutting down
	CodeInternal                 // a failure that is not the peer's doing
)

var codeNames = [...]string{
	CodeProtocol: "protocol",
	CodeVersion:  "version",
	CodeModel:    "model",
	CodeBusy:     "busy",
	CodeClosing:  "closing",
	CodeInternal: "internal",
}

// String returns the code's name, "code 77" for one that has none.
func (c Code) String() string {
	if int(c) < len(codeNames) && codeNames[c] != "" {
		return codeNames[c]
	}
	return fmt.Sprintf("code %d", uint8(c))
}

// PeerError is the error of a Recv that met an error frame. Code is what the
// peer sent and may be none of the constants.
type PeerError struct{ Code Code }

// Error returns a sentence with the code's name.
func (e *PeerError) Error() string { return "the peer ended the session: " + e.Code.String() }

// linger is how long Fail may take to get its code across. LOCAL.
const linger = time.Second

// Fail sends an error frame, after what is still buffered, and closes the
// connection. It takes linger at most, whatever the peer does: a peer that
// reads nothing, or a Send that is under way, costs it the code. Calls that
// are blocked, and later ones, return an error that wraps io.ErrClosedPipe.
func (c *Conn) Fail(code Code) error {
	why := fmt.Errorf("ended with code %s: %w", code, io.ErrClosedPipe)
	if !c.why.CompareAndSwap(nil, &why) {
		return c.Close()
	}
	timer := time.AfterFunc(linger, func() { c.end(why) })
	defer timer.Stop()

	// What the peer is still sending is read and dropped: it may have to
	// finish that before it reads our frame, and TCP resets a connection
	// closed with unread data, which can destroy the frame on its way.
	drained := make(chan struct{})
	if c.receiving.TryLock() {
		go func() {
			io.Copy(io.Discard, c.rw)
			c.receiving.Unlock()
			close(drained)
		}()
	} else {
		close(drained)
	}
	err := c.lastWord(code)
	if err == nil {
		if half, ok := c.rw.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			<-drained // the peer has closed its end, or linger is over
		}
	}
	if closing := c.end(why); err == nil {
		err = closing
	}
	<-drained
	return err
}

// lastWord writes an error frame, if no Send stands in its way.
func (c *Conn) lastWord(code Code) error {
	if !c.sending.TryLock() {
		return fmt.Errorf("wire: fail: a send is under way: %w", io.ErrClosedPipe)
	}
	defer c.sending.Unlock()
	err := c.write(kindError, []byte{byte(code)})
	if err == nil {
		err = c.flush(nil)
	}
	if err != nil {
		return fmt.Errorf("wire: fail: %w", err)
	}
	return nil
}

// Close closes the connection and drops what has not been flushed. Calls that
// are blocked, and later ones, return an error that wraps io.ErrClosedPipe.
// Closing twice does nothing and returns the result of the first.
func (c *Conn) Close() error { return c.end(io.ErrClosedPipe) }

// end records why this side ends the connection, if it does not already, and
// closes it.
func (c *Conn) end(why error) error {
	c.why.CompareAndSwap(nil, &why)
	c.closed.Do(func() { c.result = c.rw.Close() })
	return c.result
}

// Bind ties the connection to ctx until stop is called: when ctx is done the
// connection is closed, and calls that are blocked, and later ones, return an
// error that wraps the cause of ctx.
func (c *Conn) Bind(ctx context.Context) (stop func()) {
	off := context.AfterFunc(ctx, func() { c.end(context.Cause(ctx)) })
	return func() { off() }
}
