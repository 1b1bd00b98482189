package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"dorcas"
	"dorcas/nn"
	"dorcas/transport"
)

// measured is what all private inferences gave and cost.
type measured struct {
	counts
	total time.Duration // of everything

	mu              sync.Mutex
	offline, online []time.Duration // of each image, as its client sees it
	sent, received  int64
}

// counts are numbers of images.
type counts struct {
	images, float, clear, private, exact int
	confusion                            [2][2]int // private: true class, answer
}

// ask classifies every image privately, and in the clear beside it.
func (s *study) ask(ctx context.Context, url, pin string, model *nn.Model, clients int) (*measured, error) {
	m := &measured{}
	next := make(chan int)
	errs := make([]error, max(clients, 1))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for c := range errs {
		wg.Go(func() {
			if errs[c] = s.client(ctx, url, pin, model, next, m); errs[c] != nil {
				cancel() // the others are of no use then
			}
		})
	}
	for i := range s.images {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	return m, errors.Join(errs...)
}

// client opens a session and asks about images until there are no more.
func (s *study) client(ctx context.Context, url, pin string, model *nn.Model, next <-chan int, m *measured) error {
	conn, err := transport.Dial(ctx, url, &transport.DialOptions{Pin: pin})
	if err != nil {
		return err
	}
	client, err := dorcas.NewClient(ctx, conn, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	before, beforeBack, _ := client.Count()
	for i := range next {
		if err := s.image(ctx, client, model, i, m); err != nil {
			return fmt.Errorf("%s: %w", s.images[i].Name, err)
		}
	}
	sent, received, _ := client.Count()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent += sent - before
	m.received += received - beforeBack
	return nil
}

// image classifies one image in all three ways.
func (s *study) image(ctx context.Context, client *dorcas.Client, model *nn.Model, i int, m *measured) error {
	x, err := s.images[i].Read()
	if err != nil {
		return err
	}
	start := time.Now()
	material, err := client.Prepare(ctx)
	if err != nil {
		return err
	}
	prepared := time.Now()
	private, err := client.InferPrepared(ctx, material, x)
	if err != nil {
		return err
	}
	done := time.Now()
	float, err := s.graph.Run(x)
	if err != nil {
		return err
	}
	q := make([]int32, len(x))
	model.Input.Quantize(q, x)
	clear, err := model.Run(q)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offline, m.online = append(m.offline, prepared.Sub(start)), append(m.online, done.Sub(prepared))
	label := s.labels[i]
	m.images++
	m.float += one(slices.Index(float, slices.Max(float)) == label)
	m.clear += one(clear.Index == label)
	m.private += one(private.Index == label)
	m.exact += one(slices.Equal(private.Outputs, clear.Outputs))
	m.confusion[label][private.Index]++
	return nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// write prints a table.
func (m *measured) write(out io.Writer, p *dorcas.Plan, labels []string) error {
	n := max(m.images, 1)
	share := func(k int) string { return fmt.Sprintf("%.2f %% (%d of %d)", 100*float64(k)/float64(n), k, n) }
	c := m.confusion
	rows := [][2]string{
		{"float network, in the clear", share(m.float)},
		{"integer network, in the clear", share(m.clear)},
		{"integer network, privately", share(m.private)},
		{"private equals clear, in every integer", fmt.Sprintf("%d of %d", m.exact, n)},
		{labels[1] + " found, of those that are", fmt.Sprintf("%d of %d", c[1][1], c[1][0]+c[1][1])},
		{labels[0] + " found, of those that are", fmt.Sprintf("%d of %d", c[0][0], c[0][0]+c[0][1])},
		{"offline, median of an image", median(m.offline).Round(time.Millisecond).String()},
		{"online, median of an image", median(m.online).Round(time.Millisecond).String()},
		{"client to server, an image", fmt.Sprintf("%.2f MB", float64(m.sent)/float64(n)/1e6)},
		{"server to client, an image", fmt.Sprintf("%.2f MB", float64(m.received)/float64(n)/1e6)},
		{"round trips online", fmt.Sprint(p.Rounds(dorcas.Online))},
		{"all images", m.total.Round(100 * time.Millisecond).String()},
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(out, "   %-40s %s\n", r[0], r[1]); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, "\nThis is no diagnosis: see README.md for what these figures do not mean.")
	return err
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(d))[len(d)/2]
}
