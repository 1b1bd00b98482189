// Package linear computes convolutions and fully connected layers on encrypted
// tensors: it packs a tensor into polynomials, a layer's weights into others,
// so that the coefficients of a few products are the layer's outputs.
//
// It stands between encryption (package rlwe) and the protocol. Offline, the
// client packs its mask r of a layer's input and encrypts (Pack, Upload i); the
// server multiplies by its weights and re-shares (Answer i); both end with a
// share of W·r. Online the server finds its share again from its seed
// (RedoShare). The biases and the masked input are the protocol's business;
// nothing here knows what a network is. Outside of the protocol this package
// is of no use: a share by itself is noise.
//
// How a layer is cut into polynomials (its Layout) follows from public sizes
// alone. Read geometry.go and axis.go for the rewriting with stride 1, block.go
// for the packing and why its outputs are clean, cut.go for the choice of the
// cheapest cut, then this file.
package linear

import (
	"fmt"
	"sort"
	"strings"
	"sync"

	"dorcas/internal/rlwe"
)

// Params says what the encryption must carry. Both parties agree on it.
type Params struct {
	T        int // bits of the layer's integers: all is modulo 2^T
	Guard    int // bits below them in the shares; T + Guard ≤ 32
	NormBits int // the weights of one output channel have Euclidean norm ≤ 2^NormBits
}

// Layout is how a layer is cut into uploads and answers. It is public,
// immutable, and the same for everybody who calls NewLayout with the same
// arguments. Its methods may be called concurrently.
type Layout struct {
	geometry Geometry
	params   Params
	images   int
	n        int
	view     view
	tiles    []placed
	sets     []weightSet
	starts   [][]int32 // of the sets: the first plaintext of every answer
	uploads  int
	answers  int
	products int
	scratch  sync.Pool // of *scratch
}

// placed is a tile with its place among the uploads and answers, for some of
// the lanes: those of all images in a row.
type placed struct {
	tile
	firstLane, lanes         int
	firstUpload, firstAnswer int
	set                      int // index of its weights
	answer                   rlwe.AnswerParams
	wanted                   []int32 // coefficients of an answer of m kernels
}

// weightSet names plaintexts that several tiles share: for each answer one for
// each of its sources.
type weightSet struct {
	cut
	pitch, size int
}

// MaxImages is the most images that a Layout takes. AGREED
const MaxImages = 64

// NewLayout lays out a layer for a batch of images that share ciphertexts: it
// chooses the cut with the fewest bytes, then the fewest products. All the
// arguments may come from a peer.
func NewLayout(g Geometry, p Params, images int) (*Layout, error) {
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("linear: layout: %w", err)
	}
	if images < 1 || images > MaxImages {
		return nil, fmt.Errorf("linear: layout: %d images, want 1 to %d", images, MaxImages)
	}
	pr, err := p.prices(g)
	if err != nil {
		return nil, fmt.Errorf("linear: layout: %w", err)
	}
	l, err := newLayout(g, pr, images)
	if err != nil {
		return nil, fmt.Errorf("linear: layout: %w", err)
	}
	l.params = p
	for i := range l.tiles {
		t := &l.tiles[i]
		t.answer = p.answer(g, t.m)
	}
	return l, nil
}

// newLayout needs a checked Geometry.
func newLayout(g Geometry, p prices, images int) (*Layout, error) {
	l := &Layout{geometry: g, n: p.n, images: images}
	l.scratch.New = func() any { return new(scratch) }
	least, tiles := tooDear, []tile(nil)
	for _, try := range rewritings(g) {
		for _, how := range try {
			v := newView(g, how[0], how[1])
			if found, c := findTiles(&v, g.OutC, images, p); c.less(least) {
				l.view, tiles, least = v, found, c
			}
		}
		switch {
		case len(tiles) > 0:
			l.place(tiles)
			return l, nil
		case least != tooDear:
			return nil, fmt.Errorf("%v takes %d bytes, more than %d", g, least.bytes, int64(maxBytes))
		}
	}
	return nil, fmt.Errorf("%v takes too many bytes", g)
}

// maxLanes bounds the lanes of one image, for the time of the search. AGREED
const maxLanes = 1 << 10

// rewritings returns the rewritings of rows and columns to compare: those of
// the first row that a polynomial has room for. An axis with one output is
// best unrolled: then the tensor is a vector. The others are unrolled if the
// kernel is too large for a polynomial.
func rewritings(g Geometry) [][][2]rewriting {
	of := func(outs int, how rewriting) rewriting {
		if outs == 1 {
			return unrolled
		}
		return how
	}
	rows, cols := of(g.OutH(), phases), of(g.OutW(), phases)
	all := [][][2]rewriting{{{rows, cols}}, {{rows, unrolled}}, {{unrolled, unrolled}}}
	if v := newView(g, of(g.OutH(), split), of(g.OutW(), split)); v.lanes > 1 && v.lanes <= maxLanes {
		all[0] = append(all[0], [2]rewriting{of(g.OutH(), split), of(g.OutW(), split)})
	}
	return all
}

// place numbers uploads, answers and plaintexts.
func (l *Layout) place(tiles []tile) {
	rows, cols := l.view.grid()
	sets := map[weightSet]int{}
	type form struct {
		set, lead, outs, width, lanes int
	}
	forms := map[form][]int32{}
	for _, t := range tiles {
		key := weightSet{cut: t.cut, pitch: t.pitch, size: t.size}
		set, ok := sets[key]
		if !ok {
			set = len(l.sets)
			sets[key] = set
			l.sets = append(l.sets, key)
			l.starts = append(l.starts, l.startsOf(&key.cut))
		}
		for lane := 0; lane < l.images*l.view.lanes; lane += t.beside {
			lanes := min(t.beside, l.images*l.view.lanes-lane)
			f := form{set, t.outAt(rows.taps, cols.taps), t.outs(), t.cols.outs, lanes}
			if forms[f] == nil {
				forms[f] = wantedOf(&t, rows.taps, cols.taps, lanes)
			}
			l.tiles = append(l.tiles, placed{
				tile: t, set: set, firstLane: lane, lanes: lanes,
				firstUpload: l.uploads, firstAnswer: l.answers, wanted: forms[f],
			})
			l.uploads += t.uploads
			l.answers += t.answers
			l.products += l.plaintexts(set)
		}
	}
}

