package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"dorcas"
	"dorcas/internal/inputs"
	"dorcas/nn"

	"github.com/spf13/cobra"
)

// inputFlags say what to classify.
type inputFlags struct {
	files []string
	index string
	raw   bool
}

func (f *inputFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.files, "input", nil, "file to classify (.png, .jpg, .npy), like an argument; may be repeated")
	flags.StringVar(&f.index, "index", "", "rows of .npy files: 7, 0:20 or 3,5,9 (default all)")
	flags.BoolVar(&f.raw, "raw", false, ".npy files of floats are raw features: apply the record's mean and std")
}

const inputHelp = `Pictures (.png, .jpg) are scaled to the network's size, stretched if their
aspect differs, and preprocessed as its public record says. Arrays (.npy) are
uint8 pictures (N×H×W, N×C×H×W or N×H×W×C), or float32 or float64 values that
are preprocessed already (N×C×H×W or N×features).`

const jsonInputHelp = `With --json, one line an input:
  {"file":"x.npy[7]","index":3,"label":"cat","scores":[…],"outputs":[…]}
index is the class, label its name (the number if it has none), outputs the
integers that the scores come from. Scores and outputs are null where the
network reveals the label only.`

// check reads the flags before anything else happens.
func (f *inputFlags) check(args []string) (paths []string, opt *inputs.Options, err error) {
	paths = append(args[:len(args):len(args)], f.files...)
	if len(paths) == 0 {
		return nil, nil, usagef("no input: pass .png, .jpg or .npy files")
	}
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			return nil, nil, err // before anything is computed or sent
		}
	}
	index, err := inputs.ParseRanges(f.index)
	if err != nil {
		return nil, nil, usageError{err}
	}
	return paths, &inputs.Options{Index: index, Raw: f.raw}, nil
}

// items lists the inputs of all paths for a network.
func items(s *nn.Shape, paths []string, opt *inputs.Options) ([]inputs.Item, error) {
	r, err := inputs.New(s.Input.Dims, s.Record.Preprocess, opt)
	if err != nil {
		return nil, err
	}
	var all []inputs.Item
	for _, p := range paths {
		of, err := r.Items(p)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

// answer is what is printed about one input.
type answer struct {
	File    string    `json:"file"`
	Index   int       `json:"index"`
	Label   string    `json:"label"`
	Scores  []float64 `json:"scores"`
	Outputs []int32   `json:"outputs"`
}

func newAnswer(file string, r *dorcas.Result) answer {
	a := answer{file, r.Index, r.Label, r.Scores, r.Outputs}
	if a.Label == "" {
		a.Label = strconv.Itoa(r.Index)
	}
	return a
}

// write prints the answer as a line.
func (a answer) write(w io.Writer, g *globals) error {
	if g.json {
		return writeLine(w, a)
	}
	score := ""
	if a.Scores != nil {
		score = fmt.Sprintf("  score %.4g", a.Scores[a.Index])
	}
	_, err := fmt.Fprintf(w, "%s  %s%s\n", a.File, printable(a.Label), score)
	return err
}
