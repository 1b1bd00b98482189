package linear

import "fmt"

// Geometry is the shape of a convolution of one image, tensors in the order
// channel, row, column. A fully connected layer has
// InH = InW = KH = KW = StrideH = StrideW = 1.
type Geometry struct {
	InC, InH, InW                        int
	OutC                                 int
	KH, KW                               int
	StrideH, StrideW                     int
	PadTop, PadLeft, PadBottom, PadRight int
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
func (g Geometry) OutH() int { return outputs(g.InH+g.PadTop+g.PadBottom, g.KH, g.StrideH) }

// OutW returns the number of columns of the output; 0 or less if the kernel
// does not fit.
func (g Geometry) OutW() int { return outputs(g.InW+g.PadLeft+g.PadRight, g.KW, g.StrideW) }

// outputs returns the number of positions of a kernel on an axis.
func outputs(padded, kernel, stride int) int {
	if padded < kernel {
		return 0
	}
	return (padded-kernel)/stride + 1
}

func (g Geometry) check() error {
	if g.InC < 1 || g.InC > maxChannels || g.OutC < 1 || g.OutC > maxChannels {
		return fmt.Errorf("%d→%d channels: not 1 to %d", g.InC, g.OutC, maxChannels)
	}
	for _, side := range []int{g.InH, g.InW, g.KH, g.KW, g.StrideH, g.StrideW} {
		if side < 1 || side > maxSide {
			return fmt.Errorf("a side or step of %d: not 1 to %d", side, maxSide)
		}
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
	if taps := g.InC * g.KH * g.KW; taps > maxWeights/g.OutC {
		return fmt.Errorf("%d×%d weights: more than %d", g.OutC, taps, maxWeights)
	}
	return nil
}

func (g Geometry) String() string {
	return fmt.Sprintf("%d×%d×%d→%d×%d×%d kernel %d×%d stride %d,%d border %d,%d,%d,%d",
		g.InC, g.InH, g.InW, g.OutC, g.OutH(), g.OutW(), g.KH, g.KW,
		g.StrideH, g.StrideW, g.PadTop, g.PadLeft, g.PadBottom, g.PadRight)
}
