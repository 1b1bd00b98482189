package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent": percent, "points": points, "count": count, "size": size, "seconds": seconds,
	"style": func() template.CSS { return template.CSS(pageStyle) },
}).Parse(pageText))

// maxMatrix is the largest number of classes whose confusion is shown as a
// table; of more, the pairs that are confused most are listed. LOCAL.
const maxMatrix = 16

// view is what the template takes: the report with what is drawn of it.
type view struct {
	*Report
	Cards      []card
	Errors     template.HTML
	Histograms []panel
	Graph      template.HTML
	Matrices   []matrix
	Pairs      []pair
	Share      []share
	Sum        Layer
}

// card is a figure at the head of the page.
type card struct{ Title, Value, Note string }

// panel is a histogram of a stage.
type panel struct {
	Name  string
	Chart template.HTML
	Used  int
	Width int
}

// matrix is a confusion matrix with the shares of its rows.
type matrix struct {
	Title string
	Names []string
	Rows  []matrixRow
}

type matrixRow struct {
	Name   string
	Cells  []cell
	Recall float64
	Total  int
}

type cell struct {
	N    int
	Heat float64 // share of its row
	Hit  bool
}

// pair is two classes that are confused.
type pair struct {
	True, Answer   string
	Float, Integer int
}

// share is a part of the bytes of an inference.
type share struct {
	Name  string
	Bytes int64
	Part  float64
}

// HTML writes the page.
func (r *Report) HTML(w io.Writer) error {
	v := &view{Report: r, Cards: r.cards(), Errors: r.errorChart(), Graph: r.graph(), Share: r.shares()}
	for i := range r.Layers {
		l := &r.Layers[i]
		if l.Histogram != nil {
			v.Histograms = append(v.Histograms, panel{l.Name, l.histogram(), l.Used(), l.Width})
		}
		v.Sum.Ciphertexts += l.Ciphertexts
		v.Sum.Products += l.Products
		v.Sum.Ands += l.Ands
		v.Sum.OTs += l.OTs
		v.Sum.ToServer += l.ToServer
		v.Sum.ToClient += l.ToClient
	}
	if a := r.Accuracy; a != nil && a.Classes <= maxMatrix {
		v.Matrices = []matrix{
			r.matrix("Float network", a.table(func(c Confusion) int { return c.Float })),
			r.matrix("Integer network", a.table(func(c Confusion) int { return c.Integer })),
		}
	} else if a != nil {
		v.Pairs = r.pairs()
	}
	if err := page.Execute(w, v); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// cards chooses what stands at the head.
func (r *Report) cards() []card {
	var cards []card
	if a := r.Accuracy; a != nil {
		cards = append(cards, card{"Accuracy", percent(a.Integer), fmt.Sprintf("float %s, %s points", percent(a.Float), points(a.Integer-a.Float))})
	}
	cards = append(cards, card{"Same answer", percent(r.Agree), fmt.Sprintf("as the float network, of %s samples", count(int64(r.Samples)))})
	var bytes, online int64
	rounds := 0
	for _, p := range r.Phases {
		if p.Name == "setup" {
			continue
		}
		bytes += p.ToServer + p.ToClient
		if p.Name == "online" {
			online, rounds = p.ToServer+p.ToClient, p.Rounds
		}
	}
	cards = append(cards, card{"Bytes an inference", size(bytes), size(online) + " of it online"},
		card{"Round trips online", strconv.Itoa(rounds), "after the input is known"})
	for _, l := range r.Links {
		cards = append(cards, card{"Online, " + l.Name, seconds(l.Online), seconds(l.Offline) + " before, offline"})
	}
	return cards
}

// name returns the name of a class.
func (r *Report) name(class int) string {
	if class < len(r.Labels) {
		return r.Labels[class]
	}
	return strconv.Itoa(class)
}

func (r *Report) matrix(title string, counts [][]int) matrix {
	m := matrix{Title: title}
	for c := range counts {
		m.Names = append(m.Names, r.name(c))
		row := matrixRow{Name: r.name(c)}
		for _, n := range counts[c] {
			row.Total += n
		}
		for j, n := range counts[c] {
			x := cell{N: n, Hit: j == c}
			if row.Total > 0 {
				x.Heat = float64(n) / float64(row.Total)
			}
			row.Cells = append(row.Cells, x)
		}
		row.Recall = row.Cells[c].Heat
		m.Rows = append(m.Rows, row)
	}
	return m
}

// pairs lists the classes that are confused most.
func (r *Report) pairs() []pair {
	var all []pair
	for _, c := range r.Accuracy.Confusion {
		if c.True != c.Answer {
			all = append(all, pair{r.name(c.True), r.name(c.Answer), c.Float, c.Integer})
		}
	}
	slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(b.Float+b.Integer, a.Float+a.Integer) })
	return all[:min(len(all), 20)]
}

// shares lists the layers that send most.
func (r *Report) shares() []share {
	var all []share
	total := int64(0)
	for i := range r.Layers {
		if n := r.Layers[i].ToServer + r.Layers[i].ToClient; n > 0 {
			all = append(all, share{Name: r.Layers[i].Name, Bytes: n})
			total += n
		}
	}
	slices.SortStableFunc(all, func(a, b share) int { return cmp.Compare(b.Bytes, a.Bytes) })
	if len(all) > 8 {
		rest := share{Name: fmt.Sprintf("%d others", len(all)-7)}
		for _, s := range all[7:] {
			rest.Bytes += s.Bytes
		}
		all = append(all[:7], rest)
	}
	for i := range all {
		all[i].Part = 100 * float64(all[i].Bytes) / float64(total)
	}
	return all
}

// percent prints a share.
func percent(share float64) string { return fmt.Sprintf("%.2f\u202f%%", 100*share) }

// points prints a difference of shares in percentage points.
func points(d float64) string {
	if d > -5e-5 && d < 5e-5 {
		return "±0.00"
	}
	return strings.Replace(fmt.Sprintf("%+.2f", 100*d), "-", "−", 1)
}

// count prints an integer in groups of three digits.
func count(n any) string {
	digits := fmt.Sprint(n)
	var out []byte
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out = append(out, "\u202f"...)
		}
		out = append(out, digits[i])
	}
	return string(out)
}

// size prints a number of bytes.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d\u202fB", n)
	case n < 1000_000:
		return fmt.Sprintf("%.1f\u202fkB", float64(n)/1e3)
	case n < 1000_000_000:
		return fmt.Sprintf("%.2f\u202fMB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f\u202fGB", float64(n)/1e9)
}

// seconds prints a duration.
func seconds(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%.3g\u202fms", s*1e3)
	}
	return fmt.Sprintf("%.3g\u202fs", s)
}
