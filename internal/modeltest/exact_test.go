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

// mostLost is the accuracy, in percentage points, that quantisation may cost
// a model; a table may always lose one sample.
const mostLost = 0.5

// TestExact quantises each model by inputs that are none of its samples, as far
// as there are others, and then asks two things: that the integer network loses
// at most mostLost on the samples, and that private inferences over loopback
// TCP give what it gives in every output integer: 20 a model with -full, else 2
// and none of the large models. With -table the results go to a file.
func TestExact(t *testing.T) {
	dir := data(t)
	for _, name := range models {
		if !wanted(name) || large[name] && !*full && *only == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			n := 2
			if *full {
				n = *inferences
			}
			m := load(t, dir, name, 1000)
			calibration := m.calibration(t, dir, 500)
			q, r, err := nn.Quantize(m.graph, calibration, nil)
			if err != nil {
				t.Fatal(err)
			}
			e, err := nn.Evaluate(m.graph, q, m.samples, m.labels, nil)
			if err != nil {
				t.Fatal(err)
			}
			w := row{model: name, graph: m.graph, accuracy: *e, chosen: r.Calibration}
			t.Logf("%d samples: float %.2f %%, integer %.2f %%, the same answer to %.2f %%; scales by %s, divergence %.4f",
				e.Samples, 100*e.Float, 100*e.Integer, 100*e.Agree, r.Calibration, r.Divergence)
			lost := e.Float - e.Integer
			if one := 1 / float64(e.Samples); 100*lost > mostLost+1e-9 && !(m.table() && lost <= one+1e-9) {
				t.Errorf("loses %.2f points, at most %.1f", 100*lost, mostLost)
			}
			exact(t, q, m.samples[:min(n, len(m.samples))], &w)
			if *table != "" && !t.Failed() {
				writeRow(t, *table, tableBegin, tableHead, name, w.String())
			}
		})
	}
}

// exact runs private inferences and takes their cost.
func exact(t *testing.T, q *nn.Model, samples [][]float32, w *row) {
	client := loopback(t, q)
	w.rounds = client.Plan().Rounds(dorcas.Online)
	x := make([]int32, q.Input.Dims.Len())
	for i, sample := range samples {
		q.Input.Quantize(x, sample)
		want, err := q.Run(x)
		if err != nil {
			t.Fatal(err)
		}
		before := count(client)
		start := time.Now()
		material, err := client.Prepare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		prepared, between := time.Now(), count(client)
		got, err := client.InferPrepared(t.Context(), material, sample)
		if err != nil {
			t.Fatal(err)
		}
		w.online = append(w.online, time.Since(prepared))
		w.offline = append(w.offline, prepared.Sub(start))
		w.offlineBytes, w.onlineBytes = between-before, count(client)-between
		if got.Index != want.Index || !slices.Equal(got.Outputs, want.Outputs) {
			t.Fatalf("sample %d: private %v, clear %v", i, got.Outputs, want.Outputs)
		}
	}
	t.Logf("%d exact; offline %v and %.2f MB, online %v and %.2f MB",
		len(samples), median(w.offline), float64(w.offlineBytes)/1e6, median(w.online), float64(w.onlineBytes)/1e6)
}

// count returns the bytes of the session so far.
func count(c *dorcas.Client) int {
	sent, received, _ := c.Count()
	return int(sent + received)
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
