package modeltest

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"dorcas"
	"dorcas/nn"
)

// models are those whose operators the project supports.
var models = []string{
	"gazelle/mnist_secure_ml", "gazelle/mnist_cryptonets", "gazelle/mnist_deepsecure",
	"gazelle/mnist_minionn", "gazelle/mnist", "gazelle/cifar10_minionn",
	"trained/mnist_lenet_bn", "trained/mnist_lenet_bn_folded", "trained/mnist_lenet_bn_dynbatch",
	"trained/pneumonia_resnet8", "trained/wdbc_mlp",
	"thirdparty/mlperf_tiny_resnet8_cifar10", "thirdparty/cifar10_resnet20",
	"trained/fashion_mobilenet", "thirdparty/mobilenet_v1_0.25_128", "thirdparty/squeezenet1.1",
	"wild/onnxzoo_mnist-8_cntk", "wild/wild_torch_lenet_bn1d",
}

// large models run only with -full or when -model names them.
var large = map[string]bool{
	"gazelle/cifar10_minionn": true, "thirdparty/cifar10_resnet20": true,
	"thirdparty/mlperf_tiny_resnet8_cifar10": true, "trained/pneumonia_resnet8": true,
	"thirdparty/mobilenet_v1_0.25_128": true, "thirdparty/squeezenet1.1": true,
}

// TestExact compares private inferences over loopback TCP with the clear
// network in every output integer: 50 a model with -full, else 2, and none of
// the large models.
func TestExact(t *testing.T) {
	dir := data(t)
	for _, name := range models {
		if !wanted(name) || large[name] && !*full && *only == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			n := 2
			if *full {
				n = 50
			}
			m := load(t, dir, name, 100)
			q, _, err := nn.Quantize(m.graph, m.samples, nil)
			if err != nil {
				t.Fatal(err)
			}
			exact(t, q, m.samples[:min(n, len(m.samples))])
		})
	}
}

func exact(t *testing.T, q *nn.Model, samples [][]float32) {
	client, seconds := loopback(t, q), 0.0
	x := make([]int32, q.Input.Dims.Len())
	for i, sample := range samples {
		q.Input.Quantize(x, sample)
		want, err := q.Run(x)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		got, err := client.Infer(t.Context(), sample)
		if err != nil {
			t.Fatal(err)
		}
		seconds += time.Since(start).Seconds()
		if got.Index != want.Index || !slices.Equal(got.Outputs, want.Outputs) {
			t.Fatalf("sample %d: private %v, clear %v", i, got.Outputs, want.Outputs)
		}
	}
	sent, received, _ := client.Count()
	t.Logf("%d exact; %.3f s each; %.2f MB to the server, %.2f MB to the client in all",
		len(samples), seconds/float64(len(samples)), float64(sent)/1e6, float64(received)/1e6)
}

// loopback serves q over TCP and returns a client of it.
func loopback(t *testing.T, q *nn.Model) *dorcas.Client {
	t.Helper()
	server, err := dorcas.NewServer(q, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			err = server.Serve(context.Background(), conn)
		}
		done <- err
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client, err := dorcas.NewClient(t.Context(), conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
		l.Close()
	})
	return client
}
