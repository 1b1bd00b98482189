package nn

import (
	"errors"
	"fmt"
)

const (
	maxTableBits = 10   // of the index of a table
	maxPooled    = 1024 // elements of a max-pool's window
)

func (a *Activate) validate(in, out Dims) error {
	if a.Pool != nil {
		if err := a.Pool.pools(in, out); err != nil {
			return err
		}
		if a.Pool.KH*a.Pool.KW > maxPooled {
			return fmt.Errorf("max-pool of more than %d elements", maxPooled)
		}
		if rows, cols := a.Pool.axes(in, out); rows.empty() || cols.empty() {
			return errors.New("a window outside of the plane")
		}
	} else if in != out {
		return fmt.Errorf("from %s to %s", in, out)
	}
	switch {
	case a.Width < 2 || a.Width > MaxWidth:
		return fmt.Errorf("width %d, want 2 to %d", a.Width, MaxWidth)
	case a.Shift < 0 || a.Shift >= a.Width:
		return fmt.Errorf("shift %d, want 0 to %d", a.Shift, a.Width-1)
	case a.Bits < 1 || a.Bits > 16:
		return fmt.Errorf("%d bits, want 1 to 16", a.Bits)
	}
	return a.validateFunc()
}

func (a *Activate) validateFunc() error {
	if err := a.validateUnused(); err != nil {
		return err
	}
	switch a.Func {
	case Identity:
		if a.Signed && a.Bits < 2 {
			return errors.New("1 bit, signed")
		}
	case Relu:
		if a.Signed {
			return errors.New("a signed relu")
		}
	case Clip:
		lo, hi := Limits(a.Bits, a.Signed)
		if a.Lo < lo || a.Hi > hi || a.Lo >= a.Hi {
			return fmt.Errorf("clip to %d to %d within %d to %d", a.Lo, a.Hi, lo, hi)
		}
	case Leaky:
		if !a.Signed || a.Bits < 2 || a.Slope < 1 || a.Slope >= MaxWidth {
			return fmt.Errorf("leaky relu of slope 2^-%d to %d bits", a.Slope, a.Bits)
		}
	case Square:
		if a.Signed || a.Pool != nil {
			return errors.New("square is unsigned and does not pool")
		}
		if a.Mid < 2 || a.Mid > 14 || a.Shift2 < 0 || a.Shift2 >= 2*a.Mid {
			return fmt.Errorf("square of %d bits shifted by %d", a.Mid, a.Shift2)
		}
	case Table:
		return a.validateTable()
	default:
		return fmt.Errorf("unknown activation %q", a.Func)
	}
	return nil
}

// validateUnused refuses parameters of other activations.
func (a *Activate) validateUnused() error {
	switch {
	case a.Mid != 0 && a.Func != Square && a.Func != Table:
		return errors.New("mid belongs to square and table")
	case a.Shift2 != 0 && a.Func != Square:
		return errors.New("shift2 belongs to square")
	case a.Slope != 0 && a.Func != Leaky:
		return errors.New("slope belongs to leaky")
	case (a.Lo != 0 || a.Hi != 0) && a.Func != Clip:
		return errors.New("lo and hi belong to clip")
	case a.Table != nil && a.Func != Table:
		return errors.New("a table belongs to table")
	}
	return nil
}

func (a *Activate) validateTable() error {
	if a.Mid < 1 || a.Mid > maxTableBits || len(a.Table) != 1<<a.Mid {
		return fmt.Errorf("table of %d entries for %d bits, at most %d", len(a.Table), a.Mid, maxTableBits)
	}
	lo, hi := Limits(a.Bits, a.Signed)
	for i, z := range a.Table {
		if z < lo || z > hi {
			return fmt.Errorf("table: entry %d is %d, not %d to %d", i, z, lo, hi)
		}
	}
	return nil
}
