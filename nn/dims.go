package nn

import "fmt"

// Dims is the size of a tensor: channels × height × width, one image, stored
// in that order. A vector of n numbers is n × 1 × 1.
type Dims struct {
	C int `json:"c"`
	H int `json:"h"`
	W int `json:"w"`
}

// Len returns the number of elements.
func (d Dims) Len() int { return d.C * d.H * d.W }

func (d Dims) String() string {
	if d.H == 1 && d.W == 1 {
		return fmt.Sprint(d.C)
	}
	return fmt.Sprintf("%d×%d×%d", d.C, d.H, d.W)
}

// Pad is a border around the plane of every channel.
type Pad struct {
	Top    int `json:"top,omitempty"`
	Left   int `json:"left,omitempty"`
	Bottom int `json:"bottom,omitempty"`
	Right  int `json:"right,omitempty"`
}

// Window is the geometry of a convolution or of a pooling: the size of the
// window, the steps between windows, the steps between the elements of one
// window (0 stands for 1) and the border around the input.
type Window struct {
	KH      int `json:"kh"`
	KW      int `json:"kw"`
	StrideH int `json:"stride_h"`
	StrideW int `json:"stride_w"`
	DilH    int `json:"dil_h,omitempty"`
	DilW    int `json:"dil_w,omitempty"`
	Pad     Pad `json:"pad,omitzero"`
}

// Dilation returns the steps between the elements of one window, at least 1.
func (w Window) Dilation() (h, wd int) { return max(w.DilH, 1), max(w.DilW, 1) }

// Extent returns the rows and columns that one window spans.
func (w Window) Extent() (h, wd int) {
	dh, dw := w.Dilation()
	return (w.KH-1)*dh + 1, (w.KW-1)*dw + 1
}

// Out returns the height and width of what the window yields on a plane of
// h × w; a value below 1 means that the window does not fit.
func (w Window) Out(h, wd int) (int, int) {
	eh, ew := w.Extent()
	oh := h + w.Pad.Top + w.Pad.Bottom - eh
	ow := wd + w.Pad.Left + w.Pad.Right - ew
	if oh < 0 || ow < 0 {
		return 0, 0
	}
	return oh/w.StrideH + 1, ow/w.StrideW + 1
}
