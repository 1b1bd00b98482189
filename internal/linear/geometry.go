package linear

import "fmt"

// Geometry is the shape of a convolution of one image, tensors in the order
// channel, row, column. A fully connected layer has
// InH = InW = KH = KW = StrideH = StrideW = 1.
//
// Channels of input and output may fall into Groups equal parts: an output
// channel reads the input channels of its own part only. The taps of a kernel
// are DilH rows and DilW columns apart. In these three 0 stands for 1.
type Geometry struct {
	InC, InH, InW                        int
	OutC                                 int
	KH, KW                               int
	StrideH, StrideW                     int
	PadTop, PadLeft, PadBottom, PadRight int
	Groups                               int
	DilH, DilW                           int
}

// Bounds of a Geometry, which may come from a peer. They keep every product of
// sizes within an int and the search for a cut short.
const (
	maxSide     = 1 << 14
	maxChannels = 1 << 20
	maxTensor   = 1 << 26
	maxWeights  = 1 << 30
)

// OutH returns the number of rows of the output; 0 or less if the kernel does
// not fit.
func (g Geometry) OutH() int { return outputs(g.InH+g.PadTop+g.PadBottom, g.KH, g.DilH, g.StrideH) }

// OutW returns the number of columns of the output; 0 or less if the kernel
// does not fit.
func (g Geometry) OutW() int { return outputs(g.InW+g.PadLeft+g.PadRight, g.KW, g.DilW, g.StrideW) }

// outputs returns the number of positions of a kernel on an axis.
func outputs(padded, kernel, dil, stride int) int {
	kernel = extent(kernel, dil)
	if padded < kernel {
		return 0
	}
	return (padded-kernel)/stride + 1
}

// extent returns the places that a kernel spans.
func extent(kernel, dil int) int { return (kernel-1)*max(dil, 1) + 1 }

// groups returns the number of groups, at least 1.
func (g Geometry) groups() int { return max(g.Groups, 1) }

// taps returns the number of weights of an output channel.
func (g Geometry) taps() int { return g.InC / g.groups() * g.KH * g.KW }

func (g Geometry) check() error {
	if g.InC < 1 || g.InC > maxChannels || g.OutC < 1 || g.OutC > maxChannels {
		return fmt.Errorf("%d→%d channels: not 1 to %d", g.InC, g.OutC, maxChannels)
	}
	for _, side := range []int{g.InH, g.InW, g.KH, g.KW, g.StrideH, g.StrideW} {
		if side < 1 || side > maxSide {
			return fmt.Errorf("a side or step of %d: not 1 to %d", side, maxSide)
		}
	}
	for _, dil := range []int{g.DilH, g.DilW} {
		if dil < 0 || dil > maxSide {
			return fmt.Errorf("taps %d apart: not 0 to %d", dil, maxSide)
		}
	}
	if n := g.groups(); g.Groups < 0 || g.InC%n != 0 || g.OutC%n != 0 {
		return fmt.Errorf("%d→%d channels in %d groups", g.InC, g.OutC, g.Groups)
	}
	for _, pad := range []int{g.PadTop, g.PadLeft, g.PadBottom, g.PadRight} {
		if pad < 0 || pad > maxSide {
			return fmt.Errorf("a border of %d: not 0 to %d", pad, maxSide)
		}
	}
	if g.OutH() < 1 || g.OutW() < 1 {
		return fmt.Errorf("kernel %d×%d larger than the padded input", g.KH, g.KW)
	}
	in, out := g.InC*g.InH*g.InW, g.OutC*g.OutH()*g.OutW()
	if in > maxTensor || out > maxTensor {
		return fmt.Errorf("%d inputs, %d outputs: more than %d", in, out, maxTensor)
	}
	if taps := g.taps(); taps > maxWeights/g.OutC {
		return fmt.Errorf("%d×%d weights: more than %d", g.OutC, taps, maxWeights)
	}
	return nil
}

func (g Geometry) String() string {
	s := fmt.Sprintf("%d×%d×%d→%d×%d×%d kernel %d×%d stride %d,%d border %d,%d,%d,%d",
		g.InC, g.InH, g.InW, g.OutC, g.OutH(), g.OutW(), g.KH, g.KW,
		g.StrideH, g.StrideW, g.PadTop, g.PadLeft, g.PadBottom, g.PadRight)
	if g.groups() > 1 {
		s += fmt.Sprintf(" groups %d", g.Groups)
	}
	if g.DilH > 1 || g.DilW > 1 {
		s += fmt.Sprintf(" taps %d,%d apart", max(g.DilH, 1), max(g.DilW, 1))
	}
	return s
}
