package faulttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

// queueSize is small, so that calls of Put also wait because the Queue is full.
const queueSize = 8

// A flow passes numbers through a Queue, each number once.
type flow struct {
	queue   *cluster.Queue[int]
	getting sync.WaitGroup

	mu   sync.Mutex
	next int         // the next number to put
	put  map[int]int // how often Put has put the number
	got  map[int]int // how often Get returned the number
}

func newFlow(ctx context.Context, c *cluster.Cluster) (*flow, error) {
	q, err := cluster.NewQueue[int](ctx, c, queueSize)
	return &flow{queue: q, put: make(map[int]int), got: make(map[int]int)}, err
}

func (s *sharing) putOne(ctx context.Context) {
	f := s.flow
	f.mu.Lock()
	n := f.next
	f.next++
	f.mu.Unlock()
	s.measure("Put", func() error { return f.queue.Put(ctx, n) })
	f.mu.Lock()
	defer f.mu.Unlock()
	f.put[n]++
}

// getAll gets numbers until the Queue is closed and empty.
func (s *sharing) getAll(ctx context.Context) {
	f := s.flow
	for s.failure() == nil {
		ended := false
		s.measure("Get", func() error {
			n, err := f.queue.Get(ctx)
			if ended = errors.Is(err, mp.ErrClosed); ended {
				return nil
			}
			if err == nil {
				f.mu.Lock()
				f.got[n]++
				f.mu.Unlock()
			}
			return err
		})
		if ended {
			return
		}
	}
}

// received returns how many numbers Get has returned.
func (f *flow) received() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.got)
}

// check returns an error unless each number that was put was got once.
func (f *flow) check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	for n := range f.next {
		if f.put[n] != 1 || f.got[n] != 1 {
			err = errors.Join(err, fmt.Errorf("%d was put %d times and got %d times", n, f.put[n], f.got[n]))
		}
	}
	return err
}

// makeObjects makes one object of each kind, uses it and deletes it.
func (s *sharing) makeObjects(ctx context.Context, c *cluster.Cluster, name string) error {
	stacks := time.AfterFunc(watchdogTime/2, func() { _ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1) })
	defer stacks.Stop()
	q, err := cluster.NewQueue[int](ctx, c, 1)
	if err != nil {
		return fmt.Errorf("NewQueue: %w", err)
	}
	err = q.Put(ctx, 1)
	n, getErr := q.Get(ctx)
	if err := errors.Join(err, getErr, q.Close(ctx)); err != nil || n != 1 {
		return fmt.Errorf("a new Queue: got %d, %w", n, err)
	}
	v, err := cluster.NewValue(ctx, c, 2)
	if err != nil {
		return fmt.Errorf("NewValue: %w", err)
	}
	j, err := cluster.StartJob[outcome](ctx, c, name, compute, jobTasks(10))
	if err != nil {
		return fmt.Errorf("StartJob: %w", err)
	}
	results, err := j.Results(ctx)
	if err := errors.Join(err, j.Delete(ctx), v.Close(ctx)); err != nil || len(results) != 10 {
		return fmt.Errorf("a new job has %d results: %w", len(results), err)
	}
	p, err := c.Pool()
	if err != nil {
		return fmt.Errorf("Pool: %w", err)
	}
	_, err = mp.Map[outcome](ctx, p, compute, jobTasks(10))
	return errors.Join(err, p.Close())
}
