package impl

import "testing"

func panics(f func()) (p bool) {
	defer func() { p = recover() != nil }()
	f()
	return false
}

func TestNewChoosesTheBestAvailable(t *testing.T) {
	no, yes := Impl{"no", false}, Impl{"yes", true}
	for _, c := range []struct {
		name  string
		impls []Impl
		want  int
	}{
		{"generic only", []Impl{Generic}, 0},
		{"best available", []Impl{yes, Generic}, 0},
		{"best missing", []Impl{no, yes, Generic}, 1},
		{"all missing", []Impl{no, no, Generic}, 2},
	} {
		if k := New(c.name, c.impls...); k.Use() != c.want || k.Name() != c.name || len(k.Impls()) != len(c.impls) {
			t.Errorf("%s: uses %d, want %d", c.name, k.Use(), c.want)
		}
	}
	k := New("select", no, yes, Generic)
	if k.Select(2); k.Use() != 2 {
		t.Error("Select does not select")
	}
	for name, f := range map[string]func(){
		"select a missing one":    func() { k.Select(0) },
		"empty list":              func() { New("empty") },
		"generic not at the end":  func() { New("order", Generic, yes) },
		"no generic":              func() { New("none", yes) },
		"select beyond the last":  func() { k.Select(3) },
		"select before the first": func() { k.Select(-1) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}
