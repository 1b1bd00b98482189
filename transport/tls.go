package transport

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// config returns the client's side of TLS for a server at host.
func (o *DialOptions) config(host string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: host, InsecureSkipVerify: o.InsecureSkipVerify}
	if o.ServerName != "" {
		config.ServerName = o.ServerName
	}
	certificate, err := load(o.Certificate, o.CertFile, o.KeyFile)
	if err != nil {
		return nil, err
	}
	if certificate != nil {
		config.Certificates = []tls.Certificate{*certificate}
	}
	if o.RootCAs != "" {
		if config.RootCAs, err = pool(o.RootCAs); err != nil {
			return nil, err
		}
	}
	if o.Pin != "" {
		pin, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(o.Pin))
		if err != nil || len(pin) != sha256.Size {
			return nil, errors.New("the pin is not a SHA-256 fingerprint: pass 64 hexadecimal digits")
		}
		if o.RootCAs == "" {
			config.InsecureSkipVerify = true // the check below replaces that of the chain
		}
		config.VerifyConnection = checkPin([sha256.Size]byte(pin))
	}
	return config, nil
}

// checkPin returns a check that the server's own certificate is the pinned
// one and not expired. Whoever completes a handshake with it has its key.
func checkPin(pin [sha256.Size]byte) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the server presented no certificate")
		}
		leaf := state.PeerCertificates[0]
		if sha256.Sum256(leaf.Raw) != pin {
			return fmt.Errorf("the server's certificate is not the pinned one: its fingerprint is %s: "+
				"if its owner confirms that the certificate was renewed, pin that", fingerprint(leaf.Raw))
		}
		if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
			return x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired, Detail: fmt.Sprintf(
				"it is valid from %s to %s", leaf.NotBefore.Format(time.DateTime), leaf.NotAfter.Format(time.DateTime))}
		}
		return nil
	}
}

// config returns the server's side of TLS.
func (o *ListenOptions) config() (*tls.Config, error) {
	certificate, err := load(o.Certificate, o.CertFile, o.KeyFile)
	if err != nil {
		return nil, err
	}
	if certificate == nil {
		return nil, errors.New("no certificate: pass a certificate file and a key file, or for a trial a self-signed certificate")
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{*certificate},
		// Tickets go unread if the client never reads, and TCP drops what a
		// client has sent last if it closes with unread data.
		SessionTicketsDisabled: true,
	}
	if o.ClientCAs != "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		if config.ClientCAs, err = pool(o.ClientCAs); err != nil {
			return nil, err
		}
	}
	return config, nil
}

// load returns a certificate that is given as it is or by two files, nil if
// none is.
func load(given *tls.Certificate, certFile, keyFile string) (*tls.Certificate, error) {
	switch {
	case given != nil && (certFile != "" || keyFile != ""):
		return nil, errors.New("two certificates: pass either files or a certificate")
	case given != nil:
		return given, nil
	case certFile == "" && keyFile == "":
		return nil, nil
	case certFile == "" || keyFile == "":
		return nil, errors.New("half a certificate: pass both the certificate file and the key file")
	}
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", certFile, keyFile, err)
	}
	return &certificate, nil
}

// pool reads certificate authorities.
func pool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("certificate authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate authorities: %s has no certificate in PEM form", file)
	}
	return pool, nil
}

// Fingerprint returns the SHA-256 of a certificate in hexadecimal digits: what
// a server shows its clients for them to pin.
func Fingerprint(certificate *tls.Certificate) string {
	if certificate == nil || len(certificate.Certificate) == 0 {
		return ""
	}
	return fingerprint(certificate.Certificate[0])
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
