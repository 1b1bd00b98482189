package impltest

import (
	"slices"
	"testing"

	"dorcas/internal/impl"
)

func TestEachRunsAllAndRestores(t *testing.T) {
	t.Setenv(Env, "")
	k := impl.New("test", impl.Impl{Name: "missing"}, impl.Impl{Name: "fast", Available: true}, impl.Generic)
	var seen []int
	Each(t, k, func(t *testing.T) { seen = append(seen, k.Use()) })
	if !slices.Equal(seen, []int{1, 2}) || k.Use() != 1 {
		t.Fatalf("ran %v, then left %d in use", seen, k.Use())
	}
	Generic(k, func() { seen = append(seen, k.Use()) })
	if !slices.Equal(seen, []int{1, 2, 2}) || k.Use() != 1 {
		t.Fatalf("ran %v, then left %d in use", seen, k.Use())
	}
}

func TestRequired(t *testing.T) {
	for _, c := range []struct {
		list, name string
		want       bool
	}{
		{"", "vaes", false},
		{"avx512ifma,vaes", "vaes", true},
		{"avx512ifma, vaes", "vaes512", true},
		{"avx512ifma", "vaes", false},
		{",", "vaes", false},
		{"vaes512", "vaes", false},
	} {
		if required(c.list, c.name) != c.want {
			t.Errorf("required(%q, %q) is %v", c.list, c.name, !c.want)
		}
	}
}
