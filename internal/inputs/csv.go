package inputs

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"dorcas/nn"
)

// maxCSV bounds the text of a table; its numbers take up to four times as
// much. LOCAL.
const maxCSV = 1 << 27

// table is a CSV file: the features of each row, and its class if a column of
// labels is named.
type table struct {
	features [][]float64
	lines    []int // where each row stands in the file
	labels   []int // nil if not known
}

func (r *Reader) tableItems(path string) ([]Item, []int, error) {
	t, err := r.readTable(path)
	if err != nil {
		return nil, nil, err
	}
	rows, err := r.opt.Index.Rows(len(t.features))
	if err != nil {
		return nil, nil, err
	}
	if len(rows) == 0 {
		return nil, nil, errors.New("the table is empty")
	}
	items := make([]Item, len(rows))
	var labels []int
	for i, row := range rows {
		items[i] = Item{fmt.Sprintf("%s[%d]", path, row), func() ([]float32, error) { return r.features(t.features[row]) }}
		if t.labels != nil {
			labels = append(labels, t.labels[row])
		}
	}
	return items, labels, nil
}

// features preprocesses a row: pixels if the network takes pictures, raw
// features of a table if not.
func (r *Reader) features(values []float64) ([]float32, error) {
	switch {
	case r.opt.Preprocessed:
		x := make([]float32, len(values))
		for i, v := range values {
			x[i] = float32(v)
		}
		return x, nil
	case r.in.H > 1 || len(r.pre.Size) == 2 || r.pre.Color != "":
		u8 := make([]uint8, len(values))
		for i, v := range values {
			if v != math.Trunc(v) || v < 0 || v > 255 {
				return nil, fmt.Errorf("value %d is %v: pixels are 0 to 255; for values that are preprocessed already pass --preprocessed", i, v)
			}
			u8[i] = uint8(v)
		}
		return r.pixels(u8)
	}
	return r.rawFeatures(values)
}

// rawFeatures applies mean and standard deviation: of each feature of a table,
// of each channel of a signal.
func (r *Reader) rawFeatures(values []float64) ([]float32, error) {
	x := make([]float32, len(values))
	c := r.in.C
	if c == len(values) || max(len(r.pre.Mean), len(r.pre.Std)) > c || len(values)%c != 0 {
		return x, r.pre.ApplyTable(x, values)
	}
	of := func(all []float64, i int) []float64 {
		if len(all) == c {
			return all[i:][:1]
		}
		return all
	}
	for i, n := 0, len(values)/c; i < c; i++ {
		p := nn.Preprocess{Mean: of(r.pre.Mean, i), Std: of(r.pre.Std, i)}
		if err := p.ApplyTable(x[i*n:][:n], values[i*n:][:n]); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (r *Reader) readTable(path string) (*table, error) {
	f, done, _, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer done()
	text, err := io.ReadAll(io.LimitReader(f, maxCSV+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxCSV {
		return nil, fmt.Errorf("more than %d bytes of text: split it, or save it with numpy.save", maxCSV)
	}
	return r.parseTable(text)
}

// parseTable reads the text of a table whose fields are separated by commas,
// semicolons or tabs. A first line with anything but numbers names the columns.
func (r *Reader) parseTable(text []byte) (*table, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	c := csv.NewReader(bytes.NewReader(text))
	c.Comma, c.ReuseRecord, c.TrimLeadingSpace = separator(text), true, true
	var pick *columns
	t := &table{}
	for first := true; ; first = false {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err // which names the line
		}
		if first {
			if pick, err = r.columns(record); err != nil {
				return nil, err
			}
			if pick.header {
				continue
			}
		}
		line, _ := c.FieldPos(0)
		if err := t.add(record, pick, r.opt.LabelNames); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		t.lines = append(t.lines, line)
	}
}

// separator guesses by the first line.
func separator(text []byte) rune {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	best, most := ',', bytes.Count(line, []byte(","))
	for _, c := range ";\t" {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// columns says which columns of a table are what.
type columns struct {
	names    []string // of all columns, or their numbers
	header   bool
	features []int
	label    int // -1 if there is none
}

// columns finds the features by the names in the record, if it has any and
// the table too; else they are all columns but the label.
func (r *Reader) columns(first []string) (*columns, error) {
	c := &columns{label: -1}
	for i, field := range first {
		if _, err := strconv.ParseFloat(strings.TrimSpace(field), 64); err != nil {
			c.header = true
		}
		c.names = append(c.names, strconv.Itoa(i))
	}
	if c.header {
		for i, field := range first {
			c.names[i] = strings.TrimSpace(field)
		}
	}
	if want := r.opt.LabelColumn; want != "" {
		if c.label = c.find(want); c.label < 0 {
			return nil, fmt.Errorf("no column %q: it has %s", want, c.list())
		}
	}
	for _, name := range r.pre.Features {
		i := c.find(name)
		if !c.header {
			break
		}
		if i < 0 {
			return nil, fmt.Errorf("no column %q, which the network's record names: it has %s", name, c.list())
		}
		c.features = append(c.features, i)
	}
	if c.features == nil {
		for i := range first {
			if i != c.label {
				c.features = append(c.features, i)
			}
		}
	}
	if have, want := len(c.features), r.in.Len(); have != want {
		hint := ""
		if have == want+1 && c.label < 0 {
			hint = "; if one of them is the class, name it with --label-column"
		}
		return nil, fmt.Errorf("%d columns for a network that takes %d numbers: it has %s%s", have, want, c.list(), hint)
	}
	return c, nil
}

func (c *columns) find(name string) int {
	return slices.IndexFunc(c.names, func(s string) bool { return strings.EqualFold(s, strings.TrimSpace(name)) })
}

func (c *columns) list() string {
	names := c.names
	if len(names) > 12 {
		names = append(slices.Clone(names[:11]), fmt.Sprintf("… (%d in all)", len(names)))
	}
	return strings.Join(names, ", ")
}

// add appends a row.
func (t *table) add(record []string, c *columns, names []string) error {
	row := make([]float64, len(c.features))
	for i, at := range c.features {
		v, err := strconv.ParseFloat(strings.TrimSpace(record[at]), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("column %s: %.40q is no number: replace what is missing before", c.names[at], record[at])
		}
		row[i] = v
	}
	t.features = append(t.features, row)
	if c.label < 0 {
		return nil
	}
	text := strings.TrimSpace(record[c.label])
	class := slices.Index(names, text)
	if class < 0 {
		v, err := strconv.ParseFloat(text, 64) // spreadsheets write 1.0
		if err != nil || v != math.Trunc(v) || v < 0 || v > math.MaxInt32 {
			return fmt.Errorf("column %s: %.40q is neither a label of the record nor the number of a class", c.names[c.label], text)
		}
		class = int(v)
	}
	t.labels = append(t.labels, class)
	return nil
}
