package transport

import (
	"crypto/tls"
	"net"
	"syscall"
	"testing"
	"time"
)

// TestSocketOptions asks the kernel for the options of both ends.
func TestSocketOptions(t *testing.T) {
	c := certificate(t, -time.Hour, time.Hour, "127.0.0.1")
	for _, scheme := range []string{"tcp", "tls"} {
		dial, listen := &DialOptions{}, &ListenOptions{}
		if scheme == "tls" {
			dial.Pin, listen.Certificate = Fingerprint(c), c
		}
		l, err := Listen(scheme+"://127.0.0.1:0", listen)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		accepted := make(chan net.Conn, 1)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if secure, ok := conn.(*tls.Conn); ok {
				secure.Handshake()
			}
			accepted <- conn
		}()
		conn, err := Dial(t.Context(), scheme+"://"+l.Addr().String(), dial)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		server := <-accepted
		defer server.Close()
		for name, conn := range map[string]net.Conn{"client": conn, "server": server} {
			if secure, ok := conn.(*tls.Conn); ok {
				conn = secure.NetConn()
			}
			for _, o := range []struct{ level, option, want int }{
				{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
				{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
				{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 30},
			} {
				if got := option(t, conn, o.level, o.option); got != o.want {
					t.Errorf("%s, %s: option %d of level %d is %d, want %d", scheme, name, o.option, o.level, got, o.want)
				}
			}
		}
	}
}

func option(t *testing.T, conn net.Conn, level, name int) int {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	value := -1
	if err := raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), level, name) }); err != nil {
		t.Fatal(err)
	}
	return value
}
