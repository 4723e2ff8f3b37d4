// Package awaited records which pools wait for results, and which tasks are canceled.
package awaited

import (
	"sync"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

const (
	// Timeout is how long a pool counts as existing after its last announcement. Then its tasks
	// are dropped.
	Timeout = time.Minute
	// maxCancels is how many batches with canceled tasks are remembered.
	maxCancels = 1 << 12
)

// Pools has the pools that have announced themselves. Its methods may be called concurrently.
type Pools struct {
	Since time.Time // Exists treats a pool that was never announced as announced at this time
	Max   int       // largest number of pools that are remembered

	mu   sync.Mutex
	seen map[string]time.Time // when each pool last announced itself; zero if it was closed
}

// Update records that a pool exists or was closed.
func (s *Pools) Update(p *wire.Pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = make(map[string]time.Time)
	}
	if p.Closed {
		s.seen[p.ID] = time.Time{}
	} else {
		s.seen[p.ID] = time.Now()
	}
}

// IsClosed reports whether a pool was closed.
func (s *Pools) IsClosed(pool string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, ok := s.seen[pool]
	return ok && seen.IsZero()
}

// Exists reports whether a pool may still wait for results: it is not closed, and has
// announced itself within Timeout.
func (s *Pools) Exists(pool string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, ok := s.seen[pool]
	if !ok {
		seen = s.Since
	}
	return time.Since(seen) < Timeout
}

// IsSilent reports whether a pool has never announced itself, or not within Timeout.
func (s *Pools) IsSilent(pool string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.seen[pool]) > Timeout
}

// Forget removes pools that ended long ago. If there are more than Max, it removes others, too.
func (s *Pools) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, seen := range s.seen {
		if time.Since(seen) > 10*Timeout && !seen.IsZero() || len(s.seen) > s.Max {
			delete(s.seen, id)
		}
	}
}

// A Key identifies a batch.
type Key struct {
	Pool  string
	Batch uint64
}

// Cancels has the tasks that are canceled, including the tasks of batches that have not
// arrived. Its methods may be called concurrently.
type Cancels struct {
	mu      sync.Mutex
	indexes map[Key][]int
	order   []Key // the keys of indexes, the oldest first
}

// Add records the tasks of c.
func (s *Cancels) Add(c *wire.Cancel) {
	k := Key{c.Pool, c.Batch}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.indexes == nil {
		s.indexes = make(map[Key][]int)
	}
	if _, ok := s.indexes[k]; !ok {
		s.order = append(s.order, k)
	}
	if s.indexes[k] = append(s.indexes[k], c.Indexes...); len(s.indexes[k]) > wire.MaxTasks {
		s.indexes[k] = s.indexes[k][:wire.MaxTasks] // a batch has no more tasks
	}
	if len(s.order) > maxCancels {
		delete(s.indexes, s.order[0])
		s.order = s.order[1:]
	}
}

// Of returns the indexes of the canceled tasks of a batch. The caller must not change the slice.
func (s *Cancels) Of(k Key) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.indexes[k]
}
