package queue

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A queueCall is a call that waits for what others do with a sharedQueue.
type queueCall struct {
	q      *sharedQueue
	other  *atomic.Uint32 // when this process last did what the call waits for
	losses uint32
	began  time.Time
}

func (q *sharedQueue) call(other *atomic.Uint32) *queueCall {
	return &queueCall{q: q, other: other, losses: q.o.Losses(), began: time.Now()}
}

// aloneInterval is how often the calls of a process that was left alone return
// ErrPeerDied, if nothing in it does what they wait for.
const aloneInterval = 2 * time.Second

// isAlone reports whether no process can end the wait: the others are dead, the queue
// was not sent since, and this process has not been at its other end.
func (c *queueCall) isAlone() bool {
	_, alone := c.q.o.AloneFor()
	return alone && time.Since(c.began) >= aloneInterval && c.other.Load() != c.q.o.Losses()+1
}

// sleep waits at a bell until ready may be true.
func (c *queueCall) sleep(ctx context.Context, bell, sleepers int, ready func() bool) error {
	o := c.q.o
	o.U32(sleepers).Add(1)
	defer o.U32(sleepers).Add(^uint32(0))
	o.U32(bell).Store(0) // what was woken looks now
	if ready() {
		return nil
	}
	w := shm.Watch{Peers: c.q.orphaned == nil, Losses: c.losses, One: true}
	w.Suspect = func() bool {
		return ready() || c.q.orphaned != nil && c.q.orphaned() || c.isAlone()
	}
	err := o.Wait(ctx, bell, 0, w)
	switch {
	case ready():
		return nil // before what else has happened
	case err == nil && c.isAlone():
		return shm.ErrPeerDied
	case err == nil && bell != queueArrived && c.q.orphaned != nil && c.q.orphaned():
		return shm.ErrPeerDied // the reader of a pipe, who would have to make room
	}
	return err
}
