package faulttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/cluster/internal/keyvalue"
)

// A sharing changes a Value and locks a Mutex in a few goroutines until it is told to stop.
type sharing struct {
	value   *cluster.Value[int]
	mutex   *cluster.Mutex
	stop    context.CancelFunc
	running sync.WaitGroup
	updates atomic.Int64 // of the value that have returned nil
	unknown atomic.Int64 // updates of which it is not known whether they were made
	locks   atomic.Int64
	owners  atomic.Int32 // goroutines that have locked the mutex

	mu      sync.Mutex
	longest map[string]time.Duration // of the calls since takeLongest, by name
	err     error
}

// goroutines is the number of goroutines that change the Value, and of those that lock the
// Mutex.
const goroutines = 2

func startSharing(ctx context.Context, c *cluster.Cluster) (*sharing, error) {
	s := &sharing{longest: make(map[string]time.Duration)}
	var err error
	if s.value, err = cluster.NewValue(ctx, c, 0); err == nil {
		s.mutex, err = cluster.NewMutex(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	s.stop = stop
	for range goroutines {
		s.running.Go(func() { s.repeat(running, ctx, s.update) })
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
		if errors.Is(err, keyvalue.ErrUnknown) {
			s.unknown.Add(1)
			err = nil
		}
		return err
	})
}

func (s *sharing) lock(ctx context.Context, m *cluster.Mutex) {
	locked := true
	s.measure("Lock", func() error {
		err := m.Lock(ctx)
		if errors.Is(err, keyvalue.ErrUnknown) {
			locked, err = false, nil // if it is locked, it is free when the lease has ended
		}
		return err
	})
	if !locked {
		return
	}
	if s.owners.Add(1) > 1 {
		s.fail(errors.New("two goroutines have locked the Mutex at once"))
	}
	s.owners.Add(-1)
	s.measure("Unlock", func() error {
		err := m.Unlock(ctx)
		if errors.Is(err, cluster.ErrLeaseLost) || errors.Is(err, keyvalue.ErrUnknown) {
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
	text = fmt.Sprintf("%.1f s, %.1f s", s.longest["Update"].Seconds(), max(s.longest["Lock"], s.longest["Unlock"]).Seconds())
	clear(s.longest)
	return text
}

// await waits until each of update and lock was called again.
func (s *sharing) await(ctx context.Context) error {
	updates, locks := s.updates.Load(), s.locks.Load()
	for s.updates.Load() < updates+2*goroutines || s.locks.Load() < locks+2*goroutines {
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

// finish ends the calls, and checks that each update was made once.
func (s *sharing) finish(ctx context.Context) error {
	s.stop()
	s.running.Wait()
	n, err := s.value.Load(ctx)
	if err := errors.Join(err, s.failure()); err != nil {
		return err
	}
	if sure, unknown := int(s.updates.Load()), int(s.unknown.Load()); n < sure || n > sure+unknown {
		return fmt.Errorf("the Value has %d after %d updates and %d that may have been made", n, sure, unknown)
	}
	return nil
}
