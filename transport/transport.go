// Package transport opens connections named by a URL: tcp://host:port, and
// tls://host:port for TLS 1.3.
//
// It stands beneath the protocol: a client passes what Dial returns, a server
// what its listener accepts, to package dorcas, which takes any ordered byte
// stream. The protocol hides the input and the model from the peer. It does
// not hide from a third party who speaks to whom, and does not tell the client
// that the server is the one it means: over any network but loopback, use tls.
// Programs that already have a connection do not need this package. Read this
// file first, then tls.go.
package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// DefaultTimeout bounds a Dial, TLS handshake included, unless DialOptions
// says otherwise.
const DefaultTimeout = 10 * time.Second

// keepAlive notices a peer that is gone without a word within two minutes,
// also while we compute and nothing is on the wire. LOCAL.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 6}

// DialOptions says whom to trust and how long to wait. Its zero value, and
// nil, trust the system's certificate authorities and present no certificate.
// All but Timeout are for tls only: with tcp they are an error, since they
// would protect nothing.
type DialOptions struct {
	// RootCAs is a PEM file with the certificate authorities to trust in
	// place of the system's. A self-signed certificate is its own.
	RootCAs string
	// ServerName is the name that the server's certificate must have, if it
	// is not the URL's host.
	ServerName string
	// Pin is the SHA-256 fingerprint of the server's certificate in
	// hexadecimal digits, as Fingerprint returns it. A pin stands in for
	// authority and name; if RootCAs is given too, all three must be right.
	Pin string
	// CertFile and KeyFile, or Certificate, are what the client presents if
	// asked. In TLS 1.3 a client whose certificate is refused learns it when
	// it first reads.
	CertFile, KeyFile string
	Certificate       *tls.Certificate
	// InsecureSkipVerify accepts any certificate, and so any server.
	InsecureSkipVerify bool
	// Timeout bounds the Dial; 0 means DefaultTimeout.
	Timeout time.Duration
}

// ListenOptions says what certificate a tls listener presents, which it must,
// and whom it lets in.
type ListenOptions struct {
	// CertFile and KeyFile are PEM files, or Certificate holds the same.
	CertFile, KeyFile string
	Certificate       *tls.Certificate
	// ClientCAs is a PEM file with certificate authorities; if given, only
	// clients with a certificate of one of them are let in.
	ClientCAs string
}

// Dial connects to a server. Small writes are sent at once (TCP_NODELAY, which
// Go sets by itself). The connection is a *net.TCPConn or a *tls.Conn
// whose handshake is done; when Dial has returned, ctx has no effect on it.
// Errors say what to pass where passing something helps.
func Dial(ctx context.Context, url string, opt *DialOptions) (net.Conn, error) {
	if opt == nil {
		opt = &DialOptions{}
	}
	conn, err := dial(ctx, url, opt)
	if err != nil {
		return nil, fmt.Errorf("transport: dial %s: %w%s", url, inner(err), dialHint(err))
	}
	return conn, nil
}

func dial(ctx context.Context, url string, opt *DialOptions) (net.Conn, error) {
	at, err := parse(url)
	if err != nil {
		return nil, err
	}
	if at.host == "" {
		return nil, fmt.Errorf("no host: write %s://host:%s", at.scheme, at.port)
	}
	var config *tls.Config
	if at.scheme == "tls" {
		config, err = opt.config(at.host)
	} else if *opt != (DialOptions{Timeout: opt.Timeout}) {
		err = fmt.Errorf("certificate options given, but tcp does not encrypt: write tls://%s", at.address())
	}
	if err != nil {
		return nil, err
	}
	timeout := opt.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext(ctx, "tcp", at.address())
	if err != nil || config == nil {
		return conn, err
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// Listen listens on the URL's host, every address if it has none, and port, a
// free one if it is 0. A tls listener's connections do their handshake when
// first read or written, so that a slow client does not hold up Accept: bound
// that by a deadline.
func Listen(url string, opt *ListenOptions) (net.Listener, error) {
	if opt == nil {
		opt = &ListenOptions{}
	}
	l, err := listen(url, opt)
	if err != nil {
		return nil, fmt.Errorf("transport: listen %s: %w%s", url, inner(err), listenHint(err))
	}
	return l, nil
}

func listen(url string, opt *ListenOptions) (net.Listener, error) {
	at, err := parse(url)
	if err != nil {
		return nil, err
	}
	var config *tls.Config
	if at.scheme == "tls" {
		config, err = opt.config()
	} else if *opt != (ListenOptions{}) {
		err = fmt.Errorf("certificate options given, but tcp does not encrypt: write tls://%s", at.address())
	}
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{KeepAliveConfig: keepAlive}).Listen(context.Background(), "tcp", at.address())
	if err != nil || config == nil {
		return l, err
	}
	return tls.NewListener(l, config), nil
}

// place is a parsed URL.
type place struct{ scheme, host, port string }

func (p place) address() string { return net.JoinHostPort(p.host, p.port) }

func parse(s string) (place, error) {
	if !strings.Contains(s, "://") {
		return place{}, fmt.Errorf("no scheme: write tls://%s or tcp://%[1]s", s)
	}
	u, err := url.Parse(s)
	if err != nil {
		if parse, ok := errors.AsType[*url.Error](err); ok {
			err = parse.Err // which does not repeat the URL
		}
		return place{}, fmt.Errorf("%w: write tls://host:port or tcp://host:port", err)
	}
	if u.Scheme != "tcp" && u.Scheme != "tls" {
		return place{}, fmt.Errorf("unknown scheme %q: write tls://host:port or tcp://host:port", u.Scheme)
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return place{}, fmt.Errorf("more than a host and a port: write %s://%s", u.Scheme, u.Host)
	}
	if u.Port() == "" {
		return place{}, fmt.Errorf("no port: write %s://%s:port", u.Scheme, strings.TrimSuffix(u.Host, ":"))
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); err != nil {
		return place{}, fmt.Errorf("port %s is not between 0 and 65535", u.Port())
	}
	return place{u.Scheme, u.Hostname(), u.Port()}, nil
}
