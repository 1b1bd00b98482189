package transport

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDialTLS meets servers with good and bad certificates.
func TestDialTLS(t *testing.T) {
	good := certificate(t, -time.Hour, time.Hour, "localhost", "127.0.0.1")
	elsewhere := certificate(t, -time.Hour, time.Hour, "example.com")
	expired := certificate(t, -2*time.Hour, -time.Hour, "127.0.0.1")
	early := certificate(t, time.Hour, 2*time.Hour, "127.0.0.1")
	colons := strings.ToUpper(Fingerprint(good)[:2]) + ":" + Fingerprint(good)[2:]
	cases := []struct {
		name   string
		server *tls.Certificate
		opt    *DialOptions
		want   string // "" for success
	}{
		{"pin", good, &DialOptions{Pin: Fingerprint(good)}, ""},
		{"pin with colon", good, &DialOptions{Pin: colons}, ""},
		{"pin for another host", elsewhere, &DialOptions{Pin: Fingerprint(elsewhere)}, ""},
		{"wrong pin", good, &DialOptions{Pin: Fingerprint(elsewhere)}, "its fingerprint is " + Fingerprint(good)},
		{"wrong pin, insecure", good, &DialOptions{Pin: Fingerprint(elsewhere), InsecureSkipVerify: true}, "not the pinned one"},
		{"wrong pin, right authority", good, &DialOptions{Pin: Fingerprint(elsewhere), RootCAs: file(t, good)}, "not the pinned one"},
		{"right pin, wrong authority", good, &DialOptions{Pin: Fingerprint(good), RootCAs: file(t, elsewhere)}, "unknown authority"},
		{"right pin and authority", good, &DialOptions{Pin: Fingerprint(good), RootCAs: file(t, good)}, ""},
		{"short pin", good, &DialOptions{Pin: "abcd"}, "64 hexadecimal digits"},
		{"pin of words", good, &DialOptions{Pin: strings.Repeat("x", 64)}, "64 hexadecimal digits"},
		{"authority", good, &DialOptions{RootCAs: file(t, good)}, ""},
		{"system's authorities", good, nil, "pin it: " + Fingerprint(good)},
		{"wrong authority", good, &DialOptions{RootCAs: file(t, elsewhere)}, "pass the file of the authority"},
		{"wrong name", elsewhere, &DialOptions{RootCAs: file(t, elsewhere)}, "pass the name that the certificate has"},
		{"name", elsewhere, &DialOptions{RootCAs: file(t, elsewhere), ServerName: "example.com"}, ""},
		{"expired", expired, &DialOptions{RootCAs: file(t, expired)}, "needs a new certificate"},
		{"expired, pinned", expired, &DialOptions{Pin: Fingerprint(expired)}, "needs a new certificate"},
		{"early, pinned", early, &DialOptions{Pin: Fingerprint(early)}, "needs a new certificate"},
		{"insecure", expired, &DialOptions{InsecureSkipVerify: true}, ""},
		{"missing authorities", good, &DialOptions{RootCAs: "/nowhere/ca"}, "certificate authorities"},
		{"half a certificate", good, &DialOptions{KeyFile: "x"}, "half a certificate"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := Dial(t.Context(), echo(t, "tls", &ListenOptions{Certificate: tc.server}), tc.opt)
			if err == nil {
				err = exchange(conn)
			}
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
	url := echo(t, "tcp", nil)
	if _, err := Dial(t.Context(), url, &DialOptions{Pin: Fingerprint(good)}); err == nil || !strings.Contains(err.Error(), "tcp does not encrypt") {
		t.Errorf("pin with tcp: %v", err)
	}
}

// TestVersions checks both sides refuse TLS 1.2, and take 1.3.
func TestVersions(t *testing.T) {
	c := certificate(t, -time.Hour, time.Hour, "127.0.0.1")
	url := echo(t, "tls", &ListenOptions{Certificate: c})
	address := strings.TrimPrefix(url, "tls://")
	old := &tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true, Certificates: []tls.Certificate{*c}}
	if conn, err := tls.Dial("tcp", address, old); err == nil {
		conn.Close()
		t.Error("the server takes TLS 1.2")
	}
	conn, err := Dial(t.Context(), url, &DialOptions{Pin: Fingerprint(c)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if v := conn.(*tls.Conn).ConnectionState().Version; v != tls.VersionTLS13 {
		t.Errorf("version %s", tls.VersionName(v))
	}

	answers := map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"TLS 1.2":     {func(conn net.Conn) { tls.Server(conn, old).Handshake() }, "TLS 1.3"},
		"another one": {func(conn net.Conn) { io.WriteString(conn, "220 mail.example.com ready\r\n") }, "write tcp://"},
	}
	for name, answer := range answers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			if conn, err := l.Accept(); err == nil {
				answer.serve(conn)
				io.Copy(io.Discard, conn)
				conn.Close()
			}
		}()
		_, err = Dial(t.Context(), "tls://"+l.Addr().String(), &DialOptions{InsecureSkipVerify: true})
		if err == nil || !strings.Contains(err.Error(), answer.want) {
			t.Errorf("a server that speaks %s: error %v, want %q", name, err, answer.want)
		}
	}
}

