package queue

import (
	"context"
	"fmt"
	"runtime"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A queue that is counted knows of each process how many values it has taken and
// not dealt with: its balance. What a process dies with is lost, and Join tells so.
// The readers' lock guards the counts.

// balance is the place of a process's balance; those without a place among the
// users have one together.
func balance(index int) int {
	if index < 0 {
		index = 511
	}
	return queueBalance + 8*index
}

// countTaken counts a value before it is taken: if the process dies in between,
// recount corrects that.
func (q *sharedQueue) countTaken() {
	if q.isCounted() {
		q.o.U64(balance(q.o.Index())).Add(1)
	}
}

// recount finds out how many values were lost: what was taken, was not dealt with
// and is in no balance. The caller has the readers' lock.
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

// removeTaker removes a dead user, and counts what it has taken with it.
func removeTaker(o *shm.Object, i int, dead shm.Owner) bool {
	m := shm.Mutex{O: o, At: queueGetLock}
	if !m.TryLock() {
		return false // the next one that looks does it
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

// finish wakes those that join.
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
			return fmt.Errorf("mp: %d values of the queue were not dealt with by those that took them: %w",
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

// removeDead removes all dead users. A writer may have died while it counted, too.
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
