package main

import "syscall"

// peakMemory returns the most memory of this process that was resident at
// once, in bytes, nil if the system does not tell.
func peakMemory() *int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return nil
	}
	n := usage.Maxrss // bytes here, unlike elsewhere
	return &n
}
