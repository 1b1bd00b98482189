package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dorcas"
	"dorcas/internal/report"
	"dorcas/nn"
	"dorcas/nn/onnx"

	"github.com/spf13/cobra"
)

type compileFlags struct {
	sampleFlags
	reportFlags
	out        string
	name       string
	preprocess string
	reveal     string
	calibrate  string
	equalize   string
	opt        nn.QuantizeOptions
	search     bool // for the cheapest network that loses at most so much:
	loss       float64
}

func newCompile(g *globals) *cobra.Command {
	var f compileFlags
	cmd := &cobra.Command{
		Use:   "compile MODEL.onnx --samples DIR -o MODEL",
		Short: "Turn a trained ONNX network into a model file",
		Long: `Turn a trained ONNX network into a model file: quantise it to integers, choose
their scales by samples, and report what that costs in accuracy.

Samples are inputs like those the network will meet, some hundred: a folder of
class folders (named by a label, or by its number), a folder of pictures, an
array as for dorcas infer with --labels for its classes, or a table (.csv) with
--label-column. Accuracies are percentages, like 99.1; they are absent (null)
where classes are not known.

--preprocess is a JSON file that says how a picture becomes the network's input:
  {"preprocess": {"layout": "NCHW", "color": "gray", "size": [28, 28],
                  "mean": [0.5], "std": [0.5]}, "labels": ["cat", "dog"]}
Each number is (byte/255 - mean)/std. Without it mean is 0, std 1, and the size
the network's. "window": [center, width] is for DICOM, "features": [names] for
the columns of tables. It becomes public: clients read it from the server.

Scales are chosen by --calibrate: minmax clamps no value of the samples,
percentile one of 10 000 or of 1000, mse takes the least mean square error; auto
tries all of them, and channels brought to like ranges (--equalize), and keeps what
is closest to the float network.

--max-accuracy-loss 0.5 looks for the bits of each layer with which the network
sends the fewest bytes and still loses at most 0.5 points of accuracy against the
float network, on one half of the samples and on the other, which is held out
(from 40 samples on). Without classes what counts is the share of the same answers.
It begins with the bits of the flags; layers of --layer-bits keep theirs.

With --json: {"samples","accuracy_float","accuracy_integer","activation_bits",
"layers":[…], and more}; activation_bits is the width of the widest activation.

A report is written beside the model: a page that needs no network, with accuracy,
confusion, errors, use of the widths, costs and a picture of the graph; and the
same as JSON.`,
		Example: `  dorcas compile net.onnx --samples train/ --preprocess net.json -o net.dorcas
  dorcas compile net.onnx --samples x.npy --labels y.npy --limit 500 -o net.dorcas
  dorcas compile net.onnx --samples set.npz#val_images --labels set.npz#val_labels -o net.dorcas
  dorcas compile net.onnx --samples rows.csv --label-column class --preprocess net.json -o net.dorcas
  dorcas compile net.onnx --samples x.npy --act-bits 6 --reveal label -o net.dorcas
  dorcas compile net.onnx --samples x.npy --labels y.npy --max-accuracy-loss 0.5 -o net.dorcas`,
		Args: between(1, 1, "an ONNX file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.search = cmd.Flags().Changed("max-accuracy-loss")
			return interruptible(cmd.Context(), func() error { return f.run(cmd, g, args[0]) })
		},
	}
	f.sampleFlags.register(cmd)
	f.reportFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "output", "o", "", "model file to write (default the ONNX file's name with .dorcas)")
	flags.StringVar(&f.name, "name", "", "public name of the model (default the file's)")
	flags.StringVar(&f.preprocess, "preprocess", "", "JSON file with preprocessing and labels")
	flags.StringVar(&f.reveal, "reveal", "scores", "what clients learn: scores, only the label, or top3, the three best labels")
	flags.IntVar(&f.opt.ActBits, "act-bits", 8, "bits of activations, 2 to 14")
	flags.IntVar(&f.opt.WeightBits, "weight-bits", 8, "bits of weights, 2 to 14 (depthwise convolutions: 2 more)")
	flags.IntVar(&f.opt.SquareBits, "square-bits", 8, "bits around squares, 2 to 14")
	flags.StringToIntVar(&f.opt.LayerBits, "layer-bits", nil, "bits of single layers, by the names that compile prints: conv1=6,relu1=5")
	flags.StringVar(&f.calibrate, "calibrate", "auto", "how samples choose scales: minmax, percentile, mse or auto, the best of these")
	flags.StringVar(&f.equalize, "equalize", "auto", "bring channels between layers to like ranges: auto, always or never")
	flags.Float64Var(&f.loss, "max-accuracy-loss", 0, "search the bits of layers for the fewest bytes, losing at most so many percentage points")
	flags.IntVar(&f.opt.InputBits, "input-bits", 0, "bits of the input, 2 to 14 (default 8, or 9 with negative values)")
	return cmd
}

