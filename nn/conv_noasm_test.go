//go:build !amd64 || purego

package nn

import "testing"

func eachLevel(t *testing.T, f func(t *testing.T)) { t.Run("generic", f) }

func benchLevels(b *testing.B, f func(b *testing.B)) { b.Run("generic", f) }
