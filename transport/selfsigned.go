package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"time"
)

// SelfSigned makes a certificate for the hosts, names or addresses, for
// localhost if there are none. It is for trying out: it is valid for 30 days,
// and clients must pin its Fingerprint or be given EncodePEM's result as their
// certificate authority.
func SelfSigned(hosts ...string) (*tls.Certificate, error) {
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	now := time.Now()
	return selfSigned(hosts, now.Add(-time.Hour), now.AddDate(0, 0, 30)) // an hour for clocks that are slow
}

func selfSigned(hosts []string, from, to time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("transport: self-signed: key: %w", err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "dorcas self-signed"},
		NotBefore:             from,
		NotAfter:              to,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // so that it can be its own authority
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("transport: self-signed: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// EncodePEM returns the certificate, without its key, as the content of a
// file for DialOptions.RootCAs or ListenOptions.ClientCAs.
func EncodePEM(certificate *tls.Certificate) []byte {
	var out []byte
	for _, der := range certificate.Certificate {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return out
}
