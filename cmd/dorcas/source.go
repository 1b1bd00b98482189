package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dorcas"
	"dorcas/internal/inputs"
	"dorcas/nn"

	"github.com/spf13/cobra"
)

// inputFlags say what to classify.
type inputFlags struct {
	files  []string
	index  string
	format string
	opt    inputs.Options
}

func (f *inputFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.files, "input", nil, "file, folder or pattern to classify, like an argument; may be repeated")
	flags.StringVar(&f.index, "index", "", "rows of arrays and tables, frames of DICOM files: 7, 0:20 or 3,5,9 (default all)")
	flags.BoolVar(&f.opt.Raw, "raw", false, "arrays of floats are raw features: apply the record's mean and std")
	flags.BoolVar(&f.opt.Preprocessed, "preprocessed", false, "tables (.csv) are preprocessed: do not apply the record's mean and std")
	flags.StringVar(&f.opt.LabelColumn, "label-column", "", "column of tables (.csv) that is no feature")
	flags.StringVar(&f.format, "format", "", "table, csv or json (default table; --json is the same as json)")
}

const inputHelp = `Inputs are files, folders (all that is in them), and quoted patterns ('*.png'):
  .png .jpg .bmp .tif .webp   scaled to the network's size, stretched if their
                              aspect differs, preprocessed as its record says
  .dcm                        DICOM: rescaled, windowed (by the record's window,
                              else the file's), each frame an input
  .npy .npz#NAME .idx[.gz]    uint8 pictures (N×H×W, N×C×H×W or N×H×W×C), or
                              floats that are preprocessed already
  .csv[.gz]                   tables: a row an input, columns by the names in the
                              record's "features", raw values
What cannot be read is reported and the others go on; the exit code is 1 then.`

const jsonInputHelp = `With --format json, one line an input:
  {"file":"x.npy[7]","index":3,"label":"cat","scores":[…],"outputs":[…]}
index is the class, label its name (the number if it has none), outputs the
integers that the scores come from. Scores and outputs are null where the
network reveals labels only; "top" has three where it reveals three. With
--format csv, a column for each score or label.`

// task is an input, or why there is none.
type task struct {
	name string
	item inputs.Item
	err  error
}

// check reads the flags, and finds the files before anything is computed or
// sent. It fails if there is none; the tasks have an error for others.
func (f *inputFlags) check(g *globals, args []string) ([]task, error) {
	paths := append(args[:len(args):len(args)], f.files...)
	if len(paths) == 0 {
		return nil, usagef("no input: pass files (%s) or folders", inputs.Kinds)
	}
	switch {
	case f.format == "" && g.json:
		f.format = formatJSON
	case f.format == "":
		f.format = formatTable
	case f.format != formatTable && f.format != formatCSV && f.format != formatJSON:
		return nil, usagef("--format %q: table, csv or json", f.format)
	case g.json && f.format != formatJSON:
		return nil, usagef("--json and --format %s contradict each other", f.format)
	}
	var err error
	if f.opt.Index, err = inputs.ParseRanges(f.index); err != nil {
		return nil, usageError{err}
	}
	var tasks []task
	found := false
	for _, p := range paths {
		files, err := expand(p)
		if err != nil {
			tasks = append(tasks, task{name: p, err: err})
		}
		for _, file := range files {
			tasks, found = append(tasks, task{name: file}), true
		}
	}
	if !found {
		return nil, tasks[0].err
	}
	return tasks, nil
}

// expand returns the files that an argument means.
func expand(path string) ([]string, error) {
	info, err := os.Stat(inputs.File(path))
	switch {
	case err != nil && strings.ContainsAny(path, "*?["):
		files, err := filepath.Glob(path)
		files = slices.DeleteFunc(files, func(f string) bool { // as shells do
			return filepath.Base(f)[0] == '.' && filepath.Base(path)[0] != '.'
		})
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("%s: no file matches: check the pattern", path)
		}
		var all []string
		for _, f := range files {
			of, err := expand(f)
			if err != nil {
				return nil, err
			}
			all = append(all, of...)
		}
		return all, nil
	case err != nil:
		return nil, err
	case !info.IsDir():
		return []string{path}, nil
	}
	var all []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		hidden := p != path && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			return err
		case hidden && d.IsDir():
			return fs.SkipDir
		case !hidden && !d.IsDir() && inputs.Known(p):
			all = append(all, p)
		}
		return nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%s: no file in it that can be read: pass a folder with %s", path, inputs.Kinds)
	}
	return all, err
}

// items lists the inputs of all files for a network.
func (f *inputFlags) items(s *nn.Shape, files []task) ([]task, error) {
	f.opt.LabelNames = s.Record.Labels
	r, err := inputs.New(s.Input.Dims, s.Record.Preprocess, &f.opt)
	if err != nil {
		return nil, err
	}
	var all []task
	for _, file := range files {
		if file.err != nil {
			all = append(all, file)
			continue
		}
		of, err := r.Items(file.name)
		if err != nil {
			all = append(all, task{name: file.name, err: err})
		}
		for _, item := range of {
			all = append(all, task{name: item.Name, item: item})
		}
	}
	return all, nil
}

// classify prints the answer to each task, which run computes, or why it has
// none, and goes on. It fails in the end if one did; an error of run ends it.
func (f *inputFlags) classify(cmd *cobra.Command, g *globals, s *nn.Shape, files []task, what string, run func(x []float32) (*dorcas.Result, error)) error {
	all, err := f.items(s, files)
	if err != nil {
		return err
	}
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.name
	}
	out := newAnswers(f.format, cmd.OutOrStdout(), cmd.ErrOrStderr(), cmd.CommandPath(), s, names)
	bar := newProgress(cmd.ErrOrStderr(), g, len(all), what)
	defer bar.done()
	bar.set(0)
	failed := 0
	for i, t := range all {
		var x []float32
		if err = t.err; err == nil {
			x, err = t.item.Read()
		}
		if err != nil && len(all) == 1 {
			return err
		}
		if err != nil {
			bar.hide()
			if err := out.fail(t.name, err); err != nil {
				return err
			}
			failed++
			bar.set(i + 1)
			continue
		}
		r, err := run(x)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		bar.hide()
		if err := out.add(newAnswer(t.name, s, r)); err != nil {
			return err
		}
		bar.set(i + 1)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d inputs failed: see above", failed, len(all))
	}
	return nil
}
