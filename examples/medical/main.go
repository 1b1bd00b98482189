// Command medical has a network for chest X-rays classify held-out images
// privately, over TLS, and compares its accuracy with that in the clear. Both
// hospitals run here, in one process; nothing but a TLS connection joins them.
//
// It needs the network and the images, which are not part of the project:
// README.md beside this file says where they come from, and what the
// figures do not mean. Read this file first, then measure.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"dorcas"
	"dorcas/internal/inputs"
	"dorcas/nn"
	"dorcas/nn/onnx"
	"dorcas/transport"
)

func main() {
	data := flag.String("data", dataFolder(), "folder of models and data sets, laid out as docs/data.md says")
	n := flag.Int("n", 0, "how many of the held-out images, the first (default all)")
	clients := flag.Int("clients", 2, "clients that ask at once")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Stdout, *data, *n, *clients)
	if errors.Is(err, errNoData) {
		fmt.Println(err)
		return
	}
	if err != nil {
		log.Fatal(err)
	}
}

// dataFolder is where the tests of the project look for data, too.
func dataFolder() string {
	if dir := os.Getenv("DORCAS_DATA"); dir != "" {
		return dir
	}
	return filepath.Join("..", "shared", "data")
}

var errNoData = errors.New("skipped: the network and the images are not here; set DORCAS_DATA or pass -data (docs/data.md)")

// study is a network with images that it was not trained on.
type study struct {
	graph       *nn.Graph
	record      nn.Record
	calibration [][]float32 // the validation part: only scales are chosen by it
	images      []inputs.Item
	labels      []int
}

// load reads the network and its data set; n limits the held-out images.
func load(dir string, n int) (*study, error) {
	model := filepath.Join(dir, "models", "trained", "pneumonia_resnet8")
	set := filepath.Join(dir, "datasets", "pneumoniamnist", "pneumoniamnist_rebuilt.npz")
	for _, name := range []string{model + ".onnx", model + ".json", set} {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return nil, errNoData
		}
	}
	s := &study{}
	var err error
	if s.graph, err = onnx.ReadFile(model + ".onnx"); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(model + ".json")
	if err != nil {
		return nil, err
	}
	if s.record, err = nn.ParseRecord(text); err != nil {
		return nil, err
	}
	reader, err := inputs.New(s.graph.Input, s.record.Preprocess, nil)
	if err != nil {
		return nil, err
	}
	validation, err := reader.Items(set + "#val_images")
	if err != nil {
		return nil, err
	}
	for _, item := range validation {
		x, err := item.Read()
		if err != nil {
			return nil, err
		}
		s.calibration = append(s.calibration, x)
	}
	if s.images, err = reader.Items(set + "#test_images"); err != nil {
		return nil, err
	}
	if s.labels, err = inputs.ReadLabels(set + "#test_labels"); err != nil {
		return nil, err
	}
	if len(s.labels) != len(s.images) {
		return nil, fmt.Errorf("%d images with %d labels", len(s.images), len(s.labels))
	}
	if n > 0 && n < len(s.images) {
		s.images, s.labels = s.images[:n], s.labels[:n]
	}
	return s, nil
}

func run(ctx context.Context, out io.Writer, dir string, n, clients int) error {
	s, err := load(dir, n)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "1. The hospital that has the network chooses integers for it, by %d images of the validation part.\n", len(s.calibration))
	model, _, err := nn.Quantize(s.graph, s.calibration, nil)
	if err != nil {
		return err
	}
	model.Name, model.Record = "pneumonia", s.record
	server, err := dorcas.NewServer(model, nil)
	if err != nil {
		return err
	}
	l, pin, err := listen(ctx, server)
	if err != nil {
		return err
	}
	defer l.Close()
	url := "tls://" + l.Addr().String()
	fmt.Fprintf(out, "2. It serves it at %s and tells the other hospital the fingerprint of its certificate:\n   %s\n", url, pin)
	fmt.Fprintf(out, "3. The other hospital asks about %d held-out X-rays, with %d connections.\n", len(s.images), clients)
	start := time.Now()
	m, err := s.ask(ctx, url, pin, model, clients)
	if err != nil {
		return err
	}
	m.total = time.Since(start)
	fmt.Fprintf(out, "4. What came of it:\n\n")
	return m.write(out, server.Plan(), s.record.Labels)
}

// listen serves the network over TLS with a new self-signed certificate.
func listen(ctx context.Context, server *dorcas.Server) (net.Listener, string, error) {
	certificate, err := transport.SelfSigned("localhost")
	if err != nil {
		return nil, "", err
	}
	l, err := transport.Listen("tls://127.0.0.1:0", &transport.ListenOptions{Certificate: certificate})
	if err != nil {
		return nil, "", err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				if err := server.Serve(ctx, conn); err != nil && ctx.Err() == nil {
					log.Print(err)
				}
			}()
		}
	}()
	return l, transport.Fingerprint(certificate), nil
}
