package main

import (
	"fmt"
	"os"

	"dorcas/internal/inputs"
	"dorcas/nn"

	"github.com/spf13/cobra"
)

// maxCalibration is how many samples choose the scales: more cost time and
// change nothing. LOCAL.
const maxCalibration = 1000

// sampleFlags say what to calibrate on.
type sampleFlags struct {
	samples string
	labels  string
	index   string
	limit   int
	opt     inputs.Options
}

func (f *sampleFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.samples, "samples", "", "folder of class folders or of pictures, array (.npy, .npz#NAME, .idx) or table (.csv) (required)")
	flags.StringVar(&f.labels, "labels", "", "array (.npy, .npz#NAME, .idx) with the class of every sample of an array")
	flags.StringVar(&f.opt.LabelColumn, "label-column", "", "column of a table that has the class of every sample")
	flags.StringVar(&f.index, "index", "", "rows of the array or table to use: 0:500 (default all)")
	flags.IntVar(&f.limit, "limit", 0, "use at most so many samples, the first (default all)")
	flags.BoolVar(&f.opt.Raw, "raw", false, "array samples of floats are raw features: apply the record's mean and std")
	flags.BoolVar(&f.opt.Preprocessed, "preprocessed", false, "a table's values are preprocessed: do not apply the record's mean and std")
}

func (f *sampleFlags) check() error {
	var err error
	if f.samples == "" {
		return usagef("no --samples: pass a folder of pictures, an array or a table")
	}
	if f.limit < 0 {
		return usagef("--limit %d is negative", f.limit)
	}
	if f.opt.Index, err = inputs.ParseRanges(f.index); err != nil {
		return usageError{err}
	}
	return nil
}

// samples are preprocessed inputs, and their classes if known.
type samples struct {
	x      [][]float32
	labels []int // nil if not known
}

// calibration returns the samples that choose the scales, evenly spread.
func (s *samples) calibration() [][]float32 {
	n := min(len(s.x), maxCalibration)
	out := make([][]float32, n)
	for i := range out {
		out[i] = s.x[i*len(s.x)/n]
	}
	return out
}

// read reads the samples of a network.
func (f *sampleFlags) read(g *nn.Graph, record *nn.Record) (*samples, error) {
	f.opt.LabelNames = record.Labels
	r, err := inputs.New(g.Input, record.Preprocess, &f.opt)
	if err != nil {
		return nil, err
	}
	all, labels, err := f.list(r, record)
	if err != nil {
		return nil, err
	}
	if f.limit > 0 && len(all) > f.limit {
		all = all[:f.limit]
	}
	if labels != nil {
		labels = labels[:len(all)]
	}
	classes := g.Dims(g.Output).Len()
	for i, l := range labels {
		if l >= classes {
			return nil, fmt.Errorf("%s is of class %d, but the network has %d classes, counted from 0", all[i].Name, l, classes)
		}
	}
	s := &samples{labels: labels}
	for _, item := range all {
		x, err := item.Read()
		if err != nil {
			return nil, err
		}
		s.x = append(s.x, x)
	}
	return s, nil
}

// list finds the samples without reading them.
func (f *sampleFlags) list(r *inputs.Reader, record *nn.Record) ([]inputs.Item, []int, error) {
	info, err := os.Stat(inputs.File(f.samples))
	if err != nil {
		return nil, nil, fmt.Errorf("--samples: %w", err)
	}
	if info.IsDir() {
		if f.labels != "" || f.index != "" {
			return nil, nil, usagef("--labels and --index are for arrays: a folder's classes are its folders")
		}
		return r.Folder(f.samples, record.Labels)
	}
	all, known, err := r.Labelled(f.samples)
	if err != nil || f.labels == "" {
		return all, known, err
	}
	labels, err := inputs.ReadLabels(f.labels)
	if err != nil {
		return nil, nil, err
	}
	rows, err := f.opt.Index.Rows(len(labels))
	if err != nil || len(rows) != len(all) || f.opt.Index == nil && len(labels) != len(all) {
		return nil, nil, fmt.Errorf("%s has %d labels, not one for each sample of %s", f.labels, len(labels), f.samples)
	}
	picked := make([]int, len(rows))
	for i, row := range rows {
		picked[i] = labels[row]
	}
	return all, picked, nil
}
