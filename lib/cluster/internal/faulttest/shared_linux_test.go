package faulttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/lib/cluster"
)

// A sharing changes a Value, locks a Mutex and uses a Queue in a few goroutines until it is told
// to stop.
type sharing struct {
	value   *cluster.Value[int]
	mutex   *cluster.Mutex
	flow    *flow
	stop    context.CancelFunc
	running sync.WaitGroup
	updates atomic.Int64 // of the value that have returned nil
	locks   atomic.Int64
	owners  atomic.Int32 // goroutines that have locked the mutex

	mu      sync.Mutex
	longest map[string]time.Duration // of the calls since takeLongest, by name
	err     error
}

// goroutines is the number of goroutines that change the Value, of those that lock the Mutex,
// and of those that put numbers and get them.
const goroutines = 2

func startSharing(ctx context.Context, c *cluster.Cluster) (*sharing, error) {
	s := &sharing{longest: make(map[string]time.Duration)}
	var err error
	if s.value, err = cluster.NewValue(ctx, c, 0); err == nil {
		s.mutex, err = cluster.NewMutex(ctx, c)
	}
	if err == nil {
		s.flow, err = newFlow(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	s.stop = stop
	for range goroutines {
		s.running.Go(func() { s.repeat(running, ctx, s.update) })
		s.running.Go(func() { s.repeat(running, ctx, s.putOne) })
		s.flow.getting.Go(func() { s.getAll(ctx) })
		s.running.Go(func() {
			other, err := s.anotherMutex()
			s.fail(err)
			s.repeat(running, ctx, func(ctx context.Context) { s.lock(ctx, other) })
		})
	}
	return s, nil
}

// anotherMutex returns a variable for the same Mutex, as another task would have it.
func (s *sharing) anotherMutex() (*cluster.Mutex, error) {
	text, err := s.mutex.GobEncode()
	m := new(cluster.Mutex)
	return m, errors.Join(err, m.GobDecode(text))
}

// repeat calls f until running ends or a call fails.
func (s *sharing) repeat(running, ctx context.Context, f func(context.Context)) {
	for running.Err() == nil && s.failure() == nil {
		f(ctx)
		select {
		case <-time.After(10 * time.Millisecond):
		case <-running.Done():
		}
	}
}

func (s *sharing) update(ctx context.Context) {
	s.measure("Update", func() error {
		_, err := s.value.Update(ctx, func(n int) int { return n + 1 })
		if err == nil {
			s.updates.Add(1)
		}
		return err
	})
}

func (s *sharing) lock(ctx context.Context, m *cluster.Mutex) {
	s.measure("Lock", func() error { return m.Lock(ctx) })
	if s.owners.Add(1) > 1 {
		s.fail(errors.New("two goroutines have locked the Mutex at once"))
	}
	s.owners.Add(-1)
	s.measure("Unlock", func() error {
		err := m.Unlock(ctx)
		if errors.Is(err, cluster.ErrLeaseLost) {
			err = nil // this process was cut off, and has waited for an answer, for longer than a lease
		}
		return err
	})
	s.locks.Add(1)
}

// measure calls f and records how long it takes.
func (s *sharing) measure(name string, f func() error) {
	begin := time.Now()
	err := f()
	took := time.Since(begin)
	if err != nil {
		err = fmt.Errorf("%s after %v: %w", name, took, err)
	}
	s.fail(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.longest[name] = max(s.longest[name], took)
}

func (s *sharing) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = errors.Join(s.err, err)
}

func (s *sharing) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// takeLongest returns the longest time of each kind of call since it was called last.
func (s *sharing) takeLongest() (text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range []time.Duration{s.longest["Update"], max(s.longest["Lock"], s.longest["Unlock"]), s.longest["Put"], s.longest["Get"]} {
		text += fmt.Sprintf("%.1f s, ", d.Seconds())
	}
	clear(s.longest)
	return strings.TrimSuffix(text, ", ")
}

// await waits until each of update and lock was called again, and more numbers went through
// the Queue than it holds.
func (s *sharing) await(ctx context.Context) error {
	updates, locks, numbers := s.updates.Load(), s.locks.Load(), s.flow.received()
	for s.updates.Load() < updates+2*goroutines || s.locks.Load() < locks+2*goroutines || s.flow.received() <= numbers+queueSize {
		if err := s.failure(); err != nil {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// finish ends the calls, and checks that each update was made once, and that each number was
// put and got once.
func (s *sharing) finish(ctx context.Context) error {
	s.stop()
	s.running.Wait()
	s.fail(s.flow.queue.Close(ctx))
	s.flow.getting.Wait()
	n, err := s.value.Load(ctx)
	if err := errors.Join(err, s.failure(), s.flow.check()); err != nil {
		return err
	}
	if want := int(s.updates.Load()); n != want {
		return fmt.Errorf("the Value has %d after %d updates", n, want)
	}
	return nil
}
