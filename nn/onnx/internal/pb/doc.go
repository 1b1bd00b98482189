// Package pb is the generated protobuf code of the ONNX messages that package
// onnx reads. Nothing else should use it: what it holds is as the file says,
// unchecked. The messages are described in onnx.proto; read that first.
package pb

// Needs protoc and protoc-gen-go (google.golang.org/protobuf) on the path.
//go:generate protoc --go_out=. --go_opt=paths=source_relative onnx.proto
