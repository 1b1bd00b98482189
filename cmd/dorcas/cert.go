package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"dorcas/transport"

	"github.com/spf13/cobra"
)

type certFlags struct {
	hosts     []string
	cert, key string
	force     bool
}

func newCert(g *globals) *cobra.Command {
	var f certFlags
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "Make a self-signed certificate, for trying out",
		Long: `Make a self-signed certificate and its key, for trying out TLS.

It is valid for 30 days. Clients either get the certificate's file (infer --ca)
or pin its SHA-256 fingerprint, which this command prints (infer --pin).`,
		Example: `  dorcas cert
  dorcas cert --host hospital.example --host 10.0.0.7
  dorcas serve net.dorcas --listen tls://:7443 --cert cert.pem --key key.pem`,
		Args: between(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, g) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.hosts, "host", nil, "name or address of the server, may be repeated (default localhost)")
	flags.StringVar(&f.cert, "cert", "cert.pem", "file to write the certificate to")
	flags.StringVar(&f.key, "key", "key.pem", "file to write the secret key to")
	flags.BoolVar(&f.force, "force", false, "replace files that exist")
	return cmd
}

func (f *certFlags) run(cmd *cobra.Command, g *globals) error {
	for _, h := range f.hosts {
		if h == "" || strings.ContainsAny(h, "/: ") && net.ParseIP(h) == nil {
			return usagef("--host %q is no name or address: write it without scheme and port", h)
		}
	}
	certificate, err := transport.SelfSigned(f.hosts...)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		return err
	}
	for _, name := range []string{f.cert, f.key} {
		if _, err := os.Lstat(name); err == nil && !f.force {
			return fmt.Errorf("%s exists: pass --force to replace it, or another name", name)
		}
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := f.write(f.key, key, 0o600); err != nil {
		return err
	}
	if err := f.write(f.cert, transport.EncodePEM(certificate), 0o644); err != nil {
		return errors.Join(err, os.Remove(f.key)) // a key alone is of no use
	}
	pin := transport.Fingerprint(certificate)
	if g.json {
		return writeJSON(cmd.OutOrStdout(), map[string]string{"cert": f.cert, "key": f.key, "sha256": pin})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "certificate  %s\nkey          %s (keep it secret)\nsha256       %s\n", f.cert, f.key, pin)
	return err
}

// write creates a file anew, so that its mode is the one asked for.
func (f *certFlags) write(name string, data []byte, mode os.FileMode) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

// certificateOf returns the fingerprint of a certificate's file, nothing if
// there is none.
func certificateOf(cert, key string) string {
	if cert == "" {
		return ""
	}
	c, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return "" // Listen has reported it
	}
	return transport.Fingerprint(&c)
}
