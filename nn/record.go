package nn

// Record is what the public may know of how to use a network: how an image
// becomes its input, and the names of its classes.
type Record struct {
	Preprocess Preprocess `json:"preprocess"`
	Labels     []string   `json:"labels,omitempty"`
}

// Preprocess says how bytes become the network's real input:
// x = (u8/255 - Mean[c]) / Std[c], one Mean and Std per channel (or one for
// all; or, for a table, one per feature and no division by 255).
type Preprocess struct {
	Layout  string    `json:"layout,omitempty"` // NCHW
	Color   string    `json:"color,omitempty"`  // gray or RGB
	Size    []int     `json:"size,omitempty"`   // height, width
	Mean    []float64 `json:"mean,omitempty"`
	Std     []float64 `json:"std,omitempty"`
	Formula string    `json:"formula,omitempty"`
}
