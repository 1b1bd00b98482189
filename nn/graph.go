package nn

// Graph is a float network as a file holds it, for one image: what package
// onnx reads and Quantize turns into a Model. Nodes stand in the order of
// computation; tensor 0 is the input and tensor i+1 the output of Nodes[i].
type Graph struct {
	Name  string
	Input Dims
	Nodes []Node
	// Output is the tensor of the scores.
	Output int
	// Head says what the file applies to the scores at its end; the client
	// computes it in the clear from them.
	Head Head
}

// Head is a function of the scores that a file ends with.
type Head int

// The heads.
const (
	HeadNone Head = iota
	HeadSoftmax
	HeadLogSoftmax
	HeadArgMax
)

// A Node is one operator of a Graph. Which fields count depends on Op.
type Node struct {
	Name string
	Op   NodeOp
	In   []int // tensors
	Out  Dims

	// Conv and Dense: Weights is [Out.C][in C][KH][KW] for a Conv and
	// [Out.C][in Len] for a Dense; Bias is empty or one per output channel.
	Weights []float32
	Bias    []float32
	// Conv, MaxPool, AvgPool.
	Window Window
	// AvgPool: whether border elements count in the divisor.
	CountPad bool
	// ZeroPad.
	Pad Pad
	// Affine: y = Scale[c]·x + Shift[c].
	Scale, Shift []float32
}

// NodeOp names an operator.
type NodeOp int

// The operators of a Graph.
const (
	NodeConv   NodeOp = iota
	NodeDense         // fully connected over the flattened input
	NodeAffine        // per channel, from BatchNormalization
	NodeRelu
	NodeSquare // x·x
	NodeMaxPool
	NodeAvgPool // GlobalAveragePool too
	NodeAdd     // of two tensors of one size
	NodeReshape // order kept
	NodeZeroPad
)
