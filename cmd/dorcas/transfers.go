package main

import (
	"dorcas"

	"github.com/spf13/pflag"
)

// transferFlags say how a client makes its oblivious transfers.
type transferFlags struct {
	transfers string
	link      string
}

const autoTransfers = "auto"

func (f *transferFlags) register(flags *pflag.FlagSet, link string) {
	flags.StringVar(&f.transfers, "transfers", autoTransfers, "how to make oblivious transfers: softspoken2, softspoken4, softspoken8, silent10 to silent13, or auto for the quickest")
	flags.StringVar(&f.link, "link", "", link)
}

// options returns the client's options for so many inferences, and the link if there is one.
func (f *transferFlags) options(inferences int) (*dorcas.ClientOptions, *link, error) {
	o := &dorcas.ClientOptions{Inferences: inferences}
	var over *link
	if f.link != "" {
		l, err := parseLink(f.link)
		if err != nil {
			return nil, nil, err
		}
		over, o.Link = &l, l.rates()
	}
	if f.transfers != autoTransfers {
		m, err := dorcas.ParseTransfers(f.transfers)
		if err != nil {
			return nil, nil, usagef("--transfers %q: auto, softspoken2, softspoken4, softspoken8, or silent10 to silent13", f.transfers)
		}
		o.Transfers = m
	}
	return o, over, nil
}

// rates is the link as a client's options have it.
func (l link) rates() *dorcas.Link {
	return &dorcas.Link{Up: l.BitsPerS / 8, Down: l.BitsPerS / 8, Trip: l.trip()}
}
