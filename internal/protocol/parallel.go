package protocol

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls f(0) to f(n-1) on all cores and returns the first error in
// the order of the calls.
func parallel(n int, f func(i int) error) error {
	workers := min(n, runtime.GOMAXPROCS(0))
	errs := make([]error, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if errs[i] = f(i); errs[i] != nil {
					next.Store(int64(n))
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ahead is how many values a pipeline keeps ready. LOCAL
func ahead() int { return runtime.GOMAXPROCS(0) + 1 }

// pipeline overlaps three things: prepare, called in order by one goroutine;
// work, called by all cores; and emit, called in order by the caller. At most
// a few values are alive at a time. It returns the first error. The goroutines
// that work stay for all values: their stacks hold polynomials, and growing a new
// one for each value cost some percent of the client's time.
func pipeline[A, B any](n int, prepare func(i int) (A, error), work func(i int, a A) (B, error), emit func(i int, b B) error) error {
	type result struct {
		b   B
		err error
	}
	type job struct {
		i   int
		a   A
		row chan<- result
	}
	rows := make(chan chan result, ahead())
	jobs := make(chan job)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for j := range jobs {
				b, err := work(j.i, j.a)
				j.row <- result{b, err}
			}
		})
	}
	wg.Go(func() {
		defer close(rows)
		defer close(jobs)
		for i := range n {
			row := make(chan result, 1)
			select {
			case rows <- row:
			case <-stop:
				return
			}
			a, err := prepare(i)
			if err != nil {
				row <- result{err: err}
				return
			}
			jobs <- job{i, a, row}
		}
	})
	i := 0
	for row := range rows {
		r := <-row
		if r.err != nil {
			return r.err
		}
		if err := emit(i, r.b); err != nil {
			return err
		}
		i++
	}
	return nil
}
