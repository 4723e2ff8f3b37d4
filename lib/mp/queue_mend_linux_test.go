package mp

import (
	"context"
	"reflect"
	"testing"
	"time"
	"unsafe"
)

// A process that is killed between any two steps of advance leaves counts that
// the next one corrects.
func TestQueueMendsTheCountsOfTheDead(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for steps := range 4 {
		q, err := newSharedQueue(reflect.TypeFor[int](), 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := q.put(ctx, number(1), true); err != nil {
			t.Fatal(err)
		}
		dieIn(q, steps)
		want := 1
		if steps == 3 {
			want = 2 // the value was put before the end came
		}
		if want == 1 {
			if err := q.put(ctx, number(2), false); err != nil {
				t.Errorf("killed after %d steps, there is room for 1 of 2: %v", steps, err)
			}
		}
		for i := range 2 {
			v := 0
			if _, err := q.get(ctx, unsafe.Pointer(&v), true); err != nil || v != i+1 {
				t.Errorf("killed after %d steps, value %d is %d, %v", steps, i, v, err)
			}
		}
		if n := q.length(); n != 0 {
			t.Errorf("killed after %d steps, %d values in an empty queue", steps, n)
		}
		for range 2 {
			if err := q.done(); err != nil {
				t.Error(err)
			}
		}
		if err := q.join(ctx); err != nil {
			t.Errorf("killed after %d steps, join: %v", steps, err)
		}
	}
}

// dieIn does the first steps of putting a 2 and leaves the lock to the dead.
func dieIn(q *sharedQueue, steps int) {
	tail := q.c.u64(queueTail).Load()
	value := []byte{8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}
	q.write(tail, value)
	to, n := tail+uint64(len(value)), q.c.u64(queuePut).Load()
	if steps > 0 {
		q.c.u64(queuePutIntent).Store(n<<32 | uint64(uint32(to)))
	}
	if steps > 1 {
		q.c.u64(queuePut).Add(1)
	}
	if steps > 2 {
		q.c.u64(queueTail).Store(to)
	}
	const nobody = 1 << 22 // beyond the ids that Linux gives
	q.c.u64(queuePutLock).Store(owner{pid: nobody, start: 1}.word())
}
