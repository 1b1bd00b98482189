package protocol

import (
	"context"
	"net"
	"testing"

	"dorcas/internal/wire"
	"dorcas/nn"
)

// benchModel is a network of the size of network D of the paper.
func benchModel() *builder {
	b := newBuilder(9, nn.Dims{C: 1, H: 28, W: 28}, 8, false)
	pool := square(2, 2, 0)
	t := b.relu(b.conv(0, 16, square(5, 1, 0)), &pool)
	t = b.relu(b.conv(t, 16, square(5, 1, 0)), &pool)
	t = b.relu(b.dense(t, 100), nil)
	b.finish(b.dense(t, 10), nn.RevealScores)
	return b
}

// cifarModel is a network of the size of the paper's for CIFAR-10.
func cifarModel() *builder {
	b := newBuilder(10, nn.Dims{C: 3, H: 32, W: 32}, 8, false)
	conv := func(t, out, kernel, pad int) int { return b.relu(b.conv(t, out, square(kernel, 1, pad)), nil) }
	t := conv(conv(0, 64, 3, 1), 64, 3, 1)
	t = conv(conv(b.sumPool(t, square(2, 2, 0)), 64, 3, 1), 64, 3, 1)
	t = conv(b.sumPool(t, square(2, 2, 0)), 64, 3, 1)
	t = conv(conv(t, 64, 1, 0), 16, 1, 0)
	b.finish(b.dense(t, 10), nn.RevealScores)
	return b
}

// BenchmarkInference is one preparation and one inference over loopback TCP,
// both parties in one process.
func BenchmarkInference(b *testing.B) {
	b.Run("D", func(b *testing.B) { benchInference(b, benchModel()) })
	b.Run("CIFAR-10", func(b *testing.B) { benchInference(b, cifarModel()) })
}

func benchInference(b *testing.B, n *builder) {
	server, err := NewServer(&n.m)
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err == nil {
			server.Serve(context.Background(), wire.New(conn), nil)
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	c, err := Connect(b.Context(), wire.New(conn), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	x, online := n.input(), 0.0
	for b.Loop() {
		m, err := c.Prepare(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		_, stats, err := c.Infer(b.Context(), m, x)
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range stats {
			online += s.Seconds
		}
	}
	b.ReportMetric(1e3*online/float64(b.N), "online-ms/op")
}

// BenchmarkPlan derives a plan.
func BenchmarkPlan(b *testing.B) {
	n := benchModel()
	for b.Loop() {
		if _, err := NewPlan(&n.m.Shape); err != nil {
			b.Fatal(err)
		}
	}
}
