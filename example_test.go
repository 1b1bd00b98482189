package dorcas_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"dorcas"
	"dorcas/nn"
)

// brightness is a network made by hand: a 2 × 2 image is bright if its four
// pixels (0 to 255) add up to more than 510.
func brightness() *nn.Model {
	return &nn.Model{
		Shape: nn.Shape{
			Name:   "brightness",
			Record: nn.Record{Labels: []string{"dark", "bright"}},
			Input:  nn.Input{Dims: nn.Dims{C: 1, H: 2, W: 2}, Bits: 8, Frac: 8},
			Layers: []nn.Layer{
				{Name: "flatten", In: []int{0}, Out: nn.Dims{C: 4, H: 1, W: 1}, Reshape: &nn.Reshape{}},
				{Name: "sum", In: []int{1}, Out: nn.Dims{C: 2, H: 1, W: 1}, Conv: &nn.Conv{
					Window: nn.Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}, NormBits: 1,
				}},
				{Name: "relu", In: []int{2}, Out: nn.Dims{C: 2, H: 1, W: 1}, Activate: &nn.Activate{
					Func: nn.Relu, Width: 12, Bits: 10,
				}},
			},
			Output: nn.Output{Tensor: 3, Width: 12, Frac: 8, Div: 1, Reveal: nn.RevealScores},
		},
		Weights: []*nn.Weights{nil, {
			W:    []int16{-1, -1, -1, -1, 1, 1, 1, 1},
			Bias: []int32{510, -510},
		}, nil},
	}
}

// serve runs a server of the network for one session and returns the
// client's end of the connection.
func serve(m *nn.Model) net.Conn {
	server, err := dorcas.NewServer(m, nil)
	if err != nil {
		log.Fatal(err)
	}
	clientEnd, serverEnd := net.Pipe()
	go server.Serve(context.Background(), serverEnd)
	return clientEnd
}

// A server and a client need nothing but an ordered stream of bytes between
// them: here a pipe, otherwise what package transport dials and listens on.
func Example() {
	ctx := context.Background()
	client, err := dorcas.NewClient(ctx, serve(brightness()), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	result, err := client.Infer(ctx, []float32{0.9, 0.8, 0.1, 0.7})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Label, result.Outputs)
	// Output: bright [0 130]
}

// Most of the work can be done before the input is known.
func ExampleClient_Prepare() {
	ctx := context.Background()
	client, err := dorcas.NewClient(ctx, serve(brightness()), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	material, err := client.Prepare(ctx)
	if err != nil {
		log.Fatal(err)
	}
	// Later, when there is an input:
	result, err := client.InferPrepared(ctx, material, []float32{0.1, 0.2, 0.1, 0})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Label)
	// Output: dark
}

// Several inferences prepared together take fewer bytes each.
func ExampleClient_PrepareBatch() {
	ctx := context.Background()
	client, err := dorcas.NewClient(ctx, serve(brightness()), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	materials, err := client.PrepareBatch(ctx, 2)
	if err != nil {
		log.Fatal(err)
	}
	for i, x := range [][]float32{{0.1, 0.2, 0.1, 0}, {0.9, 0.8, 0.1, 0.7}} {
		result, err := client.InferPrepared(ctx, materials[i], x)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Label)
	}
	// Output:
	// dark
	// bright
}

// A server serves any number of sessions at once; each Serve is one of them.
func ExampleServer_Serve() {
	server, err := dorcas.NewServer(brightness(), nil)
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go server.Serve(context.Background(), conn)
		}
	}()

	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	client, err := dorcas.NewClient(context.Background(), conn, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(client.Shape().Name, client.Shape().Input.Dims)
	// Output: brightness 1×2×2
}

// A plan says what a network costs before anything runs.
func ExampleNewPlan() {
	plan, err := dorcas.NewPlan(&brightness().Shape)
	if err != nil {
		log.Fatal(err)
	}
	toServer, toClient := plan.Bytes(dorcas.Online)
	fmt.Println(plan.Ands(), "AND gates;", plan.Rounds(dorcas.Online), "rounds;",
		toServer > 0 && toClient > toServer)
	// Output: 48 AND gates; 2 rounds; true
}
