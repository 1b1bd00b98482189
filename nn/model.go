package nn

// Shape is the public part of a quantised network: all that the client may
// know. Tensor 0 is the input and tensor i+1 the output of Layers[i]; every
// tensor is either
//
//   - an activation, a short integer: the input, the output of an Activate
//     layer, and what public linear layers make of those; or
//   - an accumulator: the output of a Conv, and what public linear layers
//     make of it.
//
// A Conv takes activations only. An Activate layer turns either into an
// activation. The output tensor may be of either kind.
type Shape struct {
	Name   string  `json:"name"`
	Record Record  `json:"record"`
	Input  Input   `json:"input"`
	Layers []Layer `json:"layers"`
	Output Output  `json:"output"`
}

// Input says what integers the network takes: round-half-up of the
// preprocessed value × 2^Frac, clamped to Bits bits.
type Input struct {
	Dims   Dims `json:"dims"`
	Frac   int  `json:"frac"`
	Bits   int  `json:"bits"`
	Signed bool `json:"signed"`
}

// Output says what is opened to the client at the end.
type Output struct {
	Tensor int `json:"tensor"`
	// Width is the number of bits, two's complement, that hold every score.
	Width int `json:"width"`
	// A score is its integer × 2^-Frac / Div.
	Frac int `json:"frac"`
	Div  int `json:"div"`
	// Reveal is what the client learns.
	Reveal Reveal `json:"reveal"`
	// Head is what the client applies to the scores.
	Head Head `json:"head"`
}

// Reveal is the server's choice of what the client learns.
type Reveal string

// What a client may learn: every score, or only the index of the largest
// (the first of several equal ones).
const (
	RevealScores Reveal = "scores"
	RevealLabel  Reveal = "label"
)

// Layer is one step of a Shape. Exactly one of the pointers after Out is set.
type Layer struct {
	Name string `json:"name"`
	In   []int  `json:"in"` // tensors
	Out  Dims   `json:"out"`

	Conv     *Conv     `json:"conv,omitempty"`     // secret weights
	SumPool  *Window   `json:"sum_pool,omitempty"` // public linear, from here ...
	Add      *Add      `json:"add,omitempty"`
	ZeroPad  *Pad      `json:"zero_pad,omitempty"`
	Reshape  *Reshape  `json:"reshape,omitempty"` // ... to here
	Activate *Activate `json:"activate,omitempty"`
}

// Conv is a convolution with secret weights and bias. A fully connected
// layer is a Conv of 1 × 1 planes: its input is first reshaped to a vector.
type Conv struct {
	Window Window `json:"window"`
	// NormBits bounds the weights: the Euclidean norm of the weights of
	// each output channel is at most 2^NormBits. The noise bound of the
	// encryption rests on it.
	NormBits int `json:"norm_bits"`
}

// Add is the sum of its inputs, each first shifted left.
type Add struct {
	Shift []int `json:"shift"` // one per input
}

// Reshape keeps the elements and their order.
type Reshape struct{}

// Activate is a non-linear stage: max-pool (if any), rounding shift,
// activation and clamp. With y the largest element of the window:
//
//	u = (y + 2^(Shift-1)) >> Shift       (round half up; u = y when Shift = 0)
//	identity  z = clamp(u)               to Bits bits, signed if Signed
//	relu      z = clamp(max(u, 0))       to Bits bits, unsigned
//	square    v = clamp(u) to Mid bits, signed
//	          z = clamp(round half up (v² >> Shift2)) to Bits bits, unsigned
type Activate struct {
	Pool   *Window `json:"pool,omitempty"` // max-pool; border elements never win
	Width  int     `json:"width"`          // bits, two's complement, that hold every y and y + 2^(Shift-1): at most MaxWidth
	Shift  int     `json:"shift"`
	Func   Func    `json:"func"`
	Bits   int     `json:"bits"`
	Signed bool    `json:"signed"` // of z
	Mid    int     `json:"mid,omitempty"`
	Shift2 int     `json:"shift2,omitempty"`
}

// Func names an activation.
type Func string

// The activations.
const (
	Identity Func = "identity"
	Relu     Func = "relu"
	Square   Func = "square"
)

// MaxWidth is the largest width of an accumulator: the noise budget of the
// encryption allows no more.
const MaxWidth = 28

// Model is a quantised network with its weights: the server's secret.
type Model struct {
	Shape
	// Weights has one entry a layer, nil where the layer is no Conv.
	Weights []*Weights
}

// Weights of a Conv.
type Weights struct {
	W    []int16 // [out C][in C][KH][KW]
	Bias []int32 // one per output channel, at the accumulator's scale
}
