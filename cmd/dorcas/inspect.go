package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"dorcas"
	"dorcas/nn"

	"github.com/spf13/cobra"
)

func newInspect(g *globals) *cobra.Command {
	var links []string
	batch := 1
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Say what a model is and what it will cost",
		Long: `Say what a model is and what an inference with it will cost: bytes and round
trips exactly, times as estimates.`,
		Example: `  dorcas inspect net.dorcas
  dorcas inspect net.dorcas --link 100mbit,40ms --link 10mbit,100ms
  dorcas inspect net.dorcas --batch 8
  dorcas inspect net.dorcas --json`,
		Args: between(1, 1, "a model file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			all := []link{lan, wan}
			for _, s := range links {
				l, err := parseLink(s)
				if err != nil {
					return err
				}
				all = append(all, l)
			}
			return interruptible(cmd.Context(), func() error { return inspect(cmd, g, args[0], all, batch) })
		},
	}
	cmd.Flags().StringArrayVar(&links, "link", nil, "predict times for a bandwidth and a round-trip time, like 100mbit,40ms; may be repeated")
	cmd.Flags().IntVar(&batch, "batch", 1, "predict what inferences cost that are prepared together, so many at a time")
	return cmd
}

// inspection is what inspect prints.
type inspection struct {
	File      string      `json:"file"`
	FileBytes int64       `json:"file_bytes"`
	Name      string      `json:"name"`
	ModelHash string      `json:"model_hash"`
	Input     nn.Input    `json:"input"`
	Record    nn.Record   `json:"record"`
	Output    nn.Output   `json:"output"`
	Layers    []layerLine `json:"layers"`
	Phases    []phaseCost `json:"phases"`
	Ands      int         `json:"and_gates"`
	OTs       int         `json:"ots"`
	// Memory in bytes: of one prepared inference at the client, the most of a
	// preparation at the server, and of the encoded weights.
	ClientMemory int64        `json:"client_memory_bytes"`
	ServerMemory int64        `json:"server_memory_bytes"`
	WeightMemory int64        `json:"weight_memory_bytes"`
	Batch        *batchCost   `json:"batch,omitempty"`
	Times        []prediction `json:"predicted_seconds"`
	Estimates    string       `json:"estimates"`
}

// batchCost is what one of several inferences prepared together costs offline,
// and the memory that all of them take.
type batchCost struct {
	Inferences   int   `json:"inferences"`
	ToServer     int64 `json:"client_to_server_bytes"`
	ToClient     int64 `json:"server_to_client_bytes"`
	ClientMemory int64 `json:"client_memory_bytes"`
	ServerMemory int64 `json:"server_memory_bytes"`
}

func newBatchCost(p *dorcas.Plan, n int) (*batchCost, error) {
	if n == 1 {
		return nil, nil
	}
	b, err := p.Batch(n)
	if err != nil {
		return nil, usagef("--batch %d: 1 to %d with this network", n, p.MaxBatch())
	}
	c := &batchCost{Inferences: n}
	c.ToServer, c.ToClient = b.Bytes()
	c.ToServer, c.ToClient = c.ToServer/int64(n), c.ToClient/int64(n)
	c.ClientMemory, c.ServerMemory = b.Memory()
	return c, nil
}

// prediction is the estimated time of each phase over a link.
type prediction struct {
	link
	Transfers string  `json:"transfers"` // what a client on this link proposes for one inference
	Setup     float64 `json:"setup"`
	Offline   float64 `json:"offline"`
	Online    float64 `json:"online"`
}