// TestClientCertificate checks mutual TLS, with files and without.
func TestClientCertificate(t *testing.T) {
	server := certificate(t, -time.Hour, time.Hour, "127.0.0.1")
	client := certificate(t, -time.Hour, time.Hour, "client")
	stranger := certificate(t, -time.Hour, time.Hour, "client")
	key, err := x509.MarshalPKCS8PrivateKey(client.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
		t.Fatal(err)
	}
	url := echo(t, "tls", &ListenOptions{Certificate: server, ClientCAs: file(t, client)})
	cases := []struct {
		name string
		opt  DialOptions
		ok   bool
	}{
		{"none", DialOptions{}, false},
		{"given", DialOptions{Certificate: client}, true},
		{"files", DialOptions{CertFile: file(t, client), KeyFile: keyFile}, true},
		{"stranger's", DialOptions{Certificate: stranger}, false},
	}
	for _, tc := range cases {
		tc.opt.Pin = Fingerprint(server)
		conn, err := Dial(t.Context(), url, &tc.opt)
		if err == nil {
			err = exchange(conn)
		}
		if (err == nil) != tc.ok {
			t.Errorf("%s: error %v", tc.name, err)
		}
	}
}

// TestLastBytes checks that what a client writes last arrives though it never
// reads: a server that sends session tickets loses some of it.
func TestLastBytes(t *testing.T) {
	c := certificate(t, -time.Hour, time.Hour, "127.0.0.1")
	l, err := Listen("tls://127.0.0.1:0", &ListenOptions{Certificate: c, ClientCAs: file(t, c)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size = 8 << 20
	// A session cache asks for tickets; with client certificates the server
	// sends them after the client has done its part of the handshake.
	eager := &tls.Config{
		InsecureSkipVerify: true,
		Certificates:       []tls.Certificate{*c},
		ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
	for range 5 {
		go func() {
			conn, err := tls.Dial("tcp", l.Addr().String(), eager)
			if err != nil {
				return
			}
			conn.Write(make([]byte, size))
			conn.Close()
		}()
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, conn); n != size || err != nil {
			t.Fatalf("%d bytes of %d arrived: %v", n, size, err)
		}
		conn.Close()
	}
}

func TestSelfSigned(t *testing.T) {
	for _, hosts := range [][]string{nil, {"model.example.com", "192.0.2.7"}} {
		c, err := SelfSigned(hosts...)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if hosts == nil {
			hosts = []string{"localhost", "127.0.0.1", "::1"}
		}
		for _, host := range hosts {
			if err := leaf.VerifyHostname(host); err != nil {
				t.Error(err)
			}
		}
		if days := time.Until(leaf.NotAfter).Hours() / 24; days < 29 || days > 31 {
			t.Errorf("valid for %v days", days)
		}
		block, rest := pem.Decode(EncodePEM(c))
		if block == nil || string(block.Bytes) != string(c.Certificate[0]) || len(rest) != 0 {
			t.Error("EncodePEM is not the certificate")
		}
	}
	if Fingerprint(nil) != "" {
		t.Error("nothing has a fingerprint")
	}
}
