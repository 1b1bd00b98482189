package nn

// Graph is a float network as a file holds it, for one image: what package
// onnx reads and Quantize turns into a Model. Nodes stand in the order of
// computation; tensor 0 is the input and tensor i+1 the output of Nodes[i].
type Graph struct {
	Name  string
	Input Dims
	// ChannelsLast says that the file's own input is height × width × channels;
	// that of the graph is channels × height × width all the same.
	ChannelsLast bool
	Nodes        []Node
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
	HeadSigmoid // of each score on its own, as binary and multi-label classifiers end
)

// A Node is one operator of a Graph. Which fields count depends on Op.
type Node struct {
	Name string
	Op   NodeOp
	In   []int // tensors
	Out  Dims

	// Conv and Dense: Weights is [Out.C][in C/Groups][KH][KW] for a Conv and
	// [Out.C][in Len] for a Dense; Bias is empty or
	// one per output channel or, of a Conv, one per output.
	Weights []float32
	Bias    []float32
	// Quantized is set where the file gives weights as integers.
	Quantized *Quantized
	// Conv, MaxPool, AvgPool.
	Window Window
	// Conv: output channel o sees the in C/Groups channels of group
	// o·Groups/Out.C only; 0 means 1.
	Groups int
	// AvgPool: whether border elements count in the divisor.
	CountPad bool
	// ZeroPad.
	Pad Pad
	// Affine: y = Scale[c]·x + Shift[c].
	Scale, Shift []float32
	// Add: +1 or -1 for each input; nil means sums only.
	Sign []int
	// Concat: the dimension along which the inputs follow one another: 0, 1, 2
	// for channels, rows, columns.
	Axis int
	// Slice: element i of dimension d is element Start[d] + i·Step[d] of the
	// input; a Step may be negative.
	Start, Step [3]int
	// Transpose: dimension d of the output is dimension Perm[d] of the input.
	Perm [3]int
	// Upsample: each element becomes a block of FactorH × FactorW. Stuff: the
	// element at (h, w) goes to (h·FactorH, w·FactorW), zeros between.
	FactorH, FactorW int
	// Table.
	Func Univariate
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
	NodeAdd     // of two or more tensors of one size, each with a sign
	NodeReshape // order kept
	NodeZeroPad
	NodeConcat    // of one or more tensors
	NodeSlice     // every Step-th element
	NodeTranspose // dimensions in another order
	NodeUpsample  // nearest neighbour, by whole factors
	NodeStuff     // zeros between elements: a transposed convolution is a Conv of this
	NodeTable     // a public function of each element
)

// groups returns the number of groups of a Conv.
func (n *Node) groups() int { return max(1, n.Groups) }
