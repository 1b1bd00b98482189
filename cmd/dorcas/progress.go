package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a line on the terminal that says how far the work is. Where
// stderr is no terminal, or with --quiet, it is nil and prints nothing.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(stderr io.Writer, g *globals, total int, what string) *progress {
	f, ok := stderr.(*os.File)
	if g.quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(f),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(50*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

// set says how much is done.
func (p *progress) set(done int) {
	if p != nil {
		_ = p.bar.Set(done)
	}
}

// describe changes what the line says.
func (p *progress) describe(what string) {
	if p != nil {
		p.bar.Describe(what)
	}
}

// hide clears the line, so that something else can be printed.
func (p *progress) hide() {
	if p != nil {
		_ = p.bar.Clear()
	}
}

// done clears the line for good.
func (p *progress) done() {
	if p != nil {
		_ = p.bar.Finish()
		_ = p.bar.Clear()
	}
}
