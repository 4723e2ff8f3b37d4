// Package members records the processes that run workers, and the functions that programs of
// other builds offer.
package members

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

const (
	// timeout is how long a worker counts as present after its last announcement.
	timeout = 10 * time.Second
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
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []wire.Worker
	for id, m := range s.known {
		if time.Since(m.seen) > timeout {
			delete(s.known, id)
			continue
		}
		list = append(list, m.Worker)
	}
	slices.SortFunc(list, func(a, b wire.Worker) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), cmp.Compare(a.PID, b.PID), strings.Compare(a.ID, b.ID))
	})
	return list
}

// Slots returns how many tasks all workers run at once.
func (s *List) Slots() (n int) {
	for _, m := range s.Current() {
		n += m.Slots
	}
	return n
}

// Table returns a table of the processes for users. own is the build of this process.
func (s *List) Table(own Build) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "host\tprocess\tprogram\tbuild\tworkers\trunning\tdone\treplaced")
	for _, m := range s.Current() {
		build := "this"
		switch {
		case m.Build == own:
		case m.Offers:
			build = fmt.Sprintf("by hash (%.4x)", m.Build)
		default:
			build = fmt.Sprintf("other (%.4x)", m.Build)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%d\t%d\t%d\t%d\n", m.Host, m.PID, m.Program, build, m.Slots, m.Running, m.Done, m.Restarts)
	}
	_ = w.Flush() // writes to memory
	return b.String()
}
