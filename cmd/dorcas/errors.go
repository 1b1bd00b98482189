package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"dorcas"
	"dorcas/internal/wire"
	"dorcas/nn/onnx"

	"github.com/spf13/cobra"
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func isUsage(err error) bool {
	_, ok := errors.AsType[usageError](err)
	return ok
}

// explain returns an error as one line that ends in what to do.
func explain(cmd *cobra.Command, err error) string {
	text := err.Error()
	if u, ok := errors.AsType[*onnx.UnsupportedError](err); ok {
		text = strings.Replace(text, u.Error(), unsupported(u), 1)
	}
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")
	if isUsage(err) {
		if !strings.Contains(text, "--help") {
			text += ": see " + cmd.CommandPath() + " --help"
		}
		return text
	}
	if h := hint(err); h != "" {
		text += ": " + h
	}
	return text
}

// hint says what to do about an error whose text does not say it.
func hint(err error) string {
	if peer, ok := errors.AsType[*wire.PeerError](err); ok {
		return peerHint(peer.Code)
	}
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() && !strings.Contains(err.Error(), "transport: dial") {
		return "allow more time with --timeout"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "that is --ca FILE or --pin SHA256"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "that is --server-name NAME or --pin SHA256"
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "allow more time with --timeout"
	case errors.Is(err, dorcas.ErrModel):
		return "ask the server's owner for the hash of the model it serves now (dorcas inspect prints it)"
	case errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "check the path"):
		return "check the path"
	case errors.Is(err, fs.ErrPermission):
		return "check the file's permissions"
	case errors.Is(err, syscall.EISDIR):
		return "pass a file"
	case errors.Is(err, syscall.ENOSPC):
		return "free some space"
	case !strings.Contains(err.Error(), "wire: "): // below, the connection failed
	case !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE):
	case strings.Contains(err.Error(), "hello"):
		return "is it a dorcas server, and does its scheme (tcp or tls) match?"
	default:
		return "the server is gone: try again when it is back"
	}
	return ""
}

func peerHint(code wire.Code) string {
	switch code {
	case wire.CodeBusy:
		return "the server is busy: try again in a moment"
	case wire.CodeClosing:
		return "the server is shutting down: try again later"
	case wire.CodeVersion:
		return "client and server must be of one version: see dorcas version"
	case wire.CodeModel:
		return "the server runs another model"
	}
	return "the server's log says more"
}

// unsupported counts like nodes, in place of a list that may be long.
func unsupported(e *onnx.UnsupportedError) string {
	type kind struct{ op, missing string }
	count := map[kind]int{}
	var order []kind
	for _, n := range e.Nodes {
		k := kind{n.Op, n.Missing}
		if count[k]++; count[k] == 1 {
			order = append(order, k)
		}
	}
	var parts []string
	for _, k := range order {
		part := fmt.Sprintf("%d × %s", count[k], printable(k.op))
		if k.missing != "the operator itself" {
			part += fmt.Sprintf(" (%s)", printable(k.missing))
		}
		parts = append(parts, part)
	}
	return "onnx: the network has operators that are not supported: " + strings.Join(parts, ", ") +
		": train or export it without them"
}

// modelError names the file that is no model, and what to pass in its place.
func modelError(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return err // which names the file
	case strings.HasSuffix(strings.ToLower(name), ".onnx"):
		return fmt.Errorf("%s: an ONNX file has to be compiled first: dorcas compile %[1]s --samples DIR -o net.dorcas", name)
	}
	return fmt.Errorf("%s: %w: pass a file that dorcas compile wrote", name, err)
}
