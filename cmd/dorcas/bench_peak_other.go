//go:build !linux && !darwin

package main

// peakMemory returns nil: this system does not tell.
func peakMemory() *int64 { return nil }