func (f *compileFlags) check() error {
	for _, b := range []struct {
		name string
		bits int
	}{
		{"act-bits", f.opt.ActBits}, {"weight-bits", f.opt.WeightBits}, {"square-bits", f.opt.SquareBits}, {"input-bits", f.opt.InputBits},
	} {
		if (b.bits < 2 || b.bits > 14) && (b.name != "input-bits" || b.bits != 0) {
			return usagef("--%s %d: 2 to 14 bits", b.name, b.bits)
		}
	}
	for name, bits := range f.opt.LayerBits {
		if bits < 2 || bits > 12 {
			return usagef("--layer-bits %s=%d: 2 to 12 bits", name, bits)
		}
	}
	switch f.opt.Calibrate = nn.Calibration(f.calibrate); f.opt.Calibrate {
	case nn.CalibrateAuto, nn.CalibrateMinMax, nn.CalibratePercentile, nn.CalibrateMSE:
	default:
		return usagef("--calibrate %s: minmax, percentile, mse or auto", f.calibrate)
	}
	switch f.opt.Equalize = nn.Equalization(f.equalize); f.opt.Equalize {
	case nn.EqualizeAuto, nn.EqualizeAlways, nn.EqualizeNever:
	default:
		return usagef("--equalize %s: auto, always or never", f.equalize)
	}
	if f.search && !(f.loss >= 0 && f.loss <= 100) {
		return usagef("--max-accuracy-loss %v: 0 to 100 percentage points", f.loss)
	}
	f.opt.Reveal = nn.Reveal(f.reveal)
	if !f.opt.Reveal.Valid() {
		return usagef("--reveal %s: scores, label or top3", f.reveal)
	}
	return errors.Join(f.sampleFlags.check(), f.reportFlags.check())
}

func (f *compileFlags) run(cmd *cobra.Command, g *globals, path string) error {
	if err := f.check(); err != nil {
		return err
	}
	base := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if f.out == "" {
		f.out = strings.TrimSuffix(path, filepath.Ext(path)) + ".dorcas"
	}
	if f.name == "" {
		f.name = base
	}
	graph, err := readGraph(cmd, g, path)
	if err != nil {
		return err
	}
	record, err := f.record(graph.Input)
	if err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), g, -1, "reading samples")
	defer bar.done()
	s, err := f.read(graph, record)
	if err != nil {
		return err
	}
	bar.done()
	m, quantized, found, err := f.quantize(cmd, g, graph, s)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m.Name, m.Record = f.name, *record
	r := &compileReport{
		Model: f.out, Samples: len(s.x), Calibration: s.calibrated(found), Method: quantized.Calibration, Equalized: quantized.Equalized,
		Search: found, Input: quantized.Input, Layers: quantized.Layers,
	}
	if err := r.evaluate(cmd, g, graph, m, s); err != nil {
		return err
	}
	server, err := dorcas.NewServer(m, nil) // proves that it can be served
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := m.WriteFile(f.out); err != nil {
		return err
	}
	c := &compiled{file: f.out, graph: graph, model: m, report: quantized, server: server, samples: s, float: r.float, integer: r.integer, options: f.options(quantized)}
	if r.Page, err = f.reportFlags.write(c); err != nil {
		return err
	}
	return r.finish(server.Plan()).write(cmd.OutOrStdout(), g)
}

// options lists the choices that the report shows.
func (f *compileFlags) options(q *nn.QuantizeReport) []report.Option {
	all := []report.Option{
		{Name: "Activation bits", Value: fmt.Sprint(f.opt.ActBits)},
		{Name: "Weight bits", Value: fmt.Sprint(f.opt.WeightBits)},
		{Name: "Scales by", Value: q.Calibration},
	}
	if q.Equalized > 0 {
		all = append(all, report.Option{Name: "Tensors equalised", Value: fmt.Sprint(q.Equalized)})
	}
	if f.search {
		all = append(all, report.Option{Name: "Accuracy it may lose", Value: fmt.Sprintf("%g points", f.loss)})
	}
	return append(all, report.Option{Name: "Clients learn", Value: f.reveal})
}

// readGraph reads an ONNX file. It lists the nodes that are not supported; the
// error only counts them.
func readGraph(cmd *cobra.Command, g *globals, path string) (*nn.Graph, error) {
	graph, err := onnx.ReadFile(path)
	if u, ok := errors.AsType[*onnx.UnsupportedError](err); ok && !g.quiet {
		for _, n := range u.Nodes {
			fmt.Fprintf(cmd.ErrOrStderr(), "not supported: %s\n", n)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return graph, nil
}

// record reads --preprocess and fills in what it leaves out.
func (f *compileFlags) record(in nn.Dims) (*nn.Record, error) {
	var r nn.Record
	if f.preprocess != "" {
		text, err := os.ReadFile(f.preprocess)
		if err != nil {
			return nil, fmt.Errorf("--preprocess: %w", err)
		}
		if r, err = nn.ParseRecord(text); err != nil {
			return nil, fmt.Errorf("%s: %w", f.preprocess, err)
		}
	}
	p := &r.Preprocess
	if in.H*in.W > 1 && len(p.Size) == 0 {
		p.Size = []int{in.H, in.W}
	}
	if in.H*in.W > 1 && p.Color == "" && in.C <= 3 {
		p.Color = map[int]string{1: "gray", 3: "RGB"}[in.C]
	}
	return &r, nil
}
