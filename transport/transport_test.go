package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// echo listens and sends everything back; it returns the URL to dial.
func echo(t *testing.T, scheme string, opt *ListenOptions) string {
	t.Helper()
	l, err := Listen(scheme+"://127.0.0.1:0", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return scheme + "://" + l.Addr().String()
}

// exchange checks that the connection works.
func exchange(conn net.Conn) error {
	defer conn.Close()
	if _, err := io.WriteString(conn, "hello"); err != nil {
		return err
	}
	p := make([]byte, 5)
	if _, err := io.ReadFull(conn, p); err != nil {
		return err
	}
	if string(p) != "hello" {
		return errors.New("the bytes changed on their way")
	}
	return nil
}

func certificate(t *testing.T, from, to time.Duration, hosts ...string) *tls.Certificate {
	t.Helper()
	c, err := selfSigned(hosts, time.Now().Add(from), time.Now().Add(to))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// file writes a certificate as a PEM file.
func file(t *testing.T, c *tls.Certificate) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(name, EncodePEM(c), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTCP(t *testing.T) {
	conn, err := Dial(t.Context(), echo(t, "tcp", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := exchange(conn); err != nil {
		t.Fatal(err)
	}
}

func TestURLs(t *testing.T) {
	cases := []struct{ url, want string }{
		{"localhost:7000", "no scheme: write tls://localhost:7000 or tcp://localhost:7000"},
		{"127.0.0.1:7000", "no scheme: write tls://127.0.0.1:7000"},
		{"", "no scheme"},
		{"ws://localhost:1", `unknown scheme "ws": write tls://host:port`},
		{"TCPS://localhost:1", `unknown scheme "tcps"`},
		{"tcp://localhost", "no port: write tcp://localhost:port"},
		{"tls://[::1]", "no port: write tls://[::1]:port"},
		{"tls://localhost:", "no port: write tls://localhost:port"},
		{"tcp://localhost:x", "invalid port"},
		{"tcp://localhost:65536", "between 0 and 65535"},
		{"tcp://localhost:7000/model", "more than a host and a port: write tcp://localhost:7000"},
		{"tcp://me@localhost:7000", "more than a host and a port"},
		{"tcp://localhost:7000?x=1", "more than a host and a port"},
		{"tcp://%zz:7000", "write tls://host:port"},
	}
	for _, tc := range cases {
		_, dialErr := Dial(t.Context(), tc.url, nil)
		_, listenErr := Listen(tc.url, nil)
		for _, err := range []error{dialErr, listenErr} {
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "transport: ") {
				t.Errorf("%s: error %v, want %q", tc.url, err, tc.want)
			}
		}
	}
	if _, err := Dial(t.Context(), "tcp://:7000", nil); err == nil || !strings.Contains(err.Error(), "no host") {
		t.Errorf("dialling no host: %v", err)
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := Listen("tcp://127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	url := "tcp://" + l.Addr().String()
	if _, err := Listen(url, nil); err == nil || !strings.Contains(err.Error(), "choose another port") {
		t.Errorf("listening twice: %v", err)
	}
	l.Close()
	if _, err := Dial(t.Context(), url, nil); err == nil || !strings.Contains(err.Error(), "is the server running") {
		t.Errorf("refused: %v", err)
	}
}

// TestSilence dials a TLS server that never answers.
func TestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	url := "tls://" + l.Addr().String()
	if _, err := Dial(t.Context(), url, &DialOptions{Timeout: 20 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), "no answer") {
		t.Errorf("time-out: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := Dial(ctx, url, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestListenOptions(t *testing.T) {
	c := certificate(t, -time.Hour, time.Hour, "localhost")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, scheme string
		opt          *ListenOptions
		want         string
	}{
		{"no certificate", "tls", nil, "self-signed"},
		{"two certificates", "tls", &ListenOptions{Certificate: c, CertFile: "x"}, "two certificates"},
		{"no key file", "tls", &ListenOptions{CertFile: "x"}, "half a certificate"},
		{"missing file", "tls", &ListenOptions{CertFile: "/nowhere/cert", KeyFile: "/nowhere/key"}, "certificate /nowhere/cert with key"},
		{"missing authorities", "tls", &ListenOptions{Certificate: c, ClientCAs: "/nowhere/ca"}, "certificate authorities"},
		{"empty authorities", "tls", &ListenOptions{Certificate: c, ClientCAs: empty}, "no certificate in PEM form"},
		{"tcp with certificate", "tcp", &ListenOptions{Certificate: c}, "tcp does not encrypt: write tls://127.0.0.1:0"},
	}
	for _, tc := range cases {
		if _, err := Listen(tc.scheme+"://127.0.0.1:0", tc.opt); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
	}
}
