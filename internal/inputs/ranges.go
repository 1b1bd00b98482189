package inputs

import (
	"fmt"
	"strconv"
	"strings"
)

// Ranges picks rows of an array: "7", "0:20" (20 left out), "3,5,9", ":10",
// "90:", or several with commas between them.
type Ranges []span

type span struct{ from, to int } // to is open if -1

// ParseRanges reads ranges. The empty string is nil, which stands for all.
func ParseRanges(s string) (Ranges, error) {
	if s == "" {
		return nil, nil
	}
	var all Ranges
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), ":")
		var r span
		var err, err2 error
		if from != "" || !isRange {
			r.from, err = number(from)
		}
		switch {
		case !isRange:
			r.to = r.from + 1
		case to == "":
			r.to = -1
		default:
			r.to, err2 = number(to)
		}
		if err != nil || err2 != nil || r.to >= 0 && r.to <= r.from {
			return nil, fmt.Errorf("inputs: index %q: write 7, 0:20 or 3,5,9", s)
		}
		all = append(all, r)
	}
	return all, nil
}

func number(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err
}

// Rows returns the rows of n that the ranges pick, in their order.
func (r Ranges) Rows(n int) ([]int, error) {
	if r == nil {
		r = Ranges{{0, -1}}
	}
	var rows []int
	for _, s := range r {
		to := s.to
		if to < 0 {
			to = n
		}
		if to > n || s.from > to {
			return nil, fmt.Errorf("index %d: it has %d rows, counted from 0", max(s.from, to-1), n)
		}
		for i := s.from; i < to; i++ {
			rows = append(rows, i)
		}
	}
	return rows, nil
}
