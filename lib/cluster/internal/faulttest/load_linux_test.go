package faulttest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// nameVariable is the environment variable with the name of a process, which its children
// inherit.
const nameVariable = "FAULTTEST_NAME"

// largeSize is the size of a large argument or result, which becomes an object.
const largeSize = 200 << 10

type task struct {
	N   int
	Arg []byte
}

type outcome struct {
	N      int
	Worker string
	Sum    [sha256.Size]byte
	Large  []byte
}

// compute takes a few milliseconds, and returns an outcome that can be checked.
func compute(t task) (outcome, error) {
	time.Sleep(time.Duration(1+t.N%7) * time.Millisecond)
	o := outcome{N: t.N, Worker: os.Getenv(nameVariable), Sum: sha256.Sum256(fmt.Append(t.Arg, t.N))}
	if hasLargeResult(t.N) {
		o.Large = large(t.N)
	}
	return o, nil
}

func hasLargeArgument(n int) bool { return n%400 == 100 }
func hasLargeResult(n int) bool   { return n%400 == 300 }

// large returns bytes that depend on n.
func large(n int) []byte {
	b := make([]byte, largeSize)
	for i := range b {
		b[i] = byte(n + i)
	}
	return b
}

// check returns what is wrong with an outcome.
func (o *outcome) check() error {
	var arg []byte
	if hasLargeArgument(o.N) {
		arg = large(o.N)
	}
	if o.Sum != sha256.Sum256(fmt.Append(arg, o.N)) || hasLargeResult(o.N) && string(o.Large) != string(large(o.N)) {
		return fmt.Errorf("task %d has the wrong result", o.N)
	}
	return nil
}

// A load submits tasks until it is told to stop, and keeps account of the results.
type load struct {
	mu        sync.Mutex
	changed   *sync.Cond
	submitted int
	times     []int          // how often each task's result came
	complete  int            // all tasks with lower numbers have results
	results   int            // in all
	last      time.Time      // when the last result came
	gap       time.Duration  // the longest time between two results since begun
	newest    map[string]int // by worker: the largest number of a task whose result it sent
	stopping  bool
	err       error
	ended     chan struct{}
}

// startLoad runs tasks with the pool.
func startLoad(ctx context.Context, p *mp.Pool) *load {
	l := &load{newest: make(map[string]int), last: time.Now(), ended: make(chan struct{})}
	l.changed = sync.NewCond(&l.mu)
	context.AfterFunc(ctx, func() { l.lock(func() {}) })
	go func() {
		defer close(l.ended)
		for o, err := range mp.StreamUnordered[outcome](ctx, p, compute, l.tasks) {
			if err == nil {
				err = o.check()
			}
			l.lock(func() { l.record(o, err) })
		}
	}()
	return l
}

func (l *load) lock(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	l.changed.Broadcast()
}

// tasks yields tasks until stop.
func (l *load) tasks(yield func(task) bool) {
	for {
		var t task
		stopping := false
		l.lock(func() {
			t.N, stopping = l.submitted, l.stopping
			if !stopping {
				l.submitted++
				l.times = append(l.times, 0)
			}
		})
		if hasLargeArgument(t.N) {
			t.Arg = large(t.N)
		}
		if stopping || !yield(t) {
			return
		}
	}
}

func (l *load) record(o outcome, err error) {
	if err != nil {
		l.err = errors.Join(l.err, fmt.Errorf("after %d results: %w", l.results, err))
		return
	}
	l.results++
	l.times[o.N]++
	for l.complete < len(l.times) && l.times[l.complete] > 0 {
		l.complete++
	}
	l.gap = max(l.gap, time.Since(l.last))
	l.last = time.Now()
	l.newest[o.Worker] = max(l.newest[o.Worker], o.N)
}

// await waits until f returns true. It returns an error if a task has failed, or ctx has
// ended.
func (l *load) await(ctx context.Context, f func() bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !f() {
		if l.err != nil {
			return l.err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w; %d tasks were submitted, %d results came, the first without one is %d", context.Cause(ctx), l.submitted, l.results, l.complete)
		}
		l.changed.Wait()
	}
	return l.err
}

// atLeast waits for n results.
func (l *load) atLeast(ctx context.Context, n int) error {
	return l.await(ctx, func() bool { return l.results >= n })
}

// begun returns the number of tasks that were submitted, and begins to measure gaps.
func (l *load) begun() (n int) {
	l.lock(func() { n, l.gap, l.last = l.submitted, 0, time.Now() })
	return n
}

// longestGap returns the longest time between two results since begun.
func (l *load) longestGap() (d time.Duration) {
	l.lock(func() { d = l.gap })
	return d
}

// finish stops the load and checks that each task has one result.
func (l *load) finish(ctx context.Context) error {
	l.lock(func() { l.stopping = true })
	select {
	case <-l.ended:
	case <-ctx.Done():
		return l.await(ctx, func() bool { return false })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.err
	for n, times := range l.times {
		if times != 1 && err == nil {
			err = fmt.Errorf("the result of task %d came %d times", n, times)
		}
	}
	return err
}
