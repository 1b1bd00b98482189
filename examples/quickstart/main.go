// Command quickstart is the shortest complete use of the library: a server
// offers a network over TCP, and a client has it classify a picture of a digit
// that the server never sees. Both parties run here, in one process; nothing
// but the connection joins them.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log"
	"net"
	"os"

	"dorcas"
	"dorcas/nn"
	"dorcas/transport"
)

// A network that dorcas compile made of training/digits.onnx.
//
//go:embed digits.dorcas
var network []byte

// A picture that it was not trained on.
//
//go:embed seven.png
var picture []byte

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	// The server's side: it has the network.
	model, err := nn.ReadModel(bytes.NewReader(network))
	if err != nil {
		return err
	}
	server, err := dorcas.NewServer(model, nil)
	if err != nil {
		return err
	}
	l, err := transport.Listen("tcp://127.0.0.1:0", nil) // tls://… needs a certificate
	if err != nil {
		return err
	}
	defer l.Close()
	go serve(ctx, server, l)

	// The client's side: it has the picture, and learns from the server what
	// the network takes.
	conn, err := transport.Dial(ctx, "tcp://"+l.Addr().String(), nil)
	if err != nil {
		return err
	}
	client, err := dorcas.NewClient(ctx, conn, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	shape := client.Shape()
	fmt.Fprintf(out, "The server offers %q: it takes %s.\n", shape.Name, shape.Input.Dims)

	// Most of the work needs no input, and can be done long before.
	material, err := client.Prepare(ctx)
	if err != nil {
		return err
	}
	sent, received, _ := client.Count()

	x, err := pixels(shape)
	if err != nil {
		return err
	}
	result, err := client.InferPrepared(ctx, material, x)
	if err != nil {
		return err
	}
	sent2, received2, _ := client.Count()
	fmt.Fprintf(out, "The picture is a %s.\n", result.Label)
	fmt.Fprintf(out, "Before the picture was known: %d kB sent, %d kB received. After: %d kB and %d kB.\n",
		sent/1000, received/1000, (sent2-sent)/1000, (received2-received)/1000)

	// Only this program has both the network and the picture, so only it can
	// check that the private answer is the network's own, in every integer.
	q := make([]int32, len(x))
	model.Input.Quantize(q, x)
	clear, err := model.Run(q)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "private:", result.Outputs)
	fmt.Fprintln(out, "clear:  ", clear.Outputs)
	return nil
}

// serve serves clients, each on its own, until the listener is closed. It
// hands on what went wrong in a session to the log; the others do not mind.
func serve(ctx context.Context, server *dorcas.Server, l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			if err := server.Serve(ctx, conn); err != nil {
				log.Print(err)
			}
		}()
	}
}

// pixels turns the picture into the numbers that the network takes.
func pixels(shape *nn.Shape) ([]float32, error) {
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	d := shape.Input.Dims
	if img.Bounds().Size() != (image.Point{X: d.W, Y: d.H}) || d.C != 1 {
		return nil, fmt.Errorf("a picture of %v for a network that takes %s", img.Bounds().Size(), d)
	}
	u8 := make([]uint8, d.Len())
	for i := range u8 {
		u8[i] = color.GrayModel.Convert(img.At(i%d.W, i/d.W)).(color.Gray).Y
	}
	x := make([]float32, d.Len())
	return x, shape.Record.Preprocess.Apply(x, u8, d)
}
