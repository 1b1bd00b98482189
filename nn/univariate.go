package nn

// Univariate is a public function of one real number: its shape and constants
// are hyperparameters of the network, no learned numbers. What is learned is a
// weight, of an Affine for instance.
type Univariate struct {
	// Name says what the function is: for people, and so that some can have a
	// circuit of their own.
	//
	//	clip        min(max(x, Params[0]), Params[1]); a bound may be infinite
	//	leaky_relu  x where x ≥ 0, else Params[0]·x
	//	quantize    (k - zero)·scale with the integer k = round(x/scale) + zero,
	//	            clamped to lo to hi; Params are scale, zero, lo, hi
	//
	// Any other name, and any formula such as "x*sigmoid(x)", is known by F
	// only.
	Name   string
	Params []float64
	// F computes the function. It is pure, and finite where x is, but for
	// functions with a pole.
	F func(x float64) float64
}
