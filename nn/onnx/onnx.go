// Package onnx reads trained networks from ONNX files into float graphs of
// package nn. It is where a network enters: the server's owner reads a file
// once, quantises the graph and serves the result. Neither side of the
// protocol needs it afterwards, and nothing outside this package knows
// protobuf.
//
// It reads the inference graphs of image and table classifiers, opsets 7 to
// 21; docs/onnx.md lists the operators and what they become. Whatever else a
// file holds is reported for the whole graph at once, see UnsupportedError. A
// file may be hostile: reading it takes time and memory in the order of its size
// and ends in a graph that nn accepts or in an error.
//
// Quantised files (QDQ) keep the integers of their weights, see nn.Quantized.
// Scales that are no powers of two an integer network only approximates.
//
// Read graph.go first: it walks the nodes in the order of computation; then
// value.go, layout.go and function.go: what a tensor of the file is while it
// is read. The other files are named after the operators that they translate.
package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"dorcas/nn"
	"dorcas/nn/onnx/internal/pb"
)

// Limits of what a file may hold.
const (
	maxFile     = 1 << 30 // bytes
	maxMessages = 1 << 18 // nodes, attributes, tensors, dimensions ...: an empty one takes 2 bytes of file and up to 200 of memory
	maxRank     = 8
	maxElements = 1 << 28 // of one tensor, all images of the file's batch together
	maxSide     = 1 << 16 // windows, strides, borders

	minOpset, maxOpset = 7, 21
)

// Read returns the graph of an ONNX file, for one image whatever the file's
// batch is. The error is an *UnsupportedError if all that is wrong is that
// the graph has operators which this package does not know.
func Read(r io.Reader) (*nn.Graph, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("onnx: file is larger than %d bytes", maxFile)
	}
	g, err := parse(data)
	var unsupported *UnsupportedError
	if err != nil && !errors.As(err, &unsupported) {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return g, err
}

// ReadFile is Read of a file by its name.
func ReadFile(name string) (*nn.Graph, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	defer f.Close()
	return Read(f)
}

func parse(data []byte) (*nn.Graph, error) {
	var model pb.ModelProto
	left := maxMessages
	if err := countMessages(data, model.ProtoReflect().Descriptor(), &left); err != nil {
		return nil, err
	}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, &model); err != nil {
		return nil, fmt.Errorf("not an ONNX file: %w", err)
	}
	opset, err := opsetOf(&model)
	if err != nil {
		return nil, err
	}
	r := newReader(model.GetGraph(), opset, len(data))
	if err := r.read(); err != nil {
		return nil, err
	}
	return r.g, nil
}

// countMessages takes the number of known messages inside of data from left.
// Malformed data ends the count: Unmarshal reports it. The messages of
// package pb do not contain one another, so the recursion is bounded.
func countMessages(data []byte, of protoreflect.MessageDescriptor, left *int) error {
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return nil
		}
		data = data[n:]
		if n = protowire.ConsumeFieldValue(num, typ, data); n < 0 {
			return nil
		}
		field := of.Fields().ByNumber(num)
		if typ == protowire.BytesType && field != nil && field.Message() != nil {
			if *left--; *left < 0 {
				return fmt.Errorf("more than %d nodes, attributes and tensors", maxMessages)
			}
			inner, _ := protowire.ConsumeBytes(data)
			if err := countMessages(inner, field.Message(), left); err != nil {
				return err
			}
		}
		data = data[n:]
	}
	return nil
}

func opsetOf(model *pb.ModelProto) (int, error) {
	if model.GetGraph() == nil {
		return 0, errors.New("not an ONNX file: it holds no graph")
	}
	for _, o := range model.GetOpsetImport() {
		if !ownDomain(o.GetDomain()) {
			continue
		}
		if v := o.GetVersion(); v < minOpset || v > maxOpset {
			return 0, fmt.Errorf("opset %d is not supported, only %d to %d: export the model again", v, minOpset, maxOpset)
		}
		return int(o.GetVersion()), nil
	}
	return 0, errors.New("the file does not say which opset it uses")
}

// ownDomain reports whether a domain is that of ONNX's own operators.
func ownDomain(domain string) bool { return domain == "" || domain == "ai.onnx" }