// wantedOf returns the coefficients of an answer that are outputs: kernel by
// kernel, lane by lane, row by row, ascending.
func wantedOf(t *tile, th, tw, lanes int) []int32 {
	wanted := make([]int32, 0, t.m*lanes*t.outs())
	for k := range t.m {
		for lane := range lanes {
			at := (k*t.ct*t.beside+lane)*t.size + t.outAt(th, tw)
			for y := range t.rows.outs {
				for x := range t.cols.outs {
					wanted = append(wanted, int32(at+y*t.pitch+x))
				}
			}
		}
	}
	return wanted
}

// Uploads returns the number of ciphertexts that the client sends.
func (l *Layout) Uploads() int { return l.uploads }

// Answers returns the number of answers that the server sends.
func (l *Layout) Answers() int { return l.answers }

// Products returns the number of products of a ciphertext and a plaintext.
func (l *Layout) Products() int { return l.products }

// UploadBytes returns the bytes of all uploads.
func (l *Layout) UploadBytes() int { return l.uploads * rlwe.CiphertextSize }

// AnswerBytes returns the bytes of all answers.
func (l *Layout) AnswerBytes() int {
	sum := 0
	for i := range l.answers {
		sum += l.AnswerSize(i)
	}
	return sum
}

// AnswerSize returns the bytes of answer i.
func (l *Layout) AnswerSize(i int) int {
	t, group := l.answerTile(i)
	return t.answer.Size(len(l.wanted(t, group)))
}

// Images returns how many images the layout is for.
func (l *Layout) Images() int { return l.images }

// In returns the number of elements of the input tensor of one image.
func (l *Layout) In() int { return l.geometry.InC * l.geometry.InH * l.geometry.InW }

// Out returns the number of elements of the output tensor of one image.
func (l *Layout) Out() int { return l.geometry.OutC * l.geometry.OutH() * l.geometry.OutW() }

// Sources returns the uploads that answer i is a sum over: count of them from
// the first. Answers come in the order of their sources, so a server can
// forget an upload once the answers have gone past it.
func (l *Layout) Sources(i int) (first, count int) {
	t, group := l.answerTile(i)
	first, end := l.view.group.sources(&t.cut, group, l.geometry.OutC)
	return t.firstUpload + first, end - first
}

// ImagesOf returns the images that answer i has outputs of: count of them from
// the first.
func (l *Layout) ImagesOf(i int) (first, count int) {
	t, _ := l.answerTile(i)
	return l.imagesOf(t)
}

func (l *Layout) imagesOf(t *placed) (first, count int) {
	first = t.firstLane / l.view.lanes
	return first, ceilDiv(t.firstLane+t.lanes, l.view.lanes) - first
}

// lanesOf returns which lanes of t, from first to end−1, are of an image.
func (l *Layout) lanesOf(t *placed, image int) (first, end int) {
	return max(image*l.view.lanes-t.firstLane, 0), min((image+1)*l.view.lanes-t.firstLane, t.lanes)
}

// String describes the layout completely: layouts with the same String are
// the same.
func (l *Layout) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%v mod 2^%d+%d norm 2^%d: %d uploads, %d answers, %d products",
		l.geometry, l.params.T, l.params.Guard, l.params.NormBits, l.uploads, l.answers, l.products)
	if l.view.flat {
		s.WriteString(", flat")
	}
	if lanes := l.images * l.view.lanes; lanes > 1 {
		fmt.Fprintf(&s, ", %d images of %d×%d lanes", l.images, l.view.row.lanes, l.view.col.lanes)
	}
	for i := range l.tiles {
		t := &l.tiles[i]
		fmt.Fprintf(&s, "; (%d,%d) %d×%d: block %d, pitch %d, output at %d, %d channels × %d kernels",
			t.rows.first, t.cols.first, t.rows.outs, t.cols.outs,
			t.size, t.pitch, t.wanted[0], t.ct, t.m)
		if l.images*l.view.lanes > 1 {
			fmt.Fprintf(&s, " × %d lanes from %d", t.lanes, t.firstLane)
		}
	}
	return s.String()
}

// uploadTile returns the tile of upload i and which group of channels it is.
func (l *Layout) uploadTile(i int) (*placed, int) {
	l.checkIndex(i, l.uploads)
	k := sort.Search(len(l.tiles), func(k int) bool { return l.tiles[k].firstUpload > i })
	t := &l.tiles[k-1]
	return t, i - t.firstUpload
}

// answerTile returns the tile of answer i and which group of kernels it is.
func (l *Layout) answerTile(i int) (*placed, int) {
	l.checkIndex(i, l.answers)
	k := sort.Search(len(l.tiles), func(k int) bool { return l.tiles[k].firstAnswer > i })
	t := &l.tiles[k-1]
	return t, i - t.firstAnswer
}

func (l *Layout) checkIndex(i, n int) {
	if i < 0 || i >= n {
		panic("linear: no such upload or answer")
	}
}

// wanted returns the coefficients that a group of kernels of t yields.
func (l *Layout) wanted(t *placed, group int) []int32 {
	kernels := min(t.m, l.geometry.OutC-group*t.m)
	return t.wanted[:kernels*t.lanes*t.outs()]
}
