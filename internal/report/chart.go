package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// svg collects the elements of a picture. Text is escaped; the rest is ours.
type svg struct{ b strings.Builder }

func (s *svg) add(format string, args ...any) { fmt.Fprintf(&s.b, format, args...) }

func (s *svg) text(x, y float64, class, anchor, text string) {
	s.add(`<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, template.HTMLEscapeString(text))
}

// done returns the picture with a description for those who do not see it.
func (s *svg) done(width, height float64, class, describe string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="%s" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s">%s</svg>`,
		class, width, height, width, height, template.HTMLEscapeString(describe), s.b.String()))
}

// short cuts a name to n letters, in its middle, where paths differ least.
func short(name string, n int) string {
	r := []rune(name)
	if len(r) <= n {
		return name
	}
	return string(r[:n/3]) + "…" + string(r[len(r)-(n-n/3-1):])
}

// errorChart draws the error of each layer as a bar.
func (r *Report) errorChart() template.HTML {
	const label, bar, step = 250.0, 560.0, 22.0
	var s svg
	most := 0.01
	for i := range r.Layers {
		most = max(most, r.Layers[i].Error)
	}
	top, tick := axis(most)
	height := step*float64(len(r.Layers)) + 34
	for v := 0.0; v <= top*1.0001; v += tick {
		x := label + bar*v/top
		s.add(`<line x1="%.1f" x2="%.1f" y1="4" y2="%.1f" class="grid"/>`, x, x, height-28)
		s.text(x, height-12, "tick", "middle", percent(v))
	}
	for i := range r.Layers {
		l := &r.Layers[i]
		y := step*float64(i) + 4
		class := "bar"
		if l.Histogram != nil || i == 0 {
			class = "bar stage"
		}
		s.text(label-10, y+15, "name", "end", short(l.Name, 34))
		s.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2" class="%s"><title>%s: %s</title></rect>`,
			label, y+4, max(bar*l.Error/top, 1), step-8, class, template.HTMLEscapeString(l.Name), percent(l.Error))
		s.text(label+bar*l.Error/top+6, y+15, "value", "start", percent(l.Error))
	}
	return s.done(label+bar+70, height, "chart", "Bars of the relative error of each layer; the table of layers has the numbers.")
}

// axis returns a round number above most, and a step to it.
func axis(most float64) (top, tick float64) {
	p := math.Pow(10, math.Floor(math.Log10(most)))
	for _, m := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10} {
		if most <= m*p {
			top = m * p
			break
		}
	}
	return top, top / 5
}

// histogram draws how many bits the values that a stage takes needed.
func (l *Layer) histogram() template.HTML {
	const width, height, base = 248.0, 96.0, 74.0
	var s svg
	most := int64(1)
	for _, n := range l.Histogram {
		most = max(most, n)
	}
	bits := 29.0
	w := (width - 8) / bits
	for b := 1; b < len(l.Histogram); b++ {
		h := (base - 12) * float64(l.Histogram[b]) / float64(most)
		if l.Histogram[b] > 0 {
			h = max(h, 1.5)
		}
		s.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="bar stage"><title>%d bits: %d values</title></rect>`,
			4+w*float64(b-1), base-h, w-1.5, h, b, l.Histogram[b])
	}
	edge := 4 + w*float64(l.Width)
	s.add(`<rect x="%.1f" y="8" width="%.1f" height="%.1f" class="beyond"/>`, edge, width-4-edge, base-8)
	s.add(`<line x1="%.1f" x2="%.1f" y1="4" y2="%.1f" class="limit"/>`, edge, edge, base)
	s.add(`<line x1="4" x2="%.1f" y1="%.1f" y2="%.1f" class="axis"/>`, width-4, base, base)
	for _, b := range []int{1, 8, 16, 24} {
		s.text(4+w*(float64(b)-0.5), base+15, "tick", "middle", fmt.Sprint(b))
	}
	return s.done(width, height, "small", fmt.Sprintf("Histogram: values of %s need up to %d bits of %d.", l.Name, l.Used(), l.Width))
}

// Heights of the picture of the graph.
const (
	rowHeight = 74.0
	boxHeight = 46.0
)

// graph draws the network.
func (r *Report) graph() template.HTML {
	in := make([][]int, len(r.Layers))
	for i := range r.Layers {
		in[i] = r.Layers[i].In
	}
	p := newLayout(in)
	var s svg
	for v := range p.vertices {
		for _, to := range p.vertices[v].down {
			p.edge(&s, v, to)
		}
	}
	for i := range r.Layers {
		p.box(&s, i, &r.Layers[i])
	}
	height := rowHeight*float64(len(p.rows)) - (rowHeight - boxHeight) + 8
	return s.done(p.width+8, height, "graph", fmt.Sprintf("The network as a graph of %d layers in %d rows; the table of layers has the same as text.", len(r.Layers), len(p.rows)))
}

// edge draws a line from the bottom of a vertex to the top of one below;
// bends have no height.
func (p *layout) edge(s *svg, from, to int) {
	a, b := &p.vertices[from], &p.vertices[to]
	x1, y1 := a.x+4, rowHeight*float64(a.row)+4+boxHeight
	x2, y2 := b.x+4, rowHeight*float64(b.row)+4
	mid := (y1 + y2) / 2
	s.add(`<path class="edge" d="M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f`, x1, y1, x1, mid, x2, mid, x2, y2)
	if b.layer < 0 {
		s.add(` V%.1f"/>`, y2+boxHeight)
		return
	}
	s.add(`"/><path class="tip" d="M%.1f %.1f l-4 -7 h8 z"/>`, x2, y2)
}

// box draws a layer: its name, what it does, and the tensor that it gives.
func (p *layout) box(s *svg, i int, l *Layer) {
	v := &p.vertices[p.of[i]]
	x, y := v.x-boxWidth/2+4, rowHeight*float64(v.row)+4
	class := "public"
	switch {
	case i == 0 || i == len(p.of)-1:
		class = "end"
	case l.WeightBits > 0:
		class = "linear"
	case l.Histogram != nil:
		class = "nonlinear"
	}
	s.add(`<g class="box %s"><title>%s</title><rect x="%.1f" y="%.1f" width="%.0f" height="%.0f" rx="7"/>`,
		class, template.HTMLEscapeString(l.Name+": "+l.Kind), x, y, boxWidth, boxHeight)
	s.add(`<rect x="%.1f" y="%.1f" width="5" height="%.0f" rx="2.5" class="mark"/>`, x, y, boxHeight)
	s.text(x+14, y+19, "kind", "start", short(l.Kind, 18))
	s.text(x+boxWidth-10, y+19, "dims", "end", l.Shape.String())
	s.text(x+14, y+36, "what", "start", short(l.Name, 25))
	s.text(x+boxWidth-10, y+36, "bits", "end", l.numbers())
	s.add(`</g>`)
}

// numbers returns the widths of a layer, short: the bits of what it takes and
// of what it gives.
func (l *Layer) numbers() string {
	switch {
	case l.Bits > 0 && l.Width > 0 && l.Histogram != nil:
		return fmt.Sprintf("%d → %d bit", l.Width, l.Bits)
	case l.Bits > 0:
		return fmt.Sprintf("%d bit", l.Bits)
	case l.Width > 0:
		return fmt.Sprintf("%d bit", l.Width)
	}
	return ""
}
