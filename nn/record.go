package nn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

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
	// Window is the center and width of the values of a medical image that
	// become gray; without it that of the file counts.
	Window []float64 `json:"window,omitempty"`
	// Features names the columns of a table, in the order of the input.
	Features []string `json:"features,omitempty"`
}

// ParseRecord reads the JSON that describes a network, of which only
// "preprocess" (an object, or the formula alone as a string) and "labels" (a
// list; anything else counts as none) matter. Neither has to be there.
func ParseRecord(data []byte) (Record, error) {
	var file struct {
		Preprocess json.RawMessage `json:"preprocess"`
		Labels     json.RawMessage `json:"labels"`
	}
	var r Record
	if err := json.Unmarshal(data, &file); err != nil {
		return Record{}, fmt.Errorf("nn: record: %w", err)
	}
	if bytes.HasPrefix(file.Labels, []byte("[")) {
		if err := json.Unmarshal(file.Labels, &r.Labels); err != nil {
			return Record{}, fmt.Errorf("nn: record: labels: %w", err)
		}
	}
	var err error
	if r.Preprocess, err = parsePreprocess(file.Preprocess); err == nil {
		_, err = r.Preprocess.divisor()
	}
	if w := r.Preprocess.Window; err == nil && len(w) != 0 && (len(w) != 2 || !(w[1] >= 1)) {
		err = fmt.Errorf("window %v is not a center and a width of at least 1", w)
	}
	if err != nil {
		return Record{}, fmt.Errorf("nn: record: preprocess: %w", err)
	}
	return r, nil
}

func parsePreprocess(data json.RawMessage) (Preprocess, error) {
	var p Preprocess
	if len(data) == 0 {
		return p, nil
	}
	if data[0] == '"' {
		return p, json.Unmarshal(data, &p.Formula)
	}
	var list struct {
		Mean numbers `json:"mean"`
		Std  numbers `json:"std"`
		Preprocess
	}
	err := json.Unmarshal(data, &list)
	p = list.Preprocess
	p.Mean, p.Std = list.Mean, list.Std
	return p, err
}

// numbers is a list of numbers; a file may write a list of one as a number.
type numbers []float64

func (n *numbers) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]float64)(n))
	}
	var v float64
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*n = numbers{v}
	return nil
}

// divisor returns what a byte is divided by before Mean and Std count.
func (p Preprocess) divisor() (float64, error) {
	f := strings.ToLower(strings.Join(strings.Fields(p.Formula), ""))
	f = strings.TrimPrefix(f, "x=")
	for _, form := range []struct {
		text string
		by   float64
	}{
		{"(u8/255-mean)/std", 255}, {"u8/255", 255}, {"(u8-mean)/std", 1}, {"u8", 1},
		{"(raw-mean)/std", 1}, {"raw", 1}, {"", 255},
	} {
		rest, ok := strings.CutPrefix(f, form.text)
		// What follows in brackets, or after a comma or "per", is a remark.
		if ok && (rest == "" || strings.HasPrefix(rest, "per") || strings.ContainsAny(rest[:1], "(,;")) {
			return form.by, nil
		}
	}
	return 0, fmt.Errorf("formula %q is none that is known", p.Formula)
}

// Apply turns the bytes of an image, channel by channel as d says, into the
// network's input: x = (u8/255 - mean)/std, where a missing Mean is 0 and a
// missing Std 1, or without the division by 255 where the formula has none.
// dst and u8 have d.Len() elements.
func (p Preprocess) Apply(dst []float32, u8 []uint8, d Dims) error {
	if len(u8) != d.Len() || len(dst) != d.Len() {
		return fmt.Errorf("nn: preprocess: %d bytes into %d values, want %d", len(u8), len(dst), d.Len())
	}
	by, err := p.divisor()
	if err != nil {
		return fmt.Errorf("nn: preprocess: %w", err)
	}
	for c := range d.C {
		mean, std, err := p.normal(c, d.C)
		if err != nil {
			return fmt.Errorf("nn: preprocess: %w", err)
		}
		plane := d.H * d.W
		for i := c * plane; i < (c+1)*plane; i++ {
			dst[i] = float32((float64(u8[i])/by - mean) / std)
		}
	}
	return nil
}

// ApplyTable turns the raw features of a table's row into the network's input:
// (raw - mean)/std per feature. dst has as many elements as raw.
func (p Preprocess) ApplyTable(dst []float32, raw []float64) error {
	if len(dst) != len(raw) {
		return fmt.Errorf("nn: preprocess: %d features into %d values", len(raw), len(dst))
	}
	for i, v := range raw {
		mean, std, err := p.normal(i, len(raw))
		if err != nil {
			return fmt.Errorf("nn: preprocess: %w", err)
		}
		dst[i] = float32((v - mean) / std)
	}
	return nil
}

// normal returns the mean and the standard deviation of channel c of n.
func (p Preprocess) normal(c, n int) (mean, std float64, err error) {
	mean, std = 0, 1
	for _, f := range []struct {
		dst  *float64
		from []float64
		name string
	}{{&mean, p.Mean, "mean"}, {&std, p.Std, "std"}} {
		switch len(f.from) {
		case 0:
		case 1:
			*f.dst = f.from[0]
		case n:
			*f.dst = f.from[c]
		default:
			return 0, 0, fmt.Errorf("%d values of %s for %d channels", len(f.from), f.name, n)
		}
	}
	if std == 0 {
		return 0, 0, errors.New("std is 0")
	}
	return mean, std, nil
}
