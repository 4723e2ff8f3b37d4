package mp_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// TestZeroValues checks that zero values work for goroutines.
func TestZeroValues(t *testing.T) {
	var z struct {
		lock    mp.Mutex
		rlock   mp.ReentrantMutex
		value   mp.Value[triple]
		number  mp.Value[int]
		counter mp.Counter
		event   mp.Event
		few     mp.Semaphore
		cond    mp.Cond
		queue   mp.JoinableQueue[string]
		plain   int
		nested  int
	}
	z.few.Release()
	var all sync.WaitGroup
	for range parties {
		all.Go(func() {
			for range 100 {
				z.lock.Lock()
				z.plain++
				z.lock.Unlock()
				z.rlock.Lock()
				z.rlock.Lock()
				z.nested++
				z.rlock.Unlock()
				z.rlock.Unlock()
				z.value.Update(func(x triple) triple { return triple{x.A + 1, x.B, x.C} })
				mp.Add(&z.number, 1)
				z.counter.Add(1)
			}
			if err := z.few.Acquire(watchdog(t)); err != nil {
				t.Error(err)
			}
			z.few.Release()
			if err := z.queue.Put(watchdog(t), "done"); err != nil {
				t.Error(err)
			}
			z.cond.L.Lock()
			z.cond.Signal()
			z.cond.L.Unlock()
			if err := z.event.Wait(watchdog(t)); err != nil {
				t.Error(err)
			}
		})
	}
	z.cond.L.Lock()
	for z.queue.Len() < parties {
		if err := z.cond.WaitContext(watchdog(t)); err != nil {
			t.Fatal(err)
		}
	}
	z.cond.L.Unlock()
	z.event.Set()
	all.Wait()
	const n = 100 * parties
	if z.plain != n || z.nested != n || z.value.Load().A != n || z.number.Load() != n || z.counter.Load() != n {
		t.Errorf("counted %d, %d, %d, %d; want %d", z.plain, z.value.Load().A, z.number.Load(), z.counter.Load(), n)
	}
	for range parties {
		expect(t, "done")(z.queue.Get(watchdog(t)))
		if err := z.queue.TaskDone(); err != nil {
			t.Error(err)
		}
	}
	if err := z.queue.Join(watchdog(t)); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(watchdog(t), time.Millisecond)
	defer cancel()
	if _, err := z.queue.Get(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an empty queue: %v", err)
	}
}

func TestZeroValuesThatCannotWork(t *testing.T) {
	var b mp.Barrier
	_, err := b.Wait(watchdog(t))
	refused(t, err, "mp.NewBarrier")
	var q mp.Queue[int]
	_, err = mp.Start(watchdog(t), mp.Processes, func(*mp.Queue[int]) {}, &q)
	refused(t, err, "Queue", "mp.Processes")
	defer func() {
		if err, ok := recover().(error); !ok {
			t.Error("a Value with a pointer is accepted")
		} else {
			refused(t, err, "named.Info.Name", "string")
		}
	}()
	var v mp.Value[named]
	v.Store(named{})
}
