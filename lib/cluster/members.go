package cluster

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

// announceInterval is how often a pool announces itself; workers do so every
// heartbeatInterval.
const announceInterval = 500 * time.Millisecond

// watchMembers subscribes to the announcements of workers, and asks the workers for one
// now.
func (c *Cluster) watchMembers() error {
	_, err := c.conn.Subscribe(c.workerSubject(), func(m *nats.Msg) {
		if w, err := wire.DecodeWorker(m.Data); err == nil {
			c.members.Update(w)
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

// Table returns a table of the processes that run workers: where each runs, how many tasks
// it runs and has done, and how many of its child processes were replaced. A process of
// another build runs no tasks of this program, unless its build is shown as "by hash": then
// it runs the functions whose hashes are equal.
func (c *Cluster) Table() string { return c.members.Table(c.build) }
