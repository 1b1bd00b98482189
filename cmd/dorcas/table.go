package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"
)

// table is printed with its first columns aligned at the left, as text, and
// the others at the right, as numbers.
type table struct {
	text int // columns of text
	rows [][]string
}

func newTable(text int, head ...string) *table { return &table{text, [][]string{head}} }

// add appends a row of values, printed as they are.
func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = printable(fmt.Sprint(c))
	}
	t.rows = append(t.rows, row)
}

// blank separates groups of rows: a row of empty cells, since an empty line
// would end the columns.
func (t *table) blank() { t.rows = append(t.rows, make([]string, len(t.rows[0]))) }

func (t *table) write(w io.Writer) error {
	width := make([]int, t.text)
	for _, row := range t.rows {
		for i := range min(len(row), t.text) {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
		}
	}
	var out bytes.Buffer
	tw := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range t.rows {
		for i, cell := range row {
			if i < t.text {
				cell += strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			}
			fmt.Fprint(tw, cell, "\t")
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(out.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// printable returns text of a file or a peer with nothing in it that a
// terminal would act on.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// count prints a number, nothing for zero.
func count[T int | int64](n T) string {
	if n == 0 {
		return "·"
	}
	digits := fmt.Sprint(n)
	var out []byte
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out = append(out, ' ')
		}
		out = append(out, digits[i])
	}
	return string(out)
}

// size prints a number of bytes.
func size(n int64) string {
	switch {
	case n == 0:
		return "·"
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000_000_000:
		return fmt.Sprintf("%.2f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

// seconds prints a duration.
func seconds(s float64) string {
	switch {
	case s == 0:
		return "·"
	case s < 0.0001:
		return fmt.Sprintf("%.0f µs", s*1e6)
	case s < 0.1:
		return fmt.Sprintf("%.1f ms", s*1e3)
	case s < 1:
		return fmt.Sprintf("%.0f ms", s*1e3)
	}
	return fmt.Sprintf("%.2f s", s)
}
