package cluster

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

const (
	// announceInterval is how often a pool announces itself; workers do so every
	// heartbeatInterval.
	announceInterval = 500 * time.Millisecond
	// memberTimeout is how long after its last announcement a worker is counted.
	memberTimeout = 10 * time.Second
	// maxMembers is the largest number of processes that are remembered.
	maxMembers = 1 << 14
)

// members are the processes that run workers, as they have announced themselves.
type members struct {
	mu    sync.Mutex
	known map[string]member // by id
}

type member struct {
	wire.Worker
	seen time.Time
}

// watchMembers subscribes to the announcements of workers, and asks the workers for one
// now.
func (c *Cluster) watchMembers() error {
	_, err := c.conn.Subscribe(c.workerSubject(), func(m *nats.Msg) {
		if w, err := wire.DecodeWorker(m.Data); err == nil {
			c.members.update(w)
		}
	})
	if err == nil {
		err = c.conn.Publish(c.helloSubject(), nil)
	}
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	return nil
}

func (s *members) update(w *wire.Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.Leaving {
		delete(s.known, w.ID)
		return
	}
	if s.known == nil {
		s.known = make(map[string]member)
	}
	if _, ok := s.known[w.ID]; ok || len(s.known) < maxMembers {
		s.known[w.ID] = member{*w, time.Now()}
	}
}

// current returns the processes that were seen lately, in the order of hosts and process
// ids. Those with another build are left out if build is not nil.
func (s *members) current(build *[sha256.Size]byte) []member {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []member
	for id, m := range s.known {
		switch {
		case time.Since(m.seen) > memberTimeout:
			delete(s.known, id)
		case build == nil || m.Build == *build:
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b member) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), cmp.Compare(a.PID, b.PID), strings.Compare(a.ID, b.ID))
	})
	return list
}

// slots returns how many tasks the workers of a build run at once; nil stands for all
// builds.
func (s *members) slots(build *[sha256.Size]byte) (n int) {
	for _, m := range s.current(build) {
		n += m.Slots
	}
	return n
}

// Table returns a table of the processes that run workers: where each runs, how many tasks
// it runs and has done, and how many of its child processes were replaced. A process of
// another build does not run the tasks of this program.
func (c *Cluster) Table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "host\tprocess\tprogram\tbuild\tworkers\trunning\tdone\treplaced")
	for _, m := range c.members.current(nil) {
		build := "this"
		if m.Build != c.build {
			build = fmt.Sprintf("other (%.4x)", m.Build)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%d\t%d\t%d\t%d\n", m.Host, m.PID, m.Program, build, m.Slots, m.Running, m.Done, m.Restarts)
	}
	_ = w.Flush() // writes to memory
	return b.String()
}

// noWorkers returns the error of tasks of the function name if no worker can run them.
func (c *Cluster) noWorkers(name string) error {
	others := c.members.current(nil)
	if len(others) == 0 {
		return fmt.Errorf("cluster: %w: no worker has joined %s; start some with Workers, here or in another process", ErrNoWorkers, c.URL())
	}
	m := others[0]
	return fmt.Errorf("cluster: %w: %s needs a worker of build %.4x, but the processes at %s (%d) run other builds, such as %.4x (process %d on %s); "+
		"start workers from the same file as this program", ErrNoWorkers, name, c.build, c.URL(), len(others), m.Build, m.PID, m.Host)
}
