package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"image/png"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"dorcas"
	"dorcas/internal/inputs"
	"dorcas/internal/serve"
	"dorcas/nn"
	"dorcas/transport"

	"github.com/spf13/cobra"
)

// builtIn has a small trained network, demo/digits.dorcas, and images that it
// has not seen, demo/digit_LABEL_NUMBER.png.
//
//go:embed demo
var builtIn embed.FS

func newDemo(g *globals) *cobra.Command {
	n := 0
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a server and a client on this machine, with a built-in network",
		Long: `Start a server and a client as two parties over loopback TCP, and classify
built-in images of digits privately. Each answer is compared, in every integer,
with what the network gives in the clear. It needs no file and no network.

With --json: {"images","exact","correct","offline_seconds","online_seconds",
"client_to_server_bytes","server_to_client_bytes","rounds","layers":[…], and
more}. All of it, layers included, is summed over all images.`,
		Example: "  dorcas demo\n  dorcas demo --images 3\n  dorcas demo --json",
		Args:    between(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			images, err := demoImages(n)
			if err != nil {
				return err
			}
			return demo(cmd, g, images)
		},
	}
	cmd.Flags().IntVar(&n, "images", 0, "how many of the built-in images to classify (default all)")
	return cmd
}

// demoImage is a built-in image.
type demoImage struct {
	file  string
	label string
}

// demoImages lists the built-in images, at most n unless n is 0.
func demoImages(n int) ([]demoImage, error) {
	if n < 0 {
		return nil, usagef("--images %d is negative", n)
	}
	entries, err := builtIn.ReadDir("demo")
	if err != nil {
		return nil, err
	}
	var images []demoImage
	for _, e := range entries {
		parts := strings.Split(strings.TrimSuffix(e.Name(), ".png"), "_")
		if strings.HasSuffix(e.Name(), ".png") && len(parts) == 3 {
			images = append(images, demoImage{e.Name(), parts[1]})
		}
	}
	if n > 0 && n < len(images) {
		images = images[:n]
	}
	return images, nil
}

// read returns the preprocessed values of the image.
func (d demoImage) read(r *inputs.Reader) ([]float32, error) {
	data, err := builtIn.ReadFile(path.Join("demo", d.file))
	if err != nil {
		return nil, err
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.file, err)
	}
	return r.Picture(img)
}

// demo lets a server and a client meet and prints what they did.
func demo(cmd *cobra.Command, g *globals, images []demoImage) error {
	data, err := builtIn.ReadFile("demo/digits.dorcas")
	if err != nil {
		return fmt.Errorf("this build has no network in it: go generate ./cmd/dorcas makes it: %w", err)
	}
	m, err := nn.ReadModel(bytes.NewReader(data))
	if err != nil {
		return err
	}
	server, err := startServer(cmd.Context(), m)
	if err != nil {
		return err
	}
	defer server.stop()
	conn, err := transport.Dial(cmd.Context(), server.url, nil)
	if err != nil {
		return err
	}
	client, err := dorcas.NewClient(cmd.Context(), conn, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	r := newDemoReport(client)
	if err := demoClassify(cmd, g, client, m, images, r); err != nil {
		return err
	}
	r.count(client)
	if err := r.write(cmd.OutOrStdout(), g); err != nil {
		return err
	}
	if r.Exact != r.Images {
		return fmt.Errorf("%d of %d answers differ from the clear network: this is a bug", r.Images-r.Exact, r.Images)
	}
	return nil
}

// demoServer is the server's party.
type demoServer struct {
	url  string
	stop func()
}

func startServer(ctx context.Context, m *nn.Model) (*demoServer, error) {
	s, err := dorcas.NewServer(m, nil)
	if err != nil {
		return nil, err
	}
	l, err := transport.Listen("tcp://127.0.0.1:0", nil)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	loop := serve.New(func(ctx context.Context, conn net.Conn) error { return s.Serve(ctx, conn) }, &serve.Options{Grace: time.Second})
	go func() { ended <- loop.Run(ctx, l) }()
	return &demoServer{"tcp://" + l.Addr().String(), func() {
		cancel()
		<-ended
	}}, nil
}

// demoClassify classifies the images privately and in the clear.
func demoClassify(cmd *cobra.Command, g *globals, client *dorcas.Client, m *nn.Model, images []demoImage, r *demoReport) error {
	reader, err := inputs.New(m.Input.Dims, m.Record.Preprocess, nil)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if !g.json {
		fmt.Fprintf(out, "A server with the network %q and a client with %d images meet over loopback TCP.\n\n", m.Name, len(images))
	}
	bar := newProgress(cmd.ErrOrStderr(), g, len(images), "classifying privately")
	defer bar.done()
	q := make([]int32, m.Input.Dims.Len())
	for i, image := range images {
		bar.set(i)
		x, err := image.read(reader)
		if err != nil {
			return err
		}
		m.Input.Quantize(q, x)
		clear, err := m.Run(q)
		if err != nil {
			return err
		}
		private, err := client.Infer(cmd.Context(), x)
		if err != nil {
			return err
		}
		line := demoLine{answer: newAnswer(image.file, &m.Shape, private), True: image.label}
		line.Exact = private.Index == clear.Index && slices.Equal(private.Outputs, clear.Outputs)
		line.Correct = line.Label == image.label || strconv.Itoa(line.Index) == image.label
		r.add(line, private)
		bar.hide()
		if !g.json {
			line.write(out)
		}
	}
	if len(images) == 0 {
		return errors.New("this build has no images in it")
	}
	return nil
}
