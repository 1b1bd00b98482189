package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"dorcas"
	"dorcas/nn"
)

// The formats of answers.
const (
	formatTable = "table"
	formatCSV   = "csv"
	formatJSON  = "json"
)

// answer is what is printed about one input.
type answer struct {
	File    string    `json:"file"`
	Index   int       `json:"index"`
	Label   string    `json:"label"`
	Scores  []float64 `json:"scores"`
	Outputs []int32   `json:"outputs"`
	// Top has the labels of the largest scores where just these are revealed.
	Top []string `json:"top,omitempty"`
}

func newAnswer(file string, s *nn.Shape, r *dorcas.Result) answer {
	a := answer{File: file, Index: r.Index, Label: labelOf(s, r.Index), Scores: r.Scores, Outputs: r.Outputs}
	for _, i := range r.Top {
		a.Top = append(a.Top, labelOf(s, i))
	}
	return a
}

// labelOf returns the name of a class, its number if it has none.
func labelOf(s *nn.Shape, class int) string {
	if class < len(s.Record.Labels) && s.Record.Labels[class] != "" {
		return s.Record.Labels[class]
	}
	return strconv.Itoa(class)
}

// answers prints answers in a format, each at once.
type answers struct {
	format string
	out    io.Writer
	errs   io.Writer
	name   string // of the command
	width  int    // of the names of inputs, and labels
	label  int
	csv    *csv.Writer
	shape  *nn.Shape
	heads  int
}

// maxNameWidth bounds the column of file names in a table. LOCAL.
const maxNameWidth = 60

// newAnswers prepares to print the answers to inputs of these names.
func newAnswers(format string, out, errs io.Writer, command string, s *nn.Shape, names []string) *answers {
	a := &answers{format: format, out: out, errs: errs, name: command, shape: s}
	for _, n := range names {
		a.width = max(a.width, min(utf8.RuneCountInString(printable(n)), maxNameWidth))
	}
	for _, l := range s.Record.Labels {
		a.label = max(a.label, min(utf8.RuneCountInString(printable(l)), maxNameWidth))
	}
	if format == formatCSV {
		a.csv = csv.NewWriter(out)
	}
	return a
}

// add prints an answer.
func (a *answers) add(r answer) error {
	switch a.format {
	case formatJSON:
		return writeLine(a.out, r)
	case formatCSV:
		row := []string{r.File, strconv.Itoa(r.Index), r.Label}
		for _, v := range r.Scores {
			row = append(row, strconv.FormatFloat(v, 'g', -1, 64))
		}
		row = append(row, r.Top[min(1, len(r.Top)):]...)
		return a.row(append(row, make([]string, max(a.columns()+3-len(row), 0)+1)...))
	}
	line := pad(printable(r.File), a.width) + "  " + pad(printable(r.Label), a.label)
	if r.Scores != nil && r.Index < len(r.Scores) {
		line += fmt.Sprintf("  score %.4g", r.Scores[r.Index])
	}
	if len(r.Top) > 1 {
		line += "  then " + printable(strings.Join(r.Top[1:], ", "))
	}
	_, err := fmt.Fprintln(a.out, strings.TrimRight(line, " "))
	return err
}

// fail prints that an input could not be read, and why.
func (a *answers) fail(file string, err error) error {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " ")
	if h := hint(err); h != "" {
		text += ": " + h
	}
	if _, err := fmt.Fprintf(a.errs, "%s: %s\n", a.name, text); err != nil {
		return err
	}
	switch a.format {
	case formatJSON:
		return writeLine(a.out, struct {
			File  string `json:"file"`
			Error string `json:"error"`
		}{file, text})
	case formatCSV:
		return a.row(append(append([]string{file}, make([]string, a.columns()+2)...), text))
	}
	return nil
}

// columns returns the number of columns after the label: scores, or further
// labels.
func (a *answers) columns() int {
	if n := a.shape.Output.Reveal.Labels(); n > 0 {
		return n - 1
	}
	return a.shape.Dims(a.shape.Output.Tensor).Len()
}

// row prints a line of CSV, after the head if it is the first.
func (a *answers) row(row []string) error {
	if a.heads == 0 {
		a.heads++
		head := []string{"file", "index", "label"}
		for i := range a.columns() {
			name := labelOf(a.shape, i)
			if a.shape.Output.Reveal.Labels() > 0 {
				name = fmt.Sprintf("label %d", i+2)
			}
			if slices.Contains(head, name) {
				name = strconv.Itoa(i)
			}
			head = append(head, name)
		}
		if err := a.csv.Write(append(head, "error")); err != nil {
			return err
		}
	}
	if err := a.csv.Write(row); err != nil {
		return err
	}
	a.csv.Flush()
	return a.csv.Error()
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}
