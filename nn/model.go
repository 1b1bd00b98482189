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
// (the first of several equal ones), or the indices of the three largest in
// their order.
const (
	RevealScores Reveal = "scores"
	RevealLabel  Reveal = "label"
	RevealTop3   Reveal = "top3"
)

// Valid reports whether r is one of the above.
func (r Reveal) Valid() bool { return r == RevealScores || r == RevealLabel || r == RevealTop3 }

// Labels returns how many indices the client learns, 0 where it learns scores.
func (r Reveal) Labels() int {
	switch r {
	case RevealLabel:
		return 1
	case RevealTop3:
		return 3
	}
	return 0
}

// Layer is one step of a Shape. Exactly one of the pointers after Out is set.
type Layer struct {
	Name string `json:"name"`
	In   []int  `json:"in"` // tensors
	Out  Dims   `json:"out"`

	Conv      *Conv      `json:"conv,omitempty"`     // secret weights
	SumPool   *SumPool   `json:"sum_pool,omitempty"` // public linear, from here ...
	Add       *Add       `json:"add,omitempty"`
	Concat    *Concat    `json:"concat,omitempty"`
	ZeroPad   *Pad       `json:"zero_pad,omitempty"`
	Slice     *Slice     `json:"slice,omitempty"`
	Transpose *Transpose `json:"transpose,omitempty"`
	Upsample  *Factors   `json:"upsample,omitempty"`
	Stuff     *Factors   `json:"stuff,omitempty"`
	Reshape   *Reshape   `json:"reshape,omitempty"` // ... to here
	Activate  *Activate  `json:"activate,omitempty"`
}

// Conv is a convolution with secret weights and bias. A fully connected
// layer is a Conv of 1 × 1 planes: its input is first reshaped to a vector.
type Conv struct {
	Window Window `json:"window"`
	// Groups is the number of parts, 0 standing for 1, that the channels of
	// the input and of the output are cut into: each part of the output takes
	// its part of the input only.
	Groups int `json:"groups,omitempty"`
	// PlaneBias says that the bias is one number for each output, not for each
	// channel of it.
	PlaneBias bool `json:"plane_bias,omitempty"`
	// NormBits bounds the weights: the Euclidean norm of the weights of
	// each output channel is at most 2^NormBits. The noise bound of the
	// encryption rests on it.
	NormBits int `json:"norm_bits"`
}

// SumPool adds up the elements of every window; the border counts as zero.
type SumPool struct {
	Window
	// Level multiplies each sum by Window.Level over the number of elements
	// that it is made of, so that all have the same divisor: an average that
	// leaves the border out.
	Level bool `json:"level,omitempty"`
}

// Add is the sum of its inputs, each times a factor.
type Add struct {
	Factor []int `json:"factor"` // one per input, none 0
}

// Concat puts its inputs, each times a factor, one after another along an
// axis: 0 for channels, 1 for rows, 2 for columns.
type Concat struct {
	Axis   int   `json:"axis"`
	Factor []int `json:"factor"` // one per input, none 0
}

// Slice takes elements Start, Start+Step, … along each axis (channels, rows,
// columns), as many as the output has. A negative step goes backwards.
type Slice struct {
	Start [3]int `json:"start"`
	Step  [3]int `json:"step"`
}

// Transpose permutes the axes: axis i of the output is axis Perm[i] of the
// input.
type Transpose struct {
	Perm [3]int `json:"perm"`
}

// Factors are those by which an Upsample repeats every row and column, or by
// which a Stuff moves them apart, putting zeros between.
type Factors struct {
	H int `json:"h"`
	W int `json:"w"`
}

// Reshape keeps the elements and their order.
type Reshape struct{}

// Activate is a non-linear stage: max-pool (if any), shift, activation and
// clamp. With y the largest element of the window and round half up:
//
//	u = round(y / 2^Shift)               (u = y when Shift = 0)
//	identity  z = clamp(u)               to Bits bits, signed if Signed
//	relu      z = clamp(max(u, 0))       to Bits bits, unsigned
//	clip      z = min(max(u, Lo), Hi)
//	leaky     z = clamp(u) if u ≥ 0, else clamp(round(u / 2^Slope)), signed
//	square    v = clamp(u) to Mid bits, signed
//	          z = clamp(round(v² / 2^Shift2)) to Bits bits, unsigned
//	table     v = clamp(⌊y / 2^Shift⌋) to Mid bits, signed
//	          z = Table[v + 2^(Mid-1)]
//
// A table's entry for v so stands for all y from v·2^Shift to (v+1)·2^Shift - 1.
type Activate struct {
	Pool   *Window `json:"pool,omitempty"` // max-pool; border elements never win
	Width  int     `json:"width"`          // bits, two's complement, that hold every y and y + 2^(Shift-1): at most MaxWidth
	Shift  int     `json:"shift"`
	Func   Func    `json:"func"`
	Bits   int     `json:"bits"`
	Signed bool    `json:"signed"` // of z
	Mid    int     `json:"mid,omitempty"`
	Shift2 int     `json:"shift2,omitempty"`
	Slope  int     `json:"slope,omitempty"`
	Lo     int32   `json:"lo,omitempty"`
	Hi     int32   `json:"hi,omitempty"`
	Table  []int32 `json:"table,omitempty"` // 2^Mid entries
}

// Func names an activation.
type Func string

// The activations.
const (
	Identity Func = "identity"
	Relu     Func = "relu"
	Clip     Func = "clip"
	Leaky    Func = "leaky"
	Square   Func = "square"
	Table    Func = "table"
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
	W    []int16 // [out C][in C / Groups][KH][KW]
	Bias []int32 // one per output channel or, with PlaneBias, per output, at the accumulator's scale
}
