// Package members records the processes that run workers, and the functions that programs of
// other builds offer.
package members

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

const (
	// timeout is how long a worker counts as present after its last announcement, or for
	// missedIntervals of its announcements if they come rarely. Then it is lost.
	timeout         = 10 * time.Second
	missedIntervals = 3
	// shareOfInterval is the part of the interval between announcements that each process adds. So
	// each process receives at most 100 announcements per second, no matter how many processes
	// there are.
	shareOfInterval = 10 * time.Millisecond
	// lostTimeout is how long after its last announcement a lost worker is listed.
	lostTimeout = time.Minute
	// checkInterval is how often AwaitLoss looks for workers.
	checkInterval = 500 * time.Millisecond
	// Max is the largest number of processes, or of builds, that are remembered.
	Max = 1 << 14
)

// A List has the processes that run workers, as they have announced themselves. Its methods
// may be called concurrently.
type List struct {
	mu    sync.Mutex
	known map[string]member // by id
}

type member struct {
	wire.Worker
	seen time.Time
}

// Update records what a process has announced.
func (s *List) Update(w *wire.Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.Leaving {
		delete(s.known, w.ID)
		return
	}
	if s.known == nil {
		s.known = make(map[string]member)
	}
	if _, ok := s.known[w.ID]; ok || len(s.known) < Max {
		s.known[w.ID] = member{*w, time.Now()}
	}
}

// Current returns the processes that were seen lately, in the order of hosts and process
// ids.
func (s *List) Current() []wire.Worker {
	var list []wire.Worker
	for _, r := range s.Rows() {
		if !r.Lost() {
			list = append(list, r.Worker)
		}
	}
	return list
}

// A Row is a process, and the time since it last announced itself.
type Row struct {
	wire.Worker
	Age time.Duration
}

// Lost reports whether the process counts as lost, because it has not announced itself lately.
func (r *Row) Lost() bool { return r.Age > presence(&r.Worker) }

// presence returns how long a process counts as present after its last announcement.
func presence(w *wire.Worker) time.Duration { return max(timeout, missedIntervals*w.Interval) }

// Interval returns the time that a process should wait between two announcements. It is at least
// shortest, and grows with the number of processes if there are many.
func (s *List) Interval(shortest time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(shortest, time.Duration(len(s.known))*shareOfInterval)
}

// Rows returns the processes that were seen lately, and those that were lost in the last
// minute, in the order of hosts and process ids.
func (s *List) Rows() []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Row
	for id, m := range s.known {
		age := time.Since(m.seen)
		if age > lostTimeout-timeout+presence(&m.Worker) {
			delete(s.known, id)
			continue
		}
		list = append(list, Row{m.Worker, age})
	}
	slices.SortFunc(list, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), cmp.Compare(a.PID, b.PID), strings.Compare(a.ID, b.ID))
	})
	return list
}

// Slots returns how many tasks of each pool all processes together can run at once.
func (s *List) Slots() (n int) {
	for _, m := range s.Current() {
		n += m.Slots
	}
	return n
}

// AwaitLoss waits until no process of the build b was present for the duration d, and then
// returns true. Times in which connected returns false do not count, since no process can
// announce itself then. If ctx ends first, AwaitLoss returns false.
func (s *List) AwaitLoss(ctx context.Context, b Build, d time.Duration, connected func() bool) bool {
	ticker := time.NewTicker(min(checkInterval, d))
	defer ticker.Stop()
	for seen := time.Now(); ; {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
		if !connected() || slices.ContainsFunc(s.Current(), func(w wire.Worker) bool { return w.Build == b }) {
			seen = time.Now()
		} else if time.Since(seen) >= d {
			return true
		}
	}
}