func inspect(cmd *cobra.Command, g *globals, file string, links []link, batch int) error {
	m, err := readModel(file)
	if err != nil {
		return err
	}
	server, err := dorcas.NewServer(m, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	p := server.Plan()
	v := &inspection{
		File: file, Name: m.Name, ModelHash: fmt.Sprintf("%x", p.Hash()),
		Input: m.Input, Record: m.Record, Output: m.Output,
		Layers: layerLines(p), Phases: phaseCosts(p), Ands: p.Ands(), OTs: p.OTs(), WeightMemory: server.WeightBytes(),
	}
	if info, err := os.Stat(file); err == nil {
		v.FileBytes = info.Size()
	}
	if v.Batch, err = newBatchCost(p, batch); err != nil {
		return err
	}
	v.Estimates = "computation on " + estimatesRestOn
	v.ClientMemory, v.ServerMemory = p.Memory()
	for _, l := range links {
		x, err := predict(p, l)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		v.Times = append(v.Times, x)
	}
	if g.json {
		return writeJSON(cmd.OutOrStdout(), v)
	}
	return v.write(cmd.OutOrStdout())
}

// predict estimates the times over a link, with the transfers that a client chooses for it.
func predict(p *dorcas.Plan, l link) (prediction, error) {
	p, err := p.Choose(1, *l.rates(), dorcas.DefaultTransferMemory)
	if err != nil {
		return prediction{}, err
	}
	c := phaseCosts(p)
	return prediction{l, p.Transfers().String(), l.seconds(c[0]), l.seconds(c[1]), l.seconds(c[2])}, nil
}

func (v *inspection) write(w io.Writer) error {
	fmt.Fprintf(w, "model    %s (%s, %s)\nhash     %s\n", printable(v.Name), v.File, size(v.FileBytes), v.ModelHash)
	fmt.Fprintf(w, "input    %s, %s bits%s\n", v.Input.Dims, bits(v.Input.Bits, v.Input.Signed), picture(v.Record.Preprocess))
	fmt.Fprintf(w, "output   %s\n\n", v.learns())
	t := newTable(2, "layer", "what", "output", "width", "shift", "bits", "ciphertexts", "products", "AND gates", "OTs", "to server", "to client")
	var sum layerLine
	for _, l := range v.Layers {
		t.add(l.Name, l.Kind, l.Output, count(l.Width), count(l.Shift), bits(l.Bits, l.Signed), count(l.Ciphertexts),
			count(l.Products), count(l.Ands), count(l.OTs), size(l.ToServer), size(l.ToClient))
		sum.Ciphertexts += l.Ciphertexts
		sum.Products += l.Products
		sum.ToServer += l.ToServer
		sum.ToClient += l.ToClient
	}
	t.add("all layers", "", "", "", "", "", count(sum.Ciphertexts), count(sum.Products), count(v.Ands), count(v.OTs),
		size(sum.ToServer), size(sum.ToClient))
	if err := t.write(w); err != nil {
		return err
	}
	fmt.Fprintln(w)
	t = newTable(1, "phase", "to server", "to client", "round trips")
	for _, c := range v.Phases {
		t.add(phaseName(c.Phase), size(c.ToServer), size(c.ToClient), c.Rounds)
	}
	if b := v.Batch; b != nil {
		t.add(fmt.Sprintf("offline, each of %d prepared together", b.Inferences), size(b.ToServer), size(b.ToClient), 1)
	}
	if err := t.write(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nmemory   client %s a prepared inference; server %s while it prepares, and %s of weights\n\n",
		size(v.ClientMemory), size(v.ServerMemory), size(v.WeightMemory))
	if b := v.Batch; b != nil {
		fmt.Fprintf(w, "         client %s for %d prepared together; server %s while it prepares them\n\n",
			size(b.ClientMemory), b.Inferences, size(b.ServerMemory))
	}
	t = newTable(1, "estimated time", "setup", "offline", "online", "transfers")
	for _, x := range v.Times {
		t.add(x.Name, seconds(x.Setup), seconds(x.Offline), seconds(x.Online), x.Transfers)
	}
	if err := t.write(w); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nTimes are estimates: bytes over the bandwidth, round trips, and computation on\n"+estimatesRestOn+".")
	return err
}

// learns says what a client learns of the result.
func (v *inspection) learns() string {
	text := fmt.Sprintf("%s, %d bits", v.Output.Reveal, v.Output.Width)
	if n := v.Output.Reveal.Labels(); n == 1 {
		text = "only the label"
	} else if n > 1 {
		text = fmt.Sprintf("only the %d best labels", n)
	}
	if n := len(v.Record.Labels); n > 0 {
		names := v.Record.Labels
		if n > 12 {
			names = append(names[:11:11], "…", names[n-1])
		}
		text += fmt.Sprintf("; %d classes: %s", n, printable(strings.Join(names, ", ")))
	}
	return text
}

// picture says how a picture becomes an input.
func picture(p nn.Preprocess) string {
	text := ""
	if len(p.Size) == 2 {
		text = fmt.Sprintf("; %s pictures of %d×%d", printable(p.Color), p.Size[0], p.Size[1])
	}
	if len(p.Window) == 2 {
		text += fmt.Sprintf("; window of %.4g around %.4g", p.Window[1], p.Window[0])
	}
	if len(p.Features) > 0 {
		text += fmt.Sprintf("; columns %s to %s", printable(p.Features[0]), printable(p.Features[len(p.Features)-1]))
	}
	if len(p.Mean) > 3 {
		return text + "; mean and std of each feature"
	}
	if len(p.Mean)+len(p.Std) > 0 {
		text += fmt.Sprintf("; mean %.4g, std %.4g", p.Mean, p.Std)
	}
	return text
}

// phaseName says how often a phase happens.
func phaseName(p dorcas.Phase) string {
	if p == dorcas.Setup {
		return "setup, once a session"
	}
	return string(p) + ", each inference"
}
