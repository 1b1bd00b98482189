package nn

import "fmt"

// Run computes the graph in float32 on one image and returns the scores, as
// they are before the Head.
func (g *Graph) Run(x []float32) ([]float32, error) {
	tensors, err := g.RunAll(x, nil)
	if err != nil {
		return nil, err
	}
	return append([]float32(nil), tensors[g.Output]...), nil
}

// RunAll computes the graph in float32 on one image and returns every tensor.
// Tensor 0 is x itself and a reshaped tensor shares its numbers with the one
// it comes from: they are to be read only.
//
// reuse is nil or what an earlier call for the same graph returned; its memory
// then becomes that of the result. Calls with different reuse may run at the
// same time.
func (g *Graph) RunAll(x []float32, reuse [][]float32) ([][]float32, error) {
	if err := g.validateSizes(); err != nil {
		return nil, err
	}
	if len(x) != g.Input.Len() {
		return nil, fmt.Errorf("nn: graph: input: have %d values, the network takes %d", len(x), g.Input.Len())
	}
	tensors := reuse
	if len(tensors) != len(g.Nodes)+1 {
		tensors = make([][]float32, len(g.Nodes)+1)
	}
	tensors[0] = x
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Op == NodeReshape {
			tensors[i+1] = tensors[n.In[0]]
			continue
		}
		if len(tensors[i+1]) != n.Out.Len() {
			tensors[i+1] = make([]float32, n.Out.Len())
		}
		n.run(tensors[i+1], tensors, g.Dims(n.In[0]))
	}
	return tensors, nil
}

// run computes any node but a Reshape; in is the size of its first input.
func (n *Node) run(dst []float32, tensors [][]float32, in Dims) {
	x := tensors[n.In[0]]
	switch n.Op {
	case NodeConv:
		convFloat(dst, x, in, n.Out, n.Window, n.Weights)
		addBiasFloat(dst, n.Bias)
	case NodeDense:
		productFloat(dst, 1, x, n.Weights, len(x))
		addBiasFloat(dst, n.Bias)
	case NodeAffine:
		affineFloat(dst, x, n.Scale, n.Shift)
	case NodeRelu:
		for i, v := range x {
			dst[i] = max(v, 0)
		}
	case NodeSquare:
		for i, v := range x {
			dst[i] = v * v
		}
	case NodeMaxPool:
		poolFloat(dst, x, in, n.Out, n.Window, maxFloat)
	case NodeAvgPool:
		poolFloat(dst, x, in, n.Out, n.Window, sumFloat)
		averageFloat(dst, in, n.Out, n.Window, n.CountPad)
	case NodeAdd:
		y := tensors[n.In[1]]
		for i, v := range x {
			dst[i] = v + y[i]
		}
	case NodeZeroPad:
		zeroPadFloat(dst, x, in, n.Out, n.Pad)
	}
}

// addBiasFloat adds one number to each channel; an empty bias is zeros.
func addBiasFloat(dst, bias []float32) {
	if len(bias) == 0 {
		return
	}
	plane := len(dst) / len(bias)
	for c, b := range bias {
		for i := range dst[c*plane : (c+1)*plane] {
			dst[c*plane+i] += b
		}
	}
}

func affineFloat(dst, x, scale, shift []float32) {
	plane := len(x) / len(scale)
	for c, s := range scale {
		out, t := dst[c*plane:(c+1)*plane], shift[c]
		for i, v := range x[c*plane : (c+1)*plane] {
			out[i] = s*v + t
		}
	}
}

func zeroPadFloat(dst, x []float32, in, out Dims, p Pad) {
	clear(dst)
	for c := range in.C {
		for h := range in.H {
			at := (c*out.H+h+p.Top)*out.W + p.Left
			copy(dst[at:at+in.W], x[(c*in.H+h)*in.W:])
		}
	}
}

// poolFloat sets each output to what of makes of the window's numbers, the
// border left out, row by row; of gets what it returned for the row before.
func poolFloat(dst, x []float32, in, out Dims, win Window, of func(row []float32, before float32, first bool) float32) {
	for c := range in.C {
		plane := x[c*in.H*in.W : (c+1)*in.H*in.W]
		for oh := range out.H {
			h0, h1 := covered(oh*win.StrideH-win.Pad.Top, win.KH, in.H)
			for ow := range out.W {
				w0, w1 := covered(ow*win.StrideW-win.Pad.Left, win.KW, in.W)
				var v float32
				for h := h0; h < h1; h++ {
					v = of(plane[h*in.W+w0:h*in.W+w1], v, h == h0)
				}
				dst[(c*out.H+oh)*out.W+ow] = v
			}
		}
	}
}

// covered returns the part [first, last) of [0, n) that a window of k numbers
// from start covers: never empty, as a border is narrower than its window.
func covered(start, k, n int) (first, last int) { return max(start, 0), min(start+k, n) }

func maxFloat(row []float32, before float32, first bool) float32 {
	if first {
		before = row[0]
	}
	for _, v := range row {
		before = max(before, v)
	}
	return before
}

func sumFloat(row []float32, before float32, _ bool) float32 {
	for _, v := range row {
		before += v
	}
	return before
}

// averageFloat divides sums of windows by the size of the window, or by what
// of it lies on the plane.
func averageFloat(dst []float32, in, out Dims, win Window, countPad bool) {
	for oh := range out.H {
		h0, h1 := covered(oh*win.StrideH-win.Pad.Top, win.KH, in.H)
		for ow := range out.W {
			w0, w1 := covered(ow*win.StrideW-win.Pad.Left, win.KW, in.W)
			size := float32((h1 - h0) * (w1 - w0))
			if countPad {
				size = float32(win.KH * win.KW)
			}
			for c := range out.C {
				dst[(c*out.H+oh)*out.W+ow] /= size
			}
		}
	}
}
