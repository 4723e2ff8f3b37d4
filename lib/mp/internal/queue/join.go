package queue

import (
	"context"
	"fmt"
	"runtime"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A counted queue records for each process how many values it has taken and not
// reported done: its balance. If a process dies, its balance is lost, and Join reports
// that. The readers' lock guards the counts.

// balance returns the offset of the balance of the process at a place among the users.
// Processes without a place (index -1) share one balance.
func balance(index int) int {
	if index < 0 {
		index = 511
	}
	return queueBalance + 8*index
}

// countTaken counts a value before it is taken. If the process dies in between, recount
// corrects the count.
func (q *sharedQueue) countTaken() {
	if q.isCounted() {
		q.o.U64(balance(q.o.Index())).Add(1)
	}
}

// recount computes how many values were lost: those that were taken, were not reported
// done, and are in no balance. The caller has the readers' lock.
func recount(o *shm.Object) {
	if o.U32(queueCounted).Load() == 0 {
		return
	}
	held := o.U64(balance(-1)).Load()
	for i := range o.Users() {
		if _, ok := o.User(i); ok {
			held += o.U64(balance(i)).Load()
		} else {
			o.U64(balance(i)).Store(0)
		}
	}
	lost := takenCount(o) - o.U64(queueDone).Load() - held
	if int64(lost) > int64(o.U64(queueLost).Load()) {
		o.U64(queueLost).Store(lost)
	}
}

// removeTaker removes a dead user and counts the values that are lost with it. It
// reports whether it has removed the user.
func removeTaker(o *shm.Object, i int, dead shm.Owner) bool {
	m := shm.Mutex{O: o, At: queueGetLock}
	if !m.TryLock() {
		return false // the next process that checks does it
	}
	defer m.Unlock()
	mendGet(o)
	removed := o.Remove(i, dead)
	recount(o)
	return removed
}

func (q *sharedQueue) isFinished() bool {
	put := putCount(q.o)
	return int64(q.o.U64(queueDone).Load()+q.o.U64(queueLost).Load()) >= int64(put)
}

func (q *sharedQueue) Done() error {
	defer runtime.KeepAlive(q)
	m := shm.Mutex{O: q.o, At: queueGetLock}
	if err := m.Lock(context.Background()); err != nil {
		return err
	}
	if mendGet(q.o) {
		recount(q.o)
	}
	if q.isFinished() {
		m.Unlock()
		return errTooDone
	}
	q.o.U64(balance(q.o.Index())).Add(^uint64(0))
	q.o.U64(queueDone).Add(1)
	finished := q.isFinished()
	m.Unlock()
	if finished {
		q.finish()
	}
	return nil
}

// finish wakes the callers of Join.
func (q *sharedQueue) finish() {
	q.o.U32(queueFinished).Add(1)
	q.o.Wake(queueFinished, shm.All)
}

func (q *sharedQueue) Join(ctx context.Context) error {
	defer runtime.KeepAlive(q)
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	began := q.o.U64(queueLost).Load()
	for {
		turn := q.o.U32(queueFinished).Load()
		if err := q.removeDead(ctx); err != nil {
			return err
		}
		if lost := q.o.U64(queueLost).Load(); lost != began || lost != q.o.U64(queueReported).Load() {
			reported := q.o.U64(queueReported).Swap(lost)
			return fmt.Errorf("mp: Join cannot wait for %d values of the queue: processes took the values and died before they called TaskDone: %w",
				lost-min(reported, began), failure.Unprefixed(shm.ErrPeerDied))
		}
		if q.isFinished() {
			return nil
		}
		w := shm.Watch{Suspect: func() bool { return q.o.HasDead() || q.isFinished() }}
		if err := q.o.Wait(ctx, queueFinished, turn, w); err != nil {
			return err
		}
	}
}

// removeDead removes all dead users. It also corrects the count of puts, since a writer
// may have died while it changed it.
func (q *sharedQueue) removeDead(ctx context.Context) error {
	if !q.o.HasDead() {
		return nil
	}
	put := shm.Mutex{O: q.o, At: queuePutLock}
	if err := put.Lock(ctx); err != nil {
		return err
	}
	mendPut(q.o)
	put.Unlock()
	get := shm.Mutex{O: q.o, At: queueGetLock}
	if err := get.Lock(ctx); err != nil {
		return err
	}
	mendGet(q.o)
	q.o.RemoveDead()
	recount(q.o)
	get.Unlock()
	q.finish()
	return nil
}
