package onnx

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// UnsupportedError lists every node of a graph that this package cannot
// translate.
type UnsupportedError struct {
	Nodes []Unsupported // in the order of the file
}

// Unsupported is a node that cannot be translated.
type Unsupported struct {
	Op      string // operator, "Clip"
	Name    string // of the node, or of its first output where it has none
	Missing string // what would be needed
}

func (u Unsupported) String() string {
	return fmt.Sprintf("%s %s: %s", plain(u.Op), quote(u.Name), u.Missing)
}

func (e *UnsupportedError) Error() string {
	var b strings.Builder
	if len(e.Nodes) == 1 {
		return "onnx: not supported: " + e.Nodes[0].String()
	}
	fmt.Fprintf(&b, "onnx: %d nodes are not supported:", len(e.Nodes))
	for _, u := range e.Nodes {
		b.WriteString("\n  " + u.String())
	}
	return b.String()
}

// reasons say why operators that people meet cannot be translated, and what to
// do.
var reasons = map[string]string{
	"LRN":                    "it divides by sums of squares of the input; train with BatchNormalization instead",
	"InstanceNormalization":  "it divides by the deviation of the input itself; train with BatchNormalization instead",
	"LayerNormalization":     "it divides by the deviation of the input itself; train with BatchNormalization instead",
	"GroupNormalization":     "it divides by the deviation of the input itself; train with BatchNormalization instead",
	"LpNormalization":        "it divides by a norm of the input",
	"ReduceL2":               "it is a norm of the input",
	"ReduceMin":              "use ReduceMax",
	"LpPool":                 "use MaxPool or AveragePool",
	"LSTM":                   "recurrent networks are not supported",
	"GRU":                    "recurrent networks are not supported",
	"RNN":                    "recurrent networks are not supported",
	"If":                     "graphs inside of graphs are not supported: export for inference, with fixed sizes",
	"Loop":                   "graphs inside of graphs are not supported: export for inference, with fixed sizes",
	"Scan":                   "graphs inside of graphs are not supported: export for inference, with fixed sizes",
	"Where":                  "a choice that depends on the input is not supported",
	"Einsum":                 "write it as MatMul and Transpose",
	"QLinearConv":            "quantise in the QDQ format, with QuantizeLinear and DequantizeLinear",
	"QLinearMatMul":          "quantise in the QDQ format, with QuantizeLinear and DequantizeLinear",
	"QLinearAdd":             "quantise in the QDQ format, with QuantizeLinear and DequantizeLinear",
	"ConvInteger":            "quantise in the QDQ format, with static scales",
	"MatMulInteger":          "quantise in the QDQ format, with static scales",
	"DynamicQuantizeLinear":  "quantise in the QDQ format, with static scales",
	"TreeEnsembleClassifier": "only networks are supported",
	"LinearClassifier":       "export it as MatMul and Add",
	"Normalizer":             "it divides by a norm of the input",
}

// advice returns the reason for an operator as the end of a sentence.
func advice(op string) string {
	if r := reasons[op]; r != "" {
		return " (" + r + ")"
	}
	return ""
}

// missingError says what this package would need in order to go on; it makes
// a node unsupported where any other error makes the file malformed.
type missingError string

func (e missingError) Error() string { return string(e) }

// errUnknown ends the translation of a node whose input is the output of an
// unsupported one.
var errUnknown = errors.New("input is unknown")

// maxQuoted is how much of a name from a file an error repeats, in bytes.
const maxQuoted = 100

// quote returns s, or the start of a long one, in quotes and with nothing in
// it that a terminal would act on.
func quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q…", s[:maxQuoted])
	}
	return fmt.Sprintf("%q", s)
}

// plain returns a name without quotes if it is short and of letters and
// digits, as those of operators are.
func plain(s string) string {
	odd := func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	if s == "" || len(s) > maxQuoted || strings.ContainsFunc(s, odd) {
		return quote(s)
	}
	return s
}
