package nn

import (
	"math/big"
	"slices"
)

// exact computes the model from the definitions, in integers that do not
// overflow.
func exact(m *Model, x []int32) [][]int64 {
	in := make([]int64, len(x))
	for i, v := range x {
		in[i] = int64(v)
	}
	tensors := [][]int64{in}
	for i := range m.Layers {
		l := &m.Layers[i]
		out := make([]int64, l.Out.Len())
		x, d := tensors[l.In[0]], m.Dims(l.In[0])
		for e := range out {
			c, h, w := e/(l.Out.H*l.Out.W), e/l.Out.W%l.Out.H, e%l.Out.W
			switch {
			case l.Conv != nil:
				out[e] = exactConv(m.Weights[i], l.Conv, x, d, l.Out, c, h, w)
			case l.Activate != nil && l.Activate.Pool != nil:
				vs := covers(*l.Activate.Pool, x, d, c, h, w)
				out[e] = exactStage(l.Activate, slices.Max(vs))
			case l.Activate != nil:
				out[e] = exactStage(l.Activate, x[e])
			default:
				out[e] = exactPublic(m, l, tensors, c, h, w)
			}
		}
		tensors = append(tensors, out)
	}
	return tensors
}

// exactPublic computes one element of a public linear layer from its
// coordinates.
func exactPublic(m *Model, l *Layer, tensors [][]int64, c, h, w int) int64 {
	x, d := tensors[l.In[0]], m.Dims(l.In[0])
	get := func(c, h, w int) int64 {
		if c < 0 || h < 0 || w < 0 || c >= d.C || h >= d.H || w >= d.W {
			return 0
		}
		return x[(c*d.H+h)*d.W+w]
	}
	at := [3]int{c, h, w}
	switch {
	case l.SumPool != nil:
		vs := covers(l.SumPool.Window, x, d, c, h, w)
		sum := int64(0)
		for _, v := range vs {
			sum += v
		}
		if l.SumPool.Level {
			sum *= int64(l.SumPool.Divisor(d, l.Out) / len(vs))
		}
		return sum
	case l.Add != nil:
		sum := int64(0)
		for j, t := range l.In {
			sum += tensors[t][(c*d.H+h)*d.W+w] * int64(l.Add.Factor[j])
		}
		return sum
	case l.Concat != nil:
		for j, t := range l.In {
			x, d = tensors[t], m.Dims(t)
			if n := d.axis(l.Concat.Axis); at[l.Concat.Axis] >= n {
				at[l.Concat.Axis] -= n
				continue
			}
			return get(at[0], at[1], at[2]) * int64(l.Concat.Factor[j])
		}
	case l.ZeroPad != nil:
		return get(c, h-l.ZeroPad.Top, w-l.ZeroPad.Left)
	case l.Slice != nil:
		for i := range at {
			at[i] = l.Slice.Start[i] + at[i]*l.Slice.Step[i]
		}
		return get(at[0], at[1], at[2])
	case l.Transpose != nil:
		var from [3]int
		for i, axis := range l.Transpose.Perm {
			from[axis] = at[i]
		}
		return get(from[0], from[1], from[2])
	case l.Upsample != nil:
		return get(c, h/l.Upsample.H, w/l.Upsample.W)
	case l.Stuff != nil:
		if h%l.Stuff.H == 0 && w%l.Stuff.W == 0 {
			return get(c, h/l.Stuff.H, w/l.Stuff.W)
		}
		return 0
	}
	return x[(c*l.Out.H+h)*l.Out.W+w]
}

// covers returns the elements of channel c under the window of output (h, w).
func covers(win Window, x []int64, d Dims, c, h, w int) []int64 {
	var vs []int64
	dh, dw := max(win.DilH, 1), max(win.DilW, 1)
	for i := range win.KH {
		for j := range win.KW {
			y, z := h*win.StrideH-win.Pad.Top+i*dh, w*win.StrideW-win.Pad.Left+j*dw
			if y >= 0 && y < d.H && z >= 0 && z < d.W {
				vs = append(vs, x[(c*d.H+y)*d.W+z])
			}
		}
	}
	return vs
}

func exactConv(weights *Weights, conv *Conv, x []int64, d, out Dims, oc, oh, ow int) int64 {
	win, groups := conv.Window, max(conv.Groups, 1)
	sum := int64(weights.Bias[oc*len(weights.Bias)/out.C])
	if conv.PlaneBias {
		sum = int64(weights.Bias[(oc*out.H+oh)*out.W+ow])
	}
	dh, dw := max(win.DilH, 1), max(win.DilW, 1)
	part := d.C / groups
	for i := range part {
		ic := oc/(out.C/groups)*part + i
		for kh := range win.KH {
			for kw := range win.KW {
				h, w := oh*win.StrideH+kh*dh-win.Pad.Top, ow*win.StrideW+kw*dw-win.Pad.Left
				if h >= 0 && h < d.H && w >= 0 && w < d.W {
					sum += int64(weights.W[((oc*part+i)*win.KH+kh)*win.KW+kw]) * x[(ic*d.H+h)*d.W+w]
				}
			}
		}
	}
	return sum
}

// exactStage rounds in rational numbers.
func exactStage(a *Activate, y int64) int64 {
	round := func(y int64, shift int) int64 { // half up: floor((2y + 2^shift) / 2^(shift+1))
		d := new(big.Int).Lsh(big.NewInt(1), uint(shift))
		n := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(y), 1), d)
		return n.Div(n, d.Lsh(d, 1)).Int64() // Euclidean: floor, as d > 0
	}
	clamp := func(v int64, bits int, signed bool) int64 {
		lo, hi := Limits(bits, signed)
		return max(int64(lo), min(int64(hi), v))
	}
	u := round(y, a.Shift)
	switch a.Func {
	case Relu:
		u = max(u, 0)
	case Clip:
		u = max(min(u, int64(a.Hi)), int64(a.Lo))
	case Leaky:
		if u < 0 {
			u = round(u, a.Slope)
		}
	case Table:
		v := new(big.Int).Div(big.NewInt(y), new(big.Int).Lsh(big.NewInt(1), uint(a.Shift))).Int64()
		return int64(a.Table[clamp(v, a.Mid, true)+1<<(a.Mid-1)])
	case Square:
		u = clamp(u, a.Mid, true)
		u = round(u*u, a.Shift2)
	}
	return clamp(u, a.Bits, a.Signed)
}
