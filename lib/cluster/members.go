package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/perijove/perijove/lib/cluster/internal/livetable"
	"github.com/perijove/perijove/lib/cluster/internal/members"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

// announceInterval is how often a pool announces itself. Processes with workers do so every
// heartbeatInterval, and less often if there are many.
const announceInterval = 500 * time.Millisecond

// watchMembers subscribes to the announcements of workers, and asks the workers for one
// now. They answer to this process only: if they told all, the messages after the start of n
// processes would grow with the cube of n.
func (c *Cluster) watchMembers() error {
	update := func(m *nats.Msg) {
		if w, err := wire.DecodeWorker(m.Data); err == nil {
			c.members.Update(w)
		}
	}
	answers := c.conn.NewInbox()
	_, err := c.conn.Subscribe(c.workerSubject(), update)
	if err == nil {
		_, err = c.conn.Subscribe(answers, update)
	}
	if err == nil {
		err = c.conn.PublishRequest(c.helloSubject(), answers, nil)
	}
	if err != nil {
		return fmt.Errorf("cluster: cannot ask %s for the workers of the cluster: %w", c.URL(), err)
	}
	return nil
}

// A Table is a table of the processes that run workers. It has a line for each process: where
// it runs, how many tasks of each pool it can run at once (workers), how many tasks it runs
// (running) and has done, how many of these returned an error or panicked (failed), how many
// of its child processes died and were replaced (lost), and when it was last seen. The last
// line has the sums, and the number of tasks of this process's pools that wait for a worker.
//
// In a notebook a cell that ends with a Table, or that calls display.Show with it, shows it
// as a table that changes as the tasks do, until the Cluster is closed. In a program it is
// text.
type Table struct{ in *livetable.Table }

// Table returns a table of the processes that run workers. A process of another build runs
// no tasks of this program, unless its build is shown as "by hash": then it runs the
// functions whose hashes are equal. A process that was lost is listed for a minute.
func (c *Cluster) Table() *Table {
	return &Table{livetable.New(c.table, c.show)}
}

// show starts the goroutine f, which updates a table until the Cluster is closed.
func (c *Cluster) show(f func(context.Context)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.tables.Go(func() { f(c.showing) })
	}
}

// String returns the present table as text.
func (t *Table) String() string { return t.in.String() }

// DisplayID returns the identifier of the table's outputs in a notebook.
func (t *Table) DisplayID() string { return t.in.ID }

// MIMEBundle returns the present table for a notebook, and begins to update it there.
func (t *Table) MIMEBundle() map[string]any { return t.in.MIMEBundle() }

// table returns the present table.
func (c *Cluster) table() *members.Table {
	now := &members.Table{Own: c.build, Rows: c.members.Rows()}
	c.mu.Lock()
	pools := slices.Collect(maps.Values(c.pools)) // none after Close
	c.mu.Unlock()
	for _, r := range pools {
		now.Waiting += r.unfinished()
	}
	for _, r := range now.Rows {
		now.Waiting -= r.Running
	}
	now.Waiting = max(now.Waiting, 0) // workers also run tasks of other processes' pools
	return now
}

// unfinished returns how many tasks of the pool have no outcome.
func (r *runner) unfinished() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range r.queues {
		n += len(q.pending)
	}
	for _, b := range r.inflight {
		n += b.left
	}
	return n
}
