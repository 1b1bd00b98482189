package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"syscall"
)

// inner drops what package net says before the reason: it repeats ours.
func inner(err error) error {
	if op, ok := err.(*net.OpError); ok && (op.Op == "dial" || op.Op == "listen") {
		return op.Err
	}
	return err
}

// dialHint returns what to do about the error of a Dial, to follow it.
func dialHint(err error) string {
	var (
		dns     *net.DNSError
		record  tls.RecordHeaderError
		op      *net.OpError
		cert    *tls.CertificateVerificationError
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	presented := ""
	if errors.As(err, &cert) && len(cert.UnverifiedCertificates) > 0 {
		presented = fingerprint(cert.UnverifiedCertificates[0].Raw)
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return ": nothing listens there: is the server running, and is this its port?"
	case errors.As(err, &dns):
		return ": check the host's spelling"
	case errors.As(err, &record):
		return ": the server does not speak TLS: if that is intended, write tcp://"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return ": the server needs a new certificate, or the clock of one of the two is wrong"
	case errors.As(err, &name):
		return ": pass the name that the certificate has as the server name, or pin its fingerprint " + presented
	case errors.As(err, &unknown):
		return ": pass the file of the authority that signed the certificate, or, if this is the fingerprint that the server's owner gave you, pin it: " + presented
	case errors.As(err, &op) && op.Op == "remote error": // a TLS alert
		return ": the server refused the handshake: does it allow TLS 1.3?"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return ": no answer: check host, port and firewall, or allow more time"
	}
	return ""
}

// listenHint returns what to do about the error of a Listen, to follow it.
func listenHint(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return ": another program listens there: choose another port, or 0 for any free one"
	case errors.Is(err, syscall.EACCES):
		return ": choose a port above 1023"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return ": this machine does not have that address: leave the host out to listen on all it has"
	}
	return ""
}
