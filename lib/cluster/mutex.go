package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/keyvalue"
)

const (
	// leaseTime is how long a Mutex stays locked if its owner does not renew the lease. The
	// owner renews it every renewInterval.
	leaseTime     = 5 * time.Second
	renewInterval = time.Second
)

// ErrLeaseLost is returned by Unlock, alone or wrapped, if the process has not renewed its
// lease in time, so that another process may have locked the Mutex.
var ErrLeaseLost = errors.New("cluster: this process has lost its lock of the Mutex: it did not renew the lease in time, because it was stopped or had no connection to the server; another process may have locked the Mutex since")

// A Mutex is a lock that one task or process of a cluster can hold at a time. It may be part
// of the argument of a task. The process that has locked it renews a lease of five seconds.
// If the process dies, Lock or TryLock in another process takes the Mutex after five seconds
// without a renewal. If a process is suspended for longer than the lease, another process may
// lock the Mutex meanwhile; Unlock in the first process then returns ErrLeaseLost. While no
// server answers, methods try again for a minute, as the methods of a Value do.
type Mutex struct {
	entry

	mu   sync.Mutex
	held *lease // nil if this Mutex is not locked through this variable
}

// A lease is the lock of a Mutex that this process holds.
type lease struct {
	owner []byte
	stop  context.CancelFunc
	done  chan struct{} // closed when it is no longer renewed

	now keyvalue.Entry // read after done is closed
	err error
}

// NewMutex makes a Mutex that is not locked.
func NewMutex(ctx context.Context, c *Cluster) (*Mutex, error) {
	e, err := newEntry(ctx, c, "Mutex", nil)
	if err != nil {
		return nil, err
	}
	return &Mutex{entry: e}, nil
}

// Lock locks the Mutex. It waits while another task or process has it, or until ctx ends.
func (m *Mutex) Lock(ctx context.Context) error {
	owner := []byte(rand.Text())
	return m.watch(ctx, leaseTime, func(now keyvalue.Entry, stale bool) (bool, error) {
		if len(now.Value) > 0 && !stale {
			return false, nil
		}
		return m.take(ctx, now, owner)
	})
}

// TryLock locks the Mutex if it is free, and reports whether it did. A Mutex is also free if
// its owner has not renewed the lease for five seconds by the clock of the server.
func (m *Mutex) TryLock(ctx context.Context) (bool, error) {
	now, err := m.get(ctx)
	if err != nil {
		return false, err
	}
	if len(now.Value) > 0 {
		kv, err := m.store()
		if err != nil {
			return false, err
		}
		clock, err := kv.Now(ctx)
		if err != nil || clock.Sub(now.Created) < leaseTime {
			return false, m.wrap(err)
		}
	}
	return m.take(ctx, now, []byte(rand.Text()))
}

// take locks the Mutex if it still has the revision of old.
func (m *Mutex) take(ctx context.Context, old keyvalue.Entry, owner []byte) (bool, error) {
	now, ok, err := m.swap(ctx, old, owner)
	if !ok || err != nil {
		return false, err
	}
	renewing, stop := context.WithCancel(context.Background())
	l := &lease{owner: owner, stop: stop, done: make(chan struct{}), now: now}
	m.mu.Lock()
	m.held = l
	m.mu.Unlock()
	go m.renew(renewing, l)
	return true, nil
}

// renew renews a lease until ctx ends or the lease is lost.
func (m *Mutex) renew(ctx context.Context, l *lease) {
	defer close(l.done)
	ticker := time.NewTicker(renewInterval)
	defer ticker.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		try, cancel := context.WithTimeout(context.Background(), leaseTime)
		now, ok, err := m.swap(try, l.now, l.owner)
		cancel()
		switch {
		case err == nil && ok:
			l.now, renewed = now, time.Now()
		case err == nil, time.Since(renewed) > leaseTime:
			l.err = errors.Join(ErrLeaseLost, err)
			return
		}
	}
}

// Unlock unlocks the Mutex, which must have been locked through the same Go variable.
func (m *Mutex) Unlock(ctx context.Context) error {
	m.mu.Lock()
	l := m.held
	m.held = nil
	m.mu.Unlock()
	if l == nil {
		return errors.New("cluster: cannot unlock a Mutex that was not locked through the same variable in this process")
	}
	l.stop()
	<-l.done
	if l.err != nil {
		return l.err
	}
	_, ok, err := m.swap(ctx, l.now, nil)
	if err == nil && !ok {
		err = ErrLeaseLost
	}
	return err
}

// Close deletes the Mutex. After that the other methods return mp.ErrClosed in all processes.
func (m *Mutex) Close(ctx context.Context) error { return m.remove(ctx) }

// GobEncode lets a Mutex be part of a value that is sent. It encodes a reference to the Mutex.
func (m *Mutex) GobEncode() ([]byte, error) { return m.entry.GobEncode() }

// GobDecode is the inverse of GobEncode.
func (m *Mutex) GobDecode(b []byte) error { return m.entry.GobDecode(b) }
