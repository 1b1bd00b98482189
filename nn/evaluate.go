package nn

import (
	"fmt"
	"runtime"
	"sync"
)

// EvaluateOptions are the options of Evaluate.
type EvaluateOptions struct {
	// Workers is how many samples are computed side by side, default as many
	// as there are processors.
	Workers int
	// Progress, if set, is called after each sample with how many are done.
	// Calls do not overlap, and come from several goroutines.
	Progress func(done, total int)
	// Answer, if set, is called like Progress with the answers to sample i of
	// both networks, 0 where a network was not given.
	Answer func(i, float, integer int)
}

// Evaluation is how a float network and its quantised one do on samples. Each
// share is between 0 and 1, and 0 where its network was not given.
type Evaluation struct {
	Samples int     `json:"samples"`
	Float   float64 `json:"float"`   // share of right answers of the float network
	Integer float64 `json:"integer"` // share of right answers of the quantised network
	Agree   float64 `json:"agree"`   // share of samples to which both answer the same
}

// Evaluate computes the float network g and the quantised network m, of which
// either may be nil, on samples (inputs after preprocessing) and compares the
// largest scores with the labels.
func Evaluate(g *Graph, m *Model, samples [][]float32, labels []int, opt *EvaluateOptions) (*Evaluation, error) {
	var o EvaluateOptions
	if opt != nil {
		o = *opt
	}
	if len(samples) == 0 || len(samples) != len(labels) {
		return nil, fmt.Errorf("nn: evaluate: %d samples with %d labels", len(samples), len(labels))
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	e := &evaluator{graph: g, model: m, samples: samples, labels: labels, progress: o.Progress, answer: o.Answer}
	var wg sync.WaitGroup
	for range min(o.Workers, len(samples)) {
		wg.Go(e.work)
	}
	wg.Wait()
	if e.err != nil {
		return nil, e.err
	}
	n := float64(len(samples))
	return &Evaluation{len(samples), float64(e.float) / n, float64(e.integer) / n, float64(e.agree) / n}, nil
}

type evaluator struct {
	graph    *Graph
	model    *Model
	samples  [][]float32
	labels   []int
	progress func(done, total int)
	answer   func(i, float, integer int)

	mu                    sync.Mutex // guards all below
	next, done            int
	float, integer, agree int
	err                   error
}

// work computes samples until none is left or one fails.
func (e *evaluator) work() {
	var memory [][]float32
	for {
		e.mu.Lock()
		i := e.next
		e.next++
		stop := i >= len(e.samples) || e.err != nil
		e.mu.Unlock()
		if stop {
			return
		}
		var float, integer int
		var err error
		float, integer, memory, err = e.sample(e.samples[i], memory)
		e.mu.Lock()
		if err != nil && e.err == nil {
			e.err = fmt.Errorf("nn: evaluate: sample %d: %w", i, err)
		}
		if e.answer != nil && err == nil {
			e.answer(i, float, integer)
		}
		e.count(float, integer, e.labels[i])
		e.mu.Unlock()
	}
}

func (e *evaluator) count(float, integer, label int) {
	e.done++
	if e.graph != nil && float == label {
		e.float++
	}
	if e.model != nil && integer == label {
		e.integer++
	}
	if e.graph != nil && e.model != nil && float == integer {
		e.agree++
	}
	if e.progress != nil && e.err == nil {
		e.progress(e.done, len(e.samples))
	}
}

// sample returns the answers of both networks.
func (e *evaluator) sample(x []float32, memory [][]float32) (float, integer int, _ [][]float32, err error) {
	if e.graph != nil {
		if memory, err = e.graph.RunAll(x, memory); err != nil {
			return 0, 0, nil, err
		}
		scores := memory[e.graph.Output]
		for i := range scores {
			if scores[i] > scores[float] {
				float = i
			}
		}
	}
	if e.model != nil {
		if want := e.model.Input.Dims.Len(); len(x) != want {
			return 0, 0, nil, fmt.Errorf("have %d values, the network takes %d", len(x), want)
		}
		in := make([]int32, len(x))
		e.model.Input.Quantize(in, x)
		r, err := e.model.Run(in)
		if err != nil {
			return 0, 0, nil, err
		}
		integer = r.Index
	}
	return float, integer, memory, nil
}
