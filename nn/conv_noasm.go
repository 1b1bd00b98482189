//go:build !amd64 || purego

package nn

// arranged is never made: convolutions are direct sums.
type arranged struct{}

func arrange(*Product) *arranged { return nil }

func (*arranged) channels(*Product, []int32, []int16) {}

func (*arranged) release() {}
