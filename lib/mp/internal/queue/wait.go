package queue

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// A queueCall is a call that waits for a change of a sharedQueue by another process.
type queueCall struct {
	q      *sharedQueue
	other  *atomic.Uint32 // lastPut or lastTake: whether this process itself does what the call waits for
	losses uint32
	began  time.Time
}

func (q *sharedQueue) call(other *atomic.Uint32) *queueCall {
	return &queueCall{q: q, other: other, losses: q.o.Losses(), began: time.Now()}
}

// aloneInterval is how long a call waits before it returns ErrPeerDied, if all other
// processes are dead and this one does not do what the call waits for.
const aloneInterval = 2 * time.Second

// isAlone reports whether no process can end the wait: the others are dead, and since then
// this process has neither sent the queue to another process nor used the queue's other end.
func (c *queueCall) isAlone() bool {
	_, alone := c.q.o.AloneFor()
	return alone && time.Since(c.began) >= aloneInterval && c.other.Load() != c.q.o.Losses()+1
}

// spanNames has the names of waits in a trace, by whether a get waits.
var spanNames = map[bool]string{true: tracing.WaitQueueGet, false: tracing.WaitQueuePut}

// sleep waits on a bell until ready may return true.
func (c *queueCall) sleep(ctx context.Context, bell, sleepers int, ready func() bool) error {
	o := c.q.o
	o.U32(sleepers).Add(1)
	defer o.U32(sleepers).Add(^uint32(0))
	o.U32(bell).Store(0) // a wake-up before this is handled by ready
	if ready() {
		return nil
	}
	w := shm.Watch{Peers: c.q.orphaned == nil, Losses: c.losses, One: true}
	w.Suspect = func() bool {
		return ready() || c.q.orphaned != nil && c.q.orphaned() || c.isAlone()
	}
	span := tracing.Wait(spanNames[bell == queueArrived])
	err := o.Wait(ctx, bell, 0, w)
	span.End()
	switch {
	case ready():
		return nil // takes precedence over errors
	case err == nil && c.isAlone():
		return shm.ErrPeerDied
	case err == nil && bell != queueArrived && c.q.orphaned != nil && c.q.orphaned():
		return shm.ErrPeerDied // the dead reader of a pipe cannot make room
	}
	return err
}
