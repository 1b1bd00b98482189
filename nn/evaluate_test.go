package nn

import (
	"strings"
	"testing"
)

func TestEvaluate(t *testing.T) {
	b := newBuilder(31, Dims{4, 1, 1})
	b.dense(b.op(NodeRelu, b.dense(0, 8)), 3)
	samples := b.samples(60, true)
	m, _, err := Quantize(&b.Graph, samples, &QuantizeOptions{ActBits: 3, WeightBits: 3})
	if err != nil {
		t.Fatal(err)
	}
	// The oracle: one by one, and the labels such that two in three are right.
	labels := make([]int, len(samples))
	var float, integer, agree int
	for i, x := range samples {
		scores, _ := b.Graph.Run(x)
		best := 0
		for j, s := range scores {
			if s > scores[best] {
				best = j
			}
		}
		in := make([]int32, 4)
		m.Input.Quantize(in, x)
		r, err := m.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		if labels[i] = best; i%3 == 0 {
			labels[i] = (best + 1) % 3
		} else {
			float++
		}
		if r.Index == labels[i] {
			integer++
		}
		if r.Index == best {
			agree++
		}
	}
	if agree == len(samples) {
		t.Fatal("the networks never differ: nothing is tested")
	}
	n := float64(len(samples))
	for _, workers := range []int{0, 1, 7, 100} {
		calls, last := 0, 0
		var told [3]int
		e, err := Evaluate(&b.Graph, m, samples, labels, &EvaluateOptions{Workers: workers, Progress: func(done, total int) {
			calls++
			if done != last+1 || total != len(samples) {
				t.Errorf("progress %d of %d after %d", done, total, last)
			}
			last = done
		}, Answer: func(i, float, integer int) {
			for j, right := range []bool{float == labels[i], integer == labels[i], float == integer} {
				if right {
					told[j]++
				}
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		want := Evaluation{len(samples), 40 / n, float64(integer) / n, float64(agree) / n}
		if *e != want || calls != len(samples) || float != 40 {
			t.Errorf("%d workers: %+v with %d calls, want %+v", workers, *e, calls, want)
		}
		if told != [3]int{40, integer, agree} {
			t.Errorf("%d workers: the answers add up to %v, want %v", workers, told, [3]int{40, integer, agree})
		}
	}
	if e, err := Evaluate(&b.Graph, nil, samples, labels, nil); err != nil || *e != (Evaluation{len(samples), 40 / n, 0, 0}) {
		t.Errorf("float alone: %+v, %v", e, err)
	}
	if e, err := Evaluate(nil, m, samples, labels, nil); err != nil || *e != (Evaluation{len(samples), 0, float64(integer) / n, 0}) {
		t.Errorf("integer alone: %+v, %v", e, err)
	}
}

func TestEvaluateErrors(t *testing.T) {
	b := newBuilder(33, Dims{4, 1, 1})
	b.dense(0, 3)
	samples := b.samples(9, true)
	m, _, err := Quantize(&b.Graph, samples, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Evaluate(&b.Graph, m, samples, make([]int, 8), nil); err == nil {
		t.Error("a label too few is no error")
	}
	if _, err := Evaluate(&b.Graph, m, nil, nil, nil); err == nil {
		t.Error("no samples are no error")
	}
	samples[4] = samples[4][:3]
	for _, g := range []*Graph{&b.Graph, nil} {
		if _, err := Evaluate(g, m, samples, make([]int, 9), &EvaluateOptions{Workers: 1}); err == nil || !strings.Contains(err.Error(), "sample 4") {
			t.Errorf("error is %v, want one with sample 4", err)
		}
	}
}
