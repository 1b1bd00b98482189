package main

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
)

// peakMemory returns the most memory of this process that was resident at
// once, in bytes, nil if the system does not tell. It is VmHWM and not
// getrusage's number, since that one begins with what the parent had.
func peakMemory() *int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		words := bytes.Fields(lines.Bytes())
		if len(words) != 3 || string(words[0]) != "VmHWM:" || string(words[2]) != "kB" {
			continue
		}
		if n, err := strconv.ParseInt(string(words[1]), 10, 64); err == nil {
			n <<= 10
			return &n
		}
	}
	return nil
}
