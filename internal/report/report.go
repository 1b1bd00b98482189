// Package report shows what compiling a network did to it, as a page.
//
// It stands beside the protocol, on the machine of the network's owner: the
// command fills a Report, which is also the JSON, and HTML writes it as one
// page that needs no other file and no network: accuracy of the float and the
// integer network, errors, use of the widths, costs, and a picture of the
// graph. It computes nothing of the network itself. Who only serves or asks a
// network does not need it. Read this file first, then page.go; layout.go
// places the layers of the picture and chart.go draws.
package report

import (
	"cmp"
	"slices"

	"dorcas/nn"
)

// Report is all that the page shows. Accuracies and shares are 0 to 1.
type Report struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`
	Hash    string   `json:"model_hash"`
	Bytes   int64    `json:"file_bytes"`
	Input   string   `json:"input"`
	Output  string   `json:"output"`
	Reveal  string   `json:"reveal"`
	Labels  []string `json:"labels,omitempty"`
	Weights int64    `json:"weights"`      // secret numbers
	MACs    int64    `json:"multiplies"`   // of one inference in the clear
	Version string   `json:"made_by"`      // of the command
	Options []Option `json:"quantization"` // that were chosen

	Samples     int       `json:"samples"`
	Calibration int       `json:"calibration_samples"`
	Traced      int       `json:"traced_samples"` // of the histograms
	Agree       float64   `json:"agreement"`      // same answer of both networks
	Accuracy    *Accuracy `json:"accuracy"`       // nil if the classes are not known

	Layers []Layer `json:"layers"` // 0 is the input, the last the output
	Phases []Phase `json:"phases"`
	Links  []Link  `json:"predicted_seconds"`
	// Memory in bytes, as dorcas inspect predicts it.
	ClientMemory int64  `json:"client_memory_bytes"`
	ServerMemory int64  `json:"server_memory_bytes"`
	WeightMemory int64  `json:"weight_memory_bytes"`
	Estimates    string `json:"estimates"`
}

// Option is a choice that was made for the network as a whole.
type Option struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Accuracy compares both networks with the true classes.
type Accuracy struct {
	Float   float64 `json:"float"`
	Integer float64 `json:"integer"`
	// Samples that only one of them gets right.
	Lost    int `json:"only_float_right"`
	Gained  int `json:"only_integer_right"`
	Classes int `json:"classes"`
	// Confusion has what occurred, by true class and answer.
	Confusion []Confusion `json:"confusion"`
}

// Confusion is how often each network gave an answer to samples of a class.
type Confusion struct {
	True    int `json:"true"`
	Answer  int `json:"answer"`
	Float   int `json:"float"`
	Integer int `json:"integer"`
}

// NewAccuracy counts answers to samples of known classes.
func NewAccuracy(labels, float, integer []int, classes int) *Accuracy {
	a := &Accuracy{Classes: classes}
	counts := map[[2]int]*Confusion{}
	at := func(label, answer int) *Confusion {
		c := counts[[2]int{label, answer}]
		if c == nil {
			c = &Confusion{True: label, Answer: answer}
			counts[[2]int{label, answer}] = c
		}
		return c
	}
	right := [2]int{}
	for i, label := range labels {
		at(label, float[i]).Float++
		at(label, integer[i]).Integer++
		f, n := float[i] == label, integer[i] == label
		if f {
			right[0]++
		}
		if n {
			right[1]++
		}
		if f && !n {
			a.Lost++
		}
		if n && !f {
			a.Gained++
		}
	}
	for _, c := range counts {
		a.Confusion = append(a.Confusion, *c)
	}
	slices.SortFunc(a.Confusion, func(x, y Confusion) int {
		return cmp.Or(cmp.Compare(x.True, y.True), cmp.Compare(x.Answer, y.Answer))
	})
	if len(labels) > 0 {
		a.Float, a.Integer = float64(right[0])/float64(len(labels)), float64(right[1])/float64(len(labels))
	}
	return a
}

// table returns the counts of one network: rows are true classes, columns
// answers.
func (a *Accuracy) table(of func(Confusion) int) [][]int {
	m := make([][]int, a.Classes)
	for i := range m {
		m[i] = make([]int, a.Classes)
	}
	for _, c := range a.Confusion {
		m[c.True][c.Answer] = of(c)
	}
	return m
}

// Layer is a layer of the network, with what calibration saw and what the
// plan predicts.
type Layer struct {
	Name       string  `json:"name"`
	Kind       string  `json:"kind"`
	In         []int   `json:"in,omitempty"` // layers
	Shape      nn.Dims `json:"shape"`
	Width      int     `json:"width,omitempty"` // bits of the accumulator
	Shift      int     `json:"shift,omitempty"`
	Bits       int     `json:"bits,omitempty"` // of the activation
	Signed     bool    `json:"signed,omitempty"`
	WeightBits int     `json:"weight_bits,omitempty"`
	Error      float64 `json:"error"`
	Saturation float64 `json:"saturation"`
	// Histogram counts the values that a stage takes by the bits that they
	// need, two's complement: element b for b bits, up to Width. Nil where
	// the layer is no stage.
	Histogram []int64 `json:"histogram,omitempty"`

	Ciphertexts int   `json:"ciphertexts,omitempty"`
	Products    int   `json:"products,omitempty"`
	Ands        int   `json:"and_gates,omitempty"`
	OTs         int   `json:"ots,omitempty"`
	ToServer    int64 `json:"client_to_server_bytes,omitempty"`
	ToClient    int64 `json:"server_to_client_bytes,omitempty"`
}

// Used returns the bits that the largest value needed, 0 if unknown.
func (l *Layer) Used() int {
	for b := len(l.Histogram) - 1; b > 0; b-- {
		if l.Histogram[b] > 0 {
			return b
		}
	}
	return 0
}

// Phase is what a phase of a session costs by the plan.
type Phase struct {
	Name     string `json:"phase"`
	ToServer int64  `json:"client_to_server_bytes"`
	ToClient int64  `json:"server_to_client_bytes"`
	Rounds   int    `json:"rounds"`
}

// Link is the predicted time of each phase over a network, in seconds.
type Link struct {
	Name    string  `json:"link"`
	Setup   float64 `json:"setup"`
	Offline float64 `json:"offline"`
	Online  float64 `json:"online"`
}
